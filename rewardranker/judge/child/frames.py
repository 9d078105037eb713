"""Length-prefixed frames between the judge and its fork server."""

from __future__ import annotations

import json
import os
from typing import Any


def read(fd: int) -> Any | None:
    """One JSON frame; ``None`` at the end of the stream."""
    body = read_bytes(fd)
    return None if body is None else json.loads(body)


def read_bytes(fd: int) -> bytes | None:
    """One frame; ``None`` at the end of the stream. Reads not one byte further."""
    head = _exactly(fd, 4)
    return None if head is None else _exactly(fd, int.from_bytes(head, "big"))


def _exactly(fd: int, count: int) -> bytes | None:
    parts = []
    while count:
        chunk = os.read(fd, min(count, 1 << 20))
        if not chunk:
            return None
        parts.append(chunk)
        count -= len(chunk)
    return b"".join(parts)


def read_files(fd: int) -> dict[str, bytes]:
    """A JSON frame of names, then a frame for each one's content. Raises ``EOFError`` at the end of the stream."""
    names = read(fd)
    if names is None:
        raise EOFError("the stream ended before the files")
    return {name: read_bytes(fd) or b"" for name in names}


def write(fd: int, value: Any) -> None:
    write_bytes(fd, json.dumps(value).encode())


def write_bytes(fd: int, body: bytes) -> None:
    write_all(fd, len(body).to_bytes(4, "big"))
    write_all(fd, body)


def write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
