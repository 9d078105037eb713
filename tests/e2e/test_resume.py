"""A run that is killed in the middle of its stages leaves, in the end, the very bytes of one that never was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cycle_runs import SMOKE, left_behind, run, run_until

SHORT = ("cycle.variants=[hardnegatives]", "cycle.control=false", "cycle.new_policies=none")


def test_killed_and_resumed_equals_never_killed(tmp_path: Path) -> None:
    def arguments(name: str) -> list[str]:
        return ["cycle", "--config", SMOKE, f"run.root={tmp_path}", f"run.name={name}", *SHORT]

    whole = run(*arguments("whole"))
    assert whole.returncode == 0, whole.stdout + whole.stderr

    def exists(path: str) -> Callable[[], bool]:
        return (tmp_path / "killed" / path).exists

    places = (
        ".work-01-sft/checkpoints/step-000020",
        ".work-04-reward-1/checkpoints/step-000008",
        ".work-05-ppo-1/checkpoints/step-000002",
        ".work-06-generate-2/pool.shards/shard-00000.parquet",
    )
    for place in places:
        run_until(exists(place), *arguments("killed"))
        assert exists(place)(), "killed too late: the stage was complete"
    resumed = run(*arguments("killed"))
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert "05-ppo-1" in resumed.stdout

    expected, found = left_behind(tmp_path / "whole"), left_behind(tmp_path / "killed")
    assert expected.keys() == found.keys()
    assert len([name for name in expected if name.endswith("model.safetensors")]) == 5  # tiny, SFT, 2 RMs, PPO
    assert {name for name in expected if expected[name] != found[name]} == set()
