"""What a program finds about itself: what ``python3 program.py`` would show it, and nothing of the judge."""

from __future__ import annotations

import _sitebuiltins
import builtins
import linecache
import os
import sys
import tokenize
import types
from collections.abc import Callable
from functools import cache

NAME, UNNAMED = "program.py", "<program>"
_HEAD = 4096
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


@cache
def _own_modules() -> dict[str, types.ModuleType]:
    """They are held here: to free one would touch memory that a process shares with the server until then."""
    return {name: module for name, module in sys.modules.items() if name.partition(".")[0] in (_PACKAGE, "__main__")}


def prepare() -> None:
    """Before processes are forked: what each of them would have to look for."""
    add_site_builtins()
    _own_modules()


def hide_judge() -> None:
    """Takes the judge's own modules and arguments out of sight. What is bound already goes on working."""
    for name in _own_modules():
        if name != "__main__":
            sys.modules.pop(name, None)
    sys.argv[:] = [NAME]
    sys.orig_argv[:] = [sys.executable, NAME]


def source_of(code: str) -> bytes:
    """The file that holds ``code``, in the encoding that its first two lines declare.

    Raises:
        SyntaxError: it declares one that is none.
        ValueError: it is no text that a file can hold.
    """
    plain = code.encode()
    if b"coding" not in plain[:_HEAD]:
        return plain
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
