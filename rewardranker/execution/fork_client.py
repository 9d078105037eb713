"""The judge's end of a fork server: starts it, sends jobs, and starts it again when it dies."""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rewardranker.execution.child import frames

_SCRIPT = Path(__file__).with_name("fork_server.py")
_START_S, _GRACE_S = 60.0, 30.0
_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "HOME": ".",
    "TMPDIR": ".",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "PYTHONHASHSEED": "0",
    "OMP_NUM_THREADS": "1",
}


class ServerDied(Exception):
    """The fork server ended, or did not answer in time; the job says nothing about its program."""


@dataclass(frozen=True)
class Outcome:
    """What became of a job: the program's lines, its standard output, and the limit that ended it, if any
    (``cpu``, ``wall``, ``output``). ``signal`` is for messages only."""

    results: bytes
    output: bytes
    limit: str
    cpu_s: float
    signal: int


class ForkServer:
    """One small interpreter. Not shared between threads."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._home = ""
        self.facts: dict[str, Any] = {}

    def start(self) -> None:
        """Starts the server where it is not running. Raises :class:`ServerDied`.

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
        except ServerDied:
            self.stop()
            raise

    def run(self, job: dict[str, Any], tester: dict[str, Any] | None = None) -> Outcome:
        """Runs one job (and sends the tester its own frame). Raises :class:`ServerDied`."""
        self.start()
        assert self._process is not None and self._process.stdin is not None
        try:
            fd = self._process.stdin.fileno()
            frames.write(fd, job)
            if tester is not None:
                frames.write(fd, tester)
            deadline = time.monotonic() + job["wall_s"] + _GRACE_S
            head = self._read(deadline, as_json=True)
            results, output = self._read(deadline), self._read(deadline)
        except (OSError, ServerDied) as error:
            self.stop()
            raise ServerDied(str(error)) from None
        return Outcome(results, output, head["limit"], head["cpu_s"], head["signal"])

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
            raise ServerDied("the fork server did not answer in time")
        frame = frames.read(fd) if as_json else frames.read_bytes(fd)
        if frame is None:
            raise ServerDied("the fork server ended")
        return frame
