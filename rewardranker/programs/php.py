"""PHP: a program's tags, and what has to come first in it."""

from __future__ import annotations

from rewardranker.linear import lexer
from rewardranker.programs.literals import blank
from rewardranker.programs.structure import items

_OPENS = lexer(r"\s*+<\?(?:php\b)?")
_CLOSES = lexer(r"\?>\s*+\Z")
_FIRST = lexer(r"(?i:declare|namespace)\b")


def is_opened(code: str) -> bool:
    """Whether a program begins with PHP's tag; what stands before it would be printed."""
    return _OPENS.match(code) is not None


def body(code: str) -> str:
    """A program without the tags around it."""
    opening = _OPENS.match(code)
    return _CLOSES.sub("", code[opening.end() :] if opening is not None else code)


def opened(code: str) -> str:
    """The program of a body: opened once and not closed, since what comes after a program would be printed."""
    return "<?php" + ("" if code.startswith("\n") else "\n") + code


def head_and_rest(code: str) -> tuple[str, str]:
    """A body up to the end of the declarations that have to come first (of strict types, of a name space), and the
    rest of it."""
    masked, end = blank(code, "php"), 0
    for span in items(masked, "php"):
        if _FIRST.match(masked, span.start, span.end) is None:
            break
        end = span.end
    return code[:end], code[end:]
