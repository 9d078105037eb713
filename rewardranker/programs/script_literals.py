"""Literals of JavaScript and TypeScript: templates nest, and a slash is a division or a regular expression."""

from __future__ import annotations

from collections.abc import Iterator

from rewardranker.linear import lexer
from rewardranker.programs.pieces import Piece

_LITERAL = (
    r"(?P<comment>//[^\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/)?)"
    r"""|(?P<string>"(?:[^"\\\n]++|\\(?s:.)?)*+"?|'(?:[^'\\\n]++|\\(?s:.)?)*+'?)"""
)
# Braces count in a template's expression.
_TOKEN = lexer(rf"{_LITERAL}|(?P<space>\s++(?=[\"'`/]|\Z))|[^\"'`/]++|[`/]")
_TOKEN_WITHIN = lexer(rf"{_LITERAL}|(?P<space>\s++(?=[\"'`/{{}}]|\Z))|[^\"'`/{{}}]++|[`/{{}}]")
_CHUNK = lexer(r"(?:[^`\\$]++|\\(?s:.)?|\$(?!\{))*+(?P<end>`|\$\{|\Z)")
_LAST_WORD, _LONGEST = lexer(r"[\w$]++\Z"), 20
_CLASS = r"\[(?:[^\]\\\n]++|\\.)*+\]"
_REGEX = lexer(rf"/(?![/*])(?:[^/\\\[\n]++|\\.|{_CLASS})++/[a-z]*+")
# After these words a slash cannot divide.
_BEFORE_REGEX = frozenset(("return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "else", "do"))


def script_literals(code: str) -> Iterator[Piece]:
    """See :func:`rewardranker.programs.literals.literals`; a template is one with all it holds."""
    templates: list[int] = []  # how many braces are open in each nested template's expression
    place, last, begun, no_regex = 0, "", 0, 0
    while (match := (_TOKEN_WITHIN if templates else _TOKEN).match(code, place)) is not None:
        start, place = place, match.end()
        kind, text = match.lastgroup, match[0]
        if text == "`" or (text == "}" and templates and templates[-1] == 0):
            if text == "}":
                templates.pop()
            elif not templates:
                begun = start
            chunk = _CHUNK.match(code, place)
            assert chunk is not None
            place, last = chunk.end(), '"'
            if chunk["end"] == "${":
                templates.append(0)
                last = "{"
            elif not templates:
                yield begun, place, "template"
            continue
        if text == "/" and start >= no_regex and _regex_may_follow(last):
            regex = _REGEX.match(code, start)
            if regex is not None:
                kind, place = "regex", regex.end()
            else:  # nothing that the line's end does not cut off: so for all of the line
                no_regex = (code.find("\n", start) + 1) or len(code)
        if kind in ("comment", "string", "regex") and not templates:
            yield start, place, kind
        if templates and text in ("{", "}"):
            templates[-1] += 1 if text == "{" else -1
        if kind not in ("comment", "space"):
            last = '"' if kind in ("string", "regex") else text
    if templates:
        yield begun, len(code), "template"


def _regex_may_follow(code: str) -> bool:
    """Whether what stands before a slash leaves no value that it could divide."""
    last = code.rstrip()[-_LONGEST:]
    word = _LAST_WORD.search(last)
    if word is not None:
        return word[0] in _BEFORE_REGEX
    return last[-1:] not in (")", "]", "}", '"')
