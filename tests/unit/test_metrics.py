"""Metrics against numbers derived by hand, and against brute force."""

from __future__ import annotations

import math
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewardranker.evaluation.metrics import (
    auc,
    best_of_n,
    bootstrap_mean,
    expected_pick,
    gap_closed,
    pair_accuracy,
    paired_bootstrap,
    pass_at_k,
)

# Few distinct scores, so that most pools have ties.
pools = st.lists(st.tuples(st.sampled_from([-math.inf, -1.0, 0.0, 2.5]), st.booleans()), min_size=1, max_size=7)


def brute_force_best_of_n(scores: list[float], correct: list[bool], n: int) -> float:
    """Mean over all n-subsets of the mean correctness of the subset's top-scored candidates."""
    picks = []
    for subset in combinations(range(len(scores)), n):
        top = max(scores[i] for i in subset)
        tied = [correct[i] for i in subset if scores[i] == top]
        picks.append(sum(tied) / len(tied))
    return sum(picks) / len(picks)


def test_pass_at_k_by_hand() -> None:
    """n=10, c=3, k=5: 1 - C(7,5)/C(10,5) = 1 - 21/252 = .916667."""
    assert pass_at_k(10, 3, 5) == pytest.approx(0.916667, abs=1e-6)
    assert pass_at_k(10, 3, 1) == pytest.approx(0.3)
    assert pass_at_k(10, 6, 5) == 1.0  # only 4 wrong ones: 5 samples must hold a right one
    assert pass_at_k(10, 0, 10) == 0.0


@pytest.mark.parametrize(("n", "c", "k"), [(10, 11, 1), (10, -1, 1), (10, 3, 0), (10, 3, 11)])
def test_pass_at_k_refuses_impossible_counts(n: int, c: int, k: int) -> None:
    with pytest.raises(ValueError, match="pass_at_k"):
        pass_at_k(n, c, k)


def test_best_of_n_by_hand() -> None:
    """Sorted correctness 0,1,1 and n=2: (0*C(2,1) + 1*C(1,1) + 1*C(0,1)) / C(3,2) = 1/3."""
    assert best_of_n([3, 2, 1], [0, 1, 1], 2) == pytest.approx(1 / 3)
    assert best_of_n([1, 3, 2], [1, 0, 1], 2) == pytest.approx(1 / 3)  # the order of the pool is no matter


@settings(max_examples=150, deadline=None)
@given(pools, st.data())
def test_best_of_n_is_brute_force(pool: list[tuple[float, bool]], data: st.DataObject) -> None:
    scores, correct = [s for s, _ in pool], [c for _, c in pool]
    n = data.draw(st.integers(1, len(pool)))
    assert best_of_n(scores, correct, n) == pytest.approx(brute_force_best_of_n(scores, correct, n))


@given(pools)
def test_best_of_n_at_its_ends(pool: list[tuple[float, bool]]) -> None:
    """n=1 is the pass rate whatever the scores; n=N is the pick; a perfect score gives pass@n."""
    scores, correct = [s for s, _ in pool], [c for _, c in pool]
    size, passed = len(pool), sum(correct)
    assert best_of_n(scores, correct, 1) == pytest.approx(passed / size)
    assert best_of_n(scores, correct, size) == pytest.approx(expected_pick(scores, correct))
    for n in range(1, size + 1):
        assert best_of_n(correct, correct, n) == pytest.approx(pass_at_k(size, passed, n))


def test_expected_pick_averages_ties() -> None:
    assert expected_pick([1.0, 1.0, 0.0], [1, 0, 1]) == 0.5
    assert expected_pick([-math.inf, -math.inf], [1, 0]) == 0.5
    assert expected_pick([0.1, 0.2], [0, 1]) == 1.0


def test_gap_closed() -> None:
    """(.5 - .3) / (.7 - .3) = .5; no gap, no share."""
    assert gap_closed(0.5, 0.3, 0.7) == pytest.approx(0.5)
    assert gap_closed(0.2, 0.3, 0.7) == pytest.approx(-0.25)
    assert gap_closed(0.4, 0.4, 0.4) is None


def test_pair_accuracy_by_hand() -> None:
    """Passing 2, 1; failing 1, 0: pairs 2>1, 2>0, 1=1, 1>0 -> (3 + .5)/4."""
    assert pair_accuracy([2, 1, 1, 0], [1, 1, 0, 0]) == pytest.approx(0.875)
    assert pair_accuracy([2, 1], [1, 1]) is None


@given(pools)
def test_auc_is_pair_accuracy(pool: list[tuple[float, bool]]) -> None:
    scores, correct = [s for s, _ in pool], [c for _, c in pool]
    pairs = [
        (scores[i] > scores[j]) + 0.5 * (scores[i] == scores[j])
        for i, j in product(range(len(pool)), repeat=2)
        if correct[i] and not correct[j]
    ]
    wanted = pytest.approx(sum(pairs) / len(pairs)) if pairs else None
    assert auc(scores, correct) == wanted
    assert pair_accuracy(scores, correct) == wanted


@pytest.mark.parametrize("metric", [expected_pick, pair_accuracy, auc])
def test_bad_scores_are_refused(metric: object) -> None:
    for scores, correct in (([math.nan, 1.0], [0, 1]), ([1.0], [0, 1]), ([], []), ([1.0], [2])):
        with pytest.raises(ValueError, match="needs"):
            metric(scores, correct)  # type: ignore[operator]


def test_bootstrap_is_determined_by_its_seed() -> None:
    values = np.random.default_rng(3).random(40)
    first = bootstrap_mean(values, 300, seed=1)
    assert first == bootstrap_mean(values, 300, seed=1)
    assert first != bootstrap_mean(values, 300, seed=2)
    assert first[0] == pytest.approx(values.mean())
    assert first[1] < first[0] < first[2]


def test_bootstrap_interval_has_the_textbook_width() -> None:
    """Half of 400 problems solved: mean .5 +- 1.96 * sqrt(.25/400) = .5 +- .049."""
    mean, low, high = bootstrap_mean([0, 1] * 200, 2000, seed=0)
    assert mean == 0.5
    assert low == pytest.approx(0.451, abs=0.006)
    assert high == pytest.approx(0.549, abs=0.006)


def test_bootstrap_covers_the_truth_about_95_times_in_100() -> None:
    """200 experiments: 95 % covered, standard error 1.5 %; the percentile interval is a little narrow."""
    generator = np.random.default_rng(0)
    covered = 0
    for seed in range(200):
        _, low, high = bootstrap_mean(generator.random(60) < 0.4, 200, seed)
        covered += low <= 0.4 <= high
    assert 0.88 <= covered / 200 <= 0.99


def test_paired_bootstrap_resamples_problems_not_systems() -> None:
    """b is a less .1 on every problem, so the difference is certain however much problems differ."""
    a = np.random.default_rng(0).random(30)
    assert paired_bootstrap(a, a - 0.1, 200, seed=0) == pytest.approx((0.1, 0.1, 0.1))
    assert paired_bootstrap(a, a, 200, seed=0) == (0.0, 0.0, 0.0)
    with pytest.raises(ValueError, match="same problems"):
        paired_bootstrap(a, a[:1], 200, seed=0)


def test_bootstrap_refuses_nothing_and_nan() -> None:
    for values, resamples in (([], 10), ([math.nan], 10), ([1.0], 0)):
        with pytest.raises(ValueError, match="bootstrap needs"):
            bootstrap_mean(values, resamples, seed=0)
