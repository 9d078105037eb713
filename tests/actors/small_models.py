"""Small models with random weights, and Hugging Face's own answers for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import ray
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from actors.weights.source import WeightSource
from rewardranker.models.loading import load_scorer, load_tokenizer
from rewardranker.models.tiny import build_tokenizer

VOCABULARY = 100
POSITIONS = 320


def make_model(directory: Path, seed: int) -> Path:
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=128,
        intermediate_size=384,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=32,  # the smallest that vLLM knows on CPU
        max_position_embeddings=POSITIONS,
        tie_word_embeddings=True,
        # Large enough for distributions that depend on the whole prompt and are far from uniform.
        initializer_range=0.15,
        bos_token_id=None,
        eos_token_id=1,
        pad_token_id=0,
        dtype=torch.float32,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(config)
    model.save_pretrained(directory)
    tokenizer = build_tokenizer([" ".join(f"w{'x' * i}" for i in range(VOCABULARY - 3))], POSITIONS)
    tokenizer.save_pretrained(directory)
    return directory


def make_scorer(base: str, directory: Path) -> Path:
    """A scorer of the same backbone, which a critic and a frozen reward model start from."""
    load_scorer(base, "float32", "auto", "cpu", seed=7).model.save_pretrained(directory)
    load_tokenizer(base).save_pretrained(directory)
    return directory


def buckets_of(source: WeightSource, limit_bytes: int) -> list[np.ndarray]:
    """All buckets of one update, as they come out of Ray's object store."""
    return [ray.get(source.put_bucket()[0]) for _ in range(source.begin_buckets(limit_bytes))]


def hf_model(path: str) -> LlamaForCausalLM:
    return LlamaForCausalLM.from_pretrained(path, dtype=torch.float32).eval()


@torch.no_grad()
def hf_greedy(path: str, prompt: tuple[int, ...], max_new_tokens: int, eos_ids: tuple[int, ...]) -> list[int]:
    """The reference: ``generate`` on this prompt alone."""
    out = hf_model(path).generate(
        torch.tensor([prompt]),
        attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
        do_sample=False,
        max_new_tokens=max_new_tokens,
        eos_token_id=list(eos_ids),
        pad_token_id=0,
    )
    return out[0, len(prompt) :].tolist()


@torch.no_grad()
def hf_logprobs(path: str, prompt: tuple[int, ...], response: list[int], temperature: float) -> torch.Tensor:
    """Log-probabilities of a response by one full forward pass, fp32 ``[len(response)]``."""
    logits = hf_model(path)(torch.tensor([[*prompt, *response]])).logits[0, len(prompt) - 1 : -1]
    return (logits / temperature).log_softmax(-1).gather(1, torch.tensor(response)[:, None]).squeeze(1)
