"""Where a program defines a name, by language. All of it reads blanked text."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from rewardranker.linear import lexer, pattern
from rewardranker.programs import python
from rewardranker.programs.literals import blank
from rewardranker.programs.structure import parentheses

_NO_TYPE = frozenset(("return", "new", "else", "throw", "await", "in", "case", "not", "and", "or", "yield"))
_ENDS = tuple("_])>*&?")  # of a type, beside letters and digits
_LONGEST = max(map(len, _NO_TYPE))
_BEFORE, _BEHIND = 200, 1000  # characters between a type and the name, and of what may stand before the body
_TAILS = {
    "cpp": lexer(r"(?:\s++|const|noexcept|override|final|->[\w:<>,\s*&]++)*+\{"),
    "java": lexer(r"\s*+(?:\[\s*+\]\s*+)*+(?:throws\s++[\w.,\s]++)?\{"),
    "csharp": lexer(r"\s*+(?:where\s(?:[^{};=]++|=(?!>))*+)?(?:\{|=>)"),
}
# A variable of that name which is a number, a text, a list or an object is no function: a completion may have one.
_SCRIPT = (
    r"\bfunction\s*\*?\s*{0}\s*[<(]|\b(?:const|let|var)\s+{0}\s*(?::[^;]*?)?=\s*(?:[^=\s\d'\"`\[{{-]|\z)"
    r"|(?:\A|[\n;}}])[ \t]*(?:(?:module\.)?exports\.|globalThis\.|window\.)?{0}\s*=\s*(?:[^=>\s\d'\"`\[{{-]|\z)"
)
_PATTERNS = {
    "javascript": _SCRIPT,
    "typescript": _SCRIPT,
    "php": r"(?i:\bfunction\s+&?\s*{0}\s*\()",
    "bash": r"(?:\A|[\s;])(?:function\s+{0}(?:\s*\(\s*\))?|{0}\s*\(\s*\))\s*[{{(]",
}


def definition(masked: str, language: str, name: str) -> int | None:
    """Where the first definition of function ``name`` begins (its name, or the word before it), if anywhere."""
    if language in _TAILS:
        return _typed(masked, language, name)
    possible = language in _PATTERNS and name.lower() in masked.lower()
    match = _pattern(language, name).search(masked) if possible else None
    return match.start() + len(match[0]) - len(match[0].lstrip("\n; \t}")) if match is not None else None


def defines(code: str, language: str, name: str) -> bool:
    """Whether a program defines the function; any program does where there is no name to look for."""
    if not name:
        return True
    if language == "python":
        return python.defines(name, code)
    return definition(blank(code, language), language, name) is not None


@lru_cache(maxsize=256)
def _pattern(language: str, name: str) -> Any:
    return pattern(_PATTERNS[language].format(re.escape(name)))


@lru_cache(maxsize=256)
def _call(name: str) -> re.Pattern[str]:
    return lexer(rf"(?<![\w.:~]){re.escape(name)}\s*+(?:<[\w\s,]++>\s*+)?\(")


@lru_cache(maxsize=64)
def _typed(masked: str, language: str, name: str) -> int | None:
    """A type, the name, parameters, and then a body."""
    for match in _call(name).finditer(masked):
        closed = parentheses(masked).get(match.end() - 1)
        if closed is None or not _TAILS[language].match(masked, closed + 1, closed + 1 + _BEHIND):
            continue
        place = match.start()
        beside, before = masked[place - 1 : place], masked[max(0, place - _BEFORE) : place]
        if (beside.isspace() or beside in _ENDS) and _type_ends(before.rstrip()):
            return place
    return None


def _type_ends(before: str) -> bool:
    """Whether a text may end with a type; a word such as ``return`` is none."""
    if not (before[-1:].isalnum() or before[-1:] in _ENDS):
        return False
    word, place = "", len(before)
    while place and len(word) <= _LONGEST and (before[place - 1].isalnum() or before[place - 1] in _ENDS):
        place -= 1
        word = before[place] + word
    return word not in _NO_TYPE
