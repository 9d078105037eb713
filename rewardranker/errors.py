"""The exceptions that a user is meant to read."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """Something asked for cannot be done; the message says what was asked, found, and what to do.

    The command line prints it without a traceback and exits with status 2.
    """


class Interrupted(Exception):
    """Ctrl-C came; the message says what is kept, and what the same command would do.

    The command line prints it with that command, without a traceback, and exits with status 130.
    """


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a message about a name that is not known: the nearest one that is, where one is near."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]}?" if near else ""
