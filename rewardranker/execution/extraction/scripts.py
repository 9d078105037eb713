"""JavaScript, TypeScript, PHP and Bash: a model's own calls of its function, beside the definitions."""

from __future__ import annotations

import re

from rewardranker.execution.extraction.bash_literals import blank_bash_comments
from rewardranker.execution.extraction.definitions import definition
from rewardranker.execution.extraction.literals import blank
from rewardranker.execution.extraction.removal import without
from rewardranker.execution.extraction.structure import Span, items

_FUNCTION = {
    "bash": re.compile(r"(?:function\s+)?([\w:.-]+)\s*(?:\(\s*\))?\s*[{(]"),
    "php": re.compile(
        r"function\s+&?\s*(\w+)|(?:(?:abstract|final|readonly)\s+)*(?:class|interface|trait|enum)\s+(\w+)"
    ),
}
_SCRIPT_FUNCTION = re.compile(
    r"(?:export\s+)?(?:default\s+)?(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?"
    r"(?:function\s*\*?|class|interface|type|enum|namespace|import)\s+([\w$]+)?"
    r"|(?:export\s+)?(?:const|let|var)\s+([\w$]+)[^=;]*=\s*(?:async\s*)?"
    r"(?:function\b|[\w$]+\s*=>|(?:<[^()]*>\s*)?\([^()]*\)\s*(?::[^;{]*?)?=>)"
)
_PRINTS = {
    "bash": re.compile(r"(?:echo|printf|read)\b"),
    "php": re.compile(r"(?:echo|print|print_r|var_dump|var_export|printf|assert)\b"),
}
_SCRIPT_PRINTS = re.compile(r"(?:console\s*\.|assert\b|process\s*\.\s*stdout\b)")
_BINDS = {
    "bash": re.compile(r"(?:(?:local|declare|readonly|export)\s+(?:-\w+\s+)*)?(\w+)\+?="),
    "php": re.compile(r"(\$\w+)\s*="),
}
_SCRIPT_BINDS = re.compile(r"(?:const|let|var)\s+([\w$]+)")


def without_own_tests(code: str, language: str, entry_point: str) -> str:
    """``code`` without statements outside of functions that call the entry point, directly or through a
    function, that print, or that need what such a statement had bound. A program that does not define the entry
    point stays as it is."""
    masked = blank(code, language)
    place = definition(masked, language, entry_point)
    if place is None:
        return code
    seen = blank_bash_comments(code) if language == "bash" else masked
    spans = items(masked, language)
    functions = [span for span in spans if _function(span.of(masked), language) or span.start <= place < span.end]
    others = [span for span in spans if span not in functions]
    callers = _callers(seen, masked, functions, place, language, entry_point)
    tests = [span for span in others if _is_test(span, seen, masked, language, callers)]
    return without(code, masked, _and_dependants(others, tests, seen, masked, language))


def _function(text: str, language: str) -> str:
    """The name of the function (or type) that a statement defines; empty where it defines none."""
    match = _FUNCTION.get(language, _SCRIPT_FUNCTION).match(text)
    return next((name for name in match.groups() if name), "*") if match is not None else ""


def _callers(seen: str, masked: str, functions: list[Span], place: int, language: str, entry_point: str) -> list[str]:
    """The entry point, and functions from which it is called."""
    bodies = {_function(span.of(masked), language): span for span in functions if not span.start <= place < span.end}
    callers = [entry_point]
    while found := [
        name
        for name, span in bodies.items()
        if name not in (*callers, "", "*") and any(_calls(span.of(seen), caller, language) for caller in callers)
    ]:
        callers += found
    return callers


def _calls(text: str, name: str, language: str) -> bool:
    if language == "bash":
        return re.search(rf"(?:\A|[\s;&|({{`!]){re.escape(name)}(?=[\s;&|)`]|\Z)", text) is not None
    return re.search(rf"(?<![\w$.]){re.escape(name)}\s*\(", text) is not None


def _is_test(span: Span, seen: str, masked: str, language: str, callers: list[str]) -> bool:
    text = span.of(seen)
    prints = _PRINTS.get(language, _SCRIPT_PRINTS).match(span.of(masked)) is not None
    return prints or any(_calls(text, caller, language) for caller in callers)


def _and_dependants(others: list[Span], tests: list[Span], seen: str, masked: str, language: str) -> list[Span]:
    """``tests`` and whatever, outside of functions, mentions a variable that one of them had bound."""
    while True:
        bound = [match[1] for span in tests if (match := _BINDS.get(language, _SCRIPT_BINDS).match(span.of(masked)))]
        if not bound:
            return tests
        mention = re.compile("|".join(rf"(?<![\w$]){re.escape(name)}(?![\w$])" for name in bound))
        if language == "bash":
            mention = re.compile("|".join(rf"\$\{{?[#!]?{re.escape(name)}\b" for name in bound))
        more = [span for span in others if span not in tests and mention.search(span.of(seen))]
        if not more:
            return tests
        tests = tests + more
