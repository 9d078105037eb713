"""A run that is killed in the middle of its stages leaves, in the end, the very bytes of one that never was."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from cycle_runs import ROOT, SMOKE, command, interrupted_at, left_behind, run, run_until, wait_for

from rewardranker.problems.pool import read_pool
from rewardranker.runs.metrics import read_metrics

SHORT = ("cycle.variants=[hardnegatives]", "cycle.control=false", "cycle.new_policies=none")


@pytest.mark.slow
def test_killed_and_resumed_equals_never_killed(tmp_path: Path) -> None:
    def arguments(name: str) -> list[str]:
        return ["cycle", "--config", SMOKE, f"run.root={tmp_path}", f"run.name={name}", *SHORT]

    whole = run(*arguments("whole"))
    assert whole.returncode == 0, whole.stdout + whole.stderr

    def exists(path: str) -> Callable[[], bool]:
        return (tmp_path / "killed" / path).exists

    places = (
        ".work-01-sft/checkpoints/step-000040",
        ".work-04-reward-1/checkpoints/step-000008",
        ".work-05-ppo-1/checkpoints/step-000002",
        ".work-06-generate-2/pool.shards/shard-00000.parquet",
    )
    damaged = places[0]  # the run goes on from the checkpoint before
    #: Where the run is interrupted, by Ctrl-C and as a batch system does, before it is killed at the place.
    ended = {
        places[2]: (signal.SIGINT, ".work-05-ppo-1/metrics.jsonl"),
        places[3]: (signal.SIGTERM, ".work-06-generate-2/pool.shards"),
    }
    for place in places:
        if place in ended:
            by, begun = ended[place]
            said = interrupted_at(exists(begun), by, *arguments("killed"))
            stage = place.split("/")[0].removeprefix(".work-")
            assert f"interrupted in {stage}; kept: {int(stage[:2])} complete stages in {tmp_path}" in said
            assert "The same command goes on:\n  rewardranker cycle --config" in said and "Traceback" not in said
        run_until(exists(place), *arguments("killed"))
        assert exists(place)(), "killed too late: the stage was complete"
        if place == damaged:
            (tmp_path / "killed" / place / "policy.pt").write_bytes(b"")
    resumed = run(*arguments("killed"))
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert "05-ppo-1" in resumed.stdout
    assert re.search(r"06-generate-2 +goes on: it was killed; from \d+ judged programs of pool \(", resumed.stdout)

    expected, found = left_behind(tmp_path / "whole"), left_behind(tmp_path / "killed")
    assert expected.keys() == found.keys()
    assert len([name for name in expected if name.endswith("model.safetensors")]) == 5  # tiny, SFT, 2 RMs, PPO
    assert {name for name in expected if expected[name] != found[name]} == set()


@pytest.mark.slow
def test_one_step_off_learns_from_the_version_before_and_killed_and_resumed_equals_never_killed(
    tmp_path: Path,
) -> None:
    def arguments(name: str, command: str = "ppo") -> list[str]:
        mode = ("rollout.mode=one_step_off", "rollout.in_workers=false")
        return [command, "--config", SMOKE, f"run.root={tmp_path}", f"run.name={name}", *mode]

    before = run(*arguments("whole", "reward"))
    assert before.returncode == 0, before.stdout + before.stderr
    shutil.copytree(tmp_path / "whole", tmp_path / "killed")
    whole = run(*arguments("whole"))
    assert whole.returncode == 0, whole.stdout + whole.stderr
    checkpoint = tmp_path / "killed/.work-05-ppo-1/checkpoints/step-000002"
    run_until(checkpoint.exists, *arguments("killed"))
    assert {candidate.weights_version for candidate in read_pool(checkpoint / "drawn.parquet")} == {1}
    resumed = run(*arguments("killed"))
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert re.search(r"05-ppo-1 +goes on: it was killed; from the checkpoint of step 2[^;]*\n", resumed.stdout)
    expected, found = left_behind(tmp_path / "whole"), left_behind(tmp_path / "killed")
    assert {name for name in expected | found if expected[name] != found[name]} == set()
    first, *later = read_metrics(tmp_path / "killed/05-ppo-1")
    assert first["rollout/logprob_gap_max"] < 1e-3 and "rollout/staleness" not in first
    assert len(later) == 3 and not any("gap" in name for row in later for name in row)
    for row in later:
        # Another version's: not the same numbers, and in expectation as probable.
        assert row["rollout/staleness"] == 1 and 1e-6 < abs(row["rollout/is_weight_mean"] - 1) < 0.05


@pytest.mark.slow
def test_a_training_rank_that_dies_is_started_again_from_the_last_checkpoint(tmp_path: Path) -> None:
    def arguments(name: str) -> list[str]:
        return [
            "ppo",
            "--config",
            SMOKE,
            f"run.root={tmp_path}",
            f"run.name={name}",
            "cluster.collective_timeout_s=20",
        ]

    whole = run(*arguments("whole"))
    assert whole.returncode == 0, whole.stdout + whole.stderr
    with subprocess.Popen(command(*arguments("lost")), cwd=ROOT, stdout=subprocess.PIPE, text=True) as driver:
        wait_for((tmp_path / "lost/.work-05-ppo-1/checkpoints/step-000002").exists, lambda: driver.poll() is None)
        workers = [p for p in psutil.Process(driver.pid).children(recursive=True) if "ray::Worker" in p.name()]
        assert len(workers) == 2
        workers[1].kill()
        output, _ = driver.communicate(timeout=300)
    assert driver.returncode == 0, output
    assert "is lost" in output and "from the last checkpoint" in output
    expected, found = left_behind(tmp_path / "whole"), left_behind(tmp_path / "lost")
    assert {name for name in expected if expected[name] != found[name]} == set()
