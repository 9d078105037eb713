"""Java and C#: the tests belong into a class of the prompt's name, which has to be complete and come last."""

from __future__ import annotations

import re

from rewardranker.linear import WORD, lexer, pattern
from rewardranker.programs.definitions import definition
from rewardranker.programs.literals import blank
from rewardranker.programs.members import KINDS, gathered, inside, is_import, is_member, type_around, type_name
from rewardranker.programs.removal import with_comments, without, without_tail
from rewardranker.programs.structure import Span, balanced, items, open_braces

_MOST_NESTED = 4  # namespaces within namespaces
_PACKAGE = pattern(r"(?:package|namespace)\s+[\w.]+\s*;?\z")
_NAMESPACE = lexer(r"namespace\s++[\w.]++\s*+\{")
_PUBLIC = pattern(rf"(?:\A|\s)(public\s+)(?:\w+\s+)*{KINDS}\b")
_MAIN = pattern(r"[^;{}()=]*?\b[Mm]ain\s*\(")
_OPEN_CLASS = pattern(rf"\bclass\s+({WORD}+)[^{{}}]*\{{")


def class_of_prompt(prefix: str, language: str) -> str:
    """The name of the class that the prompt leaves open; ``Problem`` where it has none."""
    found = [match[1] for match in _OPEN_CLASS.finditer(blank(prefix, language))]
    return found[-1] if found else "Problem"


def complete(code: str, language: str, entry_point: str, name: str) -> str:
    """The program as imports, other types, and last the class ``name`` with the entry point in it.

    Main methods go, with classes that held nothing else; so do packages, namespaces and statements outside of
    classes. The class around the entry point is renamed where it is called otherwise; where there is none,
    methods get one. A program that does not define the entry point stays as it is.
    """
    code = _unwrapped(without_tail(code, language), language)
    if definition(blank(code, language), language, entry_point) is None:
        return code
    shorter = _without_mains(code, language)
    masked = blank(shorter, language)
    place = definition(masked, language, entry_point)
    if place is None:
        return code
    code = shorter
    spans = items(masked, language)
    if not any(span.start <= place < span.end and type_name(span.of(masked)) for span in spans):
        return _wrapped(code, masked, spans, name)
    code = _last(gathered(code, language, entry_point), language, entry_point)
    return _renamed(code, language, entry_point, name)


def _unwrapped(code: str, language: str) -> str:
    """Without packages, and with the insides of namespaces in their place."""
    for _ in range(_MOST_NESTED):
        masked = blank(code, language)
        if "namespace" not in masked and "package" not in masked:
            return code
        spans = items(masked, language)
        wrappers = [span for span in spans if _NAMESPACE.match(masked, span.start, span.end)]
        if not wrappers:
            return without(code, masked, [span for span in spans if _PACKAGE.match(span.of(masked))])
        parts, place = [], 0
        for span in wrappers:
            opening = masked.index("{", span.start)
            body = code[opening + 1 : span.end].rstrip().removesuffix("}")
            parts += [code[place : span.start], _dedented(body).strip("\n"), "\n"]
            place = span.end
        code = "".join([*parts, code[place:]])
    return code


def _dedented(text: str) -> str:
    lines = text.split("\n")
    hidden = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[hidden:] for line in lines)


def _without_mains(code: str, language: str) -> str:
    masked = blank(code, language)
    removed = []
    for span in items(masked, language):
        if not type_name(span.of(masked)):
            removed += [span] if _MAIN.match(span.of(masked)) else []
            continue
        members = inside(masked, language, span)
        mains = [member for member in members if _MAIN.match(member.of(masked))]
        removed += [span] if mains and len(mains) == len(members) else mains
    cut_off = bool(removed) and not balanced(masked)
    code = without(code, masked, removed)
    return _reclosed(code, language) if cut_off else code


def _reclosed(code: str, language: str) -> str:
    """An answer that broke off within its main method lacks nothing but the end of the class around it."""
    masked = blank(code, language)
    opened = open_braces(masked)
    types = [span for span in items(masked, language) if type_name(span.of(masked))]
    at_classes = [masked.index("{", span.start) for span in types]
    return f"{code.rstrip()}\n}}\n" if opened is not None and len(opened) == 1 and opened[0] in at_classes else code


def _last(code: str, language: str, entry_point: str) -> str:
    """The class with the entry point comes last; in Java, no other may be public."""
    masked = blank(code, language)
    home, others = type_around(masked, language, entry_point)
    if home is None:
        return code
    start, _ = with_comments(code, masked, home)
    behind = code[home.end :].strip("\n; ")
    if behind.strip():
        code = f"{code[:start]}{behind}\n\n{code[start : home.end]}\n"
        masked = blank(code, language)
        home, others = type_around(masked, language, entry_point)
    if language != "java":
        return code
    parts, place = [], 0
    for span in others:
        start, end = _public(masked, span)
        parts.append(code[place:start])
        place = end
    return "".join([*parts, code[place:]])


def _public(masked: str, span: Span) -> tuple[int, int]:
    """Where the ``public`` of a type stands; an empty stretch where it has none."""
    match = _PUBLIC.search(masked[span.start : masked.index("{", span.start) + 1])
    return (span.start, span.start) if match is None else (span.start + match.start(1), span.start + match.end(1))


def _renamed(code: str, language: str, entry_point: str, name: str) -> str:
    """The class with the entry point is called ``name``, unless another one is."""
    masked = blank(code, language)
    home, others = type_around(masked, language, entry_point)
    if home is None:
        return code
    called = type_name(home.of(masked))
    if called == name or name in _names(masked, others):
        return code
    parts, place = [], 0
    for match in lexer(rf"\b{re.escape(called)}\b").finditer(masked):
        parts += [code[place : match.start()], name]
        place = match.end()
    return "".join([*parts, code[place:]])


def _names(masked: str, spans: list[Span]) -> list[str]:
    return [name for span in spans if (name := type_name(span.of(masked)))]


def _wrapped(code: str, masked: str, spans: list[Span], name: str) -> str:
    """Imports, types, and the methods in a class of their own."""
    parts: dict[str, list[str]] = {"imports": [], "types": [], "members": []}
    for span in spans:
        start, end = with_comments(code, masked, span)
        text, shape = code[start:end].strip("\n"), span.of(masked)
        if is_import(shape):
            parts["imports"].append(text)
        elif type_name(shape):
            first, behind = _public(masked, span)
            parts["types"].append((code[start:first] + code[behind:end]).strip("\n") + "\n")
        elif is_member(shape):
            parts["members"].append("\n".join(f"    {line}" if line else "" for line in text.split("\n")))
    members = "\n\n".join(parts["members"])
    return "\n".join([*parts["imports"], *parts["types"], f"class {name} {{", members, "}"]) + "\n"
