"""Literals of JavaScript and TypeScript: templates nest, and a slash is a division or a regular expression."""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*(?s:.*?)(?:\*/|\Z))|(?P<string>"(?:\\(?s:.)|[^"\\\n])*"?|'(?:\\(?s:.)|[^'\\\n])*'?)"""
    r"|(?P<word>[\w$]+)|(?P<space>\s+)|(?P<other>(?s:.))"
)
_CHUNK = re.compile(r"(?:\\(?s:.)|\$(?!\{)|[^`\\$])*(?P<end>`|\$\{|\\?\Z)")
_REGEX = re.compile(r"/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])*/[a-z]*")
# After these words a slash cannot divide.
_BEFORE_REGEX = frozenset(("return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "else", "do"))


def blank_script(code: str, fill: str) -> str:
    """See :func:`rewardranker.execution.extraction.literals.blank`; a template is filled with all it holds."""
    parts: list[str] = []
    templates: list[int] = []  # how many braces are open in each nested template's expression
    place, last = 0, ""
    while place < len(code):
        match = _TOKEN.match(code, place)
        assert match is not None
        kind, text = match.lastgroup, match[0]
        if text == "`" or (text == "}" and templates and templates[-1] == 0):
            if text == "}":
                templates.pop()
            text, opened = _template_chunk(code, place)
            if opened:
                templates.append(0)
            parts.append(fill * len(text))
            last = "{" if opened else fill
        elif kind == "comment":
            parts.append(fill * len(text) if templates else re.sub(r"[^\n]", " ", text))
        elif kind == "space":
            parts.append(fill * len(text) if templates else text)
        else:
            regex = _REGEX.match(code, place) if text == "/" and _regex_may_follow(last) else None
            text = regex[0] if regex is not None else text
            literal = bool(templates) or kind == "string" or regex is not None
            if templates and text in "{}":
                templates[-1] += 1 if text == "{" else -1
            parts.append(fill * len(text) if literal else text)
            last = fill if kind == "string" or regex is not None else text
        place += len(text)
    return "".join(parts)


def _template_chunk(code: str, place: int) -> tuple[str, bool]:
    """The template's text from its back-tick or closing brace at ``place`` on, and whether an expression begins."""
    match = _CHUNK.match(code, place + 1)
    assert match is not None
    return code[place : match.end()], match["end"] == "${"


def _regex_may_follow(last: str) -> bool:
    return last in _BEFORE_REGEX or not (last[-1:].isalnum() or last[-1:] in ("_", "$", ")", "]", "}", '"'))
