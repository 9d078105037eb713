"""What came in from a data set, and what was left out and why: nothing is passed over in silence."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

SHOWN = 3


@dataclass
class Census:
    """Counts by reason, each with the first few names.

    Attributes:
        licence, revision: of the data.
        taken: what is used, by kind (``problems``, ``programs in cpp, right``).
        left_out: what is not, by reason.
        names: up to three names of each reason in ``left_out``.
    """

    licence: str = ""
    revision: str = ""
    taken: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    names: dict[str, list[str]] = field(default_factory=dict)

    def take(self, kind: str, count: int = 1) -> None:
        self.taken[kind] += count

    def leave_out(self, reason: str, name: str, count: int = 1) -> None:
        """``name`` is of the problem or file; ``count`` of what was left out there."""
        self.left_out[reason] += count
        named = self.names.setdefault(reason, [])
        if len(named) < SHOWN and name not in named:
            named.append(name)

    def record(self) -> dict[str, Any]:
        """All of it, for a file."""
        return {**vars(self), "taken": dict(self.taken), "left_out": dict(self.left_out)}

    def lines(self) -> list[str]:
        """For a person: what is used, then every reason with its count and names, the largest first."""
        taken = ", ".join(f"{kind} {count:,}" for kind, count in self.taken.items())
        reasons = [
            f"left out: {reason}: {count:,} ({', '.join(self.names[reason])}{' ...' if count > SHOWN else ''})"
            for reason, count in self.left_out.most_common()
        ]
        return [f"{taken or 'nothing'}; revision {self.revision}, licence {self.licence}", *reasons]
