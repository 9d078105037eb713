"""What was lost is counted, bounded and told; what others did to a worker is no error of its own."""

from __future__ import annotations

from io import StringIO
from types import SimpleNamespace
from typing import Any

import pytest
from ray.exceptions import ObjectLostError, RayTaskError
from rich.console import Console as RichConsole
from torch.distributed import DistBackendError

from actors.cluster.failures import ENGINES, EXECUTORS, WORKERS, Restarts, TooManyRestarts, WorkerLost, of_others
from actors.pipeline.runtime import Runtime
from rewardranker.config.schema import ClusterConfig, Config
from rewardranker.runs.console import Console


def test_restarts_are_counted_told_and_bounded_by_kind_and_stage() -> None:
    told: list[str] = []
    kept: list[str] = []
    restarts = Restarts(ClusterConfig(max_replacements=2), told.append)
    restarts.begin("ppo-1", kept.append)
    for kind in (ENGINES, ENGINES, EXECUTORS, WORKERS, WORKERS, WORKERS):  # cluster.max_restarts bounds workers
        restarts.add(kind, "lost")
    with pytest.raises(TooManyRestarts, match=r"ppo-1: 2 rollout engines .*cluster\.max_replacements.* lost: again"):
        restarts.add(ENGINES, "again")
    assert told == ["ppo-1: lost"] * 6 and kept == [ENGINES, ENGINES, EXECUTORS, *[WORKERS] * 3]
    restarts.begin("generate-2", kept.append)
    restarts.add(ENGINES, "lost")
    assert told[-1] == "generate-2: lost"


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (ValueError("a bug"), False),
        (RuntimeError("[/pytorch/third_party/gloo/gloo/transport/tcp/pair.cc:537] Connection closed by peer"), True),
        (DistBackendError("NCCL communicator was aborted"), True),
        (ObjectLostError("00", None, "here"), True),
    ],
)
def test_what_peers_did_to_a_worker_is_told_from_what_it_raised(cause: Exception, expected: bool) -> None:
    assert of_others(RayTaskError("call", "a trace", cause)) is expected


def test_workers_that_are_lost_after_a_stage_s_work_do_not_end_the_run() -> None:
    out = StringIO()
    runtime = Runtime(Config(), Console(RichConsole(file=out, width=200)))
    kept: list[str] = []

    def drop() -> None:
        raise WorkerLost("reward: drop: rank 1 of 2 is lost")

    lost: Any = SimpleNamespace(drop=drop)
    runtime._roles["reward"] = lost
    assert runtime.retrying("mine-2", lambda: 7, lambda: "", kept.append) == 7
    runtime.free_roles()
    assert kept == [WORKERS] and not runtime._roles
    assert "mine-2: reward: drop: rank 1 of 2 is lost; the workers start again with what comes next" in out.getvalue()
