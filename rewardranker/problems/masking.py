"""A program's text without what stands in its strings and comments, for languages of C's family."""

from __future__ import annotations

import re

from rewardranker.linear import lexer

_HIDDEN = lexer(
    r"//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/)?"
    r"""|@"(?:[^"]++|"")*+"?|"(?:[^"\\]++|\\(?s:.)?)*+"?|'(?:[^'\\]++|\\(?s:.)?)*+'?"""
)
_SHOWN = lexer(r"[^\n]")


def masked(text: str) -> str:
    """The text with blanks for what stands in strings, characters and comments; offsets stay the same."""

    def blank(match: re.Match[str]) -> str:
        edge = '"' if match[0][-1] in "\"'" and match[0][0] not in "/" else " "
        inner = _SHOWN.sub(" ", match[0][1:-1])
        return f"{edge}{inner}{edge}"

    return _HIDDEN.sub(blank, text)
