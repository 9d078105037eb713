"""Comments and literals out of the way, so that what is left of a program can be searched for structure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from rewardranker.linear import lexer
from rewardranker.programs.bash_literals import bash_literals
from rewardranker.programs.csharp_literals import csharp_literals
from rewardranker.programs.pieces import Piece
from rewardranker.programs.script_literals import script_literals

FILL = '"'

_C_COMMENT = r"(?P<comment>//(?:[^\\\n]++|\\\n?)*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/)?)"
_QUOTED = r'"(?:[^"\\\n]++|\\(?s:.)?)*+"?'
_CHARACTER = r"'(?:[^'\\\n]++|\\(?s:.)?)*+'?"
_TRIPLE = r'{0}(?:[^"\\]++|\\(?s:.)?|"(?!""))*+(?:""")?'.replace("{0}", '"""')

_TOKENS = {
    "python": lexer(
        rf"(?P<comment>#[^\n]*+)|{_TRIPLE}|'''(?:[^'\\]++|\\(?s:.)?|'(?!''))*+(?:''')?|{_QUOTED}|{_CHARACTER}"
    ),
    "cpp": lexer(
        rf"{_C_COMMENT}|(?P<kept>(?<!\w)\d(?:'?\w|\.)*+)|"
        rf'(?:u8|[uUL])?R"(?P<raw>[^()\\\s"]{{0,16}}+)\(|{_QUOTED}|{_CHARACTER}'
    ),
    "java": lexer(rf"{_C_COMMENT}|{_TRIPLE}|{_QUOTED}|{_CHARACTER}"),
    "php": lexer(
        r"(?P<comment>(?://|\#(?!\[))(?:[^\n?]++|\?(?!>))*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/)?)"
        r"""|<<<[ \t]*+(?P<mark>["']?)(?P<word>\w++)(?P=mark)\n"""
        r"""|"(?:[^"\\]++|\\(?s:.)?)*+"?|'(?:[^'\\]++|\\(?s:.)?)*+'?"""
    ),
}
_SPACES = lexer(r"[^\n]++")
_WORD_END = lexer(r"\w")


@lru_cache(maxsize=4)
def literals(code: str, language: str) -> Sequence[Piece]:
    """The comments and literals of a program, in order; none in languages without rules of their own.

    What is open at the end reaches to the end.
    """
    return tuple(_read(code, language))


def _read(code: str, language: str) -> Iterator[Piece]:
    if language in ("javascript", "typescript"):
        return script_literals(code)
    if language == "bash":
        return bash_literals(code)
    if language == "csharp":
        return csharp_literals(code)
    return _of_tokens(code, language)


@lru_cache(maxsize=16)
def blank(code: str, language: str) -> str:
    """``code``, character by character, with comments as spaces and literals as quotation marks.

    Line ends within comments stay; those within literals do not, as nothing ends there.
    """
    return filled(code, literals(code, language))


def filled(code: str, pieces: Iterable[Piece]) -> str:
    """``code`` with these pieces blanked."""
    parts, place = [], 0
    for start, end, kind in pieces:
        parts.append(code[place:start])
        parts.append(spaces(code[start:end]) if kind in ("comment", "directive") else FILL * (end - start))
        place = end
    parts.append(code[place:])
    return "".join(parts)


def spaces(text: str) -> str:
    """As many spaces, with the line ends of ``text``."""
    return _SPACES.sub(lambda match: " " * len(match[0]), text) if "\n" in text else " " * len(text)


def _of_tokens(code: str, language: str) -> Iterator[Piece]:
    tokens = _TOKENS.get(language)
    place = 0
    while tokens is not None and (match := tokens.search(code, place)) is not None:
        place = match.end()
        kind = match.lastgroup
        if kind == "kept":
            continue
        if kind == "raw":
            place = _after(code, f'){match["raw"]}"', place)
        elif kind == "word":
            place = _heredoc(code, match["word"], place - 1)
        yield match.start(), place, "comment" if kind == "comment" else "string"


def _after(code: str, closer: str, place: int) -> int:
    end = code.find(closer, place)
    return len(code) if end < 0 else end + len(closer)


def _heredoc(code: str, word: str, place: int) -> int:
    """Behind the line that begins with the closing word; ``place`` is the line end before the text."""
    while place >= 0:
        start = place + 1
        while code[start : start + 1] in (" ", "\t"):
            start += 1
        end = start + len(word)
        if code.startswith(word, start) and _WORD_END.match(code, end) is None:
            return end
        place = code.find("\n", place + 1)
    return len(code)
