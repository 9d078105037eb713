"""Literals of Bash: quotes hold expansions that hold quotes, and here-documents begin lines later."""

from __future__ import annotations

import re
from collections.abc import Iterator

_COMMENT = re.compile(r"(?:(?<=[\s;&|()])|\A)#[^\n]*")
_PLAIN = re.compile(r"[^\\'\"$#`(){}<\n]+")
_HERE = re.compile(r"<<(?P<tabs>-?)[ \t]*\\?(?P<quote>[\"']?)(?P<word>[\w.-]+)(?P=quote)(?!<)")


def blank_bash(code: str, fill: str) -> str:
    """See :func:`rewardranker.execution.extraction.literals.blank`; parameter expansions count as literals,
    command substitutions do not, unless they stand within quotes."""
    return "".join(
        text if kind == "shown" else (" " if kind == "comment" else fill) * len(text)
        for text, kind in _Scanner(code).pieces()
    )


def blank_bash_comments(code: str) -> str:
    """``code`` with its comments as spaces, and its literals as they are: they may hold commands."""
    return "".join(" " * len(text) if kind == "comment" else text for text, kind in _Scanner(code).pieces())


class _Scanner:
    """Walks through a script with a stack of what is open: ``"``, ``${``, ``$(`` and ``(``."""

    def __init__(self, code: str) -> None:
        self._code = code
        self._open: list[str] = []
        self._documents: list[tuple[str, bool]] = []

    def pieces(self) -> Iterator[tuple[str, str]]:
        """The script in pieces, each ``shown``, a ``comment`` or a ``literal``."""
        place = 0
        while place < len(self._code):
            piece = self._next(place)
            yield piece
            place += len(piece[0])

    def _next(self, place: int) -> tuple[str, str]:
        code = self._code
        quoted = '"' in self._open or "${" in self._open
        shown = "literal" if quoted else "shown"
        top = self._open[-1] if self._open else ""
        character = code[place]
        if character == "\\":
            return code[place : place + 2], "literal"
        if character == "\n" and self._documents and top != '"':
            return self._bodies(place), "literal"
        if code.startswith("${", place):
            self._open.append("${")
            return "${", "literal"
        if code.startswith("$(", place):
            self._open.append("$(")
            return "$(", shown
        if character == '"':
            if top == '"':
                self._open.pop()
            else:
                self._open.append('"')
            return character, "literal"
        if top == '"':
            return character, "literal"
        return self._outside_quotes(place, top, shown)

    def _outside_quotes(self, place: int, top: str, shown: str) -> tuple[str, str]:
        code = self._code
        character = code[place]
        if character == "'" or code.startswith("$'", place):
            return self._single_quoted(place), "literal"
        if top == "${":
            if character == "}":
                self._open.pop()
            return character, "literal"
        comment = _COMMENT.match(code, place) if character == "#" else None
        if comment is not None:
            return comment[0], "comment"
        if code.startswith("<<", place):
            return self._here(place, shown)
        if code.startswith("$#", place) or code.startswith("$$", place):
            return code[place : place + 2], "literal"
        if character == "(" and self._open:
            self._open.append("(")
        elif character == ")" and top in ("(", "$("):
            self._open.pop()
        plain = _PLAIN.match(code, place)
        return (plain[0] if plain is not None else character), shown

    def _single_quoted(self, place: int) -> str:
        if self._code[place] == "$":
            match = re.compile(r"\$'(?:\\(?s:.)|[^'\\])*'?").match(self._code, place)
            assert match is not None
            return match[0]
        end = self._code.find("'", place + 1)
        return self._code[place:] if end < 0 else self._code[place : end + 1]

    def _here(self, place: int, shown: str) -> tuple[str, str]:
        """A here-document is announced; a here-string or a shift is not one."""
        if self._code.startswith("<<<", place):
            return "<<<", shown
        match = _HERE.match(self._code, place)
        if match is None or "(" in self._open[-2:] or self._code[:place].endswith("(("):
            return "<<", shown
        self._documents.append((match["word"], bool(match["tabs"])))
        return match[0], shown

    def _bodies(self, place: int) -> str:
        """From the line end at ``place`` through all documents that were announced before it."""
        at = place
        for word, tabs in self._documents:
            indent = "[ \t]*" if tabs else ""
            end = re.compile(rf"\n{indent}{re.escape(word)}(?=\n|\Z)").search(self._code, at)
            at = end.end() if end is not None else len(self._code)
        self._documents = []
        return self._code[place:at]
