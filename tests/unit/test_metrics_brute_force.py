"""Metrics against the definitions they stand for, written out: every subset drawn, every cluster copied."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewardranker.statistics.metrics import (
    best_of_n,
    bootstrap_mean,
    gap_closed,
    gaps_closed,
    paired_bootstrap,
    pass_at_k,
    seed_standard_error,
)

RESAMPLES = 80

# Few distinct scores, so that most problems have ties.
problems = st.lists(st.tuples(st.sampled_from([0, 1, 2]), st.booleans()), min_size=3, max_size=6)


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=8), st.data())
def test_pass_at_k_is_the_share_of_all_subsets_that_hold_a_correct_sample(
    correct: list[bool], data: st.DataObject
) -> None:
    k = data.draw(st.integers(1, len(correct)))
    subsets = list(combinations(correct, k))
    wanted = sum(any(subset) for subset in subsets) / len(subsets)
    assert pass_at_k(len(correct), sum(correct), k) == pytest.approx(wanted, abs=1e-12)


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=7))
def test_seed_standard_error_is_that_of_all_pairs_and_of_the_jackknife(values: list[float]) -> None:
    """The unbiased variance is the mean over all pairs of half their squared difference; and of a mean, the
    jackknife's error, ``sqrt((S-1)/S * sum (mean without i - mean)^2)``, is the textbook's (Efron 1982, ch. 3)."""
    size = len(values)
    variance = np.mean([(a - b) ** 2 / 2 for a, b in combinations(values, 2)])
    without = [np.mean(values[:i] + values[i + 1 :]) for i in range(size)]
    jackknife = math.sqrt((size - 1) / size * sum((one - np.mean(values)) ** 2 for one in without))
    found = seed_standard_error(values)
    assert found == pytest.approx(math.sqrt(variance / size), abs=1e-9)
    assert found == pytest.approx(jackknife, abs=1e-9)


@given(st.floats(0, 1), st.floats(0.01, 1), st.floats(-2, 2))
def test_gap_closed_inverts_the_way_from_random_to_oracle(random: float, gap: float, share: float) -> None:
    """Whoever goes a share of the way has closed that share of the gap, also beyond its ends and backwards."""
    assert gap_closed(random + share * gap, random, random + gap) == pytest.approx(share, abs=1e-9)


def exact(pool: list[tuple[int, bool]], n: int) -> tuple[Fraction, Fraction, Fraction]:
    """Of the pick, of a random pick and of the oracle: the mean over all ``n``-subsets, in fractions."""
    picks, rates, found = [], [], []
    for subset in combinations(pool, n):
        tied = [c for s, c in subset if s == max(score for score, _ in subset)]
        picks.append(Fraction(sum(tied), len(tied)))
        rates.append(Fraction(sum(c for _, c in subset), n))
        found.append(Fraction(any(c for _, c in subset)))
    many = len(picks)
    return sum(picks, Fraction(0)) / many, sum(rates, Fraction(0)) / many, sum(found, Fraction(0)) / many


@settings(max_examples=60, deadline=None)
@given(st.lists(problems, min_size=1, max_size=4), st.integers(2, 3))
def test_gaps_closed_by_any_ranker_are_those_of_all_subsets_in_fractions(
    pools: list[list[tuple[int, bool]]], n: int
) -> None:
    """As tables get there: best-of-n of the ranker, of equal scores and of the truth, on every problem."""
    solved = [
        [best_of_n([key(s, c) for s, c in pool], [c for _, c in pool], n) for pool in pools]
        for key in (lambda s, c: s, lambda s, c: 0, lambda s, c: c)
    ]
    wanted = [exact(pool, n) for pool in pools]
    shares = [(pick - rate) / (best - rate) for pick, rate, best in wanted if best != rate]
    mean, undefined = gaps_closed(*solved)
    assert undefined == len(pools) - len(shares)
    assert mean == (pytest.approx(float(sum(shares) / len(shares)), abs=1e-6) if shares else None)
    means = [sum(column, Fraction(0)) / len(pools) for column in zip(*wanted, strict=True)]
    by_means = gap_closed(*(float(np.mean(values)) for values in solved))
    if means[2] == means[1]:
        assert by_means is None
    else:
        assert by_means == pytest.approx(float((means[0] - means[1]) / (means[2] - means[1])), abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.sampled_from("abcd")), min_size=1, max_size=10),
    st.integers(0, 9),
)
def test_a_paired_interval_is_that_of_copying_whole_clusters(
    compared: list[tuple[float, float, str]], seed: int
) -> None:
    """Both rankers' numbers of every drawn group are written out as often as it was drawn, with the documented
    draws (as many groups as there are, from numpy's generator, groups in order of appearance); then both means."""
    names = list(dict.fromkeys(group for _, _, group in compared))
    generator = np.random.default_rng(seed)
    differences = []
    for _ in range(RESAMPLES):
        copied = [
            (a, b)
            for i in generator.integers(0, len(names), len(names))
            for a, b, group in compared
            if group == names[i]
        ]
        differences.append(np.mean([a for a, _ in copied]) - np.mean([b for _, b in copied]))
    low, high = np.percentile(differences, [2.5, 97.5])
    first, second, groups = ([part[i] for part in compared] for i in range(3))
    wanted = (np.mean(first) - np.mean(second), low, high)
    found = paired_bootstrap(first, second, RESAMPLES, seed, groups)
    assert found == pytest.approx(wanted, abs=1e-9)


def test_a_clustered_paired_interval_has_the_analytic_width() -> None:
    """A mean over clusters of unequal size is a ratio of sums, whose error is, to first order,
    ``sqrt(sum_g (sum_{i in g} (d_i - mean d))^2) / N`` (Cochran 1977, section 6.3); with 400 clusters the mean is
    normal, so the interval is 1.96 times that to either side. Taking problems for independent would be too sure of
    it, and taking the rankers for independent not sure enough: both are off by far more than the tolerance."""
    generator = np.random.default_rng(7)
    sizes = generator.integers(1, 8, 400)
    groups = np.repeat(np.arange(400), sizes)
    easy = generator.normal(0, 1, len(groups))  # what makes a problem easy for both
    first = easy + generator.normal(0, 0.3, 400)[groups] + generator.normal(0.1, 0.2, len(groups))
    second = easy + generator.normal(0, 0.3, 400)[groups] + generator.normal(0, 0.2, len(groups))
    difference = first - second
    residuals = np.bincount(groups, weights=difference - difference.mean())
    half = NormalDist().inv_cdf(0.975) * math.sqrt((residuals**2).sum()) / len(groups)
    names = [str(group) for group in groups]
    mean, low, high = paired_bootstrap(first, second, 6000, 0, names)
    assert mean == pytest.approx(difference.mean())
    assert (mean - low, high - mean) == pytest.approx((half, half), rel=0.06)
    unclustered = paired_bootstrap(first, second, 2000, 0)
    assert unclustered[2] - unclustered[1] < 0.75 * 2 * half
    unpaired = math.hypot(*(np.subtract(*bootstrap_mean(one, 2000, 0, names)[1:]) for one in (first, second)))
    assert unpaired > 1.5 * 2 * half
