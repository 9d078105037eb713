"""Which examples make up minibatch ``i``: pure functions of the seed, so that a resumed run sees the same."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import cached_property
from typing import Generic, TypeVar

import numpy as np

T = TypeVar("T")


class Stream(Generic[T]):
    """An endless shuffled pass over ``rows``, epoch after epoch. The order of the epoch at hand is kept.

    Args:
        groups: one key per row; rows of equal keys stay side by side. ``None``: every row for itself.
    """

    def __init__(self, rows: Sequence[T], seed: int, groups: Sequence[Hashable] | None = None) -> None:
        self.rows, self._seed, self._groups = rows, seed, groups
        self._epoch = -1
        self._order = np.empty(0, np.int64)

    def take(self, start: int, count: int) -> list[T]:
        """Rows ``start`` to ``start + count`` of the stream."""
        taken: list[T] = []
        while len(taken) < count:
            epoch, offset = divmod(start + len(taken), len(self.rows))
            if epoch != self._epoch:
                self._epoch, self._order = epoch, self._order_of(epoch)
            taken += [self.rows[i] for i in self._order[offset : offset + count - len(taken)].tolist()]
        return taken

    def minibatch(self, step: int, size: int) -> list[T]:
        """The rows of update ``step``."""
        return self.take(step * size, size)

    def _order_of(self, epoch: int) -> np.ndarray:
        """int64 ``[rows]``: a permutation of the rows, or of the groups and within each its rows as they stand."""
        rng = np.random.default_rng((self._seed, epoch))
        if self._groups is None:
            return rng.permutation(len(self.rows))
        places = np.argsort(rng.permutation(self._group_of[1]))
        return np.argsort(places[self._group_of[0]], kind="stable")

    @cached_property
    def _group_of(self) -> tuple[np.ndarray, int]:
        """int64 ``[rows]``, the number of each row's group in order of first appearance; and how many there are."""
        assert self._groups is not None
        numbers: dict[Hashable, int] = {}
        of_rows = np.fromiter((numbers.setdefault(key, len(numbers)) for key in self._groups), np.int64)
        return of_rows, len(numbers)


def steps_for(rows: int, minibatch_size: int, steps: int, epochs: float) -> int:
    """Optimiser updates of a training run: ``steps``, or, where that is 0, ``epochs`` passes over the rows."""
    return steps or max(1, round(epochs * rows / minibatch_size))


class Mix(Generic[T]):
    """Every minibatch is made of rows of ``old`` and of ``new``, ``new_share`` of them new."""

    def __init__(self, old: Stream[T], new: Stream[T], new_share: float) -> None:
        self._old, self._new, self._new_share = old, new, new_share

    def minibatch(self, step: int, size: int) -> list[T]:
        """The rows of update ``step``, new ones first."""
        fresh = round(size * self._new_share)
        return self._new.minibatch(step, fresh) + self._old.minibatch(step, size - fresh)
