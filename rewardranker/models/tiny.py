"""A model that is made, not downloaded: a small Llama with random weights and a tokenizer of given texts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from rewardranker.config.schema import DataConfig, TinyConfig
from rewardranker.paths import AnyPath
from rewardranker.problems.contests.made_contests import made_prompts
from rewardranker.problems.family import family_corpus_texts

PAD, EOS, UNK = "<pad>", "<eos>", "<unk>"

#: A word, a digit or a symbol with the one space before it, or a line break with the indentation after it.
#: The pieces of a text joined are the text again.
PIECES = r" ?[A-Za-z_]+| ?[0-9]|\n *| ?[^\sA-Za-z0-9_]|\s"


def tiny_texts(data: DataConfig) -> list[str]:
    """Texts with all the words of the problems that are made here, and of programs for them."""
    return made_prompts() if data.source == "made_contests" else family_corpus_texts()


def build_tiny_model(config: TinyConfig, directory: AnyPath, texts: Sequence[str], seed: int) -> None:
    """Writes a model directory that ``AutoModelForCausalLM`` and ``AutoTokenizer`` can load.

    The tokenizer knows the pieces that occur in ``texts`` and no others (the rest becomes ``<unk>``): pad
    is id 0, end of sequence id 1, there is no beginning token and encoding adds none. Texts made of known
    pieces decode to themselves. Weights are fp32, input and output embeddings tied.

    Args:
        texts: what the vocabulary is taken from (:func:`tiny_texts`).
        seed: of the weights; the same arguments give the same bytes, whatever the global random state.
    """
    tokenizer = build_tokenizer(texts, config.max_positions)
    architecture = tiny_architecture(config, tokenizer)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LlamaForCausalLM(architecture)
    Path(directory).mkdir(parents=True, exist_ok=True)
    model.save_pretrained(directory)
    tokenizer.save_pretrained(directory)


def tiny_architecture(config: TinyConfig, tokenizer: PreTrainedTokenizerFast) -> LlamaConfig:
    """The network of :func:`build_tiny_model`, without weights."""
    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=config.hidden,
        intermediate_size=3 * config.hidden,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        num_key_value_heads=config.heads,
        head_dim=config.hidden // config.heads,
        max_position_embeddings=config.max_positions,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
        dtype=torch.float32,
    )


def build_tokenizer(texts: Sequence[str], max_length: int) -> PreTrainedTokenizerFast:
    """The tokenizer of :func:`build_tiny_model`: ids in the order in which the pieces first occur."""
    vocabulary = {PAD: 0, EOS: 1, UNK: 2}
    for text in texts:
        for piece in re.findall(PIECES, text):
            vocabulary.setdefault(piece, len(vocabulary))
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNK))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(PIECES), behavior="isolated")
    tokenizer.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=EOS,
        unk_token=UNK,
        model_max_length=max_length,
        clean_up_tokenization_spaces=False,
    )
