"""A command as one bash program that any SandboxFusion server runs, and what comes back as an outcome."""

from __future__ import annotations

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rewardranker.judge.sandbox.process import SandboxDied, environment
from rewardranker.judge.sandbox.step import Outcome, Step

SETUP = "{setup}"
_DRIVER = Path(__file__).with_name("remote.sh").read_text()
_ERRORS_BYTES, _COLLECTED_BYTES = 64 << 10, 64 << 20
_KINDS = {"address_space": "v", "data": "d"}
_SIGNALS = range(129, 129 + 64)  # what bash says of a command that a signal ended
# Of the driver's own variables; the last two say where it was put.
_PLACES = {"{path}": '"$PATH"', SETUP: '"$PWD/setup"', "{work}": '"$PWD/work"'}
_OWN_ENVIRONMENT = environment("{work}") | {"PATH": "{path}"}
_ENDED = {"out/over": "output", "out/wall": "wall"}
_LEFT = ("before", "times", "status", "wall", "over", "output", "errors", "results")


@dataclass(frozen=True)
class Bounds:
    """What a command may use: ``memory`` (see ``StepLimits.memory_kind``), ``file`` (each that it writes),
    ``output`` and ``results`` in bytes."""

    cpu_s: float
    wall_s: float
    memory: int
    memory_kind: str
    processes: int
    file: int
    output: int
    results: int
    keep_output: bool = False


@dataclass(frozen=True)
class Request:
    """What a server is sent: a bash program, its files, the names of those to fetch."""

    code: str
    files: dict[str, bytes]
    fetch: list[str]
    wall_s: float


def request(step: Step, bounds: Bounds, setup: dict[str, bytes], stdin: bytes = b"", token: bytes = b"") -> Request:
    """A command with its files.

    Args:
        step: its words, in which ``{setup}`` stands for the directory of ``setup``, and files of its own directory.
        setup: files that it can only read.
    """
    variables = {
        # Counted in timer ticks, per process: it only backs up what is measured of all processes.
        "cpu_s": math.ceil(bounds.cpu_s) + 1,
        "wall_s": f"{bounds.wall_s:.3f}",
        "memory_kb": bounds.memory >> 10,
        "memory_kind": _KINDS[bounds.memory_kind],
        "processes": bounds.processes,
        "file_kb": bounds.file >> 10,
        "output_bytes": bounds.output,
        "results_bytes": bounds.results,
        "errors_bytes": _ERRORS_BYTES,
        "collect_bytes": _COLLECTED_BYTES,
        "keep_output": int(bounds.keep_output),
    }
    pairs = [f"{name}={value}" for name, value in (_OWN_ENVIRONMENT | step.environment).items()]
    lists = {"environment": pairs, "command": step.argv, "collect": step.collect}
    lines = [f"{name}={value}" for name, value in variables.items()]
    lines += [f"{name}=({' '.join(map(_quoted, words))})" for name, words in lists.items()]
    files = {"in/stdin": stdin, "in/token": token}
    files |= {f"work/{name}": content for name, content in step.files.items()}
    files |= {f"setup/{name}": content for name, content in setup.items()}
    fetch = [f"out/{name}" for name in (*_LEFT, *(f"file.{number}" for number in range(len(step.collect))))]
    return Request("\n".join([*lines, _DRIVER]), files, fetch, bounds.wall_s)


def _quoted(word: str) -> str:
    """For bash, with the driver's places filled in: words with braces are quoted by single quotes."""
    quoted = shlex.quote(word)
    for name, meaning in _PLACES.items():
        quoted = quoted.replace(name, f"'{meaning}'")
    return quoted


def outcome(left: dict[str, bytes], bounds: Bounds, collect: Sequence[str]) -> Outcome:
    """What became of the command, by the files that the driver left.

    Raises:
        SandboxDied: they are not what it leaves, or hold more than travels.
    """
    try:
        status = int(left["out/status"])
        cpu_s = _children_s(left["out/times"]) - _children_s(left["out/before"])
        output, errors, results = (left[f"out/{name}"] for name in ("output", "errors", "results"))
    except (KeyError, ValueError, IndexError):
        raise SandboxDied("the remote machine did not bring back what its command left") from None
    files = {name: left[f"out/file.{i}"] for i, name in enumerate(collect) if f"out/file.{i}" in left}
    for name, content in files.items():
        if len(content) > _COLLECTED_BYTES:
            raise SandboxDied(f"{name} is larger than the {_COLLECTED_BYTES >> 20} MiB that are brought back")
    limit = "cpu" if cpu_s >= bounds.cpu_s else ""
    limit = next((name for file, name in _ENDED.items() if file in left), limit)
    ended = status if status in _SIGNALS else 0
    return Outcome(
        results=results[: bounds.results],
        output=b"" if limit else output,
        errors=errors,
        limit=limit,
        cpu_s=cpu_s,
        signal=ended - 128 if ended else 0,
        status=0 if ended else status,
        files=files,
    )


def _children_s(times: bytes) -> float:
    """The second line of bash's ``times``: user and system time of ended children, as ``0m1.234s``."""
    parts = (text.removesuffix("s").split("m") for text in times.decode().splitlines()[1].split())
    return sum(60 * int(minutes) + float(seconds) for minutes, seconds in parts)
