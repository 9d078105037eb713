"""Comments and literals out of the way, so that what is left of a program can be searched for structure."""

from __future__ import annotations

import re

from rewardranker.execution.extraction.bash_literals import blank_bash
from rewardranker.execution.extraction.script_literals import blank_script

FILL = '"'

_C_COMMENT = r"(?P<comment>//(?:\\\n|[^\n])*|/\*(?s:.*?)(?:\*/|\Z))"
_NUMBER = r"(?P<kept>(?<![\w])\d(?:'?\w|\.)*)"
_QUOTED = r'"(?:\\(?s:.)|[^"\\\n])*"?'
_CHARACTER = r"'(?:\\(?s:.)|[^'\\\n])*'?"
_HOLE = rf"\{{(?:{_QUOTED}|{_CHARACTER}|\{{[^{{}}\n]*\}}|[^{{}}\"'\n])*\}}"

_TOKENS = {
    "cpp": re.compile(
        rf'{_C_COMMENT}|{_NUMBER}|(?:u8|[uUL])?R"(?P<mark>[^()\\\s"]{{0,16}})\((?s:.*?)(?:\)(?P=mark)"|\Z)'
        rf"|{_QUOTED}|{_CHARACTER}"
    ),
    "java": re.compile(rf'{_C_COMMENT}|"""(?s:\\.|.)*?(?:"""|\Z)|{_QUOTED}|{_CHARACTER}'),
    "csharp": re.compile(
        rf'{_C_COMMENT}|\$*(?P<mark>"{{3,}})(?s:.*?)(?:(?P=mark)|\Z)|(?:\$@|@\$|@)"(?:""|[^"])*"?'
        rf'|\$"(?:\\.|\{{\{{|\}}\}}|{_HOLE}|[^"\\\n])*"?|{_QUOTED}|{_CHARACTER}|(?P<line>(?m:^[ \t]*\#[^\n]*))'
    ),
    "php": re.compile(
        r"(?P<comment>(?://|\#(?!\[))(?:(?!\?>)[^\n])*|/\*(?s:.*?)(?:\*/|\Z))"
        r"""|<<<[ \t]*(?P<mark>["']?)(?P<word>\w+)(?P=mark)\n(?s:.*?)(?:\n[ \t]*(?P=word)\b|\Z)"""
        r"""|"(?:\\(?s:.)|[^"\\])*"?|'(?:\\(?s:.)|[^'\\])*'?"""
    ),
}


def blank(code: str, language: str) -> str:
    """``code``, character by character, with comments as spaces and literals as quotation marks.

    Line ends within comments stay; those within literals do not, as nothing ends there. What is open at the
    end reaches to the end. Languages without rules of their own come back as they are.
    """
    if language in ("javascript", "typescript"):
        return blank_script(code, FILL)
    if language == "bash":
        return blank_bash(code, FILL)
    pattern = _TOKENS.get(language)
    return pattern.sub(_blanked, code) if pattern is not None else code


def spaces(text: str) -> str:
    """As many spaces, with the line ends of ``text``."""
    return re.sub(r"[^\n]", " ", text)


def _blanked(match: re.Match[str]) -> str:
    if match.lastgroup == "kept":
        return match[0]
    groups = match.groupdict()
    if groups.get("comment") is not None or groups.get("line") is not None:
        return spaces(match[0])
    return FILL * len(match[0])
