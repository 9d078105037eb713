"""Landlock: a process gives up the file system but for some places, TCP, and signals to others.

Kernel interface: Documentation/userspace-api/landlock.rst. What an older kernel lacks is left out.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat
import struct

from . import kernel

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446  # the same numbers on every machine
_VERSION_FLAG, _PATH_BENEATH = 1, 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE, _IOCTL = 1, 1 << 1, 1 << 2, 1 << 3, 1 << 14, 1 << 15
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_ON_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL
_FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_REFER = 1 << 13  # without it, no file moves from one directory to another, whatever else is asked for
_TCP, _SCOPES = 0b11, 0b11  # bind and connect; abstract sockets and signals
_REFER_SINCE, _TCP_SINCE, _SCOPES_SINCE = 2, 4, 6
#: What /proc tells of the machine that runtimes and programs ask for: processors, memory, load and time.
OF_MACHINE = ("cpuinfo", "loadavg", "meminfo", "stat", "uptime", "sys/kernel/random/uuid")
#: What a process reads of itself there. Mounts, control groups and the network are not among it.
OF_PROCESS = ("cmdline", "fd", "maps", "stat", "statm", "status")
_OF_PROC = (
    *((f"/proc/{name}", _READ_FILE) for name in OF_MACHINE),
    ("/proc/self", _READ_DIR),
    *((f"/proc/self/{name}", _READ if name == "fd" else _READ_FILE) for name in OF_PROCESS),
)
_OF_ALL = (("/proc", _READ),)


def version() -> int:
    """Of the kernel's interface; 0 where there is none."""
    try:
        return kernel.syscall(_CREATE, 0, 0, _VERSION_FLAG)
    except OSError:
        return 0


class Landlock:
    """The rules that hold for every program; each adds what is its own: a directory, and its part of /proc.

    A process of its own that it starts has no part of /proc: rules are for what exists when they are made.
    """

    def __init__(self, rules: list[tuple[int, int]], handled: int, everything: bool) -> None:
        """
        Args:
            rules: open paths, and the rights to them and to all beneath.
            handled: the rights that nothing else gives.
            everything: whether TCP, and signals and abstract sockets of others, are out of reach, too.
        """
        fitted = [(fd, rights & handled & (~0 if _is_directory(fd) else _ON_FILES)) for fd, rights in rules]
        self._rules = [_rule(fd, rights) for fd, rights in fitted if rights]
        self._handled = handled
        attributes = struct.pack("=Q", handled)
        if everything:
            attributes += struct.pack("=Q", _TCP) if version() >= _TCP_SINCE else b""
            attributes += struct.pack("=Q", _SCOPES) if version() >= _SCOPES_SINCE else b""
        self._attributes = attributes

    @classmethod
    def allow_list(cls, readable: list[str], writable: list[str], listed: list[str]) -> Landlock:
        """Nothing but these paths, of which those that do not exist are left out. They are opened now, as whoever
        we are now.

        Args:
            listed: directories whose names, and those of all beneath, may be read.
        """
        handled = max(rights for since, rights in _FILE_RIGHTS.items() if since <= version())
        rules = _opened(readable, _READ) + _opened(writable, handled) + _opened(listed, _READ_DIR)
        return cls(rules, handled, True)

    @classmethod
    def beside_proc(cls) -> Landlock | None:
        """Everything but what /proc tells beyond :data:`OF_MACHINE` and :data:`OF_PROCESS`. None where the kernel's
        Landlock would keep files from being moved."""
        if version() < _REFER_SINCE:
            return None
        return cls(_opened(all_but_proc(), _READ_FILE) + _opened(["/"], _REFER), _READ_FILE | _REFER, False)

    def apply(self, own: str = "", trusted: bool = False) -> None:
        """Confines this process, for good, to the rules, to the directory ``own``, if any, and to its own part of
        /proc (``trusted``: to all of it). Raises ``OSError``."""
        ruleset = kernel.syscall(_CREATE, ctypes.c_char_p(self._attributes), len(self._attributes), 0)
        for rule in self._rules:
            kernel.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
        if own:
            self._allow(ruleset, own, self._handled)
        for path, rights in _OF_ALL if trusted else _OF_PROC:
            self._allow(ruleset, path, rights & self._handled)
        kernel.syscall(_RESTRICT, ruleset, 0)
        os.close(ruleset)

    def _allow(self, ruleset: int, path: str, rights: int) -> None:
        if rights:
            with contextlib.suppress(FileNotFoundError):
                fd = os.open(path, os.O_PATH)
                kernel.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, _rule(fd, rights), 0)
                os.close(fd)


def _rule(fd: int, rights: int) -> ctypes.c_char_p:
    return ctypes.c_char_p(struct.pack("=Qi", rights, fd))


def _is_directory(fd: int) -> bool:
    return stat.S_ISDIR(os.fstat(fd).st_mode)


def all_but_proc() -> list[str]:
    """What is in the root directory, but /proc."""
    return [os.path.join("/", name) for name in os.listdir("/") if name != "proc"]


def _opened(paths: list[str], rights: int) -> list[tuple[int, int]]:
    return [(os.open(path, os.O_PATH), rights) for path in paths if os.path.exists(path)]
