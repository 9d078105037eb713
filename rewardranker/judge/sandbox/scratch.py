"""Directories of ours, in the temporary one unless told otherwise, which go even where all who
know of them are killed at once."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator

from rewardranker.judge.child import tidy

_PREFIX = "rewardranker-run-"


class Scratch:
    """An empty directory. Its lock says that somebody uses it: whoever makes the next one removes those without."""

    def __init__(self, place: str = "") -> None:
        """In ``place``, by default the temporary directory. Raises ``OSError``."""
        place = place or tempfile.gettempdir()
        _sweep(place)
        while True:
            self.path = tempfile.mkdtemp(prefix=_PREFIX, dir=place)
            lock = _locked(self.path, fcntl.LOCK_EX)
            if lock is not None and os.path.isdir(self.path):  # else another has swept it away before it was locked
                self._lock = lock
                return
            if lock is not None:
                os.close(lock)

    def remove(self) -> None:
        """With all in it, if it is still there. No process may be at work there."""
        with contextlib.suppress(OSError):
            tidy.remove(self.path)
        os.close(self._lock)


def _sweep(place: str) -> None:
    """Removes what nobody uses any more."""
    for path in list(_ours(place)):
        lock = _locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if lock is not None:
            with contextlib.suppress(OSError):
                tidy.remove(path)
            os.close(lock)


def _ours(place: str) -> Iterator[str]:
    with os.scandir(place) as entries:
        for entry in entries:
            if entry.name.startswith(_PREFIX) and entry.is_dir(follow_symlinks=False):
                with contextlib.suppress(FileNotFoundError):
                    if entry.stat(follow_symlinks=False).st_uid == os.geteuid():
                        yield entry.path


def _locked(path: str, how: int) -> int | None:
    """The directory, open and locked; none where it is gone, or another holds it."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(fd, how)
    except OSError:
        os.close(fd)
        return None
    return fd
