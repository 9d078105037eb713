"""A process's place among those that train one network."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rank:
    """Rank ``index`` of ``world``, computing on ``device``."""

    index: int = 0
    world: int = 1
    device: str = "cpu"

    def rows(self, count: int) -> list[int]:
        """This rank's share of ``count`` rows: every ``world``-th, so that any order is balanced."""
        return list(range(self.index, count, self.world))
