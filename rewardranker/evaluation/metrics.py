"""What a ranker is worth: closed forms over one pool, and bootstrap intervals over problems.

``scores`` and ``correct`` are always ``[N]``: one score (higher is better) and one 0/1 per candidate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

Values = Sequence[float] | Sequence[int] | Sequence[bool] | np.ndarray
Interval = tuple[float, float, float]


def pass_at_k(n: int, c: int, k: int) -> float:
    """Probability that ``k`` of ``n`` samples, ``c`` of them correct, hold a correct one.

    Unbiased: ``1 - C(n-c, k) / C(n, k)`` (Chen et al. 2021, eq. 1).
    """
    if not (0 <= c <= n and 1 <= k <= n):
        raise ValueError(f"pass_at_k needs 0 <= c <= n and 1 <= k <= n, got n={n}, c={c}, k={k}")
    return 1.0 - math.comb(n - c, k) / math.comb(n, k)


def best_of_n(scores: Values, correct: Values, n: int) -> float:
    """Probability that the best-scored of ``n`` candidates, drawn from the pool of ``N``, is correct.

    ``sum_i correct_i * C(N-i, n-1) / C(N, n)`` over the pool sorted by score, ``i`` from 1: the candidate in
    place ``i`` wins when it is drawn and the other ``n-1`` come from below it. Candidates of equal score
    share their block's mean correctness, as if ties were broken at random.
    """
    s, y = _pair(scores, correct)
    size = len(s)
    if not 1 <= n <= size:
        raise ValueError(f"best_of_n needs 1 <= n <= {size} (candidates in the pool), got n={n}")
    _, block = np.unique(-s, return_inverse=True)  # 0 is the block of the highest score
    block_mean = np.bincount(block, weights=y) / np.bincount(block)
    by_place = block_mean[np.sort(block)]
    total = math.comb(size, n)
    weights = [math.comb(size - i, n - 1) / total for i in range(1, size + 1)]
    return float(np.dot(by_place, weights))


def expected_pick(scores: Values, correct: Values) -> float:
    """Probability that the top-scored candidate is correct, ties broken at random; ``best_of_n`` at n = N."""
    s, y = _pair(scores, correct)
    return float(y[s == s.max()].mean())


def gap_closed(rerank: float, random: float, oracle: float) -> float | None:
    """Share of the way from a random pick to a perfect one; ``None`` where there is no way to go."""
    return None if oracle == random else (rerank - random) / (oracle - random)


def pair_accuracy(scores: Values, correct: Values) -> float | None:
    """Share of (correct, incorrect) pairs in the right order, a tie counting half.

    Meant for the candidates of one problem; average over problems. ``None`` where there is no such pair.
    """
    s, y = _pair(scores, correct)
    passing, failing = s[y == 1][:, None], s[y == 0][None, :]
    if not passing.size or not failing.size:
        return None
    return float(((passing > failing) + 0.5 * (passing == failing)).mean())


def auc(scores: Values, correct: Values) -> float | None:
    """Area under the ROC curve, from mid-ranks (Mann-Whitney), in ``O(N log N)``: for whole pools.

    The same number as :func:`pair_accuracy`; over several problems it also punishes scores that are not
    comparable between prompts. ``None`` where all candidates are correct, or none is.
    """
    s, y = _pair(scores, correct)
    passing, failing = int(y.sum()), int(len(y) - y.sum())
    if not passing or not failing:
        return None
    _, block, counts = np.unique(s, return_inverse=True, return_counts=True)
    mid_rank = (np.cumsum(counts) - (counts - 1) / 2)[block]
    return float((mid_rank[y == 1].sum() - passing * (passing + 1) / 2) / (passing * failing))


def bootstrap_mean(values: Values, resamples: int, seed: int) -> Interval:
    """``(mean, low, high)``: 95 % percentile interval from resampling problems with replacement.

    Args:
        values: ``[problems]``, one number per problem.
    """
    data = np.asarray(values, dtype=np.float64)
    if data.ndim != 1 or not data.size or np.isnan(data).any():
        raise ValueError(f"the bootstrap needs one number per problem, no NaN; got shape {data.shape}")
    if resamples < 1:
        raise ValueError(f"the bootstrap needs at least 1 resample, got {resamples}")
    generator = np.random.default_rng(seed)
    # One resample at a time: all at once would hold resamples x problems indices in memory.
    means = [data[generator.integers(0, data.size, data.size)].mean() for _ in range(resamples)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(data.mean()), float(low), float(high)


def paired_bootstrap(a: Values, b: Values, resamples: int, seed: int) -> Interval:
    """``(difference, low, high)`` of the means of ``a - b``, both ``[problems]`` over the same problems.

    Resamples problems, so what makes a problem easy for both does not widen the interval.
    """
    left, right = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if left.shape != right.shape:
        raise ValueError(f"a paired comparison needs the same problems, got {left.shape} and {right.shape}")
    return bootstrap_mean(left - right, resamples, seed)


def _pair(scores: Values, correct: Values) -> tuple[np.ndarray, np.ndarray]:
    s, y = np.asarray(scores, dtype=np.float64), np.asarray(correct, dtype=np.float64)
    if s.ndim != 1 or s.shape != y.shape or not s.size:
        raise ValueError(f"needs one score and one 0/1 per candidate, got shapes {s.shape} and {y.shape}")
    if np.isnan(s).any() or not np.isin(y, (0, 1)).all():
        raise ValueError("needs scores without NaN and correctness of 0 or 1")
    return s, y
