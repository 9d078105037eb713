"""Landlock: a process gives up the file system but for some places, TCP, and signals to others.

Kernel interface: Documentation/userspace-api/landlock.rst. What an older kernel lacks is left out.
"""

from __future__ import annotations

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
_TCP, _SCOPES = 0b11, 0b11  # bind and connect; abstract sockets and signals
_TCP_SINCE, _SCOPES_SINCE = 4, 6


def version() -> int:
    """Of the kernel's interface; 0 where there is none."""
    try:
        return kernel.syscall(_CREATE, 0, 0, _VERSION_FLAG)
    except OSError:
        return 0


class Landlock:
    """The rules that hold for every program; each adds the directory that is its own."""

    def __init__(self, readable: list[str], writable: list[str]) -> None:
        """Paths that do not exist are left out. They are opened now, as whoever we are now."""
        self._version = version()
        self._rights = max(rights for since, rights in _FILE_RIGHTS.items() if since <= self._version)
        self._readable = [os.open(path, os.O_PATH) for path in readable if os.path.exists(path)]
        self._writable = [os.open(path, os.O_PATH) for path in writable if os.path.exists(path)]

    def apply(self, own: str = "") -> None:
        """Confines this process, for good, to the rules and to the directory ``own``, if any. Raises ``OSError``."""
        attributes = struct.pack("=Q", self._rights)
        attributes += struct.pack("=Q", _TCP) if self._version >= _TCP_SINCE else b""
        attributes += struct.pack("=Q", _SCOPES) if self._version >= _SCOPES_SINCE else b""
        ruleset = kernel.syscall(_CREATE, ctypes.c_char_p(attributes), len(attributes), 0)
        for fd in self._readable:
            self._allow(ruleset, fd, _READ)
        for fd in (*self._writable, *([os.open(own, os.O_PATH)] if own else [])):
            self._allow(ruleset, fd, self._rights)
        kernel.syscall(_RESTRICT, ruleset, 0)
        os.close(ruleset)

    def _allow(self, ruleset: int, fd: int, rights: int) -> None:
        rights &= self._rights
        if not stat.S_ISDIR(os.fstat(fd).st_mode):
            rights &= _ON_FILES
        rule = struct.pack("=Qi", rights, fd)
        kernel.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.c_char_p(rule), 0)
