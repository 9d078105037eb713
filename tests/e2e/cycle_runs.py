"""Running the real command in a process of its own, and comparing what it left.

These processes are forked from one that has imported what the command needs, and has done nothing else.
"""

from __future__ import annotations

import atexit
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from rewardranker.cli import INTERRUPTED, main
from rewardranker.runs.atomic import tree_hash
from rewardranker.runs.metrics import read_metrics

ROOT = Path(__file__).parents[2]
SMOKE = "configs/smoke.yaml"
#: Measured, and so different in every run.
MEASURED = ("timing_s/", "perf/", "weight_sync/mb_per_s")


#: What the command imports one time or another.
IMPORTED = [
    "rewardranker.cli", "rewardranker.commands.judge", "rewardranker.commands.rerank", "rewardranker.commands.train",
    "rewardranker.training.sizes", "actors.pipeline.cycle", "actors.pipeline.evaluate", "actors.pipeline.doctor",
]  # fmt: skip
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(IMPORTED)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "rewardranker.cli", *arguments]


def _command(arguments: tuple[str, ...], environment: dict[str, str], out: str, err: str, cores: int) -> None:
    """The command within a forked process."""
    if cores:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    for number, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_TRUNC), number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    sys.argv = ["rewardranker", *arguments]
    try:
        main()
    finally:
        atexit._run_exitfuncs()  # which a forked process does not do


def _start(arguments: tuple[str, ...], out: str = os.devnull, err: str = os.devnull, cores: int = 0) -> BaseProcess:
    process = _FORKS.Process(target=_command, args=(arguments, dict(os.environ), out, err, cores))
    process.start()
    return process


def run(*arguments: str, timeout: float = 540, cores: int = 0) -> subprocess.CompletedProcess[str]:
    """The command, run to its end; output and status are the caller's to judge.

    Args:
        cores: that it may use, where not all.
    """
    with tempfile.NamedTemporaryFile("r") as out, tempfile.NamedTemporaryFile("r") as err:
        process = _start(arguments, out.name, err.name, cores)
        try:
            process.join(timeout)
            if process.exitcode is None:
                raise subprocess.TimeoutExpired(arguments, timeout)
            return subprocess.CompletedProcess(arguments, process.exitcode, out.read(), err.read())
        finally:
            process.kill()  # where it has not ended: here, or when the test's own time limit ends the wait


def run_until(condition: Callable[[], bool], *arguments: str, timeout: float = 300) -> None:
    """Starts the command and kills it (SIGKILL) as soon as ``condition`` holds."""
    process = _start(arguments)
    try:
        wait_for(condition, process.is_alive, timeout)
    finally:
        process.kill()
        process.join()


def interrupted_at(condition: Callable[[], bool], by: signal.Signals, *arguments: str) -> str:
    """Starts the command and sends it a signal as soon as ``condition`` holds; what it says then."""
    with tempfile.NamedTemporaryFile("r") as err:
        process = _start(arguments, err=err.name)
        try:
            wait_for(condition, process.is_alive)
            os.kill(process.pid or 0, by)
            process.join(120)
            assert process.exitcode == INTERRUPTED
            return err.read()
        finally:
            process.kill()
            process.join()


def wait_for(condition: Callable[[], bool], at_work: Callable[[], bool], timeout: float = 300) -> None:
    """Returns as soon as ``condition`` holds, while a process is ``at_work``."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert at_work(), "the run ended before it got to where it should be disturbed"
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
