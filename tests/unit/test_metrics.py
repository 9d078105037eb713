"""Metrics against numbers derived by hand, and against brute force."""

from __future__ import annotations

import math
from itertools import combinations, permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewardranker.statistics.metrics import (
    auc,
    best_of_n,
    bootstrap_mean,
    choice_shares,
    expected_pick,
    gap_closed,
    gaps_closed,
    length_correlation,
    mean_of_known,
    pair_accuracy,
    paired_bootstrap,
    pass_at_k,
    reciprocal_rank,
    rerank_at_k,
    seed_standard_error,
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


def test_rerank_at_k_by_hand() -> None:
    """Sorted correctness 0,0,1,1, n=3, k=2: of the 4 draws, 012 tops with 0,0 (lost), 013 too, 023 and 123 with
    0,1 -> 2/4. With the last two tied nothing changes; with the first three tied (0,0,1) and 1 below: the draw of
    all three shows two of them at random, which miss the correct one in 1 of 3 -> 2/3; a draw of two of them and the
    last shows those two: 00 -> 0, 01 -> 1, 01 -> 1; so (2/3 + 0 + 1 + 1)/4 = 2/3."""
    assert rerank_at_k([4, 3, 2, 1], [0, 0, 1, 1], 3, 2) == pytest.approx(0.5)
    assert rerank_at_k([4, 3, 1, 1], [0, 0, 1, 1], 3, 2) == pytest.approx(0.5)
    assert rerank_at_k([2, 2, 2, 1], [0, 0, 1, 1], 3, 2) == pytest.approx(2 / 3)


def brute_force_rerank_at_k(scores: list[float], correct: list[bool], n: int, k: int) -> float:
    """Over all n-subsets and all orders of the pool that break ties by it."""
    wins = []
    for subset in combinations(range(len(scores)), n):
        shown = [sorted(order, key=lambda i: -scores[i])[:k] for order in permutations(subset)]
        wins.append(np.mean([any(correct[i] for i in best) for best in shown]))
    return float(np.mean(wins))


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([-math.inf, 0.0, 1.0]), st.booleans()), min_size=1, max_size=6), st.data())
def test_rerank_at_k_is_brute_force(pool: list[tuple[float, bool]], data: st.DataObject) -> None:
    scores, correct = [s for s, _ in pool], [c for _, c in pool]
    n = data.draw(st.integers(1, len(pool)))
    k = data.draw(st.integers(1, n))
    assert rerank_at_k(scores, correct, n, k) == pytest.approx(brute_force_rerank_at_k(scores, correct, n, k))


@given(pools, st.data())
def test_rerank_at_k_at_its_ends(pool: list[tuple[float, bool]], data: st.DataObject) -> None:
    """k=1 is best-of-n, k=n is pass@n whatever the scores, and more submissions are never worse."""
    scores, correct = [s for s, _ in pool], [c for _, c in pool]
    n = data.draw(st.integers(1, len(pool)))
    found = [rerank_at_k(scores, correct, n, k) for k in range(1, n + 1)]
    assert found[0] == pytest.approx(best_of_n(scores, correct, n))
    assert found[-1] == pytest.approx(pass_at_k(len(pool), sum(correct), n))
    assert all(a <= b + 1e-12 for a, b in zip(found, found[1:], strict=False))


@pytest.mark.parametrize(("n", "k"), [(0, 0), (3, 1), (2, 3), (2, 0)])
def test_choosing_from_more_than_there_are_is_refused(n: int, k: int) -> None:
    with pytest.raises(ValueError, match="needs 1 <= k <= n <= 2"):
        rerank_at_k([1, 2], [0, 1], n, k)
    if not 1 <= n <= 2:
        with pytest.raises(ValueError, match="needs 1 <= n <= 2"):
            best_of_n([1, 2], [0, 1], n)


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


def test_gaps_closed_by_hand() -> None:
    """(1 - .5)/(1 - .5) = 1, (0 - .25)/(1 - .25) = -1/3, and two problems without a gap: mean 1/3, 2 undefined. By
    the means: (2 - 1.75)/(3 - 1.75) = .2, which weighs problems by their gap."""
    rerank, random, oracle = [1, 0, 1, 0], [0.5, 0.25, 1, 0], [1, 1, 1, 0]
    assert gaps_closed(rerank, random, oracle) == (pytest.approx(1 / 3), 2)
    assert gap_closed(np.mean(rerank), np.mean(random), np.mean(oracle)) == pytest.approx(0.2)
    assert gaps_closed([1], [1], [1]) == (None, 1)


@given(pools)
def test_the_pick_of_a_perfect_or_indifferent_ranker_closes_all_or_none(pool: list[tuple[float, bool]]) -> None:
    correct = [c for _, c in pool]
    rate, best = sum(correct) / len(correct), float(any(correct))
    for scores, closed in ((correct, 1.0), ([0.0] * len(correct), 0.0)):
        found, undefined = gaps_closed([expected_pick(scores, correct)], [rate], [best])
        assert (found, undefined) == ((None, 1) if rate == best else (pytest.approx(closed), 0))


