"""Fenced blocks of a chat answer, and which of them is the program."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from rewardranker.execution.languages import LANGUAGES

_FENCE = re.compile(r"( *)(`{3,}) *([\w+#.-]*)([^`]*)")


@dataclass(frozen=True)
class Block:
    """One fenced block: what stands after its back-ticks (lower case), its lines, the text before it."""

    tag: str
    code: str
    before: str


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a text; one that is open at the end is closed there.

    A fence ends at one at least as long, and what its own indent hides is shown.
    """
    found: list[tuple[str, list[str], str]] = []
    fence, indent, passed = "", 0, 0
    for line in text.split("\n"):
        match = _FENCE.fullmatch(line.replace("\t", "    "))
        if fence and match and len(match[2]) >= len(fence) and not (match[3] + match[4]).strip():
            fence = ""
        elif fence:
            found[-1][1].append(line[indent:] if not line[:indent].strip() else line)
        elif match:
            indent, fence = len(match[1]), match[2]
            found.append((match[3].lower(), [], text[:passed]))
        passed += len(line) + 1
    return [Block(tag, "\n".join(lines), before) for tag, lines, before in found]


def chosen(found: list[Block], language: str, defines: Callable[[str], bool]) -> Block | None:
    """The first block in the language that ``defines`` the entry point, else the longest one; where no block
    is in the language, the same of those that name none."""
    own = LANGUAGES[language].fences if language in LANGUAGES else (language,)
    for tags in (own, ("",)):
        fitting = [block for block in found if block.tag in tags]
        if fitting:
            first = next((block for block in fitting if defines(block.code)), None)
            return first or max(fitting, key=lambda block: len(block.code))
    return None
