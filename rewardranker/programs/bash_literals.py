"""Literals of Bash: quotes hold expansions that hold quotes, and here-documents begin lines later."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rewardranker.linear import lexer
from rewardranker.programs.pieces import Piece

# Stretches in which nothing begins or ends: of code where nothing is open, of code within round brackets, of a text
# in double quotes, of a parameter's expansion. The second and the fourth end with the line: documents may follow.
_PLAIN_DOLLAR, _NO_COMMENT = r"\$(?![{('#$])", r"(?<=[^\s;&|()])\#"
_CODE = lexer(rf"(?:[^\\'\"$#<]++|<(?!<)|{_PLAIN_DOLLAR}|{_NO_COMMENT})++")
_CODE_WITHIN = lexer(rf"(?:[^\\'\"$#()<\n]++|<(?!<)|{_PLAIN_DOLLAR}|{_NO_COMMENT})++")
_IN_QUOTES = lexer(r"(?:[^\\\"$]++|\\(?s:.)?|\$(?![{(]))++")
_IN_BRACES = lexer(r"(?:[^\\\"'$}\n]++|\$(?![{(']))++")
_COMMENT = lexer(r"(?:(?<=[\s;&|()])|\A)#[^\n]*+")
_ESCAPES, _OF_SHELL = lexer(r"(?:\\(?s:.)?)++"), lexer(r"(?:\$[#$])++")
_TEXTS = lexer(r'(?:"(?:[^\\"$]++|\\(?s:.)?|\$(?![{(]))*+")++')
_SINGLE_QUOTED = lexer(r"(?:'[^']*+'?)++")
_ANSI_QUOTED = lexer(r"\$'(?:[^'\\]++|\\(?s:.)?)*+'?")
_HERE = lexer(r"<<(?P<tabs>-?)[ \t]*+\\?(?P<quote>[\"']?)(?P<word>[\w.-]++)(?P=quote)(?!<)")


def bash_literals(code: str) -> Iterator[Piece]:
    """See :func:`rewardranker.programs.literals.literals`. Parameter expansions count as literals
    (``template``, as do texts in double quotes), command substitutions do not, unless they stand within quotes."""
    scanner, place, begun = _Scanner(code), 0, -1
    while place < len(code):
        end, kind = scanner.next(place)
        if kind == "template":
            begun = place if begun < 0 else begun
        else:
            if begun >= 0:
                yield begun, place, "template"
            begun = -1
            if kind:
                yield place, end, kind
        place = end
    if begun >= 0:
        yield begun, place, "template"


class _Scanner:
    """Walks through a script with a stack of what is open: ``"``, ``${``, ``$(`` and ``(``."""

    def __init__(self, code: str) -> None:
        self._code = code
        self._open: list[str] = []
        self._quotes = 0  # how many of the open ones make a literal of what they hold
        self._documents: list[tuple[str, bool]] = []

    def next(self, place: int) -> tuple[int, str]:
        """Where the piece that begins at ``place`` ends, and its kind; none where it is plain code."""
        top = self._open[-1] if self._open else ""
        two = self._code[place : place + 2]
        if two == "${" or two == "$(":
            self._push(two)
            return place + 2, "template" if self._quotes else ""
        character = two[0]
        if top == '"':
            if character != '"':
                return self._run(_IN_QUOTES, place), "template"
            self._pop()
            return place + 1, "template"
        if character == "\n" and self._documents:
            return self._bodies(place), "template"
        if character == '"':
            return self._text(place), "template"
        if character == "'" or two == "$'":
            quoted = _SINGLE_QUOTED if character == "'" else _ANSI_QUOTED
            return self._run(quoted, place), "template" if self._quotes else "string"
        if character == "\\":
            return self._run(_ESCAPES, place), "template"
        if top == "${":
            if character != "}":
                return self._run(_IN_BRACES, place), "template"
            self._pop()
            return place + 1, "template"
        return self._code_at(place, top, two)

    def _code_at(self, place: int, top: str, two: str) -> tuple[int, str]:
        if two == "$#" or two == "$$":
            return self._run(_OF_SHELL, place), "template"
        shown = "template" if self._quotes else ""
        comment = _COMMENT.match(self._code, place) if two[0] == "#" else None
        if comment is not None:
            return comment.end(), "comment"
        if two == "<<":
            return self._here(place, shown)
        if not top and not self._documents:
            return self._run(_CODE, place), shown
        if two[0] == "(" and top:
            self._push("(")
        elif two[0] == ")" and top in ("(", "$("):
            self._pop()
        return self._run(_CODE_WITHIN, place), shown

    def _text(self, place: int) -> int:
        """Behind a text in double quotes, if it holds no expansion; else behind its opening quotation mark."""
        texts = _TEXTS.match(self._code, place)
        if texts is not None:
            return texts.end()
        self._push('"')
        return place + 1

    def _push(self, opening: str) -> None:
        self._open.append(opening)
        self._quotes += opening in ('"', "${")

    def _pop(self) -> None:
        self._quotes -= self._open.pop() in ('"', "${")

    def _run(self, characters: re.Pattern[str], place: int) -> int:
        match = characters.match(self._code, place)
        return match.end() if match is not None else place + 1

    def _here(self, place: int, shown: str) -> tuple[int, str]:
        """A here-document is announced; a here-string or a shift is not one."""
        if self._code.startswith("<<<", place):
            return place + 3, shown
        match = _HERE.match(self._code, place)
        if match is None or "(" in self._open[-2:] or self._code.endswith("((", 0, place):
            return place + 2, shown
        self._documents.append((match["word"], bool(match["tabs"])))
        return match.end(), shown

    def _bodies(self, place: int) -> int:
        """From the line end at ``place`` through all documents that were announced before it."""
        for word, tabs in self._documents:
            place = self._body(place, word, tabs)
        self._documents = []
        return place

    def _body(self, place: int, word: str, tabs: bool) -> int:
        code = self._code
        while 0 <= place < len(code):
            start = place + 1
            while tabs and code[start : start + 1] in (" ", "\t") and start < len(code):
                start += 1
            end = start + len(word)
            if code.startswith(word, start) and code[end : end + 1] in ("", "\n"):
                return end
            place = code.find("\n", place + 1)
        return len(code)
