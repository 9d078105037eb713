"""What a process may use and hold: resource limits, and the descriptors that it is started with."""

from __future__ import annotations

import fcntl
import math
import os
import resource
from typing import Any

_HIGH_FD, STDLIB_FD, _LAST_FD = 100, 200, 1024
_OPEN_FILES = 256
_MEMORY = {"address_space": resource.RLIMIT_AS, "data": resource.RLIMIT_DATA}


def base_bytes() -> int:
    """Address space of this process, which everything forked from it starts with."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def set_limits(job: dict[str, Any], base: int, tasks: int) -> None:
    """Soft and hard limits are equal: a program cannot catch the signal at the soft one.

    The limit on CPU time is per process and counted in timer ticks, which can be a quarter off on a busy
    machine: it only backs up the one for the whole tree that the server keeps. Nothing can be allocated between
    this and the program, so it comes last.

    Args:
        job: ``cpu_s`` (``None``: without end), ``memory`` (bytes), ``memory_kind``, ``processes``, ``file_bytes``;
            ``reserved`` (bytes beyond ``memory``) perhaps.
        base: bytes of memory that are not the program's own.
        tasks: processes and threads of the same user that are not.
    """
    cpu_s = resource.RLIM_INFINITY if job["cpu_s"] is None else 2 * math.ceil(job["cpu_s"]) + 1
    for kind, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_FSIZE, job["file_bytes"]),
        (resource.RLIMIT_NPROC, tasks + job["processes"]),
        (resource.RLIMIT_CPU, cpu_s),
        (_MEMORY[job["memory_kind"]], base + job["memory"] + job.get("reserved", 0)),
    ):
        resource.setrlimit(kind, (value, value))


def arrange(fds: list[int], keep_library: bool = False) -> None:
    """Makes ``fds`` descriptors 0, 1, 2, ... and closes all others, but for the open standard library."""
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD, _HIGH_FD) for fd in fds]
    for target, fd in enumerate(high):
        os.dup2(fd, target, inheritable=target < 3)
    if keep_library:
        os.closerange(len(fds), STDLIB_FD)
    else:
        close_from(len(fds))


def close_from(fd: int) -> None:
    """All descriptors from this one on; the server never has one beyond :data:`_LAST_FD`."""
    os.closerange(fd, _LAST_FD)
