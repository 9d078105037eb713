"""Tier A: every program in user, process, mount and IPC namespaces of its own, with its own /tmp.

The first process of a process namespace takes everything in it along when it ends, and what is mounted in a
mount namespace goes with it, so that there is nothing to clean up.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import struct
from collections.abc import Callable
from typing import Any

from . import kernel, limits, processes, steps
from .confinement import PROGRAM, Command, Started
from .landlock import Landlock
from .seccomp import Filter

_NEW = kernel.CLONE_NEWUSER | kernel.CLONE_NEWPID | kernel.CLONE_NEWNS | kernel.CLONE_NEWIPC
_PLACE, _SHARED, _FILES, _MIN_SPACE = "/tmp", "/dev/shm", 4096, 64 << 20
_STATUS_FD = 3
# Where memory runs out in a control group, programs are ended first, the server last.
_PROGRAM_OOM, _SERVICE_OOM = "1000", "500"


class Nested:
    """Programs are cloned from a server that is itself in a sandbox, without privileges."""

    uids = (-1, -1, -1)
    #: Whether a program can neither see a tester nor signal it.
    hides_testers = True

    def __init__(self, seccomp: Filter | None, first: Filter | None, landlock: Landlock | None) -> None:
        """
        Args:
            first: the filter for programs that are the first process of their namespace.
            landlock: what they may read of /proc.
        """
        self._seccomp, self._first, self._landlock = seccomp, first, landlock
        self._base = limits.base_bytes()
        self._identity = (os.getuid(), os.getgid())

    @property
    def filters(self) -> bool:
        """Whether system calls are filtered."""
        return self._seccomp is not None

    def prepare(self) -> None:
        """Nothing: a program makes its own directory."""

    def start(self, job: dict[str, Any], fds: list[int], body: Callable[[], None], who: int = PROGRAM) -> int:
        """Starts a process in which ``fds`` are descriptors 0, 1, 2, ... and nothing else is open. The tester,
        which is ours, stays outside of a program's namespaces."""
        pid = kernel.clone(_NEW) if who == PROGRAM else os.fork()
        if pid:
            return pid
        try:
            if who == PROGRAM:
                self._settle(job)
                try:
                    _mount_proc()
                except OSError:
                    kernel.mount("tmpfs", "/proc", kernel.MS_NOSUID | kernel.MS_NODEV, "size=4096")
            if who == PROGRAM and self._landlock is not None:
                self._landlock.apply(".")
            self._give_up(self._first if who == PROGRAM else self._seccomp)
            limits.arrange(fds)
            gc.enable()
            limits.set_limits(job, self._base, 1)
            body()
        except OSError as error:
            os.write(2, f"{error}\n".encode())
        finally:
            os._exit(1)

    def start_command(self, job: dict[str, Any], fds: list[int], command: Command, service: str = "") -> Started:
        """Starts a command under a first process of ours, which reports how it ended: signals that would end
        any other process do not end the first one of a namespace."""
        status_read, status_write = os.pipe()
        ours, theirs = (None, None) if service else socket.socketpair()
        pid = kernel.clone(_NEW)
        if pid == 0:
            try:
                self._first_process(job, fds, command, status_write, theirs)
            except OSError as error:
                os.write(2, f"{error}\n".encode())
            finally:
                os._exit(1)
        os.close(status_write)
        if theirs is not None:
            theirs.close()
        return Started(pid, status_read, ours)

    def finish(self, services: list[int]) -> float:
        """All of a program ended with its first process; a tester may have left something. CPU seconds of it."""
        strays = [pid for pid in processes.children_of(os.getpid()) if pid not in services]
        return sum(processes.end(pid) for pid in strays)

    def clear(self) -> None:
        """Nothing: a program's directory went with it."""

    def _first_process(
        self, job: dict[str, Any], fds: list[int], command: Command, status: int, channel: socket.socket | None
    ) -> None:
        self._settle(job)
        with contextlib.suppress(OSError):  # where it cannot be had, runtimes still need some /proc
            _mount_proc()
        steps.write_files(_PLACE, command.files, -1)
        if channel is not None:
            socket.send_fds(channel, [b"."], [os.open(_PLACE, os.O_RDONLY | os.O_DIRECTORY)])
        self._give_up(self._seccomp)
        pid = os.fork()
        if pid == 0:
            os.setsid()
            if self._landlock is not None:
                self._landlock.apply(".", job["trusted"])
            limits.arrange(fds)
            limits.set_limits(job, 0, 1)
            steps.execute(command.argv, command.environment, len(fds))
        os.dup2(status, _STATUS_FD)
        for fd in range(_STATUS_FD):
            os.close(fd)
        limits.close_from(_STATUS_FD + 1)
        while True:
            ended, how = os.wait()
            if ended == pid:
                os.write(_STATUS_FD, struct.pack("i", how))
                os._exit(0)

    def _settle(self, job: dict[str, Any]) -> None:
        """Inside new namespaces, with all capabilities in them: keeps the user and group, mounts /tmp."""
        kernel.prctl(kernel.SET_DUMPABLE, 1)  # else /proc/self would be root's
        uid, gid = self._identity
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{uid} {uid} 1"),
            ("gid_map", f"{gid} {gid} 1"),
            ("oom_score_adj", _SERVICE_OOM if job["cpu_s"] is None else _PROGRAM_OOM),
        ):
            fd = os.open(f"/proc/self/{name}", os.O_WRONLY)
            os.write(fd, text.encode())
            os.close(fd)
        kernel.prctl(kernel.SET_DUMPABLE, 0)
        kernel.prctl(kernel.SET_PDEATHSIG, int(signal.SIGKILL))
        space = max(_MIN_SPACE, job["file_bytes"])
        options = f"size={space},nr_inodes={_FILES},mode=0700,uid={uid},gid={gid}"
        kernel.mount("tmpfs", _PLACE, kernel.MS_NOSUID | kernel.MS_NODEV, options)
        if job.get("style") == "stdio":  # multiprocessing keeps its locks there
            kernel.mount("tmpfs", _SHARED, kernel.MS_NOSUID | kernel.MS_NODEV, options)
        os.chdir(_PLACE)
        os.setsid()

    @staticmethod
    def _give_up(seccomp: Filter | None) -> None:
        """What a program must not have: capabilities, and the system calls of our list."""
        kernel.drop_capabilities()
        if seccomp is not None:
            seccomp.apply()


def _mount_proc() -> None:
    """Shows this process namespace's processes, and no others. Raises ``OSError``, as in some containers."""
    kernel.mount("proc", "/proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC, "")
