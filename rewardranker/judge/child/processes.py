"""What /proc knows of processes, and ending them."""

from __future__ import annotations

import contextlib
import os
import signal

_TICKS = os.sysconf("SC_CLK_TCK")


def children_of(pid: int) -> list[int]:
    """Of all its threads; those that have ended and were not waited for included."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children") as file:
                found += [int(child) for child in file.read().split()]
    return found


def cpu_seconds(roots: list[int]) -> float:
    """Of these processes, all that live beneath them, and all that those have waited for."""
    ticks, left = 0, list(roots)
    while left:
        pid = left.pop()
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/stat") as file:
                ticks += sum(int(field) for field in file.read().rpartition(")")[2].split()[11:15])
            left += children_of(pid)
    return ticks / _TICKS


def tasks_of(uid: int) -> int:
    """Threads that a user has now: what the kernel counts against RLIMIT_NPROC. Processes that cannot be
    inspected look like root's."""
    tasks = 0
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                if os.stat(f"/proc/{name}").st_uid in (uid, 0):
                    tasks += len(os.listdir(f"/proc/{name}/task"))
    return tasks


def kill_session(pid: int) -> None:
    """Kills a process (not yet waited for) and what shares its group."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(pid, signal.SIGKILL)


def end(pid: int) -> float:
    """Kills and waits for a child. CPU seconds of it."""
    kill_session(pid)
    _, _, usage = os.wait4(pid, 0)
    return usage.ru_utime + usage.ru_stime


def kill_user(uid: int) -> None:
    """Signals everything that has this user id, in one call that no fork can outrun."""
    pid = os.fork()
    if pid == 0:
        os.setuid(uid)
        os.kill(-1, signal.SIGKILL)
        os._exit(0)
    os.waitpid(pid, 0)


def has_ended(pid: int) -> bool:
    """Whether a child can be waited for."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
