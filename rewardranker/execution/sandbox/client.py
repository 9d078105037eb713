"""The judge's end of a sandbox: starts its server, sends jobs, and starts it again when it dies."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rewardranker.execution.child import frames
from rewardranker.execution.sandbox.step import Outcome, Step, StepLimits

_SCRIPT = Path(__file__).parents[1] / "child" / "server.py"
_START_S, _GRACE_S = 60.0, 30.0
_STEP_FILE_BYTES = 256 << 20
_STDIN, _TOKEN = "\0stdin", "\0token"  # no file can be called so
_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "HOME": ".",
    "TMPDIR": ".",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "PYTHONHASHSEED": "0",
    "OMP_NUM_THREADS": "1",
}


class SandboxDied(Exception):
    """The server ended, or did not answer in time; the job says nothing about its program."""


class Sandbox:
    """One small interpreter that forks a process per job. Not shared between threads."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._home = ""
        self.facts: dict[str, Any] = {}

    def start(self) -> None:
        """Starts the server where it is not running. Raises :class:`SandboxDied`.

        Not ``-I``: that would leave string hashes random, and programs that print a set flaky. The
        environment is ours alone, so there is nothing else for it to shut out.
        """
        if self._process is not None:
            return
        self._home = tempfile.mkdtemp(prefix="rewardranker-")
        command = [os.path.realpath(sys.executable), "-s", "-S", "-P", str(_SCRIPT), self._home]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_ENVIRONMENT,
            bufsize=0,
            cwd="/",
            start_new_session=True,
        )
        try:
            self.facts = self._read(time.monotonic() + _START_S, as_json=True)
        except SandboxDied:
            self.stop()
            raise

    def run(self, job: dict[str, Any], tester: dict[str, Any] | None = None) -> Outcome:
        """Forks a Python program for one job (and sends the tester its own frame). Raises :class:`SandboxDied`."""
        return self._exchange(job, job["wall_s"], lambda fd: frames.write(fd, tester) if tester is not None else None)

    def execute(self, step: Step, limits: StepLimits, stdin: bytes = b"", token: bytes = b"") -> Outcome:
        """Runs a command in a process and directory of its own. Raises :class:`SandboxDied`.

        Args:
            stdin: what the process reads.
            token: what it can read once from descriptor 4.
        """
        job = {
            "style": "step",
            "argv": step.argv,
            "collect": step.collect,
            "environment": step.environment,
            "memory": limits.memory_mb << 20,
            "output": limits.output_kb << 10,
            "file_bytes": _STEP_FILE_BYTES,
            **asdict(limits),
        }
        files = {**step.files, _STDIN: stdin, _TOKEN: token}
        return self._exchange(job, limits.wall_s, lambda fd: frames.write_files(fd, files))

    def _exchange(self, job: dict[str, Any], wall_s: float, send_rest: Callable[[int], None]) -> Outcome:
        self.start()
        assert self._process is not None and self._process.stdin is not None
        try:
            fd = self._process.stdin.fileno()
            frames.write(fd, job)
            send_rest(fd)
            deadline = time.monotonic() + wall_s + _GRACE_S
            head = self._read(deadline, as_json=True)
            results, output, errors = (self._read(deadline) for _ in range(3))
            files = {name: self._read(deadline) for name in head.pop("files")}
        except (OSError, SandboxDied) as error:
            self.stop()
            raise SandboxDied(str(error)) from None
        return Outcome(results, output, errors, files=files, **head)

    def stop(self) -> None:
        """Ends the server; with it, by hang-up and parent-death signals, whatever it was running."""
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        process.kill()
        process.wait()
        shutil.rmtree(self._home, ignore_errors=True)

    def _read(self, deadline: float, as_json: bool = False) -> Any:
        assert self._process is not None and self._process.stdout is not None
        fd = self._process.stdout.fileno()
        if not select.select([fd], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise SandboxDied("the sandbox's server did not answer in time")
        frame = frames.read(fd) if as_json else frames.read_bytes(fd)
        if frame is None:
            raise SandboxDied("the sandbox's server ended")
        return frame
