"""JavaScript, TypeScript, PHP and Bash: a model's own calls of its function, beside the definitions."""

from __future__ import annotations

from rewardranker.linear import lexer, pattern
from rewardranker.programs.definitions import definition
from rewardranker.programs.literals import blank, filled, literals
from rewardranker.programs.removal import without
from rewardranker.programs.structure import Span, items

_FUNCTION = {
    "bash": pattern(r"(?:function\s+)?([\w:.-]+)\s*(?:\(\s*\))?\s*[{(]"),
    "php": pattern(
        r"function\s+&?\s*(\w+)|(?:(?:abstract|final|readonly)\s+)*(?:class|interface|trait|enum)\s+(\w+)"
    ),
}
_SCRIPT_FUNCTION = pattern(
    r"(?:export\s+)?(?:default\s+)?(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?"
    r"(?:function\s*\*?|class|interface|type|enum|namespace|import)\s+([\w$]+)?"
    r"|(?:export\s+)?(?:const|let|var)\s+([\w$]+)[^=;]*=\s*(?:async\s*)?"
    r"(?:function\b|[\w$]+\s*=>|(?:<[^()]*>\s*)?\([^()]*\)\s*(?::[^;{]*?)?=>)"
)
_PRINTS = {
    "bash": lexer(r"(?:echo|printf|read)\b"),
    "php": lexer(r"(?:echo|print|print_r|var_dump|var_export|printf|assert)\b"),
}
_SCRIPT_PRINTS = lexer(r"(?:console\s*+\.|assert\b|process\s*+\.\s*+stdout\b)")
_BINDS = {
    "bash": lexer(r"(?:(?:local|declare|readonly|export)\s++(?:-\w++\s++)*+)?(\w++)\+?="),
    "php": lexer(r"(\$\w++)\s*+="),
}
_SCRIPT_BINDS = lexer(r"(?:const|let|var)\s++([\w$]++)")
_COMMAND = lexer(r"[^\s;&|(){}`!]++")
_CALLED = lexer(r"(?<![\w$.])([\w$]++)\s*+\(")
_MENTIONED = {"bash": lexer(r"\$\{?[#!]?(\w++)"), "php": lexer(r"(?<![\w$])(\$\w++)")}
_SCRIPT_MENTIONED = lexer(r"(?<![\w$])([\w$]++)")
_BEFORE_COMMAND, _BEHIND_COMMAND = frozenset("\n\t ;&|({`!"), frozenset("\n\t ;&|)`")


def without_own_tests(code: str, language: str, entry_point: str) -> str:
    """``code`` without statements outside of functions that call the entry point, directly or through a
    function, that print, or that need what such a statement had bound. A program that does not define the entry
    point stays as it is."""
    masked = blank(code, language)
    place = definition(masked, language, entry_point)
    if place is None:
        return code
    seen = _without_comments(code) if language == "bash" else masked
    spans = items(masked, language)
    names = [function_name(span.of(masked), language) for span in spans]
    at_entry = [span.start <= place < span.end for span in spans]
    bodies = {
        name: span
        for span, name, entry in zip(spans, names, at_entry, strict=True)
        if name not in ("", "*") and not entry
    }
    others = [span for span, name, entry in zip(spans, names, at_entry, strict=True) if not name and not entry]
    callers = _callers(seen, bodies, language, entry_point)
    tests = [span for span in others if _is_test(span, seen, masked, language, callers)]
    return without(code, masked, _and_dependants(others, tests, seen, masked, language))


def function_name(text: str, language: str) -> str:
    """The name of the function (or type) that a statement defines, ``*`` for one without; empty where it is none."""
    match = _FUNCTION.get(language, _SCRIPT_FUNCTION).match(text)
    return next((name for name in match.groups() if name), "*") if match is not None else ""


def _without_comments(code: str) -> str:
    """A script with its comments as spaces, and its literals as they are: they may hold commands."""
    return filled(code, (piece for piece in literals(code, "bash") if piece[2] == "comment"))


def _callers(seen: str, bodies: dict[str, Span], language: str, entry_point: str) -> set[str]:
    """The entry point, and functions from which it is called."""
    called_by: dict[str, list[str]] = {}
    for name, span in bodies.items():
        for called in _calls(span.of(seen), language):
            called_by.setdefault(called, []).append(name)
    callers, left = {entry_point}, [entry_point]
    while left:
        for name in called_by.get(left.pop(), ()):
            if name not in callers:
                callers.add(name)
                left.append(name)
    return callers


def _calls(text: str, language: str) -> set[str]:
    """What a text calls, by name; in Bash, every word that could be a command."""
    if language != "bash":
        return set(_CALLED.findall(text))
    return {
        match[0]
        for match in _COMMAND.finditer(text)
        if (not match.start() or text[match.start() - 1] in _BEFORE_COMMAND)
        and (match.end() == len(text) or text[match.end()] in _BEHIND_COMMAND)
    }


def _is_test(span: Span, seen: str, masked: str, language: str, callers: set[str]) -> bool:
    prints = _PRINTS.get(language, _SCRIPT_PRINTS).match(masked, span.start, span.end) is not None
    return prints or not callers.isdisjoint(_calls(span.of(seen), language))


def _and_dependants(others: list[Span], tests: list[Span], seen: str, masked: str, language: str) -> list[Span]:
    """``tests`` and whatever, outside of functions, mentions a variable that one of them had bound."""
    binds, mentioning = _BINDS.get(language, _SCRIPT_BINDS), dict[str, list[Span]]()
    for span in others:
        for name in _mentioned(span.of(seen), language):
            mentioning.setdefault(name, []).append(span)
    found, left = dict.fromkeys(tests), list(tests)
    while left:
        bound = binds.match(masked, (span := left.pop()).start, span.end)
        for other in mentioning.pop(bound[1], ()) if bound is not None else ():
            if other not in found:
                found[other] = None
                left.append(other)
    return list(found)


def _mentioned(text: str, language: str) -> set[str]:
    return set(_MENTIONED.get(language, _SCRIPT_MENTIONED).findall(text))
