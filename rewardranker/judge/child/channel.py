"""What our code in a program's process sends: numbered lines."""

from __future__ import annotations

import os
from typing import Any

from . import wire

_write, _dumps = os.write, wire.dumps
_name_of = type.__getattribute__
COMPILE_ERRORS = (SyntaxError, ValueError, OverflowError, RecursionError)


class Channel:
    """Sends numbered lines ``[nonce, number, kind, ...]``; a reader that misses one knows of tampering.

    The first, sent before any of the program has run, shows that the process itself was in order. With a
    ``key``, each line is sealed and in hexadecimal digits.
    """

    def __init__(self, fd: int, nonce: str, key: bytes = b"") -> None:
        self._fd, self._nonce, self._number, self._key = fd, nonce, 0, key
        self.send("begun")

    def send(self, kind: str, *rest: Any) -> None:
        line = _dumps([self._nonce, self._number, kind, *rest]).encode()
        if self._key:
            line = wire.sealed(line, self._key, self._number).hex().encode()
        line += b"\n"
        self._number += 1
        while line:
            line = line[_write(self._fd, line) :]


def describe(error: BaseException) -> tuple[str, str]:
    """``(kind, message)`` of an exception whose class the program may have written."""
    kind = "MemoryError" if isinstance(error, MemoryError) else str(_name_of(type(error), "__name__"))[:60]
    try:
        return kind, str(error)[:200]
    except BaseException:
        return kind, ""
