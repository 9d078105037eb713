"""The bootstrap over groups of problems: what belongs together is drawn together.

HumanEval's problem 23 is the same one in eight languages. Resampling the eight columns of a table as if they
were independent would make the interval of their average too narrow by a factor of two; so the unit is the
group (``Problem.group_id``), and a group drawn twice counts twice in every column (Field and Welsh 2007,
"Bootstrapping clustered data": the cluster bootstrap).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

Values = Sequence[float] | Sequence[int] | Sequence[bool] | np.ndarray
Interval = tuple[float, float, float]

_CHUNK = 1000  # resamples at a time in the arithmetic, which bounds its memory


@dataclass(frozen=True)
class Column:
    """Numbers of problems and the group that each belongs to, both ``[problems]``."""

    values: Values
    groups: Sequence[str]


class ClusterBootstrap:
    """Resamples of groups, drawn once: whatever is computed from one object is paired.

    Args:
        groups: labels; repeated ones are one group. The draws depend on their number alone.
        resamples: how many times as many groups as there are get drawn, with replacement.
        seed: of the draws.

    Raises:
        ValueError: no group, or no resample.
    """

    def __init__(self, groups: Sequence[str], resamples: int, seed: int) -> None:
        self._index = {name: i for i, name in enumerate(dict.fromkeys(groups))}
        size = len(self._index)
        if not size or resamples < 1:
            raise ValueError(f"the bootstrap needs at least 1 problem and 1 resample, got {size} and {resamples}")
        generator = np.random.default_rng(seed)
        # How often each group was drawn, [resamples, groups]; two bytes each, as there may be ten million.
        self._drawn = np.empty((resamples, size), dtype=np.uint16)
        for row in self._drawn:
            row[:] = np.bincount(generator.integers(0, size, size), minlength=size)

    def interval(self, columns: Sequence[Column]) -> Interval:
        """``(mean, low, high)`` of the mean over columns of each column's mean; 95 %, percentiles.

        A column may lack groups. One of which a resample drew no group at all is left out of that resample.

        Raises:
            ValueError: no column, an empty one, NaN, or a group that the bootstrap was not made for.
        """
        sums, counts = (np.stack(parts, axis=1) for parts in zip(*map(self._by_group, columns), strict=True))
        resampled = []
        for drawn in self._chunks():
            found = drawn @ counts
            means = np.divide(drawn @ sums, found, out=np.full_like(found, np.nan), where=found > 0)
            resampled.append(np.nanmean(means[(found > 0).any(axis=1)], axis=1))
        return self._summary(float((sums.sum(axis=0) / counts.sum(axis=0)).mean()), np.concatenate(resampled))

    def auc(self, scores: Values, correct: Values, groups: Sequence[str]) -> Interval | None:
        """``(auc, low, high)`` of :func:`rewardranker.statistics.metrics.auc` over candidates of all groups.

        The number of right pairs is bilinear in how often each group was drawn: with ``A[g, h]`` the pairs of
        a correct candidate of ``g`` above an incorrect one of ``h`` (ties half), it is ``w' A w``. ``None``
        where all candidates are correct or none is.

        Args:
            scores, correct, groups: ``[candidates]``.
        """
        s, y = np.asarray(scores, dtype=np.float64), np.asarray(correct, dtype=np.float64)
        at = np.array([self._index[name] for name in groups])
        size = len(self._index)
        passing, failing = (np.bincount(at[y == wanted], minlength=size).astype(float) for wanted in (1, 0))
        if not passing.sum() or not failing.sum():
            return None
        right = np.zeros((size, size))
        for h in np.flatnonzero(failing):
            wrong = np.sort(s[(at == h) & (y == 0)])
            own = s[y == 1]
            below = (np.searchsorted(wrong, own, "left") + np.searchsorted(wrong, own, "right")) / 2
            right[:, h] = np.bincount(at[y == 1], weights=below, minlength=size)
        resampled = []
        for drawn in self._chunks():
            pairs = (drawn @ passing) * (drawn @ failing)
            won = ((drawn @ right) * drawn).sum(axis=1)
            resampled.append(won[pairs > 0] / pairs[pairs > 0])
        return self._summary(float(right.sum() / (passing.sum() * failing.sum())), np.concatenate(resampled))

    def _by_group(self, column: Column) -> tuple[np.ndarray, np.ndarray]:
        values = np.asarray(column.values, dtype=np.float64)
        if values.ndim != 1 or not values.size or np.isnan(values).any() or len(column.groups) != len(values):
            raise ValueError(
                f"the bootstrap needs one number per problem, no NaN; got shape {values.shape} "
                f"for {len(column.groups)} problems"
            )
        unknown = [name for name in column.groups if name not in self._index]
        if unknown:
            raise ValueError(f"the bootstrap was made for {len(self._index)} groups, and not for {unknown[0]!r}")
        at = np.array([self._index[name] for name in column.groups])
        size = len(self._index)
        return np.bincount(at, weights=values, minlength=size), np.bincount(at, minlength=size).astype(float)

    def _chunks(self) -> Iterator[np.ndarray]:
        for start in range(0, len(self._drawn), _CHUNK):
            yield self._drawn[start : start + _CHUNK].astype(np.float64)

    @staticmethod
    def _summary(value: float, resampled: np.ndarray) -> Interval:
        if not resampled.size:
            raise ValueError("no resample drew a problem that counts; the bootstrap needs more resamples")
        low, high = np.percentile(resampled, [2.5, 97.5])
        return value, float(low), float(high)
