"""Scorers with tokenizers of several kinds, and the texts that they are asked about here and elsewhere."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from rewardranker.models.batching import collate
from rewardranker.models.encoding import encode_pair
from rewardranker.models.exporting import export_scorer
from rewardranker.models.loading import load_scorer, load_tokenizer
from rewardranker.models.scoring import ScorerNetwork

BOS, EOS, PAD = "<s>", "<|end|>", "<pad>"
CHAT = (
    "{% for message in messages %}{% if bos_token is defined %}{{ bos_token }}{% endif %}"
    "{{ 'user: ' + message['content'] + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
)
#: Where prompt and program meet: at a line's end, within a word, where merged blanks would straddle, and at nothing.
PAIRS = [
    ("def f(xs):", "\n    return sum(xs)\n"),
    ("def f(xs):\n", "    return 1\n"),
    ("Write a function.\n\n", "x != y"),
    ("def g(a", "a, b): pass\n    return b\n"),
    ("def é(x):\n ", "   return 'ß→'" + " + x" * 9),
    ("text with an <|end|> in it", f"and one more {EOS}"),
    ("def h():", ""),
]
#: By name, what a tokenizer has: tokens for padding and the beginning, a processor that puts BOS before texts.
KINDS = {
    "no_pad": {},
    "pad_is_eos": {"pad": EOS},
    "pad": {"pad": PAD},
    "bos": {"pad": EOS, "bos": True},
    "closes": {"bos": True, "closes": True},
}


def tokenizer(pad: str = "", bos: bool = False, closes: bool = False) -> PreTrainedTokenizerFast:
    """Byte-level BPE with merges across blanks and line ends, as GPT-2's and those of code models."""
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    special = [EOS, *([BOS] if bos else []), *([pad] if pad not in ("", EOS) else [])]
    trainer = trainers.BpeTrainer(
        vocab_size=330,
        special_tokens=special,
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    inner.train_from_iterator([prompt + completion for prompt, completion in PAIRS] * 5, trainer)
    if bos:
        template = f"{BOS} $A {EOS}" if closes else f"{BOS} $A"
        ids = [(token, inner.token_to_id(token)) for token in (BOS, EOS)]
        inner.post_processor = processors.TemplateProcessing(template, special_tokens=ids)
    named = {"pad_token": pad} if pad else {}
    named |= {"bos_token": BOS} if bos else {}
    return PreTrainedTokenizerFast(tokenizer_object=inner, eos_token=EOS, chat_template=CHAT, **named)


def exported(kind: str, folder: Path, chat: bool = False) -> tuple[Path, list[float]]:
    """An exported scorer, and what it says here of :data:`PAIRS`, one by one."""
    codec, base = tokenizer(**KINDS[kind]), folder / "base"  # type: ignore[arg-type]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        config = LlamaConfig(
            vocab_size=len(codec), hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=2,
            num_key_value_heads=2, max_position_embeddings=128, eos_token_id=codec.eos_token_id, bos_token_id=None,
        )  # fmt: skip
        LlamaForCausalLM(config).save_pretrained(base)
    codec.save_pretrained(base)
    network = load_scorer(str(base), "float32", "auto", "cpu", seed=3)
    with torch.no_grad():
        network.model.score.weight.mul_(20)  # so that a slip would show
    export_scorer(network, load_tokenizer(str(base)), folder / "scorer", chat)
    return folder / "scorer", said_here(network, base, chat)


def said_here(network: ScorerNetwork, directory: Path, chat: bool = False) -> list[float]:
    codec = load_tokenizer(str(directory))
    with torch.no_grad():
        return [float(network(collate([encode_pair(codec, *pair, chat)]))[0]) for pair in PAIRS]
