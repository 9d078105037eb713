"""What a top-level declaration of a program is called, by language. All of it reads blanked text."""

from __future__ import annotations

from rewardranker.linear import WORD, lexer, pattern
from rewardranker.programs.scripts import function_name

_NAME = lexer(r"[^\W\d][\w$]*+|\$\w++")
_COMMAND = lexer(r"[\w.:-]++")
_IMPORT = {
    "cpp": pattern(r"#\s*include\b|using\s+namespace\b"),
    "java": pattern(r"import\b"),
    "csharp": pattern(r"using\s+[\w.]+\s*;"),
    "php": pattern(r"use\s"),
}
_ANNOTATIONS = rf"(?:@{WORD}+(?:\s*\([^()]*\))?\s*|\[[^\]]*\]\s*)*"
_TYPED = pattern(
    rf"(?:template\s*<[^;{{]*>\s*)?{_ANNOTATIONS}[^;{{}}()=]*?"
    rf"\b(?:class|interface|enum\s+class|enum|record|struct|union|using|typedef)\s+({WORD}+)"
)
_MACRO = pattern(rf"#\s*define\s+({WORD}+)")
_FUNCTION = pattern(rf"[^;{{}}()=]*?({WORD}+)\s*(?:<[^()]*>)?\s*\([^;]*(?:\{{|=>)")
_VALUE = pattern(rf"[^;{{}}()=]*?[\w>\]&*]\s+[&*]?({WORD}+)\s*(?:\[[^\]]*\]\s*)*[=;{{]")
_SCRIPT_VALUE = {
    "php": pattern(r"(?:const\s+(\w+)|(\$\w+))\s*="),
    "bash": pattern(r"(?:(?:local|declare|readonly|export)\s+(?:-\w+\s+)*)?(\w+)="),
}
_SCRIPT = pattern(r"(?:export\s+)?(?:const|let|var)\s+([\w$]+)|(?:const|let|var)\s*[{\[]([\w$\s,:]+)[}\]]\s*=")
_SCRIPT_IMPORT = pattern(r"import\s+(?:\*\s*as\s+)?([\w$]+)?[\s,]*(?:\{([\w$\s,]*)\})?")


def names(text: str) -> set[str]:
    """The names that a text mentions; in Bash also words with hyphens."""
    return {*_NAME.findall(text), *_COMMAND.findall(text)}


def is_import(text: str, language: str) -> bool:
    """Whether a declaration makes names of a library known, in a language where it does not say which."""
    found = _IMPORT.get(language)
    return found is not None and found.match(text) is not None


def defined_names(text: str, language: str) -> list[str]:
    """The names that a top-level declaration defines."""
    if language in ("cpp", "java", "csharp"):
        return _typed(text)
    if language in ("javascript", "typescript") and text.startswith("import"):
        match = _SCRIPT_IMPORT.match(text)
        return _NAME.findall(" ".join(filter(None, match.groups()))) if match is not None else []
    function = function_name(text, language)
    if function not in ("", "*"):
        return [function]
    match = _SCRIPT_VALUE.get(language, _SCRIPT).match(text)
    return _NAME.findall(" ".join(filter(None, match.groups()))) if match is not None else []


def _typed(text: str) -> list[str]:
    for kind in (_MACRO, _TYPED, _FUNCTION, _VALUE):
        match = kind.match(text)
        if match is not None:
            return [match[1]]
    return []
