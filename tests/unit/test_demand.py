"""What each command reserves, and what is said where it is not there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rewardranker.config.loading import load_config
from rewardranker.errors import UserError
from rewardranker.training.demand import (
    GENERATE,
    NOTHING,
    WHOLE,
    Uses,
    cores,
    demand,
    describe_demand,
    require,
    require_here,
    uses_of_evaluation,
    uses_until,
)

ROOT = Path(__file__).parents[2]
ENDPOINT = ["endpoint.base_url=http://localhost/v1", "endpoint.model=m"]
APART = ["cluster.placement=disaggregated", "cluster.ranks=2", "cluster.role_ranks.policy=4"]


def counts(uses: Uses, *overrides: str) -> dict[str, int]:
    return {part.what: part.count for part in demand(load_config(None, list(overrides)), uses)}


def test_a_command_reserves_what_it_uses() -> None:
    whole = {"training": 1, "engines": 1, "the judge": 2}
    assert counts(WHOLE) == counts(uses_until("mine-2")) == counts(uses_until("reward-1")) == whole
    assert counts(uses_until("sft")) == {"training": 1}
    assert counts(uses_until("data")) == counts(NOTHING) == {}
    assert counts(GENERATE) == {"engines": 1}
    assert counts(GENERATE, "rollout.in_workers=true") == {"training": 1}


def test_devices_that_are_shared_are_reserved_once() -> None:
    shared = ["cluster.share_devices=true", "cluster.ranks=2", "cluster.gpus_per_rank=1", "rollout.gpus_per_worker=2"]
    assert counts(WHOLE, *shared) == {"training": 2, "engines": 1, "the judge": 2}
    assert counts(GENERATE, *shared) == {"training": 2, "engines": 1}  # whose GPUs the engine uses
    require(load_config(None, shared), GENERATE, "GPU", [2.0])


def test_roles_apart_have_workers_of_their_own() -> None:
    assert counts(WHOLE, *APART)["training"] == 4 + 3 * 2
    assert counts(WHOLE, *APART, "ppo.advantage=grpo")["training"] == 4 + 2 * 2  # no critic
    assert counts(uses_until("sft"), *APART) == {"training": 4}
    assert counts(uses_until("reward-1"), *APART)["training"] == 4 + 2


def test_an_evaluation_reserves_engines_or_asks_an_endpoint() -> None:
    def of(*overrides: str) -> dict[str, int]:
        return counts(uses_of_evaluation(load_config(None, list(overrides))), *overrides)

    assert of() == {"engines": 1, "the judge": 2}
    assert of(*ENDPOINT) == {"the judge": 2}
    assert of(*ENDPOINT, "benchmark.rankers.lever=DIR") == {"the judge": 2, "training": 1}
    assert of("benchmark.reviewer=true") == {"engines": 1, "the judge": 2, "training": 1}


def test_what_is_lacking_is_said_with_every_setting_that_would_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    config = load_config()
    require(config, WHOLE, "CPU", [4.0])
    require(config, GENERATE, "CPU", [1.0])
    with pytest.raises(UserError) as here:
        require(config, WHOLE, "CPU", [2.0])
    assert str(here.value) == (
        "asked for 4 CPUs (1 x 1 for training, 1 x 1 for engines, 2 x 1 for the judge); Ray has 2 here. Lower, for "
        "training cluster.ranks, cluster.cpus_per_rank; for engines rollout.workers, rollout.cpus_per_worker (or "
        "rollout.in_workers=true); for the judge judge.executors, judge.cpus_per_executor; or set "
        "cluster.num_cpus=4: then processes share cores"
    )
    with pytest.raises(UserError) as ahead:
        require(load_config(None, ["rollout.mode=one_step_off"]), WHOLE, "CPU", [2.0])
    assert "rollout.in_workers" not in str(ahead.value)  # which would be refused
    joined = load_config(None, ["cluster.address=auto", "judge.executors=9"])
    message = r"asked for 11 CPUs .*; the cluster has 8 on 2 node\(s\) of 4, 4\. Lower, .*; or add nodes$"
    with pytest.raises(UserError, match=message):
        require(joined, WHOLE, "CPU", [4.0, 4.0])
    with pytest.raises(UserError, match=r"asked for 8 CPUs \(1 x 8 for engines\); the cluster has 8 on 2"):
        require(load_config(None, ["cluster.address=auto", "rollout.cpus_per_worker=8"]), GENERATE, "CPU", [4.0, 4.0])
    spanning = load_config(None, ["cluster.address=auto", "rollout.gpus_per_worker=8"])  # vLLM's tensor parallelism
    with pytest.raises(
        UserError, match=r"asked for 8 GPUs \(1 x 8 for engines\); the cluster has 8 on 2 node.* of 4, 4"
    ):
        require(spanning, GENERATE, "GPU", [4.0, 4.0])
    gpus = load_config(None, ["cluster.gpus_per_rank=1"])
    with pytest.raises(
        UserError, match=r"asked for 1 GPUs \(1 x 1 for training\); this machine has 0\. Lower, for t"
    ):
        require(gpus, WHOLE, "GPU", [0.0])


def test_a_dry_run_compares_with_the_cores_that_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    many, shared = load_config(None, ["judge.executors=1000"]), load_config(None, ["cluster.num_cpus=4"])
    assert f"this machine has {cores()}" in describe_demand(many, WHOLE)
    with pytest.raises(UserError, match=f"asked for 1002 CPUs .* Ray has {cores()} here"):
        require_here(many, WHOLE)
    require_here(shared, WHOLE)
    assert "Ray is told of 4 (cluster.num_cpus), this machine has" in describe_demand(shared, WHOLE)
    monkeypatch.setenv("RAY_ADDRESS", "somewhere:6379")
    require_here(many, WHOLE)
    assert "of the cluster" in describe_demand(many, WHOLE)


def test_cores_are_those_that_the_process_may_use(tmp_path: Path) -> None:
    one = (min(os.sched_getaffinity(0)),)
    script = (
        f"import os; os.sched_setaffinity(0, {one}); from rewardranker.training.demand import cores; print(cores())"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    assert answer.stdout == "1\n"
    may = len(os.sched_getaffinity(0))
    for quota, found in (("max 100000", may), ("100000 100000", 1), ("50000 100000", 1), ("900000000 100000", may)):
        (tmp_path / "cpu.max").write_text(quota + "\n")
        assert cores(tmp_path) == found
    (tmp_path / "cpu.max").unlink()
    (tmp_path / "cpu").mkdir()
    for quota, found in (("-1", may), ("100000", 1)):
        (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(quota + "\n")
        (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
        assert cores(tmp_path) == found
