"""The nearest text to each of many by edit distance, exactly, with few of the distances computed.

Three things stand between this and all pairs. A distance is at least the difference of the lengths, and at least what
two counts of characters differ by (Ukkonen 1992's q-gram bound, q = 1), both of which cost a subtraction. Texts are
asked in the order of these bounds, a block at a time in rapidfuzz's matrix. And no distance is computed further than
the best one that is known, which lets rapidfuzz's bit-parallel algorithm (Hyyrö 2003) stop early.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

#: Characters are told apart by their code modulo this, which can only lower the bound.
_BINS = 64
#: Texts shorter than this are counted in 16 bits.
_NARROW = 2**13
#: The first block is small: where a text has a near one, that mostly is in it, and few others are asked after it.
_FIRST, _BLOCK = 4, 64


@dataclass(frozen=True)
class Match:
    """Attributes:
    index: of the nearest text, the first of several as near.
    distance: in characters.
    """

    index: int
    distance: int


class Neighbours:
    """Texts to be near to, counted once."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = list(texts)
        # Differences and their sums fit into what they are counted in; the narrower, the faster.
        self._kind: Any = np.int16 if max(map(len, self._texts), default=0) < _NARROW else np.int32
        counts = [_counts(text) for text in self._texts]
        table = np.stack(counts) if counts else np.zeros((0, _BINS), np.int32)
        self._counts = np.ascontiguousarray(table.T, self._kind)
        self._lengths = np.array([len(text) for text in self._texts], self._kind)

    def nearest(self, text: str, most: int | None = None) -> Match | None:
        """The nearest text; ``None`` where there is none, or none within ``most`` edits."""
        return next(iter(self.near(text, 1, most)), None)

    def near(self, text: str, count: int, most: int | None = None) -> list[Match]:
        """The ``count`` nearest texts within ``most`` edits, the nearest first, of equals the first first."""
        bounds = self._bounds(text)
        order = np.argsort(bounds, kind="stable")
        best: list[Match] = []
        limit = most
        start, size = 0, max(_FIRST, count)
        while start < len(order) and (limit is None or bounds[order[start]] <= limit):
            block = order[start : start + size]
            found = _distances(text, [self._texts[i] for i in block], limit)
            near = [
                Match(index, distance)
                for index, distance in zip(block.tolist(), found.tolist(), strict=True)
                if limit is None or distance <= limit
            ]
            best = sorted([*best, *near], key=lambda match: (match.distance, match.index))[:count]
            if len(best) == count:
                limit = best[-1].distance
            start, size = start + size, _BLOCK
        return best

    def text_near(self, text: str) -> str:
        """The nearest text itself, where there is one."""
        match = self.nearest(text)
        assert match is not None, "there are no texts"
        return self._texts[match.index]

    def _bounds(self, text: str) -> np.ndarray:
        """By text, what its distance is at least: ``int [texts]``.

        The larger of what one has more of and what the other has more of: half of the sum of all differences and of
        the difference of the lengths.
        """
        kind: Any = self._kind if len(text) < _NARROW else np.int32
        own = _counts(text).astype(kind)
        differences = np.abs(self._counts - own[:, None]).sum(0, dtype=kind)
        bounds: np.ndarray = (differences + np.abs(self._lengths - kind(len(text)))) >> 1
        return bounds


def _counts(text: str) -> np.ndarray:
    """How often each bin of characters occurs: ``int32 [bins]``."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    return np.bincount(codes % _BINS, minlength=_BINS).astype(np.int32)


def _distances(text: str, others: Sequence[str], limit: int | None) -> np.ndarray:
    """Distances ``int32 [others]``; those beyond ``limit`` are ``limit + 1``."""
    return np.asarray(cdist([text], others, scorer=Levenshtein.distance, score_cutoff=limit, dtype=np.int32)[0])
