"""An exported scorer says elsewhere what it says here, whatever its tokenizer has for padding."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from judging import problem
from networks_made import causal
from safetensors.torch import load_file
from scored_elsewhere import KINDS, PAIRS, exported, said_here, tokenizer
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

from rewardranker.models.batching import TokenSequence, collate
from rewardranker.models.encoding import encode_pair, encode_prompt, encode_response, opening, scored_text
from rewardranker.models.exporting import export_scorer
from rewardranker.models.loading import load_scorer, load_tokenizer
from rewardranker.problems.types import Candidate
from rewardranker.reranking.lever_text import verifier_sequence, verifier_text


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("chat", [False, True])
def test_scores_elsewhere_are_scores_here(kind: str, chat: bool, tmp_path: Path) -> None:
    if chat and kind not in ("bos", "pad_is_eos"):
        pytest.skip("one tokenizer with BOS and one without will do")
    directory, ours = exported(kind, tmp_path, chat)
    assert max(ours) - min(ours) > 0.2
    codec = AutoTokenizer.from_pretrained(directory)
    texts = [scored_text(codec, *pair, chat) for pair in PAIRS]
    model = AutoModelForSequenceClassification.from_pretrained(directory)
    with torch.no_grad():
        batched = model(**codec(texts, padding=True, return_tensors="pt")).logits[:, 0].tolist()
        alone = [model(**codec(text, return_tensors="pt")).logits.item() for text in texts]
    classify = pipeline("text-classification", model=str(directory))
    asked = [found["score"] for found in classify(texts, function_to_apply="none", batch_size=3)]
    # Nothing is applied to the number, asked for or not.
    unasked = [found["score"] for found in classify(texts)]
    for theirs in (batched, alone, asked, unasked):
        assert theirs == pytest.approx(ours, abs=1e-4)


@pytest.mark.parametrize("kind", list(KINDS))
def test_an_export_comes_back_as_what_it_was(kind: str, tmp_path: Path) -> None:
    """Scores, rows, and an export of the export; padding is a token that ends no row and has an embedding."""
    directory, ours = exported(kind, tmp_path)
    network = load_scorer(str(directory), "float32", "auto", "cpu", None)
    assert said_here(network, directory) == pytest.approx(ours, abs=1e-5)
    config, codec = network.model.config, load_tokenizer(str(directory))
    assert codec.pad_token_id == config.pad_token_id != codec.eos_token_id
    assert config.pad_token_id < len(load_file(directory / "model.safetensors")["model.embed_tokens.weight"])
    assert (config.num_labels, config.problem_type) == (1, "regression")
    before = load_tokenizer(str(tmp_path / "base"))
    assert opening(codec) == opening(before) and codec.chat_template == before.chat_template
    for pair in PAIRS:
        assert encode_pair(codec, *pair, False) == encode_pair(before, *pair, False)
        assert encode_prompt(codec, pair[0], False) == encode_prompt(before, pair[0], False)
    export_scorer(network, codec, tmp_path / "again")
    assert {f.name for f in directory.iterdir()} == {f.name for f in (tmp_path / "again").iterdir()}
    assert all(file.read_bytes() == (tmp_path / "again" / file.name).read_bytes() for file in directory.iterdir())


def test_exporting_changes_neither_network_nor_tokenizer(tmp_path: Path) -> None:
    exported("no_pad", tmp_path)
    network = load_scorer(str(tmp_path / "base"), "float32", "auto", "cpu", seed=3)
    codec = load_tokenizer(str(tmp_path / "base"))
    shapes = {name: tensor.shape for name, tensor in network.state_dict().items()}
    export_scorer(network, codec, tmp_path / "again")
    assert {name: tensor.shape for name, tensor in network.state_dict().items()} == shapes
    assert codec.pad_token is None and codec.encode("x")[-1] != codec.eos_token_id
    assert network.model.config.vocab_size == len(codec)


def test_a_scored_pair_is_one_text(tmp_path: Path) -> None:
    """A token may reach over the place where prompt and program meet, which a generator's tokens never do."""
    codec = tokenizer(bos=True)
    differs = 0
    for prompt, completion in PAIRS:
        row = encode_pair(codec, prompt, completion, False)
        ids = [*row.prompt_ids, *row.response_ids]
        assert ids == [*codec.encode(prompt + completion), codec.eos_token_id]
        apart = (*encode_prompt(codec, prompt, False), *encode_response(codec, completion))
        differs += tuple(ids) != apart
        assert row.prompt_ids and row.response_ids[-1] == codec.eos_token_id
    assert 0 < differs < len(PAIRS)
    assert encode_pair(tokenizer(), "", "x", False).prompt_ids == ()


def test_a_verifiers_text_is_one_text_too() -> None:
    """Where it fits; what had to be cut is no text that somebody else could give."""
    codec = tokenizer(bos=True)
    candidate = Candidate("test/function", "python", "", "def f(x):\n    return x\n", "gen:test", returns=["int 3"])
    text = verifier_text(problem(), candidate)
    whole = verifier_sequence(codec, problem(), candidate, 1000)
    expected = codec.encode(text.description + text.program + text.execution)
    assert [*whole.prompt_ids, *whole.response_ids] == [*expected, codec.eos_token_id]
    assert len(verifier_sequence(codec, problem(), candidate, len(whole) - 1)) == len(whole) - 1


def test_what_a_tokenizer_puts_before_texts() -> None:
    assert opening(tokenizer()) == ()
    bos = tokenizer(bos=True)
    assert opening(bos) == (bos.bos_token_id,)
    # One that closes texts too; a prompt stays open, and what it says itself of the end stays in it.
    closes = tokenizer(bos=True, closes=True)
    assert closes.encode("x")[-1] == closes.eos_token_id and opening(closes) == (closes.bos_token_id,)
    assert encode_prompt(closes, "x<|end|>", False)[-1] == closes.eos_token_id
    assert encode_prompt(closes, "", False) == (closes.bos_token_id,)


@pytest.mark.parametrize("name", ["gpt2", "opt", "bloom", "gptj", "gemma2", "falcon_alibi"])
def test_other_architectures_score_elsewhere_as_here(name: str, tmp_path: Path) -> None:
    """By ids, right-padded with the exported padding token, as a tokenizer does it."""
    base = causal(name, tmp_path / "base")
    tokenizer_of_few = tokenizer()
    network = load_scorer(base, "float32", "auto", "cpu", seed=3)
    export_scorer(network, tokenizer_of_few, tmp_path / "scorer")
    rows = [TokenSequence((3, 4, 5), (6, 7, 8, 9, 0)), TokenSequence((9, 8), (7, 0)), TokenSequence((5,) * 9, (4, 0))]
    with torch.no_grad():
        ours = [float(network(collate([row]))[0]) for row in rows]
        model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "scorer")
        pad = model.config.get_text_config().pad_token_id
        batch = collate(rows)
        ids = batch.input_ids.masked_fill(batch.attention_mask == 0, pad)
        theirs = model(input_ids=ids, attention_mask=batch.attention_mask).logits[:, 0].tolist()
    assert pad != tokenizer_of_few.eos_token_id and theirs == pytest.approx(ours, abs=1e-4)
