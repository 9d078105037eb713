"""Resident compilers: processes that outlive a job, in a confinement of their own like any program's."""

from __future__ import annotations

import base64
import json
import os
import select
import time
from collections.abc import Callable
from typing import Any

from . import processes
from .accounts import Accounts
from .confinement import Command, Forked, Started
from .namespaces import Nested
from .watching import Outcome

_MAX_STEPS, _TASKS, _FILE_BYTES = 300, 128, 64 << 20
_MAX_ANSWER, _ERRORS, _CHUNK, _TICK_S, _ENDING_S = 256 << 20, 4096, 1 << 16, 0.05, 2.0
_NO_ANSWER = 255  # exit status that stands for none
_FAILED = 70  # that of a compiler that has failed itself, as it may do from now on


class _Died(Exception):
    """It ended, or what it wrote is no answer."""


class _Service:
    """One that runs. Its requests and answers are frames, as ``languages/language.py`` says."""

    def __init__(self, started: Started, requests: int, answers: int, errors: int) -> None:
        self._started, self.pid = started, started.pid
        self._requests, self._answers, self._errors = requests, answers, errors
        os.set_blocking(requests, False)
        self.steps_left = _MAX_STEPS

    def ask(self, request: bytes, wall_s: float, over_cpu: Callable[[], bool]) -> tuple[str, bytes]:
        """The limit that was hit, or nothing, and the answer. Raises :class:`_Died`."""
        self.steps_left -= 1
        left, answer = memoryview(len(request).to_bytes(4, "big") + request), bytearray()
        deadline = time.monotonic() + wall_s
        poll = select.poll()
        poll.register(self._answers, select.POLLIN)
        poll.register(self._requests, select.POLLOUT)
        poll.register(0, 0)  # hang-up only: the judge is gone
        while True:
            ready = {fd for fd, _ in poll.poll(_TICK_S * 1000)}
            if 0 in ready or time.monotonic() > deadline:
                return "wall", b""
            if self._requests in ready:
                left = self._send(left)
                if not left:
                    poll.unregister(self._requests)
            if self._answers in ready:
                chunk = os.read(self._answers, _CHUNK)
                answer += chunk
                size = int.from_bytes(answer[:4], "big")
                if not chunk or size > _MAX_ANSWER:
                    raise _Died
                if len(answer) >= 4 + size and len(answer) >= 4:
                    return "", bytes(answer[4:])
            if not ready and over_cpu():
                return "cpu", b""

    def _send(self, left: memoryview) -> memoryview:
        try:
            return left[os.write(self._requests, left) :]
        except BrokenPipeError:
            raise _Died from None

    def wait(self) -> int | None:
        """The wait status of one that is ending by itself; ``None`` where it goes on."""
        ended, poll = os.pidfd_open(self.pid), select.poll()
        poll.register(ended, select.POLLIN)
        gone = poll.poll(_ENDING_S * 1000)
        os.close(ended)
        info = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) if gone else None
        if info is None:
            return None
        return self._started.wait_status(info.si_status << 8 if info.si_code == os.CLD_EXITED else info.si_status)

    def stop(self) -> bytes:
        """Ends it; the end of what it wrote to standard error."""
        processes.end(self.pid)
        errors = os.pread(self._errors, _ERRORS, max(0, os.fstat(self._errors).st_size - _ERRORS))
        self._started.close()
        for fd in (self._requests, self._answers, self._errors):
            os.close(fd)
        return errors


class Services:
    """Every resident compiler of this sandbox: started when first used, and again when it has died, has hung,
    or has done many steps."""

    def __init__(self, confinement: Forked | Nested, accounts: Accounts) -> None:
        self._confinement, self._accounts = confinement, accounts
        self._commands: dict[str, tuple[Command, int]] = {}
        self._running: dict[str, _Service] = {}

    @property
    def pids(self) -> list[int]:
        return [service.pid for service in self._running.values()]

    def define(self, name: str, command: Command, memory: int) -> None:
        """``memory``: bytes that it may hold."""
        self._commands[name] = (command, memory)

    def run(self, job: dict[str, Any], files: dict[str, bytes]) -> Outcome:
        """One step. Where it ends a compiler that has done others, or makes it fail, a fresh one tells whether the
        step is why."""
        service = self._running.get(job["service"])
        outcome = self._run(job, files)
        failed = outcome.signal or outcome.limit == "memory" or outcome.status in (_NO_ANSWER, _FAILED)
        if service is not None and failed:
            outcome = self._run(job, files)
        return outcome

    def _run(self, job: dict[str, Any], files: dict[str, bytes]) -> Outcome:
        name, outcome = job["service"], Outcome()
        self._accounts.begin(job["memory"], job["processes"], self._pids_of(name))
        service = self._ready(name)
        request = {"argv": job["argv"], "files": _encoded(files), "collect": job["collect"]}

        def over_cpu() -> bool:
            return self._accounts.so_far([service.pid]) >= job["cpu_s"]

        try:
            outcome.limit, answer = service.ask(json.dumps(request).encode(), job["wall_s"], over_cpu)
            outcome.cpu_s = self._accounts.so_far([service.pid])
            if not outcome.limit:
                _read_answer(outcome, answer, job["collect"])
        except _Died:
            status = service.wait()
            outcome.limit = "memory" if self._accounts.out_of_memory() else ""
            if status is not None and not outcome.limit:
                outcome.ended(status)
            outcome.status = 0 if outcome.limit or outcome.signal else _NO_ANSWER
        if outcome.limit or outcome.signal or outcome.status == _NO_ANSWER:
            outcome.errors = f"the resident compiler of {name} ended: ".encode() + self._stop(name)
        elif outcome.status == _FAILED:
            self._stop(name)
        return outcome

    def _pids_of(self, name: str) -> list[int]:
        return [self._running[name].pid] if name in self._running else []

    def _ready(self, name: str) -> _Service:
        service = self._running.get(name)
        if service is not None and (service.steps_left <= 0 or processes.has_ended(service.pid)):
            self._stop(name)
        if name not in self._running:
            self._running[name] = self._start(name)
        return self._running[name]

    def _start(self, name: str) -> _Service:
        command, memory = self._commands[name]
        null, errors = os.open("/dev/null", os.O_WRONLY), os.memfd_create("errors")
        (request_read, request_write), (answer_read, answer_write) = os.pipe(), os.pipe()
        job = {"cpu_s": None, "memory": memory, "memory_kind": "data", "processes": _TASKS, "file_bytes": _FILE_BYTES}
        job["trusted"] = False  # its input is not
        started = self._confinement.start_command(job, [request_read, null, errors, answer_write], command, name)
        for fd in (request_read, answer_write, null):
            os.close(fd)
        return _Service(started, request_write, answer_read, errors)

    def _stop(self, name: str) -> bytes:
        return self._running.pop(name).stop()


def _encoded(files: dict[str, bytes]) -> dict[str, str]:
    return {name: base64.b64encode(content).decode() for name, content in files.items()}


def _read_answer(outcome: Outcome, answer: bytes, names: list[str]) -> None:
    """A compiler that its input took over may answer anything; only data of the right form is passed on."""
    try:
        data = json.loads(answer)
        outcome.status, outcome.errors = int(data["status"]), str(data["errors"]).encode(errors="replace")
        outcome.files = {name: base64.b64decode(data["files"][name]) for name in names if name in data["files"]}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _Died from None
