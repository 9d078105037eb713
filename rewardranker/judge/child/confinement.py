"""Tiers B, C and D: a program is a forked process that is told apart by its session, its parent, and, where
the server is root, a user id that no other process has.

In B the server is alone in namespaces that it shares with the programs; in C Landlock and seccomp take their
place; in D there are only resource limits.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import stat
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import identity, kernel, limits, processes, steps, tidy
from .landlock import Landlock
from .seccomp import Filter

_STRAGGLER_S, _TASKS_S = 10.0, 2.0
PROGRAM, TESTER, SERVICE = 0, 1, 2


@dataclass(frozen=True)
class Command:
    """A process to start: its words, the files of its directory, what is added to the environment."""

    argv: list[str]
    files: dict[str, bytes]
    environment: dict[str, str]


class Started:
    """A command's process (or the first process of its namespaces)."""

    def __init__(self, pid: int, status: int = -1, directory: int | socket.socket | None = None) -> None:
        """
        Args:
            status: descriptor that gives the command's wait status; -1 where that of ``pid`` is the one.
            directory: its working directory, or the socket through which that comes.
        """
        self.pid, self._status, self._directory = pid, status, directory

    def wait_status(self, own: int) -> int:
        """Of the command, when ``own`` is that of its process, which has been waited for."""
        report = os.read(self._status, 4) if self._status >= 0 else b""
        return int(struct.unpack("i", report)[0]) if len(report) == 4 else own

    def collect(self, names: list[str]) -> dict[str, bytes]:
        """Files that the command left; none where it never had a directory."""
        directory = self._directory
        if isinstance(directory, socket.socket):
            directory.setblocking(False)
            try:
                _, fds, _, _ = socket.recv_fds(directory, 1, 1)
            except OSError:
                return {}
            directory.close()
            self._directory = directory = fds[0] if fds else None
        return steps.collect(directory, names) if directory is not None else {}

    def close(self) -> None:
        """Forgets its status and its directory."""
        if self._status >= 0:
            os.close(self._status)
        if isinstance(self._directory, socket.socket):
            self._directory.close()
        elif self._directory is not None:
            os.close(self._directory)


class Forked:
    """One program at a time, in a directory that is made for it, or in /tmp where that is the sandbox's own."""

    def __init__(self, home: str, alone: bool, landlock: Landlock | None, seccomp: Filter | None) -> None:
        """
        Args:
            alone: nothing but this server, its sandbox and programs is visible to a program.
        """
        self._landlock, self._seccomp, self._alone = landlock, seccomp, alone
        self._home, self._place = home, "/tmp" if alone else os.path.join(home, "job")
        if not alone:
            os.chmod(home, 0o711)
        self.uids = [-1] * 3 if alone else identity.own_users(3)
        self._own = self.uids[0] >= 0
        if self._own:
            identity.keep_standard_library()
        self._base, self._tasks, self._counted_at = limits.base_bytes(), 0, 0.0

    @property
    def filters(self) -> bool:
        """Whether system calls are filtered."""
        return self._seccomp is not None

    @property
    def hides_testers(self) -> bool:
        """Whether a tester is another user than a program, so that it can be neither inspected nor signalled."""
        return self._own

    def prepare(self) -> None:
        """An empty directory for the next program."""
        if not self._alone:
            self._make(self._place, self.uids[PROGRAM])
        if not self._own and time.monotonic() > self._counted_at + _TASKS_S:
            self._tasks, self._counted_at = processes.tasks_of(os.getuid()), time.monotonic()

    def start(self, job: dict[str, Any], fds: list[int], body: Callable[[], None], who: int = PROGRAM) -> int:
        """Starts a process in which ``fds`` are descriptors 0, 1, 2, ... and nothing else is open."""
        pid = os.fork()
        if pid:
            return pid
        try:
            self._enter(job, fds, who, self._place, self._base)
            body()
        except OSError as error:
            os.write(2, f"{error}\n".encode())
        finally:
            os._exit(1)

    def start_command(self, job: dict[str, Any], fds: list[int], command: Command, service: str = "") -> Started:
        """Starts a command, or a resident one, in a directory of its own."""
        who, place = (SERVICE, os.path.join(self._home, f"service-{service}")) if service else (PROGRAM, self._place)
        if service:
            if os.path.isdir(place):
                tidy.remove(place)
            self._make(place, self.uids[SERVICE])
            self._counted_at = 0.0  # its tasks will be among those of the user
        steps.write_files(place, command.files, self.uids[who])
        directory = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
        if self._own:
            for fd in fds:
                if not stat.S_ISCHR(os.fstat(fd).st_mode):  # /dev/null is everybody's
                    os.fchown(fd, self.uids[who], -1)  # some runtimes open /dev/fd/N again
        pid = os.fork()
        if pid == 0:
            try:
                self._enter(job, fds, who, place, 0)
                steps.execute(command.argv, command.environment, len(fds))
            except OSError as error:
                os.write(2, f"{error}\n".encode())
            finally:
                os._exit(126)
        return Started(pid, directory=directory)

    def finish(self, services: list[int]) -> float:
        """Kills and collects every process that left its session (they have become children of this one). CPU
        seconds of what was collected."""
        cpu_s, deadline = 0.0, time.monotonic() + _STRAGGLER_S
        while strays := [pid for pid in processes.children_of(os.getpid()) if pid not in services]:
            if time.monotonic() > deadline:
                sys.exit("processes of a program could not be ended")
            if self._alone:
                os.kill(-1, signal.SIGKILL)
            elif self._own:
                processes.kill_user(self.uids[PROGRAM])
            cpu_s += sum(processes.end(pid) for pid in strays)
        return cpu_s

    def clear(self) -> None:
        """Empties the directory that the last program had."""
        if self._alone:
            return tidy.empty(self._place)
        try:
            os.rmdir(self._place)
        except OSError:
            tidy.remove(self._place)

    def _enter(self, job: dict[str, Any], fds: list[int], who: int, place: str, base: int) -> None:
        """Turns a freshly forked process into one that may run a program."""
        os.setsid()
        os.chdir(place)
        if self._own:
            identity.become(self.uids[who])
        if self._landlock is not None:
            trusted = who == TESTER or job.get("trusted", False)
            self._landlock.apply("" if who == TESTER else ".", trusted)  # the directory is the program's
        if self._seccomp is not None:
            self._seccomp.apply()
        kernel.prctl(kernel.SET_DUMPABLE, 0)
        kernel.prctl(kernel.SET_PDEATHSIG, int(signal.SIGKILL))
        limits.arrange(fds, keep_library=self._own and base > 0)
        gc.enable()
        limits.set_limits(job, base, self._tasks)

    def _make(self, place: str, uid: int) -> None:
        os.mkdir(place, 0o700)
        if uid >= 0:
            os.chown(place, uid, uid)
