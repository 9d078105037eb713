"""A rollout engine that dies is replaced, brought up to date, and its requests are run again."""

from __future__ import annotations

import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import ray

from actors.cluster.failures import WorkerLost
from actors.cluster.group import RoleGroup, WorkerGroup
from actors.pipeline.runtime import Runtime
from actors.rollout.pool import RolloutPool
from actors.rollout.worker import RolloutWorker
from actors.weights.source import WeightSource
from actors.weights.sync import WeightSync, WeightSyncError
from rewardranker.config.schema import ClusterConfig, Config, RolloutConfig, WeightSyncConfig
from rewardranker.generation.types import Request, Sampling
from rewardranker.runs.console import Console
from rewardranker.training.ranks import Rank

# Workers cannot import a test module: Ray shall send what is defined here by value.
ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])

SAMPLING = Sampling(temperature=1.0, max_new_tokens=10)


def process_of(group: WorkerGroup, place: int) -> int:
    return int(group.places[place].rpartition("pid ")[2])


def test_the_same_responses_with_the_newest_weights(groups: dict[int, WorkerGroup], models: list[str]) -> None:
    config = Config()
    config.rollout.engine = "transformers"
    cluster = ClusterConfig(placement_timeout_s=60)
    group = WorkerGroup("rollout", cluster, 2, cpus=0.25, gpus=0, joined=False)
    said: list[str] = []

    def restart(place: int, why: str) -> None:
        said.append(why)
        group.restart(place)
        group.wait([group.build_on(place, "rollout", RolloutWorker, config, models[0])], "rollout: load", 120)

    role = group.build("rollout", RolloutWorker, config, models[0])
    pool = RolloutPool(role, WeightSync(config.weight_sync), config.rollout, restart)
    requests = [Request(f"p{i}", (2 + i, 5, 9), seed=i) for i in range(12)]
    born = [r.token_ids for r in pool.generate(requests, SAMPLING)]
    pool.load(models[1], 7)
    expected = pool.generate(requests, SAMPLING)
    assert [r.token_ids for r in expected] != born
    os.kill(process_of(group, 0), signal.SIGKILL)
    heard: list[int] = []
    found = pool.generate(requests, SAMPLING, heard.append)
    assert [r.token_ids for r in found] == [r.token_ids for r in expected]
    assert {r.weights_version for r in found} == {7}
    assert sum(heard) == 12
    assert len(said) == 1 and "rollout: worker 0 is lost (" in said[0]
    # One that dies during a sync is replaced, too.
    policy = groups[1].build("policy", PolicyWeights, models[2])
    dying = process_of(group, 1)
    os.kill(dying, signal.SIGKILL)
    pool.sync(policy.part("weights", WeightSource), 8)
    assert process_of(group, 1) != dying
    assert len(said) == 2 and said[1].startswith("weight sync, ")
    assert {r.weights_version for r in pool.generate(requests, SAMPLING)} == {8}
    # What was loaded before the sync is no longer there, so it is loaded again.
    pool.load(models[1], 7)
    assert [r.token_ids for r in pool.generate(requests, SAMPLING)] == [r.token_ids for r in expected]
    one_step_off(pool, policy.part("weights", WeightSource), requests)


def one_step_off(pool: RolloutPool, weights: RoleGroup[WeightSource], requests: list[Request]) -> None:
    """While the policy learns on, what it has is not what the engines had: an engine that is lost comes back with the
    version that was sent last, to the same samples, and nobody else is asked, over either kind of transport."""
    pool._sync = WeightSync(WeightSyncConfig(transport="gloo", bucket_mb=1, timeout_s=60), keep=True)
    pool.sync(weights, 9)
    expected, group = pool.generate(requests, SAMPLING), pool.role.group
    dying = [process_of(group, place) for place in (0, 1)]
    os.kill(dying[0], signal.SIGKILL)
    found = pool.generate(requests, SAMPLING)
    assert [(r.token_ids, r.weights_version) for r in found] == [(r.token_ids, 9) for r in expected]
    pool._sync = WeightSync(WeightSyncConfig(transport="object_store", bucket_mb=1, timeout_s=60), keep=True)
    pool.sync(weights, 10)
    os.kill(dying[1], signal.SIGKILL)
    found = pool.generate(requests, SAMPLING)
    assert [(r.token_ids, r.weights_version) for r in found] == [(r.token_ids, 10) for r in expected]
    assert not {process_of(group, place) for place in (0, 1)} & set(dying)
    # What nobody waits for any more ends, and no engine is started for it.
    pool._serving = []
    with ThreadPoolExecutor(1) as thread:
        drawing = thread.submit(pool.generate, requests * 40, Sampling(1.0, max_new_tokens=300))
        while not pool._serving:
            time.sleep(0.01)
        pool.abandon()
        with pytest.raises(WorkerLost):
            drawing.result(60)
    group.shutdown()  # once more, as whoever stops the workers of a run does


class BrokenRole:
    """Two engines of which nothing is asked."""

    world, members = 2, ("a", "b")


class FailingSync(WeightSync):
    """A sync that fails so many times."""

    def __init__(self, failures: int) -> None:
        super().__init__(WeightSyncConfig())
        self.failures = failures

    def sync(self, *_: Any) -> dict[str, float]:
        self.failures -= 1
        if self.failures >= 0:
            raise WeightSyncError("rollout 1 failed", (1,))
        return {"timing_s/sync": 0.0}


@pytest.mark.parametrize(("failures", "attempts"), [(1, 1), (2, 2), (4, 3)])
def test_a_sync_that_fails_twice_begins_again_from_the_last_checkpoint(failures: int, attempts: int) -> None:
    """Once is mended by the pool itself; more is for whoever restarts the workers."""
    sync, begun, replaced = FailingSync(failures), [], []
    pool: Any = RolloutPool(BrokenRole(), sync, RolloutConfig(), lambda place, why: replaced.append(place))  # type: ignore[arg-type]

    def work() -> dict[str, float]:
        begun.append(1)
        return dict(pool.sync(None, 1))

    assert Runtime(Config(), Console()).retrying("ppo-1", work, lambda: "step 2") == {"timing_s/sync": 0.0}
    assert len(begun) == attempts and replaced == [1] * -(-failures // 2)


class PolicyWeights:
    """Just the part of a policy that gives away weights."""

    def __init__(self, path: str, rank: Rank) -> None:
        from rewardranker.models.loading import load_policy

        model = load_policy(path, "float32", "auto", rank.device).model
        self.weights = WeightSource(model.named_parameters)
