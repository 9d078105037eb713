"""Which failing program is paired with which passing one: the nearest, and one at random, 1 : 1, under caps.

What comes out depends on the programs, the caps and the seed alone: no order of workers, no number of them. Nearest
programs are looked for only for pairs that the caps keep.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rewardranker.mining.nearest import Match, Neighbours
from rewardranker.problems.types import Origin


@dataclass(frozen=True)
class PairCaps:
    """How much of a problem's programs, in one language, becomes pairs. ``None``: no cap.

    Attributes:
        pairs: most pairs, drawn at random.
        failing, passing: most distinct programs of a side that are looked at, drawn at random.
        of_one: how often one passing program may be chosen as the nearest: one author's program, near to very many,
            would be most of what is preferred.
        distance: nearest pairs further apart than this share of the longer program are left out.
        gap: a failing program that passes more than ``1 - gap`` of its tests is left out: pairs with a small gap in
            pass rates mislead (Zeng et al. 2025, AceCoder).
        each: for a failing program so many of the nearest passing ones, and as many at random.
    """

    pairs: int | None = None
    failing: int | None = None
    passing: int | None = None
    of_one: int | None = None
    distance: float | None = None
    gap: float = 0.0
    each: int = 1


@dataclass(frozen=True)
class Pair:
    """``chosen`` and ``rejected`` are indices of passing and failing programs.

    Attributes:
        distance: in characters, of nearest pairs; -1 of others, where it is not computed.
    """

    chosen: int
    rejected: int
    origin: Origin
    distance: int = -1


def pair_up(
    passing: Sequence[str], failing: Sequence[str], caps: PairCaps, seed: int, rates: Sequence[float] = ()
) -> list[Pair]:
    """For every failing program its nearest passing one, and a random passing one; or ``caps.each`` of both kinds.

    Args:
        passing, failing: distinct programs, in an order that does not change.
        rates: the share of the tests that each failing program passes, where it is known.

    Returns:
        In the order of ``failing``, nearest before random; drawn down to ``caps.pairs``, in the order of the draw.
    """
    rng = random.Random(seed)
    wrong = [i for i in range(len(failing)) if not rates or rates[i] <= 1 - caps.gap]
    wrong = _drawn(rng, wrong, caps.failing)
    right = _drawn(rng, list(range(len(passing))), caps.passing)
    if not right:
        return []
    each = min(caps.each, len(right))
    wanted: list[Pair | tuple[int, int]] = []  # a failing program whose nearest one is wanted, and which of these
    for index in wrong:
        wanted += [(index, nth) for nth in range(each)]
        wanted += [Pair(chosen, index, "random") for chosen in rng.sample(right, each)]
    if caps.pairs is not None and len(wanted) > caps.pairs:
        wanted = rng.sample(wanted, caps.pairs)
    neighbours = _Nearest(passing, right, caps)
    return [
        pair
        for entry in wanted
        if (pair := entry if isinstance(entry, Pair) else neighbours.of(*entry, failing[entry[0]])) is not None
    ]


class _Nearest:
    """Nearest passing programs, each chosen no more often than it may be."""

    def __init__(self, passing: Sequence[str], right: Sequence[int], caps: PairCaps) -> None:
        self._right, self._caps = right, caps
        self._lengths = [len(passing[i]) for i in right]
        self._longest = max(self._lengths)
        self._neighbours = Neighbours([passing[i] for i in right])
        self._chosen: Counter[int] = Counter()

        self._near: dict[int, list[Match]] = {}

    def of(self, index: int, nth: int, code: str) -> Pair | None:
        share = self._caps.distance
        if index not in self._near:
            most = None if share is None else int(share * max(len(code), self._longest))
            self._near[index] = self._neighbours.near(code, self._caps.each, most)
        if nth >= len(self._near[index]):
            return None
        match = self._near[index][nth]
        if share is not None and match.distance > share * max(len(code), self._lengths[match.index]):
            return None
        self._chosen[match.index] += 1
        if self._caps.of_one is not None and self._chosen[match.index] > self._caps.of_one:
            return None
        return Pair(self._right[match.index], index, "levenshtein", match.distance)


def _drawn(rng: random.Random, indices: list[int], most: int | None) -> list[int]:
    """At most so many of the indices, in their order."""
    return indices if most is None or most >= len(indices) else sorted(rng.sample(indices, most))
