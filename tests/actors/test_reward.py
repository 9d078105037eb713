"""Networks with a scalar head as roles: what they may begin with, and what the reward role says of its updates."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actors.roles.critic import Critic
from actors.roles.reward import Reward
from rewardranker.config.schema import EngineConfig, OptimConfig
from rewardranker.errors import UserError
from rewardranker.models.batching import TokenSequence
from rewardranker.training.objectives import PairObjective
from rewardranker.training.ranks import Rank
from rewardranker.training.reranker import Reranker
from rewardranker.training.setup import NetworkSetup


def test_the_role_is_the_reranker_that_others_train(models: list[str]) -> None:
    setup = NetworkSetup(
        models[0], models[0], EngineConfig(), 64, optim=OptimConfig(lr=1e-3), total_steps=2, objective=PairObjective()
    )
    pairs = [(TokenSequence((2, 3), (4, n, 1)), TokenSequence((2, 3), (5, n, 1))) for n in range(6, 10)]
    role, other = Reward(setup, Rank()), Reranker(setup, Rank())
    for _ in range(2):
        said = other.learn(pairs)
        assert role.learn(pairs) == {f"reward/{name}": number for name, number in said.items()}
    assert set(said) == {"loss", "accuracy", "margin", "score", "grad_norm", "lr"}


def test_a_frozen_reward_model_and_a_critic_need_a_head_that_was_trained(models: list[str]) -> None:
    frozen = NetworkSetup(models[0], models[0], EngineConfig(), 1000, seed=7)
    with pytest.raises(UserError, match="is no reward model: it holds a LlamaForCausalLM"):
        Reward(frozen, Rank())
    with pytest.raises(UserError, match="is no reward model: it holds a LlamaForCausalLM"):
        Critic(replace(frozen, optim=OptimConfig(), total_steps=1), Rank())
