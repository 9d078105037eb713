"""Running the real command in a process of its own, and comparing what it left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rewardranker.runs.atomic import tree_hash
from rewardranker.runs.metrics import read_metrics

ROOT = Path(__file__).parents[2]
SMOKE = "configs/smoke.yaml"
#: Measured, and so different in every run.
MEASURED = ("timing_s/", "perf/", "weight_sync/mb_per_s")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "rewardranker.cli", *arguments]


def run(*arguments: str, timeout: float = 540, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command, run to its end; output and status are the caller's to judge."""
    return subprocess.run(
        command(*arguments),
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def run_until(condition: Callable[[], bool], *arguments: str, timeout: float = 300) -> None:
    """Starts the command and kills it (SIGKILL) as soon as ``condition`` holds."""
    with (
        open(os.devnull, "w") as nothing,
        subprocess.Popen(command(*arguments), cwd=ROOT, stdout=nothing, stderr=nothing) as process,
    ):
        wait_for(condition, process, timeout)
        process.send_signal(signal.SIGKILL)


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[Any], timeout: float = 300) -> None:
    """Returns as soon as ``condition`` holds, while ``process`` is at work."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert process.poll() is None, "the run ended before it got to where it should be disturbed"
        assert time.monotonic() < deadline, "the run never got to where it should be disturbed"
        time.sleep(0.01)


def left_behind(directory: Path) -> dict[str, Any]:
    """Everything in a run's finished stages that must not depend on how often it was interrupted."""
    found: dict[str, Any] = {}
    for stage in sorted(directory.glob("[0-9][0-9]-*")):
        for path in sorted(stage.rglob("*")):
            name = path.relative_to(directory).as_posix()
            if path.suffix in (".safetensors", ".parquet", ".jsonl") and path.name != "metrics.jsonl":
                found[name] = tree_hash(path)
            if path.name == "results.json":
                found[name] = json.loads(path.read_text())["rows"]
        found[f"{stage.name} metrics"] = [
            {key: value for key, value in line.items() if not key.startswith(MEASURED)}
            for line in read_metrics(stage)
        ]
    return found
