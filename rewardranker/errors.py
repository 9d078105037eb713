"""The exceptions that a user is meant to read."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable


class UserError(Exception):
    """Something asked for cannot be done; the message says what was asked, found, and what to do.

    The command line prints it without a traceback and exits with status 2.
    """


class Interrupted(Exception):
    """Ctrl-C came; the message says what is kept, and what the same command would do.

    The command line prints it with that command, without a traceback, and exits with status 130.
    """


#: How libraries and other processes say it whose errors carry no number: Ray, safetensors, Arrow, torch.
_FULL = (
    "No space left on device",
    "Disk quota exceeded",
    "disk is full",
    "PytorchStreamWriter failed",
    "unexpected pos",  # of torch.save, which says no more
)


def full_disk(error: BaseException) -> str:
    """The line in which an error, or one that led to it, says that a disk is full; empty where none does."""
    found: BaseException | None = error
    while found is not None:
        lines = str(found).splitlines() or [""]
        if isinstance(found, OSError) and found.errno in (errno.ENOSPC, errno.EDQUOT):
            return lines[0]
        if said := [line.strip() for line in lines if any(words in line for words in _FULL)]:
            return said[-1]
        found = found.__cause__ or found.__context__
    return ""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a message about a name that is not known: the nearest one that is, where one is near."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""
