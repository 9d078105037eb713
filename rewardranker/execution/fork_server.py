"""A small interpreter that forks one fresh process per program. Run as a script, never imported.

It starts with the standard library's common modules loaded, so that a program costs one fork and no
imports. Jobs come as frames on standard input, outcomes go out as frames on standard output. The server
itself never runs a line of a program and never holds an expected value: a tester process reads its own
frame, after the program's process has been forked.
"""

from __future__ import annotations

import gc
import os
import random
import select
import shutil
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from child import candidate, confinement, frames, tester  # noqa: E402

del sys.path[0]

PRELOADED = """
math re sys copy datetime itertools collections heapq functools hashlib string typing json random operator
bisect threading decimal fractions statistics dataclasses
"""
MAX_RESULTS = 16 << 20
TICK_SHARE = 0.8
ENDING_S = 0.1


class Outcome:
    """What became of one job: bytes read, the limit that ended it (or none), CPU seconds."""

    def __init__(self) -> None:
        self.results, self.output, self.limit, self.cpu_s, self.signal = b"", b"", "", 0.0, 0

    def reap(self, pid: int, limit_s: float) -> None:
        """Kills what is left of a process's session and collects its CPU time.

        The kernel enforces its limit by timer ticks and reports time exactly, so that a process that it
        ended may show a little less than the limit.
        """
        own_end = _has_ended(pid)
        if not own_end and _cpu_seconds(pid) >= TICK_SHARE * limit_s:
            # Its pipes close a moment before it can be waited for; that end must not be taken for ours.
            deadline = time.monotonic() + ENDING_S
            while not (own_end := _has_ended(pid)) and time.monotonic() < deadline:
                time.sleep(0.001)
        confinement.kill_session(pid)
        _, status, usage = os.wait4(pid, 0)
        used = usage.ru_utime + usage.ru_stime
        self.cpu_s += used
        self.signal = os.WTERMSIG(status) if own_end and os.WIFSIGNALED(status) else 0
        ended_by_kernel = self.signal == signal.SIGKILL and used >= TICK_SHARE * limit_s
        if used >= limit_s - 0.01 or ended_by_kernel:
            self.limit = self.limit or "cpu"


class Server:
    """Runs jobs one after another in the working directory ``home``."""

    def __init__(self, home: str) -> None:
        self._confinement = confinement.Confinement(home)
        self._uids = self._confinement.uids
        self._devnull = os.open("/dev/null", os.O_RDWR)

    def serve(self) -> None:
        """Answers jobs until standard input closes."""
        frames.write(1, {"uids": self._uids, "python": sys.version.split()[0]})
        while (job := frames.read(0)) is not None:
            outcome = self._run(job)
            frames.write(1, {"limit": outcome.limit, "cpu_s": outcome.cpu_s, "signal": outcome.signal})
            frames.write_bytes(1, outcome.results)
            frames.write_bytes(1, outcome.output)

    def _run(self, job: dict[str, Any]) -> Outcome:
        self._confinement.make_directory()
        try:
            return {"function": self._function, "stdio": self._stdio, "program": self._program}[job["style"]](job)
        finally:
            self._confinement.clear()

    def _fork(self, job: dict[str, Any], fds: list[int], uid: int, body: Callable[[], None]) -> int:
        """Starts a process in which ``fds`` are descriptors 0, 1, 2, ... and nothing else is open."""
        pid = os.fork()
        if pid:
            return pid
        try:
            self._confinement.enter(fds, uid, job)
            body()
        finally:
            os._exit(0)

    def _function(self, job: dict[str, Any]) -> Outcome:
        read, write = os.pipe()
        fds = [self._devnull] * 3 + [write]
        pid = self._fork(job, fds, self._uids[0], lambda: candidate.run_function(job, 3))
        os.close(write)
        return self._watch(job, [pid], {read: job["output"]})

    def _stdio(self, job: dict[str, Any]) -> Outcome:
        stdin = os.memfd_create("stdin")
        frames.write_all(stdin, job["stdin"].encode())
        os.lseek(stdin, 0, os.SEEK_SET)
        (read, write), (out_read, out_write) = os.pipe(), os.pipe()
        fds = [stdin, out_write, self._devnull, write]
        pid = self._fork(job, fds, self._uids[0], lambda: candidate.run_stdio(job, 3))
        for fd in (stdin, write, out_write):
            os.close(fd)
        return self._watch(job, [pid], {read: MAX_RESULTS, out_read: job["output"]})

    def _program(self, job: dict[str, Any]) -> Outcome:
        """The program's process is forked first: no copy of the tests is anywhere in its memory."""
        (ask_read, ask_write), (reply_read, reply_write), (read, write) = os.pipe(), os.pipe(), os.pipe()
        null = self._devnull
        fds = [null, null, null, ask_read, reply_write]
        program = self._fork(job, fds, self._uids[0], lambda: candidate.run_server(job, 3, 4))
        fds = [0, null, null, ask_write, reply_read, write]
        judge = self._fork(job, fds, self._uids[1], lambda: _test(3, 4, 5))
        for fd in (ask_read, ask_write, reply_read, reply_write, write):
            os.close(fd)
        outcome = self._watch(job, [judge, program], {read: MAX_RESULTS})
        if not outcome.results:
            sys.exit("the tester never began")  # its frame may be half read: only a new server is in step
        return outcome

    def _watch(self, job: dict[str, Any], pids: list[int], caps: dict[int, int]) -> Outcome:
        """Reads every pipe in ``caps`` up to its cap until the first process of ``pids`` has ended."""
        outcome, deadline = Outcome(), time.monotonic() + job["wall_s"]
        data: dict[int, bytearray] = {fd: bytearray() for fd in caps}
        ended = os.pidfd_open(pids[0])
        poll = select.poll()
        for fd in (*caps, ended):
            poll.register(fd, select.POLLIN)
        poll.register(0, 0)  # hang-up only: the judge is gone
        while not outcome.limit:
            ready = {fd for fd, _ in poll.poll(max(0.0, deadline - time.monotonic()) * 1000)}
            if not ready or 0 in ready:
                outcome.limit = "wall"
            for fd in ready & caps.keys():
                chunk = os.read(fd, 1 << 16)
                data[fd] += chunk
                if not chunk:
                    poll.unregister(fd)
                if len(data[fd]) > caps[fd]:
                    outcome.limit = "output"
            if ended in ready and not (ready & caps.keys()):
                break
        for pid in pids:
            outcome.reap(pid, job["cpu_s"])
        for fd in (*caps, ended):
            os.close(fd)
        outcome.results, outcome.output = (bytes(buffer) for buffer in (*data.values(), b"")[:2])
        return outcome


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _cpu_seconds(pid: int) -> float:
    """Of a child that has not been waited for; the kernel counts in ticks."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _test(requests: int, replies: int, results: int) -> None:
    job = frames.read(0)
    if job is not None:
        tester.run_tester(job, requests, replies, results)


def main() -> None:
    for name in PRELOADED.split():
        __import__(name)
    random.seed(0)  # every program sees the same state, in every server
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server = Server(sys.argv[1])
    gc.collect()
    gc.disable()
    gc.freeze()
    try:
        server.serve()
    finally:
        shutil.rmtree(sys.argv[1], ignore_errors=True)  # the judge may have been killed


if __name__ == "__main__":
    main()
