"""PPO with networks and engines that take turns on their devices: to every bit what it is without."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rollouts import config as engines_config
from rollouts import rollout_role
from small_models import make_scorer

from actors.cluster.group import RoleGroup, WorkerGroup
from actors.pipeline.ppo.driver import PPODriver
from actors.pipeline.ppo.state import PPOState
from actors.pipeline.turns import Turns
from actors.roles.critic import Critic
from actors.roles.policy import Policy
from actors.roles.reference import Reference
from actors.roles.reward import Reward
from actors.rollout.pool import RolloutPool
from actors.rollout.worker import RolloutWorker
from actors.weights.source import WeightSource
from actors.weights.sync import WeightSync
from rewardranker.config.loading import load_config
from rewardranker.config.schema import EngineConfig, OptimConfig
from rewardranker.generation.candidates import readable_candidates
from rewardranker.models.loading import load_tokenizer
from rewardranker.problems.types import Problem
from rewardranker.runs.atomic import tree_hash
from rewardranker.runs.metrics import read_metrics
from rewardranker.training.setup import NetworkSetup

SETTINGS = [
    "ppo.steps=3",
    "ppo.prompts_per_step=4",
    "ppo.samples_per_prompt=2",
    "ppo.minibatch_size=4",
    "ppo.max_new_tokens=12",
    "ppo.checkpoint_every=1",
    "ppo.execute_rollouts=false",
]
PROBLEMS = [
    Problem(
        id=f"p{i}", language="python", prompt=f"w w{'x' * i} wxx", entry_point="f", style="program", tests=(),
        split="train", group_id=f"p{i}",
    )
    for i in range(6)
]  # fmt: skip


@pytest.fixture(scope="module")
def engines(ray_local: None, models: list[str]) -> Any:
    role = rollout_role("transformers", models[0], 1)
    yield role
    role.group.shutdown()


def trained(
    group: WorkerGroup, engines: RoleGroup[RolloutWorker], models: list[str], scorer: str, where: Path, turns: bool
) -> None:
    """Three steps of PPO into ``where``, resumed after each checkpoint by nobody."""
    config, made = load_config(None, SETTINGS), engines_config("transformers")
    optim = OptimConfig(lr=0.01, eps=1e-3, schedule="constant", warmup=0)
    plain = NetworkSetup(models[0], models[0], EngineConfig(), 64, total_steps=9, seed=7)
    roles: dict[str, RoleGroup[Any]] = {
        "policy": group.build("policy", Policy, replace(plain, optim=optim)),
        "critic": group.build("critic", Critic, replace(plain, model_path=scorer, optim=optim)),
        "reference": group.build("reference", Reference, plain),
        "reward": group.build("reward", Reward, replace(plain, model_path=scorer)),
    }
    taking = Turns(roles, turns)
    pool = RolloutPool(engines, WeightSync(config.weight_sync, keep=turns), made.rollout, None)
    pool.load(models[0], 0)
    taking.engines = pool
    if turns:
        pool.sleep(keep_weights=True)
    tokenizer, weights = load_tokenizer(models[0]), roles["policy"].part("weights", WeightSource)

    def readable(candidates: Any) -> Any:
        return readable_candidates(candidates, {p.id: p for p in PROBLEMS}, tokenizer, False, None)

    driver = PPODriver(
        config=config,
        name="ppo-1",
        problems=PROBLEMS,
        tokenizer=tokenizer,
        state=PPOState.begin(roles["policy"], roles["critic"], config.ppo.kl),
        reference=roles["reference"],
        reward=roles["reward"],
        readable=readable,
        rollouts=pool,
        execution=None,
        sync=lambda version: pool.sync(weights, version),
        turns=taking,
        warn=pytest.fail,
    )
    driver.run(where, lambda *_, **__: None)
    roles["policy"].all(Policy.export, str(where / "hf"))


def test_ppo_in_turns_is_to_every_bit_ppo_without(
    groups: dict[int, WorkerGroup],
    engines: RoleGroup[RolloutWorker],
    models: list[str],
    tmp_path: Path,
) -> None:
    """Over two gloo ranks, with checkpoints between the turns."""
    scorer = str(make_scorer(models[0], tmp_path / "scorer"))
    rows = []
    for turns in (False, True):
        where = tmp_path / str(turns)
        where.mkdir()
        trained(groups[2], engines, models, scorer, where, turns)
        rows.append(
            [
                {k: v for k, v in r.items() if "timing" not in k and "perf" not in k and "per_s" not in k}
                for r in read_metrics(where)
            ]
        )
        assert ("timing_s/turns" in read_metrics(where)[0]) == turns
    assert rows[0] == rows[1]
    assert tree_hash(tmp_path / "False/hf") == tree_hash(tmp_path / "True/hf")
    last = "checkpoints/step-000002"
    assert tree_hash(tmp_path / "False" / last) == tree_hash(tmp_path / "True" / last)
