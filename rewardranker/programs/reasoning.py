"""What a model thought before it answered: blocks such as ``<think>...</think>``."""

from __future__ import annotations

from dataclasses import dataclass

from rewardranker.linear import lexer
from rewardranker.programs.places import begins_line, quoted

_NAMES = "think|thinking|thought|thoughts|reasoning|reflection|analysis|scratchpad"
_TAG = lexer(
    rf"(?i:<(?P<slash>/)?(?:\w{{1,20}}+:)?(?:{_NAMES})>|\[(?P<slash2>/)?THINK\]|◁(?P<slash3>/)?think▷"
    r"|<\|(?:(?P<end>end)|begin)_of_thought\|>)"
)
_ANSWER = lexer(r"(?i:<(?P<slash>/)?(?:answer|final_answer|final|solution)>)")


@dataclass(frozen=True)
class Said:
    """A text, taken apart.

    Attributes:
        answer: without its reasoning.
        hidden: the reasoning that may hold the answer: all of it where nothing else is said, else that of a block
            which is never closed.
        cut_off: whether there is such a block, so that ``hidden`` is no answer as it stands.
    """

    answer: str
    hidden: str = ""
    cut_off: bool = False


def split(text: str) -> Said:
    """Tells reasoning and answer apart.

    A closing tag alone closes what the prompt has opened: all that stands before it. Tags beside quotation marks are
    none, and neither is an opening one in the midst of a line.
    """
    kept: list[str] = []
    hidden: list[str] = []
    place, opened = 0, False
    for match in _TAG.finditer(text):
        start, end = match.span()
        closes = match.lastgroup is not None
        if quoted(text, start, end) or not closes and (opened or not begins_line(text, start)):
            continue
        (hidden if opened else kept).append(text[place:start])
        if closes and not opened:
            hidden += kept
            kept.clear()
        opened, place = not closes, end
    (hidden if opened else kept).append(text[place:])
    answer = _marked("".join(kept))
    needed = opened or not answer.strip()
    return Said(answer, "\n".join(hidden) if needed else "", opened)


def _marked(text: str) -> str:
    """The last part of an answer that is marked as the answer, else all of it."""
    tags = [match for match in _ANSWER.finditer(text) if match["slash"] or begins_line(text, match.start())]
    opening = next((match.end() for match in reversed(tags) if not match["slash"]), 0)
    closing = (match.start() for match in tags if match["slash"] and match.start() >= opening)
    return text[opening : next(closing, len(text))] if opening else text
