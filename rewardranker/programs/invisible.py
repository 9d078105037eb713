"""Characters that a reader does not see, or takes for a space, where a compiler stumbles over them."""

from __future__ import annotations

from rewardranker.linear import lexer
from rewardranker.programs.literals import literals

_WITHOUT_WIDTH = "\u200b\u2060\ufeff"
_SPACES = "\x0b\x0c\xa0\u2000-\u200a\u202f\u205f\u3000"
_ANY = lexer(rf"[{_WITHOUT_WIDTH}{_SPACES}]")
_FOUND = lexer(rf"(?P<indent>(?m:^)[ \t]*+[\x0b\x0c][ \t\x0b\x0c]*+)|(?P<space>[{_SPACES}])|[{_WITHOUT_WIDTH}]")


def visible(code: str, language: str) -> str:
    """``code`` with characters of no width left out, and with spaces for exotic ones; literals and comments stay.

    A form feed in an indent says nothing, nor does what stands before it (so reads Python).
    """
    if _ANY.search(code) is None:
        return code
    parts, place = [], 0
    for start, end, _ in literals(code, language):
        parts += [_cleaned(code, place, start), code[start:end]]
        place = end
    return "".join([*parts, _cleaned(code, place, len(code))])


def _cleaned(code: str, place: int, end: int) -> str:
    """A stretch of ``code`` between literals, which may begin in the midst of a line."""
    parts = []
    for match in _FOUND.finditer(code, place, end):
        parts += [code[place : match.start()], " " if match.lastgroup == "space" else ""]
        place = match.end()
    return "".join([*parts, code[place:end]])
