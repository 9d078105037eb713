"""A node of three is lost with all that was on it: a stage goes on elsewhere from its checkpoint; nothing is lost."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pytest
import ray
from ray.cluster_utils import Cluster

from actors.cluster.failures import EXECUTORS, WORKERS
from actors.pipeline.runtime import Runtime
from rewardranker.config.schema import Config
from rewardranker.problems.types import Problem, Test
from rewardranker.runs.console import Console
from rewardranker.training.demand import NOTHING
from rewardranker.training.ranks import Rank

PROGRAMS = [f"print(int(input()) + {number})" for number in (1, 2, 1)]
VERDICTS = ["OK", "WRONG", "OK"]
STEPS = 4


class Sum:
    """A role whose state is a number, and its checkpoint a file."""

    def __init__(self, rank: Rank) -> None:
        self.total = 0

    def add(self, number: int) -> str:
        self.total += number
        return str(ray.get_runtime_context().get_node_id())

    def save(self, file: str) -> None:
        Path(file).write_text(str(self.total))

    def load(self, file: str) -> None:
        self.total = int(Path(file).read_text())

    def value(self) -> int:
        return self.total


def _processes(node: Any) -> list[psutil.Process]:
    raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
    return [raylet, *raylet.children(recursive=True)]


def _lose_a_node(folder: str) -> None:
    """In a process of its own, which Ray has to itself."""
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    os.environ |= {"RAY_AUTH_MODE": "disabled", "RAY_worker_niceness": "0"}
    head = {"num_cpus": 0, "object_store_memory": 100 << 20, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    nodes = [cluster.add_node(num_cpus=2, object_store_memory=100 << 20) for _ in range(2)]
    os.environ["RAY_ADDRESS"] = cluster.address
    config, checkpoint, kept, seen = Config(), Path(folder) / "checkpoint", Counter[str](), list[str]()
    config.judge.executors = 1
    problem = Problem(id="p", language="python", prompt="", style="stdio", tests=(Test("1", "2"),))

    def work(runtime: Runtime) -> int:
        """Steps, each with programs that are judged; after two of them the node is lost."""
        role = runtime.role("policy", Sum)
        done = 0
        if checkpoint.exists():
            role.all(Sum.load, str(checkpoint))
            done = int(checkpoint.with_name("done").read_text())
        for step in range(done, STEPS):
            [node] = role.all(Sum.add, step + 1)
            if node not in seen:
                seen.append(node)
            judged = runtime.executors.run([(problem, code) for code in PROGRAMS])
            assert [judgement.verdict for judgement in judged] == VERDICTS
            role.all(Sum.save, str(checkpoint))
            checkpoint.with_name("done").write_text(str(step + 1))
            if step == 1 and len(nodes) == 2:
                lost = next(one for one in nodes if one.node_id == node)
                nodes.remove(lost)
                for process in _processes(lost):  # Ray's first; others would live on for seconds
                    process.kill()
                cluster.remove_node(lost, allow_graceful=False)
        return role.all(Sum.value)[0]

    config.cluster.address = "auto"
    with Runtime(config, Console(), uses=NOTHING) as runtime:
        total = runtime.retrying("sums", lambda: work(runtime), lambda: "step 2", lambda kind: kept.update([kind]))
    cluster.shutdown()
    assert total == sum(range(1, STEPS + 1)) and len(seen) == 2
    # The executor was there, or on the node that is left.
    assert kept[WORKERS] == 1 and kept[EXECUTORS] <= 1


@pytest.mark.slow
def test_a_node_that_is_lost_takes_nothing_with_it(tmp_path: Path) -> None:
    process: Any = multiprocessing.get_context("spawn").Process(target=_lose_a_node, args=(str(tmp_path),))
    process.start()
    process.join(300)
    try:
        assert process.exitcode == 0
    finally:
        process.kill()
