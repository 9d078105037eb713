"""What a program finds about itself: what ``python3 program.py`` would show it, and nothing of the judge."""

from __future__ import annotations

import _sitebuiltins
import builtins
import linecache
import os
import sys
import tokenize
from collections.abc import Callable

NAME, UNNAMED = "program.py", "<program>"
_PACKAGE = __name__.partition(".")[0]


def add_site_builtins() -> None:
    """What module ``site`` adds to the builtins, which an interpreter without it lacks."""
    eof = "Ctrl-D (i.e. EOF)"
    for name in ("exit", "quit"):
        setattr(builtins, name, _sitebuiltins.Quitter(name, eof))
    folder = os.path.dirname(os.__file__)
    for name, text, files in (
        ("copyright", sys.copyright, []),
        ("credits", "See www.python.org for more information about Python and its contributors.", []),
        ("license", "See https://docs.python.org/license.html", ["LICENSE.txt", "LICENSE"]),
    ):
        setattr(builtins, name, _sitebuiltins._Printer(name, text, files, [folder]))
    builtins.help = _sitebuiltins._Helper()


def hide_judge() -> None:
    """Takes the judge's own modules and arguments out of sight. What is bound already goes on working."""
    for name in [name for name in sys.modules if name.partition(".")[0] == _PACKAGE]:
        del sys.modules[name]
    sys.argv[:] = [NAME]
    sys.orig_argv[:] = [sys.executable, NAME]


def source_of(code: str) -> bytes:
    """The file that holds ``code``, in the encoding that its first two lines declare.

    Raises:
        SyntaxError: it declares one that is none.
        ValueError: it is no text that a file can hold.
    """
    plain = code.encode()
    lines = iter(plain.splitlines(keepends=True)[:2])
    encoding, _ = tokenize.detect_encoding(lambda: next(lines, b""))
    if encoding.startswith("utf-8"):
        return plain
    try:
        return code.encode(encoding)
    except UnicodeEncodeError:
        return plain


def show_source(code: str) -> None:
    """Lets ``inspect`` and tracebacks find the lines of a program that is in no file."""
    get_lines: Callable[[], str] = lambda: code  # noqa: E731
    linecache.cache[UNNAMED] = (get_lines,)  # type: ignore[assignment]
