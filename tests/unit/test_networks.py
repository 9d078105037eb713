"""Scores and log-probabilities do not depend on how sequences were batched or padded; masks come from lengths."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from networks_made import left_padded

from rewardranker.config.schema import TinyConfig
from rewardranker.errors import UserError
from rewardranker.models.batching import TokenSequence, collate, microbatches
from rewardranker.models.encoding import encode_pair, encode_prompt, encode_response
from rewardranker.models.loading import load_policy, load_scorer, load_tokenizer, require_model
from rewardranker.models.packing import plan_lines
from rewardranker.models.scoring import PolicyNetwork, ScorerNetwork
from rewardranker.models.tiny import build_tiny_model

EOS = 1


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    directory = tmp_path_factory.mktemp("model")
    texts = ["def f(xs):\n xs = xs[1:]\n return sum(xs)\n"]
    build_tiny_model(TinyConfig(hidden=24, layers=2, heads=2, max_positions=64), directory, texts, seed=3)
    return str(directory)


@pytest.fixture(scope="module")
def policy(model: str) -> PolicyNetwork:
    return load_policy(model, "float32", "auto", "cpu")


@pytest.fixture(scope="module")
def scorer(model: str) -> ScorerNetwork:
    return load_scorer(model, "float32", "auto", "cpu", seed=5)


def sequences() -> list[TokenSequence]:
    return [
        TokenSequence((2, 3, 4), (5, 6, EOS)),
        TokenSequence((7,), (8, EOS)),
        TokenSequence((3, 4, 5, 6, 7, 8), (9, 3, 2, 4, 6, EOS)),
    ]


@pytest.mark.parametrize("layout", ["right", "left", "more", "lines"])
def test_padding_and_company_change_nothing(policy: PolicyNetwork, scorer: ScorerNetwork, layout: str) -> None:
    """Padded on either side and further than need be, and after a prompt that other responses share."""
    rows = [*sequences(), TokenSequence((2, 3, 4), (9, 9, 2, EOS)), sequences()[0]]
    batch = collate(rows, lines=plan_lines(rows) if layout == "lines" else None)
    if layout in ("left", "more"):
        batch = left_padded(batch, 7 if layout == "more" else 0)
    assert len(batch.input_ids) == (3 if layout == "lines" else 5)
    logprobs, entropy = policy(batch, 0.7, True)
    scores, values = scorer(batch), scorer(batch, per_token=True)
    assert entropy is not None
    for i, row in enumerate(rows):
        alone = collate([row])
        n = len(row.response_ids)
        expected, spread = policy(alone, 0.7, True)
        assert spread is not None
        torch.testing.assert_close(logprobs[i, :n], expected[0], rtol=0, atol=1e-4)
        torch.testing.assert_close(entropy[i, :n], spread[0], rtol=0, atol=1e-4)
        torch.testing.assert_close(values[i, :n], scorer(alone, per_token=True)[0], rtol=0, atol=1e-4)
        torch.testing.assert_close(scores[i], scorer(alone)[0], rtol=0, atol=1e-4)
        assert not logprobs[i, n:].any() and not values[i, n:].any()


def test_logprobs_are_those_of_a_plain_forward_pass(policy: PolicyNetwork) -> None:
    row = sequences()[2]
    ids = torch.tensor([row.prompt_ids + row.response_ids])
    logits = policy.model(ids).logits[0] / 0.7
    expected = torch.log_softmax(logits, -1)
    logprobs, _ = policy(collate([row]), 0.7)
    for t, token in enumerate(row.response_ids):
        position = len(row.prompt_ids) - 1 + t
        assert float(logprobs[0, t]) == pytest.approx(float(expected[position, token]), abs=1e-5)


def test_scores_are_read_at_the_last_token_and_values_before_each(scorer: ScorerNetwork) -> None:
    """Changing the last token moves the score and no value; values see only what came before."""
    row = sequences()[0]
    other = TokenSequence(row.prompt_ids, (*row.response_ids[:-1], 9))
    a, b = collate([row]), collate([other])
    assert abs(float(scorer(a)[0] - scorer(b)[0])) > 1e-4
    torch.testing.assert_close(scorer(a, per_token=True), scorer(b, per_token=True), rtol=0, atol=1e-6)


def test_a_trained_bf16_network_keeps_fp32_weights_and_computes_in_bf16(model: str) -> None:
    mixed = load_policy(model, "bfloat16", "auto", "cpu", trained=True)
    frozen = load_policy(model, "bfloat16", "auto", "cpu")
    assert {p.dtype for p in mixed.parameters()} == {torch.float32}
    assert {p.dtype for p in frozen.parameters()} == {torch.bfloat16}
    batch = collate(sequences())
    exact = load_policy(model, "float32", "auto", "cpu")(batch, 1.0)[0]
    rounded = mixed(batch, 1.0)[0]
    assert rounded.dtype == torch.float32
    assert 0 < float((rounded - exact).abs().max()) < 0.05


def test_end_of_sequence_is_inside_the_mask_even_where_it_is_also_the_padding() -> None:
    batch = collate([TokenSequence(row.prompt_ids, (*row.response_ids[:-1], 0)) for row in sequences()])
    assert batch.mask.sum(1).tolist() == [3, 2, 6]
    assert batch.attention_mask.sum(1).tolist() == [6, 3, 12]
    with pytest.raises(ValueError, match="at least one"):
        collate([TokenSequence((1,), ())])


def test_microbatches_stay_within_the_budget_and_lose_nothing() -> None:
    lengths = [5, 50, 7, 7, 30, 1]
    groups = microbatches(lengths, 32)
    assert sorted(sum(groups, [])) == list(range(6))
    assert [1] in groups  # too long for any company
    assert all(len(g) == 1 or len(g) * max(lengths[i] for i in g) <= 32 for g in groups)


def test_one_end_of_sequence_and_no_beginning(model: str) -> None:
    tokenizer = load_tokenizer(model)
    prompt = encode_prompt(tokenizer, "def f(xs):", chat=False)
    response = encode_response(tokenizer, "\n return sum(xs)\n")
    assert response.count(tokenizer.eos_token_id) == 1 and response[-1] == tokenizer.eos_token_id
    assert tokenizer.eos_token_id not in prompt
    pair = encode_pair(tokenizer, "def f(xs):", "\n return sum(xs)\n", chat=False)
    assert (pair.prompt_ids, pair.response_ids) == (prompt, response)


def test_a_scorer_s_head_depends_on_its_seed_alone(model: str) -> None:
    heads = [load_scorer(model, "float32", "auto", "cpu", seed).model.score.weight for seed in (5, 5, 6)]
    assert torch.equal(heads[0], heads[1]) and not torch.equal(heads[0], heads[2])


def test_a_missing_model_is_explained(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such directory"):
        require_model(str(tmp_path / "absent"))
    with pytest.raises(UserError, match=r"holds no config\.json"):
        require_model(str(tmp_path))
    require_model("owner/name")
