"""A row scores the same alone, padded and packed, in every architecture that is taken; what leaks is run alone."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import torch
from networks_made import CONFIGS, causal

from rewardranker.config.schema import TinyConfig
from rewardranker.models.batching import TokenSequence, collate
from rewardranker.models.behaviour import packs_leak
from rewardranker.models.layers import Backbone
from rewardranker.models.loading import load_policy, load_scorer, load_tokenizer, say_once
from rewardranker.models.tiny import build_tiny_model

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


def made(name: str, directory: Path) -> str:
    """A language model with a tokenizer, which a backbone has, of whatever words."""
    build_tiny_model(TinyConfig(24, 1, 2, 64), directory, ["a b c"], seed=0)
    tokenizer = load_tokenizer(str(directory))
    (directory / "model.safetensors").unlink()
    causal(name, directory)
    tokenizer.save_pretrained(directory)
    return str(directory)


@pytest.mark.parametrize("name", list(CONFIGS))
def test_a_row_scores_the_same_alone_padded_and_packed(
    name: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    directory, sequences = made(name, tmp_path / "m"), rows()
    network = load_scorer(directory, "float32", "auto", "cpu", seed=5)
    policy = load_policy(directory, "float32", "auto", "cpu")
    with torch.no_grad():
        network.model.score.weight.mul_(10)  # small random networks say much the same of everything
        alone = [float(network(collate([row], 0))[0]) for row in sequences]
        padded = network(collate(sequences, 0, extra=3)).tolist()
        said = [policy(collate([row], 0), 1.0)[0][0] for row in sequences]
        together = policy(collate(sequences, 0, extra=3), 1.0)[0]
    assert max(alone) - min(alone) > 0.005
    assert padded == pytest.approx(alone, abs=1e-4)
    for i, logprobs in enumerate(said):
        torch.testing.assert_close(together[i, : len(logprobs)], logprobs, rtol=0, atol=1e-4)
    assert packs_leak(network.model.base_model) == (name in LEAKY)
    say_once.cache_clear()
    with caplog.at_level(logging.WARNING):
        scorer = Backbone(directory).scorer(seed=5)
        scorer.network.load_state_dict(network.state_dict())
        assert scorer.score(sequences) == pytest.approx(alone, abs=1e-4)
        assert scorer.score(sequences[::-1]) == pytest.approx(alone[::-1], abs=1e-4)
    warned = [record.message for record in caplog.records if "cannot run programs packed together" in record.message]
    assert len(warned) == (name in LEAKY)


@pytest.mark.parametrize("name", ["llama", "gpt2", "granite", "mistral_window", "opt", "codegen", "bloom", "mpt"])
def test_the_side_of_padding_changes_nothing(name: str, tmp_path: Path) -> None:
    network = load_scorer(causal(name, tmp_path), "float32", "auto", "cpu", seed=5)
    sequences = rows()
    with torch.no_grad():
        alone = [float(network(collate([row], 0))[0]) for row in sequences]
        assert network(collate(sequences, 0, side="left", extra=2)).tolist() == pytest.approx(alone, abs=1e-4)


@pytest.mark.parametrize("name", ["mistral_window", "gemma2"])
def test_what_is_longer_than_a_window_is_run_alone(name: str, tmp_path: Path) -> None:
    """A mask from outside replaces the network's window; packs of shorter rows stay packs."""
    backbone, sequences = Backbone(made(name, tmp_path / "m")), rows()
    groups = backbone.plan(sequences)
    assert any(len(group) > 1 for group in groups) and any(len(row) > 20 for row in sequences)
    assert all(len(group) == 1 or len(sequences[i]) <= 20 for group in groups for i in group)
    assert sorted(i for group in groups for i in group) == list(range(len(sequences)))


def test_gradients_of_rows_run_alone_are_those_of_a_plain_batch(tmp_path: Path) -> None:
    directory = made("codegen", tmp_path / "m")
    plain = load_scorer(directory, "float32", "auto", "cpu", seed=5, trained=True)
    plain(collate(rows(), 0)).square().sum().backward()
    scorer = Backbone(directory).scorer(seed=5)
    scorer(rows()).square().sum().backward()
    expected = dict(plain.named_parameters())
    for name, parameter in scorer.network.named_parameters():
        found, wanted = parameter.grad, expected[name].grad
        assert (found is None) == (wanted is None), name
        if found is not None and wanted is not None:
            torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-5)
