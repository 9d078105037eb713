"""Removing parts of a program together with the comments that belong to them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rewardranker.execution.extraction.literals import blank
from rewardranker.execution.extraction.structure import Span


def without(code: str, masked: str, spans: Sequence[Span]) -> str:
    """``code`` without these stretches, the comments directly above each and the one behind it.

    Where a stretch leaves blank lines on both sides, one side goes.
    """
    for span in sorted(spans, key=lambda span: -span.start):
        start, end = with_comments(code, masked, span)
        head, tail = code[:start], code[end:]
        if not head.strip() or head.endswith("\n\n"):
            tail = tail.lstrip("\n")
        code = head + tail
    return code


def without_tail(code: str, language: str) -> str:
    """``code`` without the comments behind its last statement: often they are tests, put out of action."""
    masked = blank(code, language).rstrip()
    return code[: len(masked)] + "\n" if masked else code


def with_comments(code: str, masked: str, span: Span) -> tuple[int, int]:
    """Where a stretch begins and ends together with the comments directly above it and the one behind it."""
    end = span.end
    rest = re.compile(r"[^\n]*\n?").match(masked, end)
    assert rest is not None
    if not rest[0].strip(" \t\n;"):
        end = rest.end()
    start = masked.rfind("\n", 0, span.start) + 1
    if masked[start : span.start].strip():
        return span.start, end
    while start and _is_comment(code, masked, before := code.rfind("\n", 0, start - 1) + 1, start):
        start = before
    return start, end


def _is_comment(code: str, masked: str, start: int, end: int) -> bool:
    line = code[start:end]
    return bool(line.strip()) and not masked[start:end].strip() and not line.startswith("#!")
