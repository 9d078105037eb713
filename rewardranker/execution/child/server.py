"""A small interpreter that forks one fresh process per job. Run as a script, never imported.

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

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from child import candidate, confinement, frames, steps, tester  # noqa: E402

del sys.path[0]

PRELOADED = """
math re sys copy datetime itertools collections heapq functools hashlib string typing json random operator
bisect threading decimal fractions statistics dataclasses
"""
MAX_RESULTS, MAX_ERRORS = 16 << 20, 64 << 10
CPU_CHECK_S = 0.02


class Outcome:
    """What became of one job: bytes read, the limit that ended it (or none), CPU seconds, files collected."""

    def __init__(self) -> None:
        self.results, self.output, self.errors = b"", b"", b""
        self.limit, self.cpu_s, self.signal, self.status = "", 0.0, 0, 0
        self.files: dict[str, bytes] = {}

    def send(self) -> None:
        head = {key: vars(self)[key] for key in ("limit", "cpu_s", "signal", "status")}
        frames.write(1, head | {"files": list(self.files)})
        for content in (self.results, self.output, self.errors, *self.files.values()):
            frames.write_bytes(1, content)

    def reap(self, pid: int, limit_s: float) -> None:
        """Kills what is left of a process's session and collects its CPU time, and that of children it waited for."""
        own_end = _has_ended(pid)
        confinement.kill_session(pid)
        _, status, usage = os.wait4(pid, 0)
        used = usage.ru_utime + usage.ru_stime
        self.cpu_s += used
        self.signal = os.WTERMSIG(status) if own_end and os.WIFSIGNALED(status) else 0
        self.status = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 0
        if used >= limit_s:
            self.limit = self.limit or "cpu"


