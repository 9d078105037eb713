"""Where a program defines a name, by language. All of it reads blanked text."""

from __future__ import annotations

import re

from rewardranker.execution.extraction import python
from rewardranker.execution.extraction.literals import blank

_NO_TYPE = frozenset(("return", "new", "else", "throw", "await", "in", "case", "not", "and", "or", "yield"))
_BEFORE_NAME = re.compile(r"([\w\])>*&?]+)\s*\Z")
_TAILS = {
    "cpp": re.compile(r"\s*(?:const|noexcept|override|->\s*[\w:<>,\s*&]+|\s)*\{"),
    "java": re.compile(r"\s*(?:\[\s*\]\s*)*(?:throws\s+[\w.,\s]+)?\{"),
    "csharp": re.compile(r"\s*(?:where\s[^{};]*)?(?:\{|=>)"),
}
_SCRIPT = (
    r"\bfunction\s*\*?\s*{0}\s*[<(]|\b(?:const|let|var)\s+{0}\s*(?::[^;]*?)?=(?!=)"
    r"|(?:\A|[\n;}}])[ \t]*(?:(?:module\.)?exports\.|globalThis\.|window\.)?{0}\s*=(?![=>])"
)
_PATTERNS = {
    "javascript": _SCRIPT,
    "typescript": _SCRIPT,
    "php": r"(?i:\bfunction\s+&?\s*{0}\s*\()",
    "bash": r"(?:\A|(?<=[\s;]))(?:function\s+{0}(?![\w-])(?:\s*\(\s*\))?|{0}\s*\(\s*\))\s*[{{(]",
}


def definition(masked: str, language: str, name: str) -> int | None:
    """Where the first definition of function ``name`` begins (its name, or the word before it), if anywhere."""
    if language in _TAILS:
        return _typed(masked, language, name)
    pattern = _PATTERNS.get(language)
    match = re.search(pattern.format(re.escape(name)), masked) if pattern is not None else None
    return match.start() + len(match[0]) - len(match[0].lstrip("\n; \t}")) if match is not None else None


def defines(code: str, language: str, name: str) -> bool:
    """Whether a program defines the function; any program does where there is no name to look for."""
    if not name:
        return True
    if language == "python":
        return python.defines(name, code)
    return definition(blank(code, language), language, name) is not None


def _typed(masked: str, language: str, name: str) -> int | None:
    """A type, the name, parameters, and then a body."""
    for match in re.finditer(rf"(?<![\w.:~]){re.escape(name)}\s*(?:<[\w\s,]+>)?\s*\(", masked):
        before = _BEFORE_NAME.search(masked, max(0, match.start() - 200), match.start())
        after = _after_parameters(masked, match.end() - 1)
        if (
            before is not None
            and before[1] not in _NO_TYPE
            and after is not None
            and _TAILS[language].match(masked, after)
        ):
            return match.start()
    return None


def _after_parameters(masked: str, opening: int) -> int | None:
    depth = 0
    for match in re.compile("[()]").finditer(masked, opening):
        depth += 1 if match[0] == "(" else -1
        if depth == 0:
            return match.end()
    return None
