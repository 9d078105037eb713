"""A tester that stays: it runs one program's tests after another's, so that these cost no second process.

What it runs is trusted, leaves nothing behind (``strict/plain.py``), and gets a namespace of its own each time. What
reaches it from a program is what reaches any tester: lines on a pipe. It is out of the program's sight, as another
user or outside its namespaces; where it is neither, there is none.
"""

from __future__ import annotations

import os
import socket
from typing import Any

from . import frames, probing, processes, tester
from .confinement import TESTER, Forked
from .namespaces import Nested

_MAX_JOBS = 200
_LIMITS = ("memory", "memory_kind", "file_bytes", "processes")
_STREAM, _CONTROL = 3, 4


class _Resident:
    """One that runs, held to some limits."""

    def __init__(self, pid: int, control: socket.socket, limits: list[Any]) -> None:
        self.pid, self.control, self.limits, self.jobs = pid, control, limits, 0


class Residents:
    """The tester of this sandbox: started when first used, and again for other limits, after a job that did not end
    well, and after many."""

    def __init__(self, confinement: Forked | Nested) -> None:
        self._confinement = confinement
        self._running: _Resident | None = None

    @property
    def pids(self) -> list[int]:
        return [self._running.pid] if self._running is not None else []

    def ready(self, job: dict[str, Any]) -> int:
        """The process that will run this job's tests."""
        limits = [job[name] for name in _LIMITS]
        running = self._running
        if running is not None and (
            running.jobs >= _MAX_JOBS or running.limits != limits or processes.has_ended(running.pid)
        ):
            self.stop()
        if self._running is None:
            self._running = self._start(job, limits)
        return self._running.pid

    def test(self, requests: int, replies: int, results: int) -> None:
        """Has it read its frame from the judge's stream, and test; it closes ``results`` at the end."""
        assert self._running is not None
        self._running.jobs += 1
        socket.send_fds(self._running.control, [b"."], [requests, replies, results])

    def stop(self) -> None:
        """Ends it, where there is one."""
        running, self._running = self._running, None
        if running is not None:
            running.control.close()
            processes.end(running.pid)

    def _start(self, job: dict[str, Any], limits: list[Any]) -> _Resident:
        ours, theirs = socket.socketpair()
        null = os.open("/dev/null", os.O_RDWR)
        fds = [null, null, null, 0, theirs.fileno()]
        pid = self._confinement.start({**job, "cpu_s": None}, fds, _serve, TESTER)
        theirs.close()
        os.close(null)
        return _Resident(pid, ours, limits)


def _serve() -> None:
    with socket.socket(fileno=_CONTROL) as control:
        while True:
            message, fds, _, _ = socket.recv_fds(control, 1, 3)
            if not message:
                return
            job = frames.read(_STREAM)
            if job is None:
                return
            requests, replies, results = fds
            tester.run_tester(job, requests, replies, results, probing.body_of(job))
            for fd in fds:
                os.close(fd)
