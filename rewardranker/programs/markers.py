"""Chat markers and end tokens that were left in a model's text, and the turns that they mark."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rewardranker.linear import lexer
from rewardranker.programs.places import begins_line, blank_before, ends_line, quoted

_MARK = lexer(
    r"<\|(?!(?:begin|end)_of_thought)(?P<bar>[A-Za-z_][\w-]{0,40}+)\|>|<｜(?P<wide>[^｜\n<>]{1,40}+)｜>"
    r"|(?P<end_of_sequence></s>)|(?P<begin_of_sequence><s>)"
    r"|<(?P<tag>start_of_turn|end_of_turn|eos|bos|pad|EOT|eot)>|(?P<instruction>\[/?INST\])|(?P<system><</?SYS>>)"
    r"|(?<!\#)\#{2,4}+ ?(?P<heading>Instruction|Response|Assistant|User|Human|System)\s?:(?=[ \t]*+(?:\n|\Z))"
    r"|(?m:^)(?P<speaker>Human|USER|ASSISTANT|Assistant):"
)
_OPENING_TEXT = """
    im_start start_header_id begin_of_text startoftext start bos channel message start_of_turn start_of_role
    begin▁of▁sentence <s>
"""
_OPENING = frozenset(_OPENING_TEXT.split())
_ROLES = {
    **dict.fromkeys(("user", "human", "system", "tool", "instruction", "developer", "[inst]", "<<sys>>"), "user"),
    **dict.fromkeys(("assistant", "response", "model", "final", "[/inst]"), "assistant"),
    **dict.fromkeys(("analysis", "commentary"), "thought"),
}
_NAME = lexer(
    r"[ \t]*+(user|human|system|tool|developer|assistant|model|analysis|commentary|final)(?=[ \t]*+(?:\n|<|\Z))"
)


@dataclass(frozen=True)
class Turn:
    """What stands between markers, and who says it: ``assistant``, ``user``, ``thought``, or nobody known."""

    role: str
    text: str


def turns(text: str) -> list[Turn]:
    """The turns of a text, at least one. A text without markers is one turn.

    A marker counts at the beginning or end of a line, or beside another one, and not beside quotation marks.
    """
    found: list[Turn] = []
    role, place = "", 0
    for match in _counted(text):
        found.append(Turn(role, text[place : match.start()]))
        place = match.end() + (match.lastgroup == "instruction" and text.startswith(" ", match.end()))
        name = str(match[match.lastgroup or 0])
        role = _ROLES.get(name.lower(), role if name in ("channel", "message", "end_header_id", "<</SYS>>") else "")
        named = _NAME.match(text, place) if name in _OPENING else None
        if named is not None:
            role, place = _ROLES[named[1]], named.end()
    found.append(Turn(role, text[place:]))
    return found


def _counted(text: str) -> list[re.Match[str]]:
    """The marks that count."""
    found = list(_MARK.finditer(text))
    counted: list[re.Match[str]] = []
    last, struck = 0, -1
    for number, match in enumerate(found):
        (start, end), kind = match.span(), match.lastgroup
        before = blank_before(text, start)
        if kind == "begin_of_sequence":
            struck = start
            if text[last:start].strip():
                continue
        if kind == "end_of_sequence" and struck >= last and "\n" not in text[struck:start]:
            struck = -1  # HTML's way to strike something out
            continue
        beside = before == last and bool(counted) or number + 1 < len(found) and found[number + 1].start() == end
        alone = begins_line(text, start) or ends_line(text, end) or kind == "instruction"
        if (beside or alone) and not quoted(text, start, end):
            counted.append(match)
            last = end
    return counted
