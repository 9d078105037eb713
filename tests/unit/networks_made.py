"""Networks of many architectures, tiny and random, and their files as other tools leave them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import (
    AutoModelForCausalLM,
    BloomConfig,
    CodeGenConfig,
    CohereConfig,
    FalconConfig,
    Gemma2Config,
    GPT2Config,
    GPTJConfig,
    GPTNeoConfig,
    GPTNeoXConfig,
    GraniteConfig,
    Lfm2Config,
    LlamaConfig,
    MambaConfig,
    MistralConfig,
    MixtralConfig,
    MptConfig,
    OPTConfig,
    PreTrainedConfig,
    Qwen2Config,
    RwkvConfig,
)

from rewardranker.config.schema import TinyConfig
from rewardranker.models.batching import TokenBatch
from rewardranker.models.tiny import build_tiny_model


def lettered_model(directory: Path) -> str:
    """A Llama of three small layers whose tokens are the words wa, wb, ..."""
    texts = [" ".join(f"w{chr(97 + i)}" for i in range(26))]
    build_tiny_model(TinyConfig(hidden=24, layers=3, heads=2, max_positions=64), directory, texts, seed=3)
    return str(directory)


SIZES = {"vocab_size": 64, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
LLAMA = {**SIZES, "intermediate_size": 48, "num_key_value_heads": 2, "max_position_embeddings": 64}
GPT = {"vocab_size": 64, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64}
ENDS = {"bos_token_id": 1, "eos_token_id": 1, "pad_token_id": 0}

#: By name, a configuration of the architecture.
CONFIGS: dict[str, Callable[[], PreTrainedConfig]] = {
    "llama": lambda: LlamaConfig(**LLAMA, **ENDS),
    "llama_tied": lambda: LlamaConfig(**LLAMA, **ENDS, tie_word_embeddings=True),
    "qwen2": lambda: Qwen2Config(**LLAMA, **ENDS),
    "mistral_window": lambda: MistralConfig(**LLAMA, **ENDS, sliding_window=20),
    "gemma2": lambda: Gemma2Config(**LLAMA, **ENDS, head_dim=8, sliding_window=20),
    "mixtral": lambda: MixtralConfig(**LLAMA, **ENDS, num_local_experts=4),
    "gpt2": lambda: GPT2Config(**GPT, **ENDS),
    "opt": lambda: OPTConfig(**SIZES, **ENDS, ffn_dim=48, max_position_embeddings=64, word_embed_proj_dim=32),
    "gpt_neox": lambda: GPTNeoXConfig(**SIZES, **ENDS, intermediate_size=48, max_position_embeddings=64),
    "gpt_neo": lambda: GPTNeoConfig(
        vocab_size=64, hidden_size=32, num_layers=2, num_heads=4, max_position_embeddings=64,
        attention_types=[[["global", "local"], 1]], **ENDS,
    ),
    "gptj": lambda: GPTJConfig(**GPT, **ENDS, rotary_dim=8),
    "codegen": lambda: CodeGenConfig(**GPT, **ENDS, rotary_dim=8),
    "bloom": lambda: BloomConfig(vocab_size=64, hidden_size=32, n_layer=2, n_head=4, **ENDS),
    "mpt": lambda: MptConfig(d_model=32, n_heads=4, n_layers=2, vocab_size=64, max_seq_len=64),
    "falcon_alibi": lambda: FalconConfig(**SIZES, **ENDS, alibi=True, new_decoder_architecture=False),
    "granite": lambda: GraniteConfig(**LLAMA, **ENDS),
    "cohere": lambda: CohereConfig(**LLAMA, **ENDS),
    "mamba": lambda: MambaConfig(vocab_size=64, hidden_size=32, num_hidden_layers=2, state_size=4, **ENDS),
    "lfm2": lambda: Lfm2Config(
        **SIZES, **ENDS, intermediate_size=48, num_key_value_heads=2, full_attn_idxs=[1], max_position_embeddings=64
    ),
    "rwkv": lambda: RwkvConfig(vocab_size=64, hidden_size=32, num_hidden_layers=2, context_length=64, **ENDS),
}  # fmt: skip


def causal(name: str, directory: Path) -> str:
    """Writes a random language model of an architecture; returns its directory."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        AutoModelForCausalLM.from_config(CONFIGS[name]()).save_pretrained(directory)
    return str(directory)


def left_padded(batch: TokenBatch, more: int = 0) -> TokenBatch:
    """The same sequences with their padding in front, and ``more`` of it."""
    lengths = batch.attention_mask.sum(1).tolist()
    width = batch.input_ids.shape[1] + more
    shift = torch.tensor([width - length for length in lengths])[batch.line]
    moved = {
        name: torch.stack([F.pad(row[:n], (width - n, 0)) for row, n in zip(vars(batch)[name], lengths, strict=True)])
        for name in ("input_ids", "attention_mask", "position_ids")
    }
    return replace(batch, **moved, before=batch.before + shift[:, None], last=batch.last + shift)


def rewrite(directory: Path, change: Callable[[dict[str, Tensor]], dict[str, Tensor]]) -> None:
    """Changes the tensors of a saved model, whatever they are then called."""
    file = directory / "model.safetensors"
    save_file(change(load_file(file)), file, metadata={"format": "pt"})


def renamed(start: str, to: str) -> Callable[[dict[str, Tensor]], dict[str, Tensor]]:
    """Names that begin with ``start`` begin with ``to``."""
    return lambda tensors: {
        (to + name.removeprefix(start) if name.startswith(start) else name): tensor
        for name, tensor in tensors.items()
    }


def without(*parts: str) -> Callable[[dict[str, Tensor]], dict[str, Tensor]]:
    """Tensors whose names hold none of ``parts``."""
    return lambda tensors: {name: t for name, t in tensors.items() if not any(part in name for part in parts)}
