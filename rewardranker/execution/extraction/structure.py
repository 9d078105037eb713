"""The structure of a program in a language with braces: pairs of them, and what lies between.

Everything here reads blanked text (:func:`rewardranker.execution.extraction.literals.blank`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_PAIRS = {")": "(", "]": "[", "}": "{"}
_SCRIPTS = ("javascript", "typescript")
_AFTER_BLOCK = re.compile(r"\s*(?:else|elseif|catch|finally|while\s*\([^()]*\)\s*;)\b")
# A line that ends or begins like this goes on: scripts may leave out semicolons.
_GOES_ON = re.compile(r"(?:[,=+\-*/%&|<>?:.({\[!~^]|\b(?:await|extends|function|in|new|of|return|typeof))\Z")
_CONTINUES = re.compile(r"\s*(?:[.,?:=+\-*/%&|<>)\]]|instanceof\b|in\b)")
_BASH_TOKEN = re.compile(r"[^\s;&|(){}!]+|[\n;&|(){}!]")
_BASH_OPENS = frozenset(("if", "case", "for", "while", "until", "select"))
_BASH_CLOSES = frozenset(("fi", "esac", "done"))
_BASH_BEGINS = frozenset((*"\n;&|(){!", "then", "do", "else", "elif", "while", "until", "if"))


@dataclass(frozen=True)
class Span:
    """A stretch of a program, from ``start`` up to ``end``."""

    start: int
    end: int

    def of(self, text: str) -> str:
        return text[self.start : self.end]


def closing(masked: str, opening: int) -> int | None:
    """Where the brace at ``opening`` is closed; ``None`` where it never is."""
    depth = 0
    for match in re.compile("[{}]").finditer(masked, opening):
        depth += 1 if match[0] == "{" else -1
        if depth == 0:
            return match.start()
    return None


def open_braces(masked: str) -> list[int] | None:
    """The braces that are open at the end; ``None`` where one is closed that was never opened."""
    stack: list[int] = []
    for match in re.finditer("[{}]", masked):
        if match[0] == "{":
            stack.append(match.start())
        elif not stack:
            return None
        else:
            stack.pop()
    return stack


def balanced(masked: str) -> bool:
    """Whether every brace has its partner."""
    return open_braces(masked) == []


def items(masked: str, language: str, start: int = 0, end: int | None = None) -> list[Span]:
    """The declarations and statements that stand directly in a stretch of a program, in order."""
    end = len(masked) if end is None else end
    found = []
    place = start
    while (begin := _first(masked, place, end)) < end:
        place = _item_end(masked, language, begin, end)
        found.append(Span(begin, place))
    return found


def _first(masked: str, place: int, end: int) -> int:
    match = re.compile(r"[\s;]*").match(masked, place, end)
    assert match is not None
    return match.end()


def _item_end(masked: str, language: str, begin: int, end: int) -> int:
    if masked[begin] == "#" and language == "cpp":  # a preprocessor line
        line = re.compile(r"(?:\\\n|[^\n])*").match(masked, begin, end)
        assert line is not None
        return line.end()
    stack: list[str] = []
    for place in range(begin, end):
        character = masked[place]
        if character in "([{":
            stack.append(character)
        elif character in _PAIRS:
            _close(stack, _PAIRS[character])
        if not stack and _ends_here(masked, language, begin, place, end):
            return place + 1
    return end


def _close(stack: list[str], opening: str) -> None:
    """A brace closes whatever is open within it; a stray parenthesis, as in Bash's ``case``, closes nothing."""
    if stack and stack[-1] == opening:
        stack.pop()
    elif opening == "{" and "{" in stack:
        while stack.pop() != "{":
            pass


def _ends_here(masked: str, language: str, begin: int, place: int, end: int) -> bool:
    """Whether an item that began at ``begin`` and has nothing open ends with the character at ``place``."""
    character, rest = masked[place], masked[place + 1 : min(end, place + 80)]
    if language == "bash":
        return _bash_ends_here(masked, begin, place, rest)
    if character == ";":
        return True
    if character == "}":
        after = rest.lstrip()
        follows = after[:1] in (
            tuple(";,).?:=-+*/&|") if "\n" not in rest[: len(rest) - len(after)] else tuple(";,).")
        )
        return not (follows or after[:1] == "(" and language in ("cpp", "php") or _AFTER_BLOCK.match(rest))
    if character == "\n" and language in _SCRIPTS:
        line = masked[begin:place].rstrip()
        return not (_GOES_ON.search(line) or _CONTINUES.match(rest) or _AFTER_BLOCK.match(rest))
    return False


def _bash_ends_here(masked: str, begin: int, place: int, rest: str) -> bool:
    if masked[place] not in "\n;" or masked[place : place + 2] == ";;":
        return False
    text = masked[begin : place + 1].rstrip("\n; \t")
    if re.search(r"(?:&&|\|\||\||\bin|\bdo|\bthen|\belse)\Z", text):
        return False
    if re.search(r"(?:\(\s*\)|\A(?:function\s+)?[\w:.-]+)\Z", text) and rest.lstrip()[:1] == "{":
        return False
    return not _inside_compound(text)


def _inside_compound(text: str) -> bool:
    """Whether a Bash statement has begun a compound command that it has not ended."""
    depth, begins = 0, True
    for token in _BASH_TOKEN.findall(text):
        if begins and token in _BASH_OPENS:
            depth += 1
        elif begins and token in _BASH_CLOSES:
            depth -= 1
        begins = token in _BASH_BEGINS
    return depth > 0
