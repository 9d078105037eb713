"""Reading what a job writes until it has ended or has hit a limit."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from . import processes
from .accounts import Accounts

_TICK_S, _CHUNK = 0.05, 1 << 16
_LEFT_IN_PIPE = 32  # chunks: twice what a pipe of the largest usual size holds


class Pipe:
    """A pipe from a program: no more than ``cap`` bytes may come (``None``: any number), ``keep`` are kept, no
    line may be longer than ``line``."""

    def __init__(self, fd: int, cap: int | None, keep: int | None = None, line: int | None = None) -> None:
        self.fd, self.data = fd, bytearray()
        self._cap, self._keep, self._line = cap, cap if keep is None else keep, line
        self._seen = self._since_newline = 0
        self._long = self.ended = False

    def read(self) -> bool:
        """Takes what there is; false at the end."""
        chunk = os.read(self.fd, _CHUNK)
        self.ended = not chunk
        self._seen += len(chunk)
        self.data += chunk if self._keep is None else chunk[: max(0, self._keep - len(self.data))]
        if self._line is not None:
            first = chunk.find(b"\n")
            self._long |= self._since_newline + (first if first >= 0 else len(chunk)) > self._line
            self._since_newline = len(chunk) - 1 - chunk.rfind(b"\n") + (self._since_newline if first < 0 else 0)
        return bool(chunk)

    @property
    def over(self) -> bool:
        return self._long or (self._cap is not None and self._seen > self._cap)


@dataclass
class Outcome:
    """What became of one job, as in ``sandbox/step.py``."""

    results: bytes = b""
    output: bytes = b""
    errors: bytes = b""
    limit: str = ""
    cpu_s: float = 0.0
    signal: int = 0
    status: int = 0
    files: dict[str, bytes] = field(default_factory=dict)

    def ended(self, wait_status: int) -> None:
        """Takes down how a process ended by itself."""
        self.signal = os.WTERMSIG(wait_status) if os.WIFSIGNALED(wait_status) else 0
        self.status = os.WEXITSTATUS(wait_status) if os.WIFEXITED(wait_status) else 0


def watch(pid: int, pipes: list[Pipe], wall_s: float, over_cpu: Callable[[], bool], until: Pipe | None = None) -> str:
    """Reads every pipe until the process (or that pipe) has ended; the limit that was hit before, or nothing.

    Args:
        over_cpu: asked every :data:`_TICK_S` seconds whether the job has used too much CPU time.
    """
    now = time.monotonic()
    deadline, tick = now + wall_s, now + _TICK_S
    open_pipes = {pipe.fd: pipe for pipe in pipes}
    ended = os.pidfd_open(pid)
    poll = select.poll()
    for fd in (*open_pipes, ended):
        poll.register(fd, select.POLLIN)
    poll.register(0, 0)  # hang-up only: the judge is gone
    try:
        while True:
            ready = {fd for fd, _ in poll.poll(max(0.0, min(deadline, tick) - now) * 1000)}
            for fd in ready & open_pipes.keys():
                if not open_pipes[fd].read():
                    poll.unregister(fd)
                    if open_pipes.pop(fd) is until:
                        return ""
                elif open_pipes[fd].over:
                    return "output"
            if ended in ready:
                return ""
            now = time.monotonic()
            if now >= deadline or 0 in ready:
                return "wall"
            if now >= tick:
                tick = now + _TICK_S
                if over_cpu():
                    return "cpu"
    finally:
        os.close(ended)


def finish(outcome: Outcome, pids: list[int], pipes: list[Pipe], accounts: Accounts) -> int | None:
    """Ends the job's processes and takes what is left in the pipes. The wait status of the first process, where
    it ended by itself."""
    own_end = processes.has_ended(pids[0])
    for pid in pids:
        processes.kill_session(pid)
    waited = [accounts.collect(pid) for pid in pids]
    for pipe in pipes:
        _drain(pipe)
        if pipe.over:
            outcome.limit = outcome.limit or "output"
        os.close(pipe.fd)
    return waited[0] if own_end else None


def _drain(pipe: Pipe) -> None:
    poll = select.poll()
    poll.register(pipe.fd, select.POLLIN)
    for _ in range(_LEFT_IN_PIPE):
        if not poll.poll(0) or not pipe.read():
            return
