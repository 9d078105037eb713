"""Where something stands in its line."""

from __future__ import annotations

from rewardranker.linear import lexer

_NOTHING = lexer(r"[ \t]*+(?:\n|\Z)")
_QUOTES = tuple("\"'`\\")


def blank_before(text: str, place: int) -> int:
    """Where the spaces and tabs directly before ``place`` begin."""
    while place and text[place - 1] in " \t":
        place -= 1
    return place


def begins_line(text: str, place: int) -> bool:
    """Whether nothing but spaces stands before ``place`` in its line."""
    start = blank_before(text, place)
    return not start or text[start - 1] == "\n"


def ends_line(text: str, place: int) -> bool:
    """Whether nothing but spaces stands behind ``place`` in its line."""
    return _NOTHING.match(text, place) is not None


def quoted(text: str, start: int, end: int) -> bool:
    """Whether a quotation mark stands directly before or behind a stretch; a fence is none."""
    before = text[max(0, start - 1) : start] in _QUOTES and not text.endswith("```", 0, start)
    return before or text[end : end + 1] in _QUOTES and not text.startswith("```", end)
