"""The model and the tokenizer that are made at run time."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase

from rewardranker.config.schema import FamilyConfig, TinyConfig
from rewardranker.models.tiny import build_tiny_model
from rewardranker.problems.family import Authors, build_family, family_corpus_texts


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("tiny") / "model"
    build_tiny_model(TinyConfig(), directory, family_corpus_texts(), seed=0)
    return directory


@pytest.fixture(scope="module")
def tokenizer(directory: Path) -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(directory)


def digests(directory: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(directory.iterdir())}


def test_same_seed_same_bytes_and_global_state_is_untouched(directory: Path, tmp_path: Path) -> None:
    torch.manual_seed(77)
    before = torch.random.get_rng_state()
    build_tiny_model(TinyConfig(), tmp_path / "again", family_corpus_texts(), seed=0)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert digests(tmp_path / "again") == digests(directory)
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= set(digests(directory))

    build_tiny_model(TinyConfig(), tmp_path / "other", family_corpus_texts(), seed=1)
    changed = {name for name, digest in digests(tmp_path / "other").items() if digest != digests(directory)[name]}
    assert changed == {"model.safetensors"}


def test_model_is_what_the_config_says(directory: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    model = AutoModelForCausalLM.from_pretrained(directory)
    assert model.dtype == torch.float32
    assert model.lm_head.weight is model.model.embed_tokens.weight
    config = model.config
    assert (config.hidden_size, config.num_hidden_layers, config.num_attention_heads) == (96, 3, 6)
    assert (config.intermediate_size, config.max_position_embeddings) == (288, 256)
    assert (config.pad_token_id, config.eos_token_id, config.bos_token_id) == (0, 1, None)
    assert config.vocab_size == len(tokenizer) < 250
    with torch.inference_mode():
        assert torch.isfinite(model(torch.tensor([[5, 6, 7]])).logits).all()


def test_special_tokens(tokenizer: PreTrainedTokenizerBase) -> None:
    assert (tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.bos_token_id) == (0, 1, None)
    assert tokenizer.encode("def f(xs):") == tokenizer.encode("def f(xs):", add_special_tokens=False)
    assert tokenizer("def")["input_ids"] == [tokenizer.convert_tokens_to_ids("def")]


def test_round_trip_on_every_problem_and_its_programs(tokenizer: PreTrainedTokenizerBase) -> None:
    """Also: a prompt and a completion encoded apart are the text encoded whole, as training relies on."""
    authors = Authors(FamilyConfig())
    texts, prompts, completions = [], [], []
    for problem in build_family(FamilyConfig()):
        for program in {authors.reference(problem), *authors.solutions(problem, 4, seed=0)}:
            prompts.append(problem.prompt)
            completions.append(program.removeprefix(problem.prefix))
            texts.append(prompts[-1] + completions[-1])
    whole = tokenizer(texts)["input_ids"]
    assert tokenizer.batch_decode(whole) == texts
    parts = zip(tokenizer(prompts)["input_ids"], tokenizer(completions)["input_ids"], strict=True)
    assert [prompt + completion for prompt, completion in parts] == whole
    assert not any(tokenizer.unk_token_id in ids for ids in whole)
    lengths = [len(ids) for ids in whole]
    assert 45 < sum(lengths) / len(lengths) < 65 and max(lengths) < 128


def test_unknown_text_becomes_unk(tokenizer: PreTrainedTokenizerBase) -> None:
    ids = tokenizer.encode("def é(xs):")
    assert tokenizer.unk_token_id in ids and len(ids) == len(tokenizer.encode("def f(xs):"))
