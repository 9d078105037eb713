"""Networks with a scalar head as roles: what they may begin with, and what the reward role says of its updates."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from actors.cluster.group import WorkerGroup
from actors.roles.critic import Critic
from actors.roles.reward import Reward
from rewardranker.config.schema import EngineConfig, OptimConfig, ScorerShape
from rewardranker.errors import UserError
from rewardranker.models.batching import TokenSequence
from rewardranker.runs.shards import ARROW, Made, stream_shards
from rewardranker.training.corpus import corpus_table
from rewardranker.training.head_start import HeadStart
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


def test_two_ranks_fit_the_head_of_one(models: list[str], groups: dict[int, WorkerGroup], tmp_path: Path) -> None:
    """They read the pairs from a corpus, by their places."""
    setup = NetworkSetup(
        models[0], models[0], EngineConfig(), 64, optim=OptimConfig(), total_steps=1, shape=ScorerShape(2, "mean")
    )
    pairs = [(TokenSequence((2, 3), (4, n, 1)), TokenSequence((2, 3), (5, n, n, 1))) for n in range(6, 11)]
    one, rows = Reranker(setup, Rank()), [row for pair in pairs for row in pair]
    names = list("aabcd")
    told = one.start_head(HeadStart(pairs, names, 0.1))
    table = corpus_table(rows, [(name, (2 * i, 2 * i + 1)) for i, name in enumerate(names)])
    stream_shards("pairs", {}, [[Made(table)]], [tmp_path], ARROW)
    role = groups[2].build("reward", Reward, replace(setup, corpus=(tmp_path,)))
    for theirs in role.all(Reward.start_head, HeadStart(range(5), names, 0.1)):
        assert theirs == pytest.approx(told, abs=1e-4)
    found = role.all(Reward.score, rows)
    assert found[0] == found[1]
    assert found[0] == pytest.approx(one.score(rows), abs=1e-3)


def test_a_frozen_reward_model_and_a_critic_need_a_head_that_was_trained(models: list[str]) -> None:
    frozen = NetworkSetup(models[0], models[0], EngineConfig(), 1000, seed=7)
    with pytest.raises(UserError, match="is no reward model: it holds a LlamaForCausalLM"):
        Reward(frozen, Rank())
    with pytest.raises(UserError, match="is no reward model: it holds a LlamaForCausalLM"):
        Critic(replace(frozen, optim=OptimConfig(), total_steps=1), Rank())
