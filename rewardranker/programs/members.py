"""Java and C#: what stands in a class, and what an answer shows outside of it though it belongs into it."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import dedent, indent

from rewardranker.linear import WORD, lexer, pattern
from rewardranker.programs.definitions import definition
from rewardranker.programs.literals import blank
from rewardranker.programs.naming import defined_names, names
from rewardranker.programs.removal import with_comments, without
from rewardranker.programs.structure import Span, items

KINDS = "(?:class|interface|enum|record|struct)"
_IMPORT = pattern(r"(?:import|extern\s+alias|(?:global\s+)?using)\b[^(){}]*;?\z")
_ANNOTATIONS = rf"(?:@{WORD}+(?:\s*\([^()]*\))?\s*|\[[^\]]*\]\s*)*"
_TYPE = pattern(rf"{_ANNOTATIONS}[^;{{}}()=]*?\b{KINDS}\s+({WORD}+)[^;{{}}]*\{{")
_MEMBER = pattern(rf"{_ANNOTATIONS}[\pL\pN_<>\[\],.?\s]*[\pL\pN_>\]?]\s+{WORD}+\s*(?:<[^()]*>)?\s*\([^;=]*(?:\{{|=>)")
_FIELD = pattern(r"(?:(?:public|private|protected|internal|static|final|readonly|const)\s+)+[^()]*?[=;]")
_STATEMENT = lexer(r"(?:return|if|for|foreach|while|do|switch|try|await|throw|else|using|new)\b")
_CALLED = lexer(r"(?<![\w.])([^\W\d]\w*+)\s*+\(")


def is_import(text: str) -> bool:
    """Whether a declaration, blanked, makes other types known."""
    return _IMPORT.match(text) is not None


def type_name(text: str) -> str:
    """What the type is called that a declaration, blanked, defines; empty where it is none."""
    match = _TYPE.match(text)
    return match[1] if match is not None else ""


def is_member(text: str) -> bool:
    """Whether a declaration, blanked, is a method or a field with a modifier."""
    return _STATEMENT.match(text) is None and (_MEMBER.match(text) is not None or _FIELD.match(text) is not None)


def inside(masked: str, language: str, span: Span) -> list[Span]:
    """The members of the type that ``span`` is."""
    end = span.end - 1 if masked[span.end - 1] == "}" else span.end
    return items(masked, language, masked.index("{", span.start) + 1, end)


def declared(masked: str, language: str) -> set[str]:
    """The names that a program defines: of its types, their members, and what stands beside them."""
    spans = items(masked, language)
    members = [member for span in spans if type_name(span.of(masked)) for member in inside(masked, language, span)]
    return _names_in(masked, [*spans, *members], language)


class Opener:
    """Shows other blocks of an answer beside the chosen one: with a class's members in its place where the chosen
    block calls one of them by its bare name and has no such method. It was shown in the class where it belongs, or in
    a draft of it."""

    def __init__(self, language: str, chosen: str) -> None:
        program = blank(chosen, language)
        own = declared(program, language)
        self._language = language
        self._lacking = set(_CALLED.findall(program)) - own
        self._of_other_types = names(program) - own

    def opened(self, block: str) -> str:
        masked = blank(block, self._language)
        parts, place = [], 0
        for span in items(masked, self._language) if self._lacking else ():
            name = type_name(span.of(masked))
            if not name or name in self._of_other_types:
                continue
            inner = inside(masked, self._language, span)
            members = [one for one in inner if name not in _names_in(masked, [one], self._language)]
            if not self._lacking.isdisjoint(_names_in(masked, members, self._language)):
                texts = (dedent(_with_comments(block, masked, member)) for member in members)
                parts += [block[place : span.start], "\n".join(texts)]
                place = span.end
        return "".join([*parts, block[place:]])


def type_around(masked: str, language: str, entry_point: str) -> tuple[Span | None, list[Span]]:
    """The type with the entry point in it, if there is one, and the other types."""
    place = definition(masked, language, entry_point)
    types = [span for span in items(masked, language) if type_name(span.of(masked))]
    found = next((span for span in types if place is not None and span.start <= place < span.end), None)
    return found, [span for span in types if span != found]


def gathered(code: str, language: str, entry_point: str) -> str:
    """A program whose entry point stands in a class, with its imports first.

    Methods and fields beside that class which it needs are put into it; what else may only stand in a class, and does
    not, goes."""
    masked = blank(code, language)
    spans = items(masked, language)
    strays = [span for span in spans if not is_import(span.of(masked)) and not type_name(span.of(masked))]
    types = [span.start for span in spans if type_name(span.of(masked))]
    late = [span for span in spans if is_import(span.of(masked)) and span.start > types[0]]
    members = _needed(masked, strays, type_around(masked, language, entry_point)[0], language)
    texts = [indent(_with_comments(code, masked, span), "    ") for span in members]
    imports = dict.fromkeys(span.of(code) for span in late)
    code = without(code, masked, [*strays, *late])
    if texts:
        code = _with_members(code, language, entry_point, texts)
    return "\n".join([*imports, code])


def _needed(masked: str, strays: list[Span], owner: Span | None, language: str) -> list[Span]:
    """Those methods and fields that the type needs and lacks, and what these need."""
    if owner is None or masked[owner.end - 1] != "}":
        return []
    by_name: dict[str, list[Span]] = {}
    for span in strays:
        if is_member(span.of(masked)):
            for name in defined_names(span.of(masked), language):
                by_name.setdefault(name, []).append(span)
    for name in _names_in(masked, inside(masked, language, owner), language):
        by_name.pop(name, None)
    found: dict[Span, None] = {}
    left = list(names(owner.of(masked))) if by_name else []
    while left:
        for span in by_name.pop(left.pop(), ()):
            found[span] = None
            left += names(span.of(masked))
    return sorted(found, key=lambda span: span.start)


def _with_members(code: str, language: str, entry_point: str, texts: Sequence[str]) -> str:
    owner, _ = type_around(blank(code, language), language, entry_point)
    assert owner is not None
    end = owner.end - 1
    return "\n\n".join([code[:end].rstrip(), *texts]) + "\n" + code[end:]


def _names_in(masked: str, spans: Sequence[Span], language: str) -> set[str]:
    return {name for span in spans for name in defined_names(span.of(masked), language)}


def _with_comments(code: str, masked: str, span: Span) -> str:
    start, end = with_comments(code, masked, span)
    return code[start:end].strip("\n")
