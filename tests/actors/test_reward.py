"""The reward role and the trainer for notebooks are two ways to the same weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from actors.cluster.ranks import Rank
from actors.roles.critic import Critic
from actors.roles.reward import Reward
from actors.roles.setup import RoleSetup
from rewardranker.config.schema import EngineConfig, OptimConfig, RewardConfig
from rewardranker.errors import UserError
from rewardranker.models.batching import TokenSequence
from rewardranker.models.layers import Backbone
from rewardranker.training.objectives import Pair
from rewardranker.training.rankers import CENTRING, Budget, labelled, train_ranker
from rewardranker.training.streams import Stream

STEPS, PAIRS = 3, 4


def pairs() -> list[Pair]:
    rng = np.random.default_rng(0)

    def row(prompt: tuple[int, ...]) -> TokenSequence:
        return TokenSequence(prompt, (*rng.integers(2, 60, rng.integers(1, 12)).tolist(), 1))

    prompts = [tuple(rng.integers(2, 60, 5).tolist()) for _ in range(8)]
    return [(row(prompt), row(prompt)) for prompt in prompts]


@pytest.mark.parametrize("kind", ["rewardranker", "coderanker"])
def test_the_role_and_the_trainer_agree(models: list[str], tmp_path: Path, kind: str) -> None:
    """Same head, same minibatches, same loss and schedule; they differ in who calls whom and in the batching."""
    data, names = pairs(), [str(i) for i in range(8)]
    optim = OptimConfig(lr=1e-3, eps=1e-3, warmup=0.5)
    budget = Budget(STEPS, 2 * PAIRS)
    trained = train_ranker(kind, Backbone(models[0], microbatch_tokens=48), data, names, budget, optim, seed=7)

    setup = RoleSetup(models[0], models[0], EngineConfig(), 1000, optim=optim, total_steps=STEPS, seed=7)
    role = Reward(setup, Rank())
    stream = Stream(data, 7, names)
    for step in range(STEPS):
        minibatch = stream.take(step * PAIRS, PAIRS)
        if kind == "rewardranker":
            metrics = role.bt_step(minibatch, RewardConfig(centring=CENTRING))
        else:
            metrics = role.pointwise_step(labelled(minibatch))
    assert trained.metrics["loss"] == pytest.approx(metrics["reward/loss"], abs=1e-5)
    assert trained.metrics["accuracy"] == metrics["reward/accuracy"]
    rows = [row for pair in data for row in pair]
    before = Reward(setup, Rank()).score(rows)
    moved = max(abs(a - b) for a, b in zip(before, role.score(rows), strict=True))
    assert moved > 0.05
    torch.testing.assert_close(
        torch.tensor(trained.scorer.score(rows)), torch.tensor(role.score(rows)), rtol=0, atol=1e-3 * moved
    )


def test_a_frozen_reward_model_and_a_critic_need_a_head_that_was_trained(models: list[str]) -> None:
    frozen = RoleSetup(models[0], models[0], EngineConfig(), 1000, seed=7)
    with pytest.raises(UserError, match="is no reward model: it holds a LlamaForCausalLM"):
        Reward(frozen, Rank())
    with pytest.raises(UserError, match="is no reward model: it holds a LlamaForCausalLM"):
        Critic(replace(frozen, optim=OptimConfig(), total_steps=1), Rank())
