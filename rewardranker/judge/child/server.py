"""A small interpreter that starts one fresh process per job. Run as a script, never imported.

It starts with the standard library's common modules loaded, so that a Python program costs one fork and no
imports. Jobs come as frames on standard input, outcomes go out as frames on standard output. The server
itself never runs a line of a program and never holds an expected value: a tester process reads its own
frame, after the program's process has been forked.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import random
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from child import (  # noqa: E402
    accounts,
    candidate,
    confinement,
    frames,
    group,
    kernel,
    main_program,
    probing,
    processes,
    residents,
    services,
    surroundings,
    tester,
    tidy,
)
from child.tiers import confine  # noqa: E402
from child.watching import Outcome, Pipe, finish, watch  # noqa: E402

del sys.path[0]

PRELOADED = """
math re sys copy datetime itertools collections heapq functools hashlib string typing json random operator
bisect threading decimal fractions statistics dataclasses
"""
MAX_RESULTS, MAX_ERRORS = 16 << 20, 64 << 10
_TRIAL = {"cpu_s": 5.0, "memory": 1 << 28, "memory_kind": "address_space", "processes": 8, "file_bytes": 1 << 20}


class Server:
    """Runs jobs one after another."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._confinement = confine(plan)
        limits = group.Group(**plan["group"]) if plan["group"] else None
        self._accounts = accounts.Accounts(limits)
        self._services = services.Services(self._confinement, self._accounts)
        self._residents = residents.Residents(self._confinement)
        self._kinds: dict[str, Callable[[dict[str, Any]], Outcome]] = {
            "function": self._function,
            "stdio": self._stdio,
            "program": self._program,
            "step": self._step,
        }

    def serve(self) -> None:
        """Answers jobs until standard input closes."""
        frames.write(1, self._trial())
        while (job := frames.read(0)) is not None:
            outcome = self._run(job)
            head = {key: getattr(outcome, key) for key in ("limit", "cpu_s", "signal", "status")}
            frames.write(1, head | {"files": list(outcome.files)})
            for content in (outcome.results, outcome.output, outcome.errors, *outcome.files.values()):
                frames.write_bytes(1, content)

    def _trial(self) -> dict[str, Any]:
        """What a process finds that is confined as programs are. Ends the server where none can be."""
        read, write = os.pipe()
        self._confinement.prepare()
        fds = [null := _null()] * 3 + [write]
        pid = self._confinement.start(_TRIAL, fds, lambda: frames.write(3, {"pid": os.getpid(), "uid": os.getuid()}))
        _close(null, write)
        facts = frames.read(read)
        os.close(read)
        processes.end(pid)
        self._confinement.clear()
        if facts is None:
            sys.exit("no process could be confined")
        return {**facts, "seccomp": self._confinement.filters, "python": sys.version.split()[0]}

    def _run(self, job: dict[str, Any]) -> Outcome:
        self._confinement.prepare()
        try:
            return self._kinds[job["style"]](job)
        finally:
            self._confinement.clear()

    def _function(self, job: dict[str, Any]) -> Outcome:
        (read, write), (out_read, out_write) = os.pipe(), os.pipe()
        fds = [null := _null(), out_write, null, write]
        self._begin(job)
        pid = self._confinement.start(job, fds, lambda: candidate.run_function(job, 3))
        _close(null, write, out_write)
        results = Pipe(read, MAX_RESULTS, line=tester.MAX_LINE)
        return self._watch(job, [pid], [results, Pipe(out_read, job["output"], keep=0)])

    def _stdio(self, job: dict[str, Any]) -> Outcome:
        stdin = _file_of(job["stdin"].encode())
        (read, write), (out_read, out_write) = os.pipe(), os.pipe()
        fds = [stdin, out_write, null := _null(), write]
        if (user := self._confinement.uids[confinement.PROGRAM]) >= 0:
            for fd in (stdin, out_write):
                os.fchown(fd, user, -1)  # so that /dev/stdin and /dev/stdout can be opened
        self._begin(job)
        pid = self._confinement.start(job, fds, lambda: main_program.run_stdio(job, 3))
        _close(stdin, null, write, out_write)
        return self._watch(job, [pid], [Pipe(read, MAX_RESULTS), Pipe(out_read, job["output"])])

    def _program(self, job: dict[str, Any]) -> Outcome:
        """No copy of the tests is anywhere in the memory of the program's process: this one never reads them."""
        resident = job["resident"] and self._confinement.hides_testers
        staying = [self._residents.ready(job)] if resident else []
        (ask_read, ask_write), (reply_read, reply_write), (read, write) = os.pipe(), os.pipe(), os.pipe()
        null, tester_null, (out_read, out_write) = _null(), _null(), os.pipe()
        self._begin(job, staying)
        fds = [null, out_write, null, ask_read, reply_write]
        program = self._confinement.start(job, fds, lambda: candidate.run_server(job, 3, 4))
        if resident:
            self._residents.test(ask_write, reply_read, write)
            ending = [program]
        else:
            fds = [0, tester_null, tester_null, ask_write, reply_read, write]
            ending = [self._confinement.start(job, fds, lambda: _test(3, 4, 5), confinement.TESTER), program]
        _close(null, tester_null, ask_read, ask_write, reply_read, reply_write, write, out_write)
        results = Pipe(read, MAX_RESULTS)
        pipes = [results, Pipe(out_read, job["output"], keep=0)]
        outcome = self._watch(job, ending, pipes, staying=staying)
        if resident and not (results.ended and not outcome.limit):
            self._residents.stop()
        if not outcome.results:
            sys.exit("the tester never began")  # its frame may be half read: only a new server is in step
        return outcome

    def _step(self, job: dict[str, Any]) -> Outcome:
        """A command. Its files are read whole before anything is started, so that the stream stays in step."""
        if job["define"]:
            command = confinement.Command(job["define"]["argv"], frames.read_files(0), job["define"]["environment"])
            self._services.define(job["service"], command, job["define"]["memory"])
        files = frames.read_files(0)
        stdin, token = _file_of(files.pop("\0stdin")), _pipe_of(files.pop("\0token"))
        if job["service"]:
            _close(stdin, token)
            return self._services.run(job, files)
        (read, write), (out_read, out_write), (err_read, err_write) = os.pipe(), os.pipe(), os.pipe()
        command = confinement.Command(job["argv"], files, job["environment"])
        self._begin(job)
        started = self._confinement.start_command(job, [stdin, out_write, err_write, write, token], command)
        _close(stdin, token, write, out_write, err_write)
        output = Pipe(out_read, job["output"], job["output"] if job["keep_output"] else 0)
        pipes = [Pipe(read, job["output"]), output, Pipe(err_read, None, MAX_ERRORS)]
        outcome = self._watch(job, [started.pid], pipes, started)
        outcome.files = started.collect(job["collect"])
        started.close()
        return outcome

    def _begin(self, job: dict[str, Any], staying: list[int] | None = None) -> None:
        self._accounts.begin(job["memory"], job["processes"], staying)

    def _watch(
        self,
        job: dict[str, Any],
        pids: list[int],
        pipes: list[Pipe],
        started: confinement.Started | None = None,
        staying: Sequence[int] = (),
    ) -> Outcome:
        """Reads every pipe until the first process of ``pids`` has ended or a limit is hit; ends all of them.

        Args:
            staying: a process that works for the job and is not ended: the job has when it closes its pipe, the
                first one.
        """
        outcome, cpu_s = Outcome(), job["cpu_s"]
        others = [pid for pid in (*self._services.pids, *self._residents.pids) if pid not in staying]

        def over_cpu() -> bool:
            roots = [pid for pid in processes.children_of(os.getpid()) if pid not in others]
            return self._accounts.so_far(roots) >= cpu_s

        until = pipes[0] if staying else None
        outcome.limit = watch(staying[0] if staying else pids[0], pipes, job["wall_s"], over_cpu, until)
        if staying:
            self._accounts.add(self._accounts.so_far(list(staying)))
        status = finish(outcome, pids, pipes, self._accounts)
        self._accounts.add(self._confinement.finish([*others, *staying]))
        if status is not None and not staying:
            outcome.ended(started.wait_status(status) if started is not None else status)
        outcome.cpu_s = self._accounts.total()
        if self._accounts.out_of_memory():
            outcome.limit = outcome.limit or "memory"
        elif outcome.cpu_s >= cpu_s:
            outcome.limit = outcome.limit or "cpu"
        kept = [bytes(pipe.data) for pipe in pipes] + [b"", b""]
        outcome.results, outcome.output, outcome.errors = kept[:3]
        if outcome.limit:
            outcome.output = b""  # of no use, and perhaps large
        return outcome


