"""Literals of Bash: quotes hold expansions that hold quotes, and here-documents begin lines later."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rewardranker.execution.extraction.pieces import Piece
from rewardranker.execution.linear import lexer

_COMMENT = lexer(r"(?:(?<=[\s;&|()])|\A)#[^\n]*+")
_PLAIN = lexer(r"[^\\'\"$#()<\n]++")
_IN_QUOTES = lexer(r"[^\\\"$]++")
_IN_BRACES = lexer(r"[^\\\"'$}\n]++")
_ANSI_QUOTED = lexer(r"\$'(?:[^'\\]++|\\(?s:.)?)*+'?")
_HERE = lexer(r"<<(?P<tabs>-?)[ \t]*+\\?(?P<quote>[\"']?)(?P<word>[\w.-]++)(?P=quote)(?!<)")


def bash_literals(code: str) -> Iterator[Piece]:
    """See :func:`rewardranker.execution.extraction.literals.literals`. Parameter expansions count as literals
    (``template``, as do texts in double quotes), command substitutions do not, unless they stand within quotes."""
    scanner, place = _Scanner(code), 0
    while place < len(code):
        end, kind = scanner.next(place)
        if kind:
            yield place, end, kind
        place = end


class _Scanner:
    """Walks through a script with a stack of what is open: ``"``, ``${``, ``$(`` and ``(``."""

    def __init__(self, code: str) -> None:
        self._code = code
        self._open: list[str] = []
        self._quotes = 0  # how many of the open ones make a literal of what they hold
        self._documents: list[tuple[str, bool]] = []

    def next(self, place: int) -> tuple[int, str]:
        """Where the piece that begins at ``place`` ends, and its kind; none where it is plain code."""
        code = self._code
        top = self._open[-1] if self._open else ""
        character = code[place]
        if character == "\\":
            return min(place + 2, len(code)), "template"
        if character == "\n" and self._documents and top != '"':
            return self._bodies(place), "template"
        if code.startswith("${", place):
            self._push("${")
            return place + 2, "template"
        shown = "template" if self._quotes else ""
        if code.startswith("$(", place):
            self._push("$(")
            return place + 2, shown
        if character == '"':
            if top == '"':
                self._pop()
            else:
                self._push('"')
            return place + 1, "template"
        if top == '"':
            return self._run(_IN_QUOTES, place), "template"
        return self._outside_quotes(place, top, shown)

    def _outside_quotes(self, place: int, top: str, shown: str) -> tuple[int, str]:
        code = self._code
        character = code[place]
        if character == "'" or code.startswith("$'", place):
            return self._single_quoted(place), "template" if self._quotes else "string"
        if top == "${":
            if character == "}":
                self._pop()
                return place + 1, "template"
            return self._run(_IN_BRACES, place), "template"
        comment = _COMMENT.match(code, place) if character == "#" else None
        if comment is not None:
            return comment.end(), "comment"
        if code.startswith("<<", place):
            return self._here(place, shown)
        if code.startswith("$#", place) or code.startswith("$$", place):
            return place + 2, "template"
        if character == "(" and self._open:
            self._push("(")
        elif character == ")" and top in ("(", "$("):
            self._pop()
        return self._run(_PLAIN, place), shown

    def _push(self, opening: str) -> None:
        self._open.append(opening)
        self._quotes += opening in ('"', "${")

    def _pop(self) -> None:
        self._quotes -= self._open.pop() in ('"', "${")

    def _run(self, characters: re.Pattern[str], place: int) -> int:
        match = characters.match(self._code, place)
        return match.end() if match is not None else place + 1

    def _single_quoted(self, place: int) -> int:
        if self._code[place] == "$":
            match = _ANSI_QUOTED.match(self._code, place)
            assert match is not None
            return match.end()
        end = self._code.find("'", place + 1)
        return len(self._code) if end < 0 else end + 1

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
