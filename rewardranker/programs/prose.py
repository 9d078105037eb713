"""Code without fences, between the sentences that a model wrote around it."""

from __future__ import annotations

import re
from functools import lru_cache

from rewardranker.linear import lexer
from rewardranker.programs import python

_MOST_TRIES = 50
_PARSED_IN_ALL = 60_000
_PYTHON_START = lexer(
    r"from\s++\S++\s++import\b|import\s|(?:async\s++)?(?:def|with|for)\s|class\s|@\w|#|\w++\s*+(?:=[^=]|[-+*/|&]=)"
    r"|(?:if|while|try|print|raise|assert|sys|global)\b|[\w.]++\("
)
_GLUED = lexer(r"(?<!`)`{3,}+[ \t]*+(?=\n|\Z)")
_SENTENCE = lexer(r"[ \t]*+(?:[-*+>]\s|\d++[.)]\s|\#{1,6}+\s|\*\*)?[ \t]*+[*_`\"'(]*+[A-Z][^;{}=<>$\\]*+\Z")
_ENDS = tuple(".:!?")
_WORDS = lexer(r"[A-Za-z'’,-]++")
_OPENINGS_TEXT = """
    sure certainly absolutely here below this the that it its in i i'm i've we you to note notes explanation example
    examples usage output input step first then finally hope let let's of okay ok alright yes now solution answer
    approach time space complexity python java javascript typescript php bash c++ c# function my your
"""
_OPENINGS = frozenset(_OPENINGS_TEXT.split())


def python_runs(text: str, entry_point: str = "") -> list[tuple[int, str]]:
    """The stretches of a text that are Python, from a line that looks like code up to the last unindented line
    before which it parses, each with its place. All of the text, where it parses.

    Code that is indented as a whole (Markdown's other way to show code) is shown without its indent, where there is
    no other definition of the entry point.
    """
    found = _runs(text)
    if entry_point and not any(python.defines(entry_point, code) for _, code in found):
        match = _indented(entry_point).search(text)
        if match is not None:
            indent = match[1]
            lines = (line[len(indent) :] if line.startswith(indent) else line for line in text.split("\n"))
            return _runs("\n".join(lines)) or found
    return found


def python_only(text: str, entry_point: str) -> str:
    """A text without the sentences around its code, as far as they can be told: its longest run; the text from the
    first line on that looks like code where there is none, or none with the entry point, which is defined all the
    same."""
    found = [code for _, code in _runs(text)]
    lost = bool(entry_point) and python.defines(entry_point, text)
    if found and not lost or any(python.defines(entry_point, code) for code in found):
        return max(found, key=len)
    lines = text.split("\n")
    first = next((number for number, line in enumerate(lines) if _PYTHON_START.match(line)), 0)
    return "\n".join(lines[first:])


def without_sentences(text: str) -> str:
    """A program in another language without the sentences before and behind it, and what a fence behind it closed."""
    glued = _GLUED.search(text)
    lines = (text if glued is None else text[: glued.start()]).split("\n")
    first, last = 0, len(lines)
    while first < last and (not lines[first].strip() or _is_sentence(lines[first])):
        first += 1
    while last > first and (not lines[last - 1].strip() or _is_sentence(lines[last - 1])):
        last -= 1
    return "\n".join(lines[first:last]) if first < last else text


def _is_sentence(line: str) -> bool:
    """Whether a line is prose: it begins as a sentence does, has some words and nothing that only code has, and ends
    as a sentence or begins with a word that opens one."""
    if _SENTENCE.match(line) is None:
        return False
    words = _WORDS.findall(line)
    if len(words) < 2 and not line.rstrip("* \t").endswith(":"):
        return False
    return line.rstrip("* \t").endswith(_ENDS) or words[0].lower().strip("'’,-") in _OPENINGS


def _runs(text: str) -> list[tuple[int, str]]:
    if len(text) <= python.MOST_PARSED and python.parsed(text) is not None:
        return [(0, text)] if text.strip() else []
    glued = _GLUED.search(text)
    lines = (text if glued is None else text[: glued.start()]).split("\n")
    offsets = [0]
    for line in lines:
        offsets.append(offsets[-1] + len(line) + 1)
    starts = [number for number, line in enumerate(lines) if _PYTHON_START.match(line)]
    found, at, budget = [], 0, _PARSED_IN_ALL
    for start in starts[:_MOST_TRIES]:
        if start < at or budget <= 0:
            continue
        code, budget = _longest("\n".join(lines[start:]), budget)
        if code:
            found.append((offsets[start], code))
            at = start + code.count("\n") + 1
    return found


def _longest(text: str, budget: int) -> tuple[str, int]:
    """The beginning of a text, up to an unindented line, that is Python; and what is left of the budget."""
    while text and budget > 0:
        budget -= len(text) + 1
        line = python.error_line(text) if len(text) <= python.MOST_PARSED else 0
        if not line:
            return text, budget
        lines = text.split("\n")[:line]
        last = next((n for n in range(len(lines) - 1, 0, -1) if lines[n][:1].strip()), 0)
        text = "\n".join(lines[:last])
    return "", budget


@lru_cache(maxsize=256)
def _indented(name: str) -> re.Pattern[str]:
    return lexer(rf"(?m:^)([ \t]++)(?:async\s++)?def\s++{re.escape(name)}\s*+\(")
