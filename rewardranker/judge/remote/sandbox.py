"""A sandbox on another machine: each job is one request to a SandboxFusion server, which keeps nothing of it.

What confines a program there is that server's affair. What this side sees to: that limits are set and output is
capped there, that a program is not root and finds no environment but ours, and that whatever fails in between is
never taken for the program's failure.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from rewardranker.judge.child.tester import MAX_LINE
from rewardranker.judge.remote.http import SandboxFusion
from rewardranker.judge.remote.script import SETUP, Bounds, outcome, request
from rewardranker.judge.sandbox.places import CHILD_DIRECTORY
from rewardranker.judge.sandbox.step import Outcome, Service, Step, StepLimits

#: What a Python program is started with there.
PYTHON = ("python3", "-s", "-S", "-P")
_INTERPRETER_BYTES, _FILE_BYTES = 64 << 20, 64 << 20
_MAX_RESULTS, _MAX_ANSWER = 16 << 20, 96 << 20
# Where its directory will be is not known here, so a frame names the set-up by an open descriptor.
_HOLD_SETUP, _HELD_SETUP = 'exec 9<"$0" "$@"', "/proc/self/fd/9"
_CHILD = {
    f"child/{name}.py": (Path(CHILD_DIRECTORY) / f"{name}.py").read_bytes()
    for name in (
        *("__init__", "alone", "candidate", "channel", "kernel", "limits", "main_program", "probing"),
        *("standard", "surroundings", "tester", "wire"),
    )
}


class Setups(Protocol):
    """The files that ``{setup}`` stands for, by language."""

    def of(self, sandbox: RemoteSandbox, language: str) -> dict[str, bytes]:
        """Builds them there where that has not been done. Raises ``SandboxDied``."""


class RemoteSandbox:
    """Sends jobs one after another. Not shared between threads."""

    def __init__(self, server: SandboxFusion, services: Mapping[str, Service], setups: Setups) -> None:
        """
        Args:
            services: compilers by the name that a step's ``service`` gives. They do not stay: each such step
                starts one for itself.
        """
        self._server, self._services, self._setups = server, services, setups

    def run(self, job: dict[str, Any], tester: dict[str, Any] | None = None) -> Outcome:
        """A Python program, in an interpreter of its own. Raises ``SandboxDied``."""
        bounds = Bounds(
            cpu_s=job["cpu_s"],
            wall_s=job["wall_s"],
            memory=job["memory"] + _INTERPRETER_BYTES,
            memory_kind=job["memory_kind"],
            processes=job["processes"],
            file=job["file_bytes"],
            output=job["output"],
            results=_MAX_RESULTS,
            keep_output=job["style"] == "stdio",
        )
        command = (*PYTHON, f"{SETUP}/child/alone.py", f"{SETUP}/job.json")
        stdin = json.dumps(tester) if tester is not None else job.get("stdin", "")
        setup = {**_CHILD, "job.json": json.dumps(job).encode()}
        left = self._server.run(request(Step(command), bounds, setup, stdin.encode()))
        found = outcome(left, bounds, ())
        if job["style"] == "function" and any(len(line) > MAX_LINE for line in found.results.split(b"\n")):
            found = replace(found, limit=found.limit or "output")
        return found

    def execute(
        self, step: Step, limits: StepLimits, stdin: bytes = b"", token: bytes = b"", language: str = ""
    ) -> Outcome:
        """Runs a command in a process and directory of its own. Raises ``SandboxDied``."""
        bounds = Bounds(
            cpu_s=limits.cpu_s,
            wall_s=limits.wall_s,
            memory=(limits.memory_mb + limits.reserved_mb) << 20,
            memory_kind=limits.memory_kind,
            processes=limits.processes,
            file=max(_FILE_BYTES, (limits.memory_mb << 20) // 4 if step.collect else 0),
            output=limits.output_kb << 10,
            results=limits.output_kb << 10,
            keep_output=limits.keep_output,
        )
        if step.service:
            return self._compile(step, bounds)
        command = step.plain or step.argv
        setup = self._setup((*command, *step.environment.values()), language)
        asked = request(replace(step, argv=command), bounds, setup, stdin, token)
        return outcome(self._server.run(asked), bounds, step.collect)

    def stop(self) -> None:
        """Nothing of it runs between jobs."""

    def _compile(self, step: Step, bounds: Bounds) -> Outcome:
        """One frame for a compiler that is started for it alone, and its answer."""
        service = self._services[step.service]
        bounds = replace(bounds, memory=service.memory_mb << 20, memory_kind="data", results=_MAX_ANSWER)
        setup = self._setup((*service.argv, *step.argv), step.service)
        command = ("sh", "-c", _HOLD_SETUP, SETUP, *service.argv) if setup else service.argv
        asked = request(Step(command, service.files), bounds, setup, _frame(step))
        found = outcome(self._server.run(asked), bounds, ())
        return found if found.limit else _answered(found, step)

    def _setup(self, words: Iterable[str], language: str) -> dict[str, bytes]:
        """What is needed of the language's set-up: all of it, or nothing."""
        return self._setups.of(self, language) if any(SETUP in word for word in words) else {}


def _frame(step: Step) -> bytes:
    """As ``languages/language.py`` has it."""
    argv = [word.replace(SETUP, _HELD_SETUP) for word in step.argv]
    files = {name: base64.b64encode(content).decode() for name, content in step.files.items()}
    body = json.dumps({"argv": argv, "files": files, "collect": step.collect}).encode()
    return len(body).to_bytes(4, "big") + body


def _answered(found: Outcome, step: Step) -> Outcome:
    """What a compiler answered. One that its input took over may answer anything: only data of the right form is
    passed on, and none at all counts as its death."""
    size = int.from_bytes(found.results[:4], "big")
    try:
        data = json.loads(found.results[4 : 4 + size])
        files = {name: base64.b64decode(data["files"][name]) for name in step.collect if name in data["files"]}
        status, errors = int(data["status"]), str(data["errors"]).encode(errors="replace")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        errors = f"the compiler of {step.service} ended: ".encode() + found.errors
        return replace(found, results=b"", errors=errors, signal=found.signal or 9)
    return replace(found, results=b"", errors=errors, status=status, signal=0, files=files)
