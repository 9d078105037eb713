"""Which examples make up minibatch ``i``: pure functions of the seed, so that a resumed run sees the same."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

T = TypeVar("T")


@dataclass(frozen=True)
class Stream(Generic[T]):
    """An endless shuffled pass over ``rows``, epoch after epoch.

    Attributes:
        groups: one key per row; rows of equal keys stay side by side. ``None``: every row for itself.
    """

    rows: Sequence[T]
    seed: int
    groups: Sequence[Hashable] | None = None

    def take(self, start: int, count: int) -> list[T]:
        """Rows ``start`` to ``start + count`` of the stream."""
        taken: list[T] = []
        while len(taken) < count:
            epoch, offset = divmod(start + len(taken), len(self.rows))
            order = self._order(epoch)[offset : offset + count - len(taken)]
            taken += [self.rows[i] for i in order]
        return taken

    def _order(self, epoch: int) -> list[int]:
        rng = np.random.default_rng((self.seed, epoch))
        if self.groups is None:
            return rng.permutation(len(self.rows)).tolist()
        members: dict[Hashable, list[int]] = {}
        for row, key in enumerate(self.groups):
            members.setdefault(key, []).append(row)
        blocks = list(members.values())
        return [row for block in rng.permutation(len(blocks)) for row in blocks[block]]


def steps_for(rows: int, minibatch_size: int, steps: int, epochs: float) -> int:
    """Optimiser updates of a training run: ``steps``, or, where that is 0, ``epochs`` passes over the rows."""
    return steps or max(1, round(epochs * rows / minibatch_size))


@dataclass(frozen=True)
class Mix(Generic[T]):
    """Every minibatch is made of rows of ``old`` and of ``new``, ``new_share`` of them new."""

    old: Stream[T]
    new: Stream[T]
    new_share: float

    def minibatch(self, step: int, size: int) -> list[T]:
        fresh = round(size * self.new_share)
        return self.new.take(step * fresh, fresh) + self.old.take(step * (size - fresh), size - fresh)
