"""A row scores the same alone, padded and packed, in every architecture that is taken; what leaks is run alone."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import torch
from networks_made import CONFIGS, causal, left_padded

from rewardranker.errors import UserError
from rewardranker.models.batching import TokenSequence, collate
from rewardranker.models.behaviour import packs_leak
from rewardranker.models.layout import Layout
from rewardranker.models.loading import load_policy, load_scorer, say_once
from rewardranker.models.recomputing import recompute_layers
from rewardranker.models.scoring import ScorerNetwork
from rewardranker.training.updates import infer_rows

#: What a mask for packs does not keep apart: attention with a mask of its own, distances counted by the network
#: (ALiBi), local attention, and states that are carried on.
LEAKY = {"codegen", "gptj", "gpt_neo", "bloom", "mpt", "falcon_alibi", "mamba", "lfm2", "rwkv"}


def rows() -> list[TokenSequence]:
    """Responses of several lengths to two prompts, long enough to reach beyond a window of 20 tokens."""
    generator = torch.Generator().manual_seed(0)

    def tokens(count: int) -> tuple[int, ...]:
        return tuple(torch.randint(2, 60, (count,), generator=generator).tolist())

    prompts = [tokens(3), tokens(8)]
    return [TokenSequence(prompts[i % 2], (*tokens(1 + 2 * i), 1)) for i in range(10)]


def scores(network: ScorerNetwork, layout: Layout, sequences: list[TokenSequence]) -> list[float]:
    return [float(row[0]) for row in infer_rows(network, sequences, layout)]


@pytest.mark.parametrize("name", list(CONFIGS))
def test_a_row_scores_the_same_alone_padded_and_packed(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    directory, sequences = causal(name, tmp_path), rows()
    network = load_scorer(directory, "float32", "auto", "cpu", seed=5)
    policy = load_policy(directory, "float32", "auto", "cpu")
    with torch.no_grad():
        network.model.score.weight.mul_(10)  # small random networks say much the same of everything
        alone = [float(network(collate([row]))[0]) for row in sequences]
        padded = network(collate(sequences)).tolist()
        said = [policy(collate([row]), 1.0)[0][0] for row in sequences]
        together = policy(collate(sequences), 1.0)[0]
    assert max(alone) - min(alone) > 0.005
    assert padded == pytest.approx(alone, abs=1e-4)
    for i, logprobs in enumerate(said):
        torch.testing.assert_close(together[i, : len(logprobs)], logprobs, rtol=0, atol=1e-4)
    if name == "opt":
        with pytest.raises(UserError, match="its layers drop out while they are checkpointed"):
            recompute_layers(policy.model, name)
    else:
        recompute_layers(policy.model, name)  # which compares what the network says, and keeps, with and without
    assert packs_leak(network.model.base_model) == (name in LEAKY)
    say_once.cache_clear()
    with caplog.at_level(logging.WARNING):
        layout = Layout.of(network, 120, shared_prompts=True)
    assert layout.shared_prompts == (name not in LEAKY)
    assert scores(network, layout, sequences) == pytest.approx(alone, abs=1e-4)
    assert scores(network, layout, sequences[::-1]) == pytest.approx(alone[::-1], abs=1e-4)
    warned = [record.message for record in caplog.records if "cannot run programs together" in record.message]
    assert len(warned) == (name in LEAKY)


@pytest.mark.parametrize("name", ["llama", "gpt2", "granite", "mistral_window", "opt", "codegen", "bloom", "mpt"])
def test_the_side_of_padding_changes_nothing(name: str, tmp_path: Path) -> None:
    network = load_scorer(causal(name, tmp_path), "float32", "auto", "cpu", seed=5)
    sequences = rows()
    with torch.no_grad():
        alone = [float(network(collate([row]))[0]) for row in sequences]
        assert network(left_padded(collate(sequences), 2)).tolist() == pytest.approx(alone, abs=1e-4)


@pytest.mark.parametrize("name", ["mistral_window", "gemma2"])
def test_what_is_longer_than_a_window_is_run_alone(name: str, tmp_path: Path) -> None:
    """A mask from outside replaces the network's window; packs of shorter rows stay packs."""
    network, sequences = load_scorer(causal(name, tmp_path), "float32", "auto", "cpu", seed=5), rows()
    layout = Layout.of(network, 1000, shared_prompts=True)
    groups = layout.microbatches([[row] for row in sequences])
    assert sorted(i for group in groups for i in group) == list(range(len(sequences)))
    lines = [layout.batch([sequences[i] for i in group]).lines for group in groups]
    assert any(len(row) > 20 for row in sequences) and any(len(line) > 1 for batch in lines for line in batch)
    for batch in lines:
        assert all(len(line) == 1 for line in batch) or all(len(row) <= 20 for line in batch for row in line)


def test_gradients_of_rows_that_cannot_share_a_prompt_are_those_of_a_plain_batch(tmp_path: Path) -> None:
    plain, other = (load_scorer(causal("codegen", tmp_path), "float32", "auto", "cpu", 5, True) for _ in "ab")
    plain(collate(rows())).square().sum().backward()
    layout = Layout.of(other, 64, shared_prompts=True)
    for group in layout.microbatches([[row] for row in rows()]):
        other(layout.batch([rows()[i] for i in group])).square().sum().backward()
    expected = dict(plain.named_parameters())
    for name, parameter in other.named_parameters():
        found, wanted = parameter.grad, expected[name].grad
        assert (found is None) == (wanted is None), name
        if found is not None and wanted is not None:
            torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-5)
