"""What a program needs of the prompt before its function: includes, imports, types, a first line."""

from __future__ import annotations

import re

from rewardranker.linear import pattern
from rewardranker.programs.definitions import definition
from rewardranker.programs.literals import blank
from rewardranker.programs.structure import items

_TYPE = pattern(r"(?:template\s*<[^;{]*>\s*)?(?:union|struct|class|enum(?:\s+class)?|using|typedef[^;]*?)\s+(\w+)")
_FUNCTION = pattern(r"[^(){};=]*?(\w+)\s*\(")


def with_prelude(prefix: str, language: str, entry_point: str, code: str) -> str:
    """``code`` after those declarations of ``prefix``, before its function, that it lacks; comments are none."""
    if language == "bash":
        first = prefix.lstrip().split("\n")[0]
        return f"{first}\n{code}" if first.startswith("#!") and not code.startswith("#!") else code
    if language not in ("cpp", "java", "csharp"):
        return code
    masked, given = blank(code, language), blank(prefix, language)
    present = {key(span.of(code)) for span in items(masked, language)}
    missing = []
    for span in items(given, language):
        text, shape = span.of(prefix), span.of(given)
        if "{" in shape and not _closed(shape):
            break  # the function itself, or the class around it
        if key(text) not in present and not _defined(masked, language, shape) and not _names_of(shape, entry_point):
            missing.append(text)
    return "\n".join([*missing, code]) if missing else code


def key(text: str) -> str:
    """One text for declarations that differ in white space alone."""
    return "".join(text.split()).rstrip(";")


def _closed(shape: str) -> bool:
    return shape.count("{") == shape.count("}")


def _defined(masked: str, language: str, shape: str) -> bool:
    """Whether the program has a type or a function of the same name."""
    kind = _TYPE.match(shape) if language == "cpp" else None
    if kind is not None:
        declared = pattern(rf"\b(?:union|struct|class|enum|using|typedef[^;{{}}]*)\s+{re.escape(kind[1])}\s*[:={{;]")
        return declared.search(masked) is not None
    function = _FUNCTION.match(shape)
    return function is not None and definition(masked, language, function[1]) is not None


def _names_of(shape: str, entry_point: str) -> bool:
    return pattern(rf"\b{re.escape(entry_point)}\s*\(").search(shape) is not None
