"""One normal form for human and generated code.

A reward model that can tell the two apart by line ends or tabs learns that instead of correctness.
"""

from __future__ import annotations

import re

_LEADING = re.compile(r"^[ \t]*\t[ \t]*", re.MULTILINE)


def normalise(text: str) -> str:
    """The normal form: ``\\n`` line ends, four spaces for a leading tab, no trailing space, no blank line
    at either end, exactly one newline at the end (nothing for no text). Idempotent."""
    text = _LEADING.sub(lambda match: match[0].replace("\t", "    "), unix(text))
    text = "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")
    return text + "\n" if text else ""


def unix(text: str) -> str:
    """``text`` with ``\\n`` as its only line end."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
