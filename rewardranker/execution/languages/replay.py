"""Trusted tests that run in a process of their own, on what the program has answered to their calls (L2)."""

from __future__ import annotations

from dataclasses import dataclass


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
