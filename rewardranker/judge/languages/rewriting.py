"""From the trusted tests of a compiled language to checks that answer one by one.

The tests are C-like text with a main function whose body holds statements such as ``assert(...);``. They are
ours, so nothing here has to withstand an enemy; but strings hold brackets, and nothing may be skipped over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from rewardranker.errors import UserError
from rewardranker.linear import lexer
from rewardranker.problems.masking import masked

_NAME = lexer(r"\b[A-Za-z_]\w*+")
_CALL = lexer(r"(?<![\w.])([A-Za-z_]\w*+)\s*+\(")
_DEFINITION = lexer(r"([A-Za-z_]\w*+)\s*+\([^()]*+\)\s*+\{")
# Operators that bind less than ==, so that its two sides would not be what they seem.
_LOOSER = lexer(r"[&|^?]|!=|(?<![=!<>])=(?!=)")
_WORDS_TEXT = """
    assert base catch checked default fixed for foreach if lock nameof new return sizeof super switch synchronized
    this throw typeof unchecked using while
"""
WORDS = frozenset(_WORDS_TEXT.split())
_NEW, _NEAR = lexer(r"\bnew\s++\Z"), 80
_HEADER = lexer(r"\b[mM]ain\s*+\([^()]*+\)[^{};]*+\{")
_ENDS, _BRACKETS, _EQUAL = lexer(r"\s*+;"), lexer(r"[()\[\]{}]"), lexer(r"(?<![=!<>])==(?!=)")
_METHOD = lexer(r"\.(equals|Equals|SequenceEqual)\s*+\(\s*+\)\s*+\Z")
_MESSAGE_CHARACTERS = 160


@dataclass(frozen=True)
class Check:
    """What a check demands: a truth, or that ``left`` and ``right`` are the same (``form`` says by what)."""

    text: str
    form: str = ""
    left: str = ""
    right: str = ""

    @property
    def message(self) -> str:
        """For the result stream: JSON text, as a string literal of the three languages."""
        return json.dumps(json.dumps(" ".join(self.text.split())[:_MESSAGE_CHARACTERS]))


def names(text: str) -> list[str]:
    """Every identifier of a program text, sorted."""
    return sorted(set(_NAME.findall(masked(text))))


def without_first_brace(tests: str) -> str:
    """The tests without the brace that closes the program's function, where they begin with that."""
    return tests.lstrip().removeprefix("}")


def rewrite(
    tests: str,
    keyword: str,
    begin: str,
    end: str,
    answer: Callable[[Check], str],
    statements: Callable[[str], str] = str,
) -> tuple[str, int]:
    """The tests with every check replaced, and how many there are.

    Args:
        keyword: what a check begins with, e.g. ``assert``.
        begin: statements for the start of main; ``end``: for its end.
        answer: the statement that does a check.
        statements: what becomes of those between checks.

    Raises:
        UserError: no main function, no check in it, or a check that is not a statement directly in it.
    """
    hidden = masked(tests)
    header = _HEADER.search(hidden)
    if header is None:
        raise UserError("the trusted tests have no main function; give them one that holds the checks")
    start, stop = header.end(), closing(hidden, header.end() - 1)
    parts, place, found = [tests[:start], begin], start, 0
    for match in lexer(rf"(?<![\w.]){re.escape(keyword)}\s*+\(").finditer(hidden):
        close = closing(hidden, match.end() - 1)
        after = _ENDS.match(hidden, close + 1)
        if after is None or not place <= match.start() < stop or not _is_statement(hidden[start : match.start()]):
            raise UserError(
                f"a check of the trusted tests does not stand directly in main: {tests[match.start() :][:80]}"
            )
        parts += [statements(tests[place : match.start()]), answer(_check(tests[match.end() : close]))]
        place, found = after.end(), found + 1
    if not found:
        raise UserError(f"the trusted tests hold no check; they are written as {keyword}(...);")
    return "".join([*parts, statements(tests[place:stop]), end, tests[stop:]]), found


def closing(hidden: str, opening: int) -> int:
    """Where the bracket at ``opening`` is closed. Raises ``UserError`` where it never is."""
    depth = 0
    for match in _BRACKETS.finditer(hidden, opening):
        depth += 1 if match[0] in "([{" else -1
        if depth == 0:
            return match.start()
    raise UserError(f"a bracket of the trusted tests is never closed: {hidden[opening:][:80]}")


def qualified(text: str, owner: str, own: frozenset[str]) -> str:
    """The text with ``owner.`` before every function that it calls by a bare name and that is not in ``own``."""
    hidden = masked(text)
    parts, place = [], 0
    for match in _CALL.finditer(hidden):
        if match[1] in own | WORDS or is_new(hidden, match.start()):
            continue
        parts += [text[place : match.start()], owner, "."]
        place = match.start()
    return "".join([*parts, text[place:]])


def is_new(hidden: str, place: int) -> bool:
    """Whether what begins at ``place`` is a type's name behind ``new``."""
    return _NEW.search(hidden[max(0, place - _NEAR) : place]) is not None


def defined(tests: str) -> frozenset[str]:
    """Names of the functions that the tests themselves define."""
    return frozenset(_DEFINITION.findall(masked(tests)))


def _is_statement(before: str) -> bool:
    """Whether what follows ``before`` in main's body is a statement of the body itself."""
    depth = sum(before.count(bracket) for bracket in "([{") - sum(before.count(bracket) for bracket in ")]}")
    return depth == 0 and (not before.strip() or before.rstrip()[-1] in ";}")


def _check(text: str) -> Check:
    hidden = masked(text)
    level = flat(hidden)
    equals = [match.start() for match in _EQUAL.finditer(level)]
    if len(equals) == 1 and not _LOOSER.search(level.replace("==", "  ")):
        return Check(text, "==", text[: equals[0]].strip(), text[equals[0] + 2 :].strip())
    method = _METHOD.search(level)
    if method is not None and not equals and not _LOOSER.search(level) and not level.lstrip().startswith("!"):
        opening = hidden.index("(", method.start())
        return Check(
            text, method[1], text[: method.start()].strip(), text[opening + 1 : closing(hidden, opening)].strip()
        )
    return Check(text)


def flat(hidden: str) -> str:
    """The text with blanks for all that stands within brackets."""
    depth, kept = 0, []
    for character in hidden:
        depth -= character in ")]}"
        kept.append(character if depth == 0 else " ")
        depth += character in "([{"
    return "".join(kept)
