"""Removing parts of a program together with the comments that belong to them."""

from __future__ import annotations

from collections.abc import Sequence

from rewardranker.linear import lexer
from rewardranker.programs.literals import blank
from rewardranker.programs.structure import Span

_NOTHING = lexer(r"[ \t;]*+(?:\n|\Z)")


def without(code: str, masked: str, spans: Sequence[Span]) -> str:
    """``code`` without these stretches, the comments directly above each and the one behind it.

    Where a stretch leaves blank lines on both sides, one side goes.
    """
    blank_head = len(code) - len(code.lstrip())
    kept: list[tuple[int, int]] = []  # from the end of the code to its beginning
    end = len(code)
    for span in sorted(spans, key=lambda span: -span.start):
        start, stop = with_comments(code, masked, span)
        kept.append((min(stop, end), end))
        if start <= blank_head or start > 1 and code.startswith("\n\n", start - 2):
            _strip_line_ends(code, kept)
        end = min(start, end)
    kept.append((0, end))
    return "".join(code[start:end] for start, end in reversed(kept))


def _strip_line_ends(code: str, kept: list[tuple[int, int]]) -> None:
    """Takes the line ends off the beginning of what was kept."""
    while kept:
        start, end = kept.pop()
        while start < end and code[start] == "\n":
            start += 1
        if start < end:
            kept.append((start, end))
            return


def without_tail(code: str, language: str) -> str:
    """``code`` without the comments behind its last statement: often they are tests, put out of action."""
    masked = blank(code, language).rstrip()
    return code[: len(masked)] + "\n" if masked else code


def with_comments(code: str, masked: str, span: Span) -> tuple[int, int]:
    """Where a stretch begins and ends together with the comments directly above it and the one behind it."""
    end = span.end
    rest = _NOTHING.match(masked, end)
    if rest is not None:
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