class Server:
    """Runs jobs one after another in the working directory ``home``."""

    def __init__(self, home: str) -> None:
        self._confinement = confinement.Confinement(home)
        self._uids = self._confinement.uids
        self._devnull = os.open("/dev/null", os.O_RDWR)
        self._kinds = {
            "function": self._function,
            "stdio": self._stdio,
            "program": self._program,
            "step": self._step,
        }

    def serve(self) -> None:
        """Answers jobs until standard input closes."""
        frames.write(1, {"uids": self._uids, "python": sys.version.split()[0]})
        while (job := frames.read(0)) is not None:
            self._run(job).send()

    def _run(self, job: dict[str, Any]) -> Outcome:
        self._confinement.make_directory()
        try:
            return self._kinds[job["style"]](job)
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
        (read, write), (out_read, out_write) = os.pipe(), os.pipe()
        fds = [self._devnull, out_write, self._devnull, write]
        pid = self._fork(job, fds, self._uids[0], lambda: candidate.run_function(job, 3))
        for fd in (write, out_write):
            os.close(fd)
        return self._watch(job, [pid], [Pipe(read, tester.MAX_LINE), Pipe(out_read, job["output"], keep=0)])

    def _stdio(self, job: dict[str, Any]) -> Outcome:
        stdin = _file_of(job["stdin"].encode())
        (read, write), (out_read, out_write) = os.pipe(), os.pipe()
        fds = [stdin, out_write, self._devnull, write]
        pid = self._fork(job, fds, self._uids[0], lambda: candidate.run_stdio(job, 3))
        for fd in (stdin, write, out_write):
            os.close(fd)
        return self._watch(job, [pid], [Pipe(read, MAX_RESULTS), Pipe(out_read, job["output"])])

    def _step(self, job: dict[str, Any]) -> Outcome:
        """A command. Its files are read whole before anything is started, so that the stream stays in step."""
        files = frames.read_files(0)
        stdin, token = _file_of(files.pop("\0stdin")), _pipe_of(files.pop("\0token"))
        steps.write_files(self._confinement.place, files, self._uids[0])
        (read, write), (out_read, out_write), (err_read, err_write) = os.pipe(), os.pipe(), os.pipe()
        fds = [stdin, out_write, err_write, write, token]
        pid = self._fork(job, fds, self._uids[0], lambda: steps.become(job["argv"], job["environment"]))
        for fd in (stdin, token, write, out_write, err_write):
            os.close(fd)
        keep = job["output"] if job["keep_output"] else 0
        errors = Pipe(err_read, None, MAX_ERRORS)
        outcome = self._watch(job, [pid], [Pipe(read, MAX_RESULTS), Pipe(out_read, job["output"], keep), errors])
        outcome.files = steps.collect(self._confinement.place, job["collect"])
        return outcome

    def _program(self, job: dict[str, Any]) -> Outcome:
        """The program's process is forked first: no copy of the tests is anywhere in its memory."""
        (ask_read, ask_write), (reply_read, reply_write), (read, write) = os.pipe(), os.pipe(), os.pipe()
        null, (out_read, out_write) = self._devnull, os.pipe()
        fds = [null, out_write, null, ask_read, reply_write]
        program = self._fork(job, fds, self._uids[0], lambda: candidate.run_server(job, 3, 4))
        fds = [0, null, null, ask_write, reply_read, write]
        judge = self._fork(job, fds, self._uids[1], lambda: _test(3, 4, 5))
        for fd in (ask_read, ask_write, reply_read, reply_write, write, out_write):
            os.close(fd)
        pipes = [Pipe(read, MAX_RESULTS), Pipe(out_read, job["output"], keep=0)]
        outcome = self._watch(job, [judge, program], pipes)
        if not outcome.results:
            sys.exit("the tester never began")  # its frame may be half read: only a new server is in step
        return outcome

    def _watch(self, job: dict[str, Any], pids: list[int], pipes: list[Pipe]) -> Outcome:
        """Reads every pipe until the first process of ``pids`` has ended or a limit is hit."""
        outcome, deadline = Outcome(), time.monotonic() + job["wall_s"]
        open_pipes = {pipe.fd: pipe for pipe in pipes}
        ended = os.pidfd_open(pids[0])
        poll = select.poll()
        for fd in (*open_pipes, ended):
            poll.register(fd, select.POLLIN)
        poll.register(0, 0)  # hang-up only: the judge is gone
        while not outcome.limit:
            ready = {fd for fd, _ in poll.poll(CPU_CHECK_S * 1000)}
            if time.monotonic() >= deadline or 0 in ready:
                outcome.limit = "wall"
            elif any(_cpu_seconds(pid) >= job["cpu_s"] for pid in pids):
                outcome.limit = "cpu"
            for fd in ready & open_pipes.keys():
                if not open_pipes[fd].read():
                    poll.unregister(fd)
                    del open_pipes[fd]
                elif open_pipes[fd].over:
                    outcome.limit = "output"
            if ended in ready and not (ready & open_pipes.keys()):
                break
        for pid in pids:
            outcome.reap(pid, job["cpu_s"])
        for fd in (*(pipe.fd for pipe in pipes), ended):
            os.close(fd)
        kept = [bytes(pipe.data) for pipe in pipes] + [b"", b""]
        outcome.results, outcome.output, outcome.errors = kept[:3]
        return outcome


class Pipe:
    """A pipe from a program: no more than ``cap`` bytes may come (``None``: any number), ``keep`` are kept."""

    def __init__(self, fd: int, cap: int | None, keep: int | None = None) -> None:
        self.fd, self.data = fd, bytearray()
        self._cap, self._keep, self._seen = cap, cap if keep is None else keep, 0

    def read(self) -> bool:
        """Takes what there is; false at the end."""
        chunk = os.read(self.fd, 1 << 16)
        self._seen += len(chunk)
        self.data += chunk if self._keep is None else chunk[: max(0, self._keep - len(self.data))]
        return bool(chunk)

    @property
    def over(self) -> bool:
        return self._cap is not None and self._seen > self._cap


def _file_of(content: bytes) -> int:
    """An open file that holds ``content``, at its beginning."""
    fd = os.memfd_create("input")
    frames.write_all(fd, content)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _pipe_of(content: bytes) -> int:
    """The reading end of a pipe that holds ``content`` (less than a page) and nothing more."""
    read, write = os.pipe()
    frames.write_all(write, content)
    os.close(write)
    return read


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _cpu_seconds(pid: int) -> float:
    """Of a child's threads so far, to the nanosecond (``clock_getcpuclockid(3)``); 0 once it has ended."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


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
