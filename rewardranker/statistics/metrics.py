"""What a ranker is worth: closed forms over one pool, and bootstrap intervals over problems.

``scores`` and ``correct`` are always ``[N]``: one score (higher is better) and one 0/1 per candidate. Where
candidates have equal scores, every number here is the expectation over breaking the ties at random.

The closed forms for ``n`` drawn of ``N`` hold where a candidate's score does not depend on which others are
drawn. Rankers that compare candidates with each other have to score every draw anew:
:mod:`rewardranker.tables.ranked` does.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np

from rewardranker.statistics.clusters import ClusterBootstrap, Column, Interval, Values


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
    sizes, passing = _blocks(s, y)
    by_place = np.repeat(passing / sizes, sizes)
    return float(np.dot(by_place, _winning_shares(size, n)))


def rerank_at_k(scores: Values, correct: Values, n: int, k: int) -> float:
    """Probability that one of the ``k`` best-scored of ``n`` candidates, drawn from the pool of ``N``, is correct.

    What ``k`` submissions are worth; :func:`best_of_n` at k = 1, :func:`pass_at_k` at k = n. One less the
    probability that all ``k`` are wrong, summed over the block of equal scores where the k-th best lies:
    ``a`` of the drawn come from above it, all wrong, ``t >= k - a`` from the block itself, of which a random
    ``k - a`` are among the best, and the others from below. With ``w`` wrong ones above, ``m`` of ``b`` wrong in
    the block and ``l`` candidates below::

        sum_a C(w, a) * C(m, k-a) / C(b, k-a) * sum_t C(b, t) * C(l, n-a-t) / C(N, n)
    """
    s, y = _pair(scores, correct)
    size = len(s)
    if not 1 <= k <= n <= size:
        raise ValueError(f"rerank_at_k needs 1 <= k <= n <= {size} (candidates in the pool), got k={k}, n={n}")
    total, lost, above, wrong_above = math.comb(size, n), 0.0, 0, 0
    for block, passing in zip(*(counts.tolist() for counts in _blocks(s, y)), strict=True):
        below, wrong = size - above - block, block - passing
        for a in range(max(0, k - wrong), min(k - 1, wrong_above) + 1):
            ways = sum(math.comb(block, t) * math.comb(below, n - a - t) for t in range(k - a, min(block, n - a) + 1))
            all_wrong = math.comb(wrong_above, a) * math.comb(wrong, k - a)
            lost += all_wrong * ways / (math.comb(block, k - a) * total)
        above, wrong_above = above + block, wrong_above + wrong
    return min(1.0, max(0.0, 1.0 - lost))


def expected_pick(scores: Values, correct: Values) -> float:
    """Probability that the top-scored candidate is correct, ties broken at random; ``best_of_n`` at n = N."""
    s, y = _pair(scores, correct)
    return float(y[s == s.max()].mean())


def gap_closed(rerank: float, random: float, oracle: float) -> float | None:
    """Share of the way from a random pick to a perfect one; ``None`` where there is no way to go."""
    return None if oracle == random else (rerank - random) / (oracle - random)


def gaps_closed(rerank: Values, random: Values, oracle: Values) -> tuple[float | None, int]:
    """``(mean, undefined)``: :func:`gap_closed` of every problem, averaged over those that have a gap.

    A problem that all candidates solve, or none, leaves no choice; ``undefined`` counts those. Unlike the gap
    closed by the means, which is what tables show, every problem with a choice counts the same here.
    """
    found = [gap_closed(*map(float, triple)) for triple in zip(rerank, random, oracle, strict=True)]
    return mean_of_known(found)


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
    ranks = _mid_ranks(s)
    return float((ranks[y == 1].sum() - passing * (passing + 1) / 2) / (passing * failing))


def reciprocal_rank(scores: Values, correct: Values) -> float | None:
    """Expected ``1 / rank`` of the first correct candidate; ``None`` where none is correct.

    In a block of ``b`` equal scores, ``c`` of them correct, below ``s`` others (all wrong), the first correct
    one is the block's j-th with probability ``C(b-j, c-1) / C(b, c)``: ``sum_j C(b-j, c-1) / C(b, c) / (s + j)``.
    The mean over problems is the MRR; problems without a correct candidate are left out and must be counted.
    """
    s, y = _pair(scores, correct)
    above = 0
    for block, passing in zip(*(counts.tolist() for counts in _blocks(s, y)), strict=True):
        if passing:
            places = range(1, block - passing + 2)
            shares = [math.comb(block - j, passing - 1) / math.comb(block, passing) for j in places]
            return sum(share / (above + j) for share, j in zip(shares, places, strict=True))
        above += block
    return None


def length_correlation(scores: Values, lengths: Values) -> float | None:
    """Spearman's rank correlation of score and program length, of one problem's candidates.

    Of ranks and not of values (Pearson) because only a ranker's order counts: its scale is free, may be
    exponential, and ``-inf`` is a score, under which Pearson's is undefined. Far from 0, the ranker goes by
    length. Ties share their mean rank. ``None`` where all scores or all lengths are equal.
    """
    s, x = np.asarray(scores, dtype=np.float64), np.asarray(lengths, dtype=np.float64)
    if s.ndim != 1 or s.shape != x.shape or np.isnan(s).any() or np.isnan(x).any():
        raise ValueError(f"needs one score and one length per candidate, no NaN; got shapes {s.shape} and {x.shape}")
    a, b = (ranks - ranks.mean() if ranks.size else ranks for ranks in (_mid_ranks(s), _mid_ranks(x)))
    spread = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / spread if spread else None


def choice_shares(scores: Sequence[Values], correct: Sequence[Values]) -> tuple[float, float, float]:
    """Shares of the problems that are solved by the candidate with the best score, by a random one, and by any.

    Args:
        scores, correct: by problem, at least one; ties are broken at random.
    """
    picked = [expected_pick(s, y) for s, y in zip(scores, correct, strict=True)]
    columns = picked, [np.mean(y) for y in correct], [np.max(y) for y in correct]
    chosen, chance, best = (float(np.mean(column)) for column in columns)
    return chosen, chance, best


def mean_of_known(values: Iterable[float | None]) -> tuple[float | None, int]:
    """``(mean, undefined)``: the mean of what is not ``None``, and how many are."""
    everything = list(values)
    known = [value for value in everything if value is not None]
    return (float(np.mean(known)) if known else None), len(everything) - len(known)


def seed_standard_error(values: Values) -> float | None:
    """Of the mean over pool seeds, ``[S]`` one value per seed: ``std(ddof=1) / sqrt(S)``. ``None`` for one seed.

    Says how far sampling other candidates for the *same* problems would move the number; the bootstrap says
    how far other problems would.
    """
    data = np.asarray(values, dtype=np.float64)
    if data.ndim != 1 or not data.size or np.isnan(data).any():
        raise ValueError(f"the standard error needs one number per seed, no NaN; got shape {data.shape}")
    return float(data.std(ddof=1) / math.sqrt(data.size)) if data.size > 1 else None


def bootstrap_mean(values: Values, resamples: int, seed: int, groups: Sequence[str] | None = None) -> Interval:
    """``(mean, low, high)``: 95 % percentile interval from resampling problems with replacement.

    Args:
        values: ``[problems]``, one number per problem.
        groups: ``[problems]``, ``Problem.group_id`` of each: near-duplicates are drawn together. ``None`` where
            every problem is its own group.
    """
    data = np.asarray(values, dtype=np.float64)
    names = [str(i) for i in range(data.size)] if groups is None else list(groups)
    return ClusterBootstrap(names, resamples, seed).interval([Column(data, names)])


def paired_bootstrap(
    a: Values, b: Values, resamples: int, seed: int, groups: Sequence[str] | None = None
) -> Interval:
    """``(difference, low, high)`` of the means of ``a - b``, both ``[problems]`` over the same problems.

    Resamples problems, so what makes a problem easy for both does not widen the interval. ``groups`` as in
    :func:`bootstrap_mean`.
    """
    left, right = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if left.shape != right.shape:
        raise ValueError(f"a paired comparison needs the same problems, got {left.shape} and {right.shape}")
    return bootstrap_mean(left - right, resamples, seed, groups)


@lru_cache(maxsize=256)
def _winning_shares(size: int, n: int) -> np.ndarray:
    """``[size]``: the probability that the candidate in each place is the best of ``n`` drawn."""
    total = math.comb(size, n)
    return np.array([math.comb(size - i, n - 1) / total for i in range(1, size + 1)])


def _blocks(s: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Blocks of equal score, best first: how many candidates, and how many correct ones."""
    _, block = np.unique(-s, return_inverse=True)
    return np.bincount(block), np.bincount(block, weights=y).astype(np.int64)


def _mid_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1 upwards; equal values share their mean rank."""
    _, block, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[block]


def _pair(scores: Values, correct: Values) -> tuple[np.ndarray, np.ndarray]:
    s, y = np.asarray(scores, dtype=np.float64), np.asarray(correct, dtype=np.float64)
    if s.ndim != 1 or s.shape != y.shape or not s.size:
        raise ValueError(f"needs one score and one 0/1 per candidate, got shapes {s.shape} and {y.shape}")
    if np.isnan(s).any() or not np.isin(y, (0, 1)).all():
        raise ValueError("needs scores without NaN and correctness of 0 or 1")
    return s, y
