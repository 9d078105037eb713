"""Java and C#: the tests belong into a class of the prompt's name, which has to be complete and come last."""

from __future__ import annotations

import re

from rewardranker.execution.extraction.definitions import definition
from rewardranker.execution.extraction.literals import blank
from rewardranker.execution.extraction.removal import with_comments, without, without_tail
from rewardranker.execution.extraction.structure import Span, balanced, items, open_braces

_IMPORT = re.compile(r"(?:import|extern\s+alias|(?:global\s+)?using)\b[^(){}]*;?\Z")
_PACKAGE = re.compile(r"(?:package|namespace)\s+[\w.]+\s*;?\Z")
_NAMESPACE = re.compile(r"namespace\s+[\w.]+\s*\{")
_ANNOTATIONS = r"(?:@\w+(?:\s*\([^()]*\))?\s*|\[[^\]]*\]\s*)*"
_TYPE = re.compile(rf"{_ANNOTATIONS}[^;{{}}()=]*?\b(?:class|interface|enum|record|struct)\s+(\w+)[^;{{}}]*\{{")
_MEMBER = re.compile(rf"{_ANNOTATIONS}[\w<>\[\],.?\s]*[\w>\]?]\s+\w+\s*(?:<[^()]*>)?\s*\([^;=]*(?:\{{|=>)")
_FIELD = re.compile(r"(?:(?:public|private|protected|internal|static|final|readonly|const)\s+)+[^()]*?[=;]")
_STATEMENT = re.compile(r"(?:return|if|for|foreach|while|do|switch|try|await|throw|else|using|new)\b")
_PUBLIC = re.compile(r"(?:\A|(?<=\s))public\s+(?=(?:\w+\s+)*(?:class|interface|enum|record|struct)\b)")
_MAIN = re.compile(r"[^;{}()=]*?\b[Mm]ain\s*\(")


def class_of_prompt(prefix: str, language: str) -> str:
    """The name of the class that the prompt leaves open; ``Problem`` where it has none."""
    found = re.findall(r"\bclass\s+(\w+)[^{}]*\{", blank(prefix, language))
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
    if not any(span.start <= place < span.end and _is_type(span.of(masked)) for span in spans):
        return _wrapped(code, masked, spans, name)
    code = _last(_without_strays(code, masked, spans), language, entry_point)
    return _renamed(code, language, entry_point, name)


def _unwrapped(code: str, language: str) -> str:
    """Without packages, and with the insides of namespaces in their place."""
    for _ in range(code.count("namespace") + 1):
        masked = blank(code, language)
        spans = items(masked, language)
        packages = [span for span in spans if _PACKAGE.match(span.of(masked))]
        wrapper = next((span for span in spans if _NAMESPACE.match(span.of(masked))), None)
        if wrapper is None:
            return without(code, masked, packages)
        opening = masked.index("{", wrapper.start)
        inside = code[opening + 1 : wrapper.end].rstrip().removesuffix("}")
        code = code[: wrapper.start] + _dedented(inside).strip("\n") + "\n" + code[wrapper.end :]
    return code


def _dedented(text: str) -> str:
    lines = text.split("\n")
    hidden = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[hidden:] for line in lines)


def _without_mains(code: str, language: str) -> str:
    masked = blank(code, language)
    removed = []
    for span in items(masked, language):
        if not _is_type(span.of(masked)):
            removed += [span] if _MAIN.match(span.of(masked)) else []
            continue
        end = span.end - 1 if masked[span.end - 1] == "}" else span.end
        members = items(masked, language, masked.index("{", span.start) + 1, end)
        mains = [member for member in members if _MAIN.match(member.of(masked))]
        removed += [span] if mains and len(mains) == len(members) else mains
    cut_off = bool(removed) and not balanced(masked)
    code = without(code, masked, removed)
    return _reclosed(code, language) if cut_off else code


def _reclosed(code: str, language: str) -> str:
    """An answer that broke off within its main method lacks nothing but the end of the class around it."""
    masked = blank(code, language)
    opened = open_braces(masked)
    types = [span for span in items(masked, language) if _is_type(span.of(masked))]
    at_classes = [masked.index("{", span.start) for span in types]
    return f"{code.rstrip()}\n}}\n" if opened is not None and len(opened) == 1 and opened[0] in at_classes else code


def _is_import(text: str) -> bool:
    return _IMPORT.match(text) is not None


def _is_type(text: str) -> bool:
    return _TYPE.match(text) is not None


def _is_member(text: str) -> bool:
    return _STATEMENT.match(text) is None and (_MEMBER.match(text) is not None or _FIELD.match(text) is not None)


def _without_strays(code: str, masked: str, spans: list[Span]) -> str:
    """Without what may only stand in a class, and does not."""
    return without(code, masked, [s for s in spans if not _is_import(s.of(masked)) and not _is_type(s.of(masked))])


def _last(code: str, language: str, entry_point: str) -> str:
    """The class with the entry point comes last; in Java, no other may be public."""
    masked = blank(code, language)
    home, others = _home(masked, language, entry_point)
    if home is None:
        return code
    start, _ = with_comments(code, masked, home)
    behind = code[home.end :].strip("\n; ")
    if behind.strip():
        code = f"{code[:start]}{behind}\n\n{code[start : home.end]}\n"
        masked = blank(code, language)
        home, others = _home(masked, language, entry_point)
    for span in reversed(others if language == "java" else []):
        public = _PUBLIC.match(span.of(masked))
        if public is not None:
            code = code[: span.start] + code[span.start + public.end() :]
    return code


def _home(masked: str, language: str, entry_point: str) -> tuple[Span | None, list[Span]]:
    """The type with the entry point in it, if there is one, and the other types."""
    place = definition(masked, language, entry_point)
    types = [span for span in items(masked, language) if _is_type(span.of(masked))]
    home = next((span for span in types if place is not None and span.start <= place < span.end), None)
    return home, [span for span in types if span != home]


def _renamed(code: str, language: str, entry_point: str, name: str) -> str:
    """The class with the entry point is called ``name``, unless another one is."""
    masked = blank(code, language)
    home, others = _home(masked, language, entry_point)
    if home is None:
        return code
    (called,) = _names(masked, [home])
    if called == name or name in _names(masked, others):
        return code
    for match in reversed(list(re.finditer(rf"\b{re.escape(called)}\b", masked))):
        code = code[: match.start()] + name + code[match.end() :]
    return code


def _names(masked: str, spans: list[Span]) -> list[str]:
    return [match[1] for span in spans if (match := _TYPE.match(span.of(masked))) is not None]


def _wrapped(code: str, masked: str, spans: list[Span], name: str) -> str:
    """Imports, types, and the methods in a class of their own."""
    parts: dict[str, list[str]] = {"imports": [], "types": [], "members": []}
    for span in spans:
        start, end = with_comments(code, masked, span)
        text, shape = code[start:end].strip("\n"), span.of(masked)
        if _is_import(shape):
            parts["imports"].append(text)
        elif _is_type(shape):
            parts["types"].append(_PUBLIC.sub("", text, count=1) + "\n")
        elif _is_member(shape):
            parts["members"].append("\n".join(f"    {line}" if line else "" for line in text.split("\n")))
    members = "\n\n".join(parts["members"])
    return "\n".join([*parts["imports"], *parts["types"], f"class {name} {{", members, "}"]) + "\n"
