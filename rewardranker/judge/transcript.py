"""The lines that a program's process (or its tester) sent, checked against the protocol.

Each line is ``[nonce, number, kind, ...]``. The order is: ``begun``; how loading the program went; one
answer per test; an ending. Whatever else is in the stream, a program wrote there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from rewardranker.judge.child import wire
from rewardranker.judge.sandbox.step import Outcome

#: Who writes the stream: a driver that answers calls with ``values``; the ``tester`` of a Python program, in a
#: process of its own; the same with ``probes`` in place of tests; trusted ``checks`` in the program's process; a
#: Python ``main`` program's loader.
Protocol = Literal["values", "tester", "probes", "checks", "main"]

_OPENINGS = {"ready": 0, "compile": 2, "load": 2}
# A program behind a driver never has the tester's words, so it cannot say "pass".
_ANSWERS: dict[Protocol, dict[str, int]] = {
    "values": {"value": 1, "opaque": 1, "error": 2},
    "tester": {"pass": 0, "wrong": 1, "error": 2},
    "probes": {"seen": 1},
    "checks": {"pass": 0, "wrong": 1, "error": 2},
    "main": {"error": 2},
}
_ENDINGS: dict[Protocol, dict[str, int]] = {
    "values": {"done": 0},
    "tester": {"done": 1, "gone": 1, "tampered": 1, "unsupported": 1, "output": 1},
    "probes": {"done": 1, "gone": 1, "tampered": 1, "unsupported": 1, "output": 1},
    "checks": {"done": 1},
    "main": {"done": 0},
}


class Tampered(Exception):
    """The stream is not what our own code writes."""


@dataclass(frozen=True)
class Transcript:
    """A checked stream. Each line is ``(kind, rest)``; ``opening`` and ``ending`` are empty where the
    process never got there."""

    begun: bool
    opening: str
    opening_rest: list[str]
    answers: list[tuple[str, list[Any]]]
    ending: str
    detail: str


def read_transcript(outcome: Outcome, nonce: str, total: int, protocol: Protocol) -> Transcript:
    """Reads the stream of a job with ``total`` tests (for ``main``: at most so many errors).

    Raises:
        Tampered: a line is not ours, out of step, of a kind that has no place there, or one of too many or
            too few.
    """
    lines = _lines(outcome, nonce)
    begun = bool(lines)
    if begun and lines.pop(0) != ["begun"]:
        raise Tampered("a line out of step")
    opening = lines.pop(0) if lines and _fits(lines[0], _OPENINGS) else [""]
    ending = lines.pop() if lines and _fits(lines[-1], _ENDINGS[protocol]) else ["", ""]
    if not all(_fits(line, _ANSWERS[protocol]) for line in lines) or (lines and opening != ["ready"]):
        raise Tampered("a line that has no place there")
    if ending[0] == "done" and opening != ["ready"]:
        raise Tampered("an end without a beginning")
    short = ending[0] == "done" and len(lines) < total and protocol != "main"
    if len(lines) > total or short:
        raise Tampered(f"{len(lines)} answers to {total} tests")
    detail = ending[1] if len(ending) > 1 else ""
    return Transcript(begun, opening[0], opening[1:], [(line[0], line[1:]) for line in lines], ending[0], detail)


def _lines(outcome: Outcome, nonce: str) -> list[list[Any]]:
    """``[kind, ...]`` of every line. A last line without its end is passed over where a limit or a signal
    cut the process short."""
    *texts, rest = outcome.results.split(b"\n")
    if rest and not (outcome.limit or outcome.signal):
        raise Tampered("a line without an end")
    return [_line(text, nonce, number) for number, text in enumerate(texts)]


def _line(text: bytes, nonce: str, number: int) -> list[Any]:
    try:
        line = wire.loads(text.decode())
    except (wire.WireError, UnicodeDecodeError):
        raise Tampered("a line that is not ours") from None
    if type(line) is not list or len(line) < 3 or line[0] != nonce or line[1] != number:
        raise Tampered("a line out of step")
    return line[2:]


def _fits(line: list[Any], kinds: dict[str, int]) -> bool:
    """Whether a line is one of ``kinds``, which give the number of further entries; all but a ``value``'s
    are text."""
    kind, *rest = line
    if type(kind) is not str or kinds.get(kind) != len(rest):
        return False
    return kind == "value" or all(type(entry) is str for entry in rest)
