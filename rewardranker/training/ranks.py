"""A process's place among those that train one network."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rank:
    """Rank ``index`` of ``world``, computing on ``device``."""

    index: int = 0
    world: int = 1
    device: str = "cpu"
