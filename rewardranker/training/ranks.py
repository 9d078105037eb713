"""A process's place among those that train one network, and what they tell each other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
import torch.distributed as dist

T = TypeVar("T")


@dataclass(frozen=True)
class Rank:
    """Rank ``index`` of ``world``, computing on ``device``. Several share torch's default process group."""

    index: int = 0
    world: int = 1
    device: str = "cpu"

    def sum(self, values: dict[str, float]) -> dict[str, float]:
        """Adds numbers over ranks. Collective."""
        if self.world == 1:
            return values
        totals = torch.tensor(list(values.values()), dtype=torch.float64, device=self.device)
        dist.all_reduce(totals)
        return dict(zip(values, totals.tolist(), strict=True))

    def most(self, count: int) -> int:
        """The largest of the ranks' numbers. Collective."""
        if self.world == 1:
            return count
        largest = torch.tensor(count, device=self.device)
        dist.all_reduce(largest, dist.ReduceOp.MAX)
        return int(largest)

    def gathered(self, value: T) -> list[T]:
        """What every rank gave, in their order. Collective."""
        if self.world == 1:
            return [value]
        found: list[T] = [value] * self.world
        dist.all_gather_object(found, value)
        return found

    def save_random(self, directory: Path, name: str) -> None:
        """Writes this process's random state."""
        random = {"torch": torch.get_rng_state(), "numpy": np.random.get_state()}
        torch.save(random, directory / f"{name}-random-{self.index}.pt")

    def load_random(self, directory: Path, name: str) -> None:
        """Restores what :meth:`save_random` wrote; where fewer ranks saved, this one's own state stays."""
        own = directory / f"{name}-random-{self.index}.pt"
        if own.exists():
            random = torch.load(own, weights_only=False)
            torch.set_rng_state(random["torch"])
            np.random.set_state(random["numpy"])
