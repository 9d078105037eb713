"""User ids that no other process has, for a server that is root outside any namespace."""

from __future__ import annotations

import fcntl
import os
import sys

from . import limits


def own_users(count: int) -> list[int]:
    """So many user ids of our own, or -1 for each where this process cannot take them.

    They need not be mapped in a container.
    """
    first = 1_000_000 + count * os.getpid()
    wanted = list(range(first, first + count))
    return wanted if os.geteuid() == 0 and all(_can_become(uid) for uid in wanted) else [-1] * count


def become(uid: int) -> None:
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)


def _can_become(uid: int) -> bool:
    pid = os.fork()
    if pid == 0:
        try:
            become(uid)
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0


def keep_standard_library() -> None:
    """Lets processes import by open directories: the interpreter may live where only root may go. They are opened
    as names alone, so that no program can leave a lock or a flag on what the next one is given, too."""
    if not os.path.isdir("/proc/self/fd"):
        return
    for index, path in enumerate(path for path in list(sys.path) if os.path.isdir(path)):
        fd = fcntl.fcntl(os.open(path, os.O_PATH | os.O_DIRECTORY), fcntl.F_DUPFD, limits.STDLIB_FD + index)
        opened = f"/proc/self/fd/{fd}"
        sys.path[sys.path.index(path)] = opened
        for module in list(sys.modules.values()):
            places = getattr(module, "__path__", None)
            if isinstance(places, list):
                places[:] = [p.replace(path, opened, 1) if p.startswith(path) else p for p in places]
