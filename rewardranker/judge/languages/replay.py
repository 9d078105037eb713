"""Trusted tests that run in a process of their own, on what the program has answered to their calls (L2)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from rewardranker.linear import lexer

#: A value that a script or a Java program may send: JSON on one line.
LINE = lexer(r"[^\n]*+\Z")


@dataclass(frozen=True)
class Argument:
    """One argument of a call, as program text.

    Attributes:
        how: ``l``: an object that the call may change; ``c``: an object that it may not; ``r``: a value.
        text: an expression for it.
        type: its type's name.
    """

    how: str
    text: str
    type: str


@dataclass(frozen=True)
class RecordedCall:
    """One call that the tests make.

    Attributes:
        copied: whether the tests call a copy (``auto candidate = f;``), which overloads and templates do not allow.
        uses: what the tests do with the value, by type alone.
        key: tells its arguments from another call's.
    """

    copied: bool
    arguments: tuple[Argument, ...]
    uses: tuple[str, ...]
    key: str

    @property
    def values(self) -> int:
        """How many values an answer holds: what was returned, and every argument that the call may change."""
        return 1 + sum(argument.how == "l" for argument in self.arguments)


@dataclass(frozen=True)
class ReplayRequest:
    """What a program is asked, and what a compiler may have to see beside it.

    Attributes:
        nonce: of the run.
        prompt, tests: trusted.
    """

    entry: str
    calls: tuple[RecordedCall, ...]
    nonce: str
    prompt: str
    tests: str

    @property
    def job(self) -> bytes:
        """What a script's driver is told: to answer each call with a list of texts, the value first."""
        calls = ",".join(call.key for call in self.calls)  # which are JSON
        entry = json.dumps(self.entry)
        return f'{{"nonce":"{self.nonce}","entry":{entry},"replayed":"yes","calls":[{calls}]}}'.encode()


def helpers(prompt: str, definition: str, entry: str) -> str:
    """What a prompt defines before the function that it asks for; nothing where it begins none of that name.

    Args:
        definition: a pattern for where a function begins, with ``{0}`` for its name.
    """
    found = list(re.finditer(definition.format(re.escape(entry)), prompt, re.MULTILINE))
    return prompt[: found[-1].start()] if found else ""
