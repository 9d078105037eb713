"""Literals of C#: an interpolated string holds expressions, which hold strings."""

from __future__ import annotations

from collections.abc import Iterator

from rewardranker.linear import lexer
from rewardranker.programs.pieces import Piece

_TOKEN = lexer(
    r"(?P<comment>//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/)?)|(?P<directive>(?m:^)[ \t]*+\#[^\n]*+)"
    r'|(?<!\$)\$*+(?P<raw>"{3,}+)|(?P<verbatim>(?:\$@|@\$)")|(?P<interpolated>\$")|@"(?:[^"]++|"")*+"?'
    r"""|"(?:[^"\\\n]++|\\(?s:.)?)*+"?|'(?:[^'\\\n]++|\\(?s:.)?)*+'?"""
)
# What an interpolated string's text is made of, and the expressions in it.
_TEXT = {
    "interpolated": lexer(r'(?:[^"\\\n{}]++|\\(?s:.)?|\{\{|\}++)*+'),
    "verbatim": lexer(r'(?:[^"{}]++|""|\{\{|\}++)*+'),
}
_KINDS = {"comment": "comment", "directive": "directive", **dict.fromkeys(_TEXT, "template")}
_HOLE = lexer(r"""[^"'{}\n]++|'(?:[^'\\\n]++|\\.?)*+'?|\n""")
_PLAIN = lexer(r"""(?:@"(?:[^"]++|"")*+|"(?:[^"\\\n]++|\\.?)*+)"?""")


def csharp_literals(code: str) -> Iterator[Piece]:
    """See :func:`rewardranker.programs.literals.literals`."""
    place = 0
    while (match := _TOKEN.search(code, place)) is not None:
        kind, place = match.lastgroup, match.end()
        if kind == "raw":
            end = code.find(match["raw"], place)
            place = len(code) if end < 0 else end + len(match["raw"])
        elif kind in _TEXT:
            place = _interpolated(code, place, kind)
        yield match.start(), place, _KINDS.get(kind or "", "string")


def _interpolated(code: str, place: int, kind: str) -> int:
    """Where the string ends whose text begins at ``place``.

    ``opened`` holds the kind of each string that is open, and between them a count of the braces that are open in an
    expression. Outside of a verbatim string nothing goes on in the next line.
    """
    opened: list[str | int] = [kind]
    while opened and place < len(code):
        top = opened[-1]
        place = _text(code, place, top, opened) if isinstance(top, str) else _hole(code, place, opened)
        if code[place : place + 1] == "\n" and "verbatim" not in opened:
            break
    return place


def _text(code: str, place: int, kind: str, opened: list[str | int]) -> int:
    match = _TEXT[kind].match(code, place)
    assert match is not None
    place = match.end()
    character = code[place : place + 1]
    if character == '"':
        opened.pop()
    elif character == "{":
        opened.append(1)
    elif character == "\n" and kind == "interpolated":
        return place if "verbatim" not in opened else _given_up(place, opened)
    return place + len(character)


def _given_up(place: int, opened: list[str | int]) -> int:
    """A string that its line's end has cut off within a verbatim one."""
    opened.pop()
    return place


def _hole(code: str, place: int, opened: list[str | int]) -> int:
    for prefix, kind in (("$@", "verbatim"), ("@$", "verbatim"), ("$", "interpolated")):
        if code.startswith(f'{prefix}"', place):
            opened.append(kind)
            return place + len(prefix) + 1
    match = _PLAIN.match(code, place) or _HOLE.match(code, place)
    if match is not None:
        if match[0] == "\n" and "verbatim" not in opened:
            return place
        return match.end()
    depth = opened.pop()
    assert isinstance(depth, int)
    depth += 1 if code[place] == "{" else -1
    if depth:
        opened.append(depth)
    return place + 1
