"""What a program's process is cut off from, and how nothing of it is left behind.

Limits per process by ``setrlimit``; its own session; where the server runs as root, a user id that no
other process has, so that the program can neither signal nor inspect anything else. Not a full sandbox:
world-readable files and the network stay visible.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import gc
import math
import os
import resource
import shutil
import signal
import sys
import time
from typing import Any

_SET_PDEATHSIG, _SET_DUMPABLE, _SET_SUBREAPER, _SET_NO_NEW_PRIVS = 1, 4, 36, 38
_HIGH_FD, _STDLIB_FD = 100, 200
_STRAGGLER_S = 10.0
_prctl = ctypes.CDLL(None, use_errno=True).prctl


class Confinement:
    """How this server confines programs.

    Attributes:
        uids: user ids for a program and for its tester; -1 keeps the server's own.
        processes: tasks that the user of programs has anyway, beside a program's own.
        base_bytes: address space of the server itself, which every program starts with.
    """

    def __init__(self, home: str) -> None:
        """The server adopts orphans, so that a daemonised process is still found, and cannot be inspected."""
        _prctl(_SET_SUBREAPER, 1, 0, 0, 0)
        _prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        _prctl(_SET_DUMPABLE, 0, 0, 0, 0)
        os.umask(0o077)
        os.chmod(home, 0o711)
        sys.dont_write_bytecode = True
        self.place = os.path.join(home, "job")
        first = 1_000_000 + 2 * os.getpid()
        own = os.geteuid() == 0 and _can_become(first) and _can_become(first + 1)
        self.uids = [first, first + 1] if own else [-1, -1]
        self.processes = 0 if own else _tasks_of(os.getuid())
        if own:
            _keep_standard_library()
        with open("/proc/self/statm") as file:
            self.base_bytes = int(file.read().split()[0]) * resource.getpagesize()

    def enter(self, fds: list[int], uid: int, job: dict[str, Any]) -> None:
        """Turns a freshly forked process into one that may run a program, with ``fds`` as 0, 1, 2, ..."""
        os.setsid()
        os.chdir(self.place)
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD, _HIGH_FD) for fd in fds]
        for target, fd in enumerate(high):
            os.dup2(fd, target, inheritable=target < 3)
        os.closerange(len(fds), _STDLIB_FD)
        self._limit(job)
        if uid >= 0:
            _become(uid)
        _prctl(_SET_DUMPABLE, 0, 0, 0, 0)
        _prctl(_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        gc.enable()

    def _limit(self, job: dict[str, Any]) -> None:
        """Soft and hard limits are equal: a program cannot catch the signal at the soft one.

        The server enforces the limit on CPU time, by exact accounting; the kernel's own, by timer ticks that
        can be a quarter off on a busy machine, is for children that the server does not see.
        """
        memory = {"address_space": resource.RLIMIT_AS, "data": resource.RLIMIT_DATA}[job["memory_kind"]]
        for kind, value in (
            (resource.RLIMIT_CPU, 2 * math.ceil(job["cpu_s"]) + 1),
            (memory, self.base_bytes + job["memory"]),
            (resource.RLIMIT_NPROC, self.processes + job["processes"]),
            (resource.RLIMIT_FSIZE, job["file_bytes"]),
            (resource.RLIMIT_NOFILE, 64),
            (resource.RLIMIT_CORE, 0),
        ):
            resource.setrlimit(kind, (value, value))

    def make_directory(self) -> None:
        os.mkdir(self.place, 0o700)
        if self.uids[0] >= 0:
            os.chown(self.place, self.uids[0], self.uids[0])

    def clear(self) -> None:
        """Kills and collects every process that left its session (they have become children of this one)
        and empties the directory."""
        deadline = time.monotonic() + _STRAGGLER_S
        while _collect():
            if time.monotonic() > deadline:
                sys.exit("processes of a program could not be ended")
            if self.uids[0] >= 0:
                _kill_user(self.uids[0])
            for pid in _children():
                kill_session(pid)
            time.sleep(0.001)
        try:
            os.rmdir(self.place)
        except OSError:
            shutil.rmtree(self.place)


def _tasks_of(uid: int) -> int:
    """Threads that a user has now: what the kernel counts against RLIMIT_NPROC."""
    tasks = 0
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                if os.stat(f"/proc/{name}").st_uid in (uid, 0):
                    tasks += len(os.listdir(f"/proc/{name}/task"))
    return tasks


def _collect() -> bool:
    """Waits for all that has ended; whether anything is left."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _can_become(uid: int) -> bool:
    """Whether this root may take that user id (it need not be mapped in a container)."""
    pid = os.fork()
    if pid == 0:
        try:
            _become(uid)
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0


def _become(uid: int) -> None:
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)


def _keep_standard_library() -> None:
    """Lets processes import by open directories: the interpreter may live where only root may go."""
    if not os.path.isdir("/proc/self/fd"):
        return
    for index, path in enumerate(path for path in list(sys.path) if os.path.isdir(path)):
        fd = fcntl.fcntl(os.open(path, os.O_RDONLY | os.O_DIRECTORY), fcntl.F_DUPFD, _STDLIB_FD + index)
        opened = f"/proc/self/fd/{fd}"
        sys.path[sys.path.index(path)] = opened
        for module in list(sys.modules.values()):
            places = getattr(module, "__path__", None)
            if isinstance(places, list):
                places[:] = [p.replace(path, opened, 1) if p.startswith(path) else p for p in places]


def kill_session(pid: int) -> None:
    """Kills a process (not yet waited for) and what shares its group."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)


def _kill_user(uid: int) -> None:
    """Signals everything that has this user id, in one call that no fork can outrun."""
    pid = os.fork()
    if pid == 0:
        os.setuid(uid)
        os.kill(-1, signal.SIGKILL)
        os._exit(0)
    os.waitpid(pid, 0)


def _children() -> list[int]:
    with open(f"/proc/self/task/{os.getpid()}/children") as file:
        return [int(pid) for pid in file.read().split()]
