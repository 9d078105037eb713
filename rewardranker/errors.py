"""The one exception that a user is meant to read."""

from __future__ import annotations


class UserError(Exception):
    """Something asked for cannot be done; the message says what was asked, found, and what to do.

    The command line prints it without a traceback and exits with status 2.
    """