def _null() -> int:
    """Opened anew for every process: flags, owners and locks belong to what was opened, and outlive who set them."""
    return os.open("/dev/null", os.O_RDWR)


def _close(*fds: int) -> None:
    for fd in fds:
        os.close(fd)


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


def _test(requests: int, replies: int, results: int) -> None:
    job = frames.read(0)
    os.dup2(1, 0)  # what trusted code reads is nothing, and not the next job
    if job is not None:
        tester.run_tester(job, requests, replies, results, probing.body_of(job))


def main() -> None:
    plan = json.loads(sys.argv[1])
    for name in PRELOADED.split():
        __import__(name)
    surroundings.prepare()
    random.seed(0)  # every program sees the same state, in every server
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.umask(0o077)
    sys.dont_write_bytecode = True
    for name in plan["forget"]:
        os.environ.pop(name, None)
    # The server adopts orphans, so that a daemonised process is still found, and cannot be inspected.
    for option, value in ((kernel.SET_SUBREAPER, 1), (kernel.SET_NO_NEW_PRIVS, 1), (kernel.SET_DUMPABLE, 0)):
        kernel.prctl(option, value)
    server = Server(plan)
    gc.collect()
    gc.disable()
    gc.freeze()
    try:
        server.serve()
    finally:
        if plan["remove"]:
            with contextlib.suppress(OSError):
                tidy.remove(plan["remove"])  # the judge may have been killed


if __name__ == "__main__":
    main()
