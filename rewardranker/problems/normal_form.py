"""One normal form for human and generated code.

A reward model that can tell the two apart by line ends or tabs learns that instead of correctness.
"""

from __future__ import annotations

_INDENTS = " \t"


def normalise(text: str) -> str:
    """The normal form: ``\\n`` line ends, four spaces for a leading tab, no trailing space, no blank line at either
    end, exactly one newline at the end (nothing for no text), no NUL, no half of a character. Idempotent."""
    text = "\n".join(_indented(line).rstrip() for line in unix(text).split("\n")).strip("\n")
    return text + "\n" if text else ""


def unix(text: str) -> str:
    """``text`` with ``\\n`` as its only line end, and without what no program's file can hold: NUL characters, and
    halves of characters, of which two become one where they fit and others the replacement character."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _indented(line: str) -> str:
    """The line with four spaces for each tab in its indent."""
    if "\t" not in line:
        return line
    rest = line.lstrip(_INDENTS)
    return line[: len(line) - len(rest)].replace("\t", "    ") + rest