def test_reciprocal_rank_by_hand() -> None:
    """First correct in place 3 -> 1/3. In a tie of three (one correct) below one wrong: places 2, 3, 4 alike ->
    (1/2 + 1/3 + 1/4)/3 = 13/36. Two of three correct: the first one is the tie's 1st in 2/3, its 2nd in 1/3 ->
    2/3 * 1/2 + 1/3 * 1/3 = 4/9."""
    assert reciprocal_rank([4, 3, 2, 1], [0, 0, 1, 1]) == pytest.approx(1 / 3)
    assert reciprocal_rank([4, 2, 2, 2], [0, 1, 0, 0]) == pytest.approx(13 / 36)
    assert reciprocal_rank([4, 2, 2, 2], [0, 1, 0, 1]) == pytest.approx(4 / 9)
    assert reciprocal_rank([1, 2], [0, 0]) is None


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([-math.inf, 0.0, 1.0]), st.booleans()), min_size=1, max_size=6))
def test_reciprocal_rank_is_brute_force(pool: list[tuple[float, bool]]) -> None:
    """Over all orders of the pool, ties broken by them; and sum_k (rerank@k - rerank@(k-1)) / k, as the first correct
    one is in place k when k submissions find one and k-1 do not."""
    scores, correct = [s for s, _ in pool], [c for _, c in pool]
    found = reciprocal_rank(scores, correct)
    if not any(correct):
        assert found is None
        return
    ranks = []
    for order in permutations(range(len(pool))):
        ranked = sorted(order, key=lambda i: -scores[i])
        ranks.append(1 / (1 + next(place for place, i in enumerate(ranked) if correct[i])))
    assert found == pytest.approx(np.mean(ranks))
    size = len(pool)
    at = [0.0] + [rerank_at_k(scores, correct, size, k) for k in range(1, size + 1)]
    assert found == pytest.approx(sum((at[k] - at[k - 1]) / k for k in range(1, size + 1)))


def test_length_correlation_by_hand() -> None:
    """Ranks (1,2,3,4) against (2,1,4,3): 1 - 6 * (1+1+1+1)/(4 * 15) = .6. With ties, mid-ranks (1.5,1.5,3) against
    (1,2,3): deviations (-.5,-.5,1) and (-1,0,1) -> 1.5 / sqrt(1.5 * 2) = .8660."""
    assert length_correlation([1, 2, 3, 4], [20, 10, 40, 30]) == pytest.approx(0.6)
    assert length_correlation([-math.inf, -math.inf, 9], [5, 6, 7]) == pytest.approx(math.sqrt(3) / 2)
    assert length_correlation([1, 1, 1], [5, 6, 7]) is None
    assert length_correlation([1, 2], [5, 5]) is None
    assert length_correlation([], []) is None
    with pytest.raises(ValueError, match="one length"):
        length_correlation([1, math.nan], [5, 6])
    with pytest.raises(ValueError, match="one length"):
        length_correlation([1, 2], [5])


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=8))
def test_length_correlation_is_pearson_of_ranks_and_ignores_scale(pairs: list[tuple[int, int]]) -> None:
    """Mid-rank by brute force: 1 + how many are smaller + half of how many others are equal."""
    scores, lengths = [s for s, _ in pairs], [n for _, n in pairs]
    ranks = [
        [1 + sum(y < x for y in values) + (sum(y == x for y in values) - 1) / 2 for x in values]
        for values in (scores, lengths)
    ]
    found = length_correlation(scores, lengths)
    if len(set(scores)) == 1 or len(set(lengths)) == 1:
        assert found is None
    else:
        assert found == pytest.approx(np.corrcoef(ranks)[0, 1])
        assert found == pytest.approx(length_correlation([math.exp(3 * s) for s in scores], lengths))
        assert found == pytest.approx(-length_correlation([-s for s in scores], lengths))  # type: ignore[operator]


def test_mean_of_known() -> None:
    assert mean_of_known([1.0, None, 2.0]) == (1.5, 1)
    assert mean_of_known([None]) == (None, 1)
    assert mean_of_known([]) == (None, 0)


def test_seed_standard_error_by_hand() -> None:
    """.2, .4, .6: variance (.04 + 0 + .04)/2 = .04, so .2 / sqrt(3) = .11547."""
    assert seed_standard_error([0.2, 0.4, 0.6]) == pytest.approx(0.2 / math.sqrt(3))
    assert seed_standard_error([0.3]) is None
    for bad in ([], [math.nan, 1.0]):
        with pytest.raises(ValueError, match="one number per seed"):
            seed_standard_error(bad)


@pytest.mark.parametrize("metric", [expected_pick, pair_accuracy, auc, reciprocal_rank])
def test_bad_scores_are_refused(metric: object) -> None:
    for scores, correct in (([math.nan, 1.0], [0, 1]), ([1.0], [0, 1]), ([], []), ([1.0], [2])):
        with pytest.raises(ValueError, match="needs"):
            metric(scores, correct)  # type: ignore[operator]


def test_choice_shares_are_of_problems() -> None:
    """The first problem's best two tie, one of them right; nothing solves the second; the third's best is right."""
    shares = choice_shares([[2.0, 2.0, 1.0, 0.0], [0.0, 1.0], [1.0, 3.0]], [[1, 0, 0, 0], [0, 0], [0, 1]])
    assert shares == pytest.approx(((0.5 + 0 + 1) / 3, (0.25 + 0 + 0.5) / 3, 2 / 3))


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
