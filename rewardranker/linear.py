"""Patterns for text that a model wrote. No text makes them slow: time grows as the text does.

Python's ``re`` goes back and tries again, which can take for ever on a text of a few words. Two kinds of patterns
cannot, and whatever reads model text uses these alone (a test looks for others):

- :func:`lexer`: Python's own patterns, if all their repeats are possessive: what was read is not read again. They
  suit scanners that go on where a match ends. What a token reads it should also take: one that is not closed reaches
  to the end, for if it were given up, the next would read the same text again.
- :func:`pattern`: RE2, whose automata take linear time for each search. It has no look-around and no back-references,
  ``\\w`` and ``\\b`` are ASCII's (:data:`WORD` is not), and each call copies its text: one call for a text, or one
  for each of its parts.
"""

from __future__ import annotations

import re
from typing import Any

import re2

WORD = r"[\p{L}\p{M}\p{N}_]"
_REPEAT = re.compile(r"[*+]|\{\d*,\d*\}")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)


def lexer(source: str) -> re.Pattern[str]:
    """A pattern of Python's that never goes back. Raises ``ValueError`` where one of its repeats might."""
    place = 0
    while place < len(source):
        if source[place] == "\\":
            place += 2
        elif source[place] == "[":
            match = _CLASS.match(source, place)
            assert match is not None
            place = match.end()
        elif (match := _REPEAT.match(source, place)) is not None:
            place = match.end()
            if source[place : place + 1] != "+":
                raise ValueError(f"a repeat that goes back, before {source[place:]!r} in {source!r}")
            place += 1
        else:
            place += 1
    return re.compile(source)


def pattern(source: str) -> Any:
    """RE2's pattern. Raises ``re2.error`` for what RE2 does not know."""
    options = re2.Options()
    options.log_errors = False
    return re2.compile(source, options)
