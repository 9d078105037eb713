"""The structure of a program in a language with braces: pairs of them, and what lies between.

Everything here reads blanked text (:func:`rewardranker.programs.literals.blank`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from rewardranker.linear import lexer
from rewardranker.programs.bash_structure import bash_item_end
from rewardranker.programs.brackets import Brackets

#: A stretch of a program is taken apart into so many items; the last one holds whatever is left.
MOST_ITEMS = 1000

_SCRIPTS = ("javascript", "typescript")
_NEAR, _LINE = 80, 200  # characters that are looked at after the end of an item, and before it
_SPACE = lexer(r"[\s;]*+")
_DIRECTIVE = lexer(r"(?:[^\\\n]++|\\\n?)*+")
_BRACES, _ROUND = lexer(r"[{}]"), lexer(r"[()]")
_PLACES = lexer(r"[()\[\]{};]")
_SCRIPT_PLACES = lexer(r"[()\[\]{};\n]")
_AFTER_BLOCK = lexer(r"\s*+(?:(?:else|elseif|catch|finally)\b|while\s*+\([^()]*+\)\s*+;)")
# A line that ends or begins like this goes on: scripts may leave out semicolons.
_GOES_ON = tuple(",=+-*/%&|<>?:.({[!~^")
_GOES_ON_WORDS = ("await", "extends", "function", "in", "new", "of", "return", "typeof")
_CONTINUES = lexer(r"\s*+(?:[.,?:=+\-*/%&|<>)\]]|instanceof\b|in\b)")


@dataclass(frozen=True)
class Span:
    """A stretch of a program, from ``start`` up to ``end``."""

    start: int
    end: int

    def of(self, text: str) -> str:
        return text[self.start : self.end]


@dataclass(frozen=True)
class _Braces:
    """Where each brace that is closed is closed, the others, and whether one is closed that was never opened."""

    pairs: dict[int, int]
    left: tuple[int, ...]
    stray: bool


@lru_cache(maxsize=4)
def _braces(masked: str) -> _Braces:
    opened: list[int] = []
    pairs, stray = {}, False
    for match in _BRACES.finditer(masked):
        place = match.start()
        if masked[place] == "{":
            opened.append(place)
        elif opened:
            pairs[opened.pop()] = place
        else:
            stray = True
    return _Braces(pairs, tuple(opened), stray)


def closing(masked: str, opening: int) -> int | None:
    """Where the brace at ``opening`` is closed; ``None`` where it never is."""
    return _braces(masked).pairs.get(opening)


@lru_cache(maxsize=16)
def parentheses(masked: str) -> dict[int, int]:
    """Where each round bracket that is closed at all is closed."""
    opened: list[int] = []
    found = {}
    for match in _ROUND.finditer(masked):
        if match[0] == "(":
            opened.append(match.start())
        elif opened:
            found[opened.pop()] = match.start()
    return found


def open_braces(masked: str) -> list[int] | None:
    """The braces that are open at the end; ``None`` where one is closed that was never opened."""
    braces = _braces(masked)
    return None if braces.stray else list(braces.left)


def balanced(masked: str) -> bool:
    """Whether every brace has its partner."""
    return open_braces(masked) == []


def items(masked: str, language: str, start: int = 0, end: int | None = None) -> list[Span]:
    """The declarations and statements that stand directly in a stretch of a program, in order."""
    return list(_items(masked, language, start, len(masked) if end is None else end))


@lru_cache(maxsize=64)
def _items(masked: str, language: str, start: int, end: int) -> tuple[Span, ...]:
    """One text is looked at for many reasons."""
    found: list[Span] = []
    place = start
    while (begin := _first(masked, place, end)) < end:
        place = _item_end(masked, language, begin, end) if len(found) < MOST_ITEMS else end
        found.append(Span(begin, place))
    return tuple(found)


def _first(masked: str, place: int, end: int) -> int:
    match = _SPACE.match(masked, place, end)
    assert match is not None
    return match.end()


def _item_end(masked: str, language: str, begin: int, end: int) -> int:
    if language == "bash":
        return bash_item_end(masked, begin, end)
    if masked[begin] == "#" and language == "cpp":  # a preprocessor line
        line = _DIRECTIVE.match(masked, begin, end)
        assert line is not None
        return line.end()
    brackets = Brackets()
    for match in (_SCRIPT_PLACES if language in _SCRIPTS else _PLACES).finditer(masked, begin, end):
        brackets.add(match[0])
        if not brackets and _ends_here(masked, language, begin, match.start(), end):
            return match.end()
    return end


def _ends_here(masked: str, language: str, begin: int, place: int, end: int) -> bool:
    """Whether an item that began at ``begin`` and has nothing open ends with the character at ``place``."""
    character = masked[place]
    if character == ";":
        return True
    if character not in "}\n":
        return False
    rest = masked[place + 1 : min(end, place + _NEAR)]
    if character == "}":
        after = rest.lstrip()
        follows = after[:1] in (
            tuple(";,).?:=-+*/&|") if "\n" not in rest[: len(rest) - len(after)] else tuple(";,).")
        )
        return not (follows or after[:1] == "(" and language in ("cpp", "php") or _AFTER_BLOCK.match(rest))
    line = masked[max(begin, place - _LINE) : place].rstrip()
    return not (_goes_on(line) or _CONTINUES.match(rest) or _AFTER_BLOCK.match(rest))


def _goes_on(line: str) -> bool:
    if line.endswith(_GOES_ON):
        return True
    word = next((word for word in _GOES_ON_WORDS if line.endswith(word)), "")
    before = line[-len(word) - 1 : -len(word)] if word else "x"
    return not (before.isalnum() or before == "_")
