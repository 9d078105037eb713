"""Platt scaling and what is measured after it, against hand-derived numbers and brute force."""

from __future__ import annotations

import json
import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewardranker.errors import UserError
from rewardranker.statistics.calibration import (
    Bin,
    Calibration,
    Platt,
    brier,
    calibrate,
    expected_calibration_error,
    fit_platt,
    reliability,
)

probabilities = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=12)


def test_platt_by_hand() -> None:
    """Scores 0 and 1, 3 of 4 right at 1 and 1 of 4 at 0: N+ = N- = 4, so Platt's targets are 5/6 and 1/6. Two
    parameters fit two points exactly: p(1) = (3 * 5/6 + 1/6)/4 = 2/3 and p(0) = 1/3, the logits are +-ln 2, so
    offset = -ln 2 and slope = 2 ln 2."""
    found = fit_platt([1] * 4 + [0] * 4, [1, 1, 1, 0, 1, 0, 0, 0])
    assert (found.slope, found.offset) == pytest.approx((2 * math.log(2), -math.log(2)), abs=1e-6)
    assert found([1, 0]) == pytest.approx([2 / 3, 1 / 3])


def test_platt_stays_finite_where_the_score_separates() -> None:
    """Two right at 1, two wrong at 0: targets 3/4 and 1/4, logits +-ln 3, where plain maximum likelihood has no
    finite slope."""
    found = fit_platt([1, 1, 0, 0], [1, 1, 0, 0])
    assert found([1, 0]) == pytest.approx([0.75, 0.25])
    assert fit_platt([1e6, 1e6, -1e6, -1e6], [1, 1, 0, 0])([1e6, -1e6]) == pytest.approx([0.75, 0.25])


def test_platt_of_a_score_that_says_nothing_is_the_base_rate() -> None:
    """One right of two at the same score: targets 2/3 and 1/3, mean 1/2."""
    assert fit_platt([7.0, 7.0], [1, 0]) == Platt(0.0, pytest.approx(0.0))  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-5, 5), st.booleans()), min_size=3, max_size=20),
    st.floats(0.01, 100),
    st.floats(-50, 50),
)
def test_platt_is_the_best_on_a_grid_and_ignores_scale(
    pool: list[tuple[float, bool]], scale: float, shift: float
) -> None:
    scores = [round(s, 2) for s, _ in pool]
    correct = [c for _, c in pool]
    found = fit_platt(scores, correct)
    passing = sum(correct)
    high, low = (passing + 1) / (passing + 2), 1 / (len(correct) - passing + 2)

    def loss(platt: Platt) -> float:
        p = np.clip(platt(scores), 1e-300, 1 - 1e-16)
        target = np.where(correct, high, low)
        return float(-(target * np.log(p) + (1 - target) * np.log(1 - p)).sum())

    best = loss(found)
    for a in np.linspace(found.slope - 1, found.slope + 1, 9):
        for b in np.linspace(found.offset - 1, found.offset + 1, 9):
            assert best <= loss(Platt(float(a), float(b))) + 1e-6
    moved = fit_platt([scale * s + shift for s in scores], correct)
    assert moved([scale * s + shift for s in scores]) == pytest.approx(found(scores), abs=1e-4)


def test_ece_and_brier_by_hand() -> None:
    """Two bins: .2 and .4 (one right) predict .3 and are .5; .9 (right) predicts .9. ECE = (2 * .2 + 1 * .1)/3 =
    1/6. Brier = (.2^2 + .6^2 + .1^2)/3 = .41/3."""
    p, y = [0.2, 0.4, 0.9], [0, 1, 1]
    rows = reliability(p, y, bins=2)
    assert rows == (
        Bin(0.0, 0.5, 2, pytest.approx(0.3), 0.5),  # type: ignore[arg-type]
        Bin(0.5, 1.0, 1, 0.9, 1.0),
    )
    assert expected_calibration_error(rows) == pytest.approx(1 / 6)
    assert brier(p, y) == pytest.approx(0.41 / 3)


@given(probabilities, st.integers(1, 7))
def test_reliability_is_brute_force(pool: list[tuple[float, bool]], bins: int) -> None:
    p, y = [a for a, _ in pool], [b for _, b in pool]
    error, seen = 0.0, 0
    rows = reliability(p, y, bins)
    for i in range(bins):
        low, high = i / bins, (i + 1) / bins
        inside = [(a, b) for a, b in pool if (low < a <= high) or (i == 0 and a == 0)]
        own = [row for row in rows if row.low == low]
        assert len(own) == bool(inside)
        if inside:
            assert own[0].count == len(inside)
            assert own[0].predicted == pytest.approx(np.mean([a for a, _ in inside]))
            assert own[0].correct == pytest.approx(np.mean([b for _, b in inside]))
            error += abs(sum(a - b for a, b in inside)) / len(pool)
            seen += len(inside)
    assert seen == len(pool)
    assert expected_calibration_error(rows) == pytest.approx(error, abs=1e-12)
    assert brier(p, y) == pytest.approx(np.mean([(a - b) ** 2 for a, b in pool]))


def test_calibrate_fits_on_some_groups_and_measures_on_others() -> None:
    """The score is the logit of the truth plus 3, so slope 1 and offset -3 are right, on problems never fitted."""
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 1.5, 4000)
    correct = (generator.random(4000) < 1 / (1 + np.exp(-logits))).astype(int)
    groups = [f"g{i // 10}" for i in range(4000)]
    found = calibrate(logits + 3, correct, groups, seed=1)
    assert (found.platt.slope, found.platt.offset) == pytest.approx((1, -3), abs=0.2)
    assert (found.fitted, found.measured) == (2000, 2000)
    assert found.ece < 0.03
    assert found.brier < found.brier_of_base_rate == pytest.approx(0.25, abs=0.005)
    assert found == calibrate(logits + 3, correct, groups, seed=1)
    assert found != calibrate(logits + 3, correct, groups, seed=2)
    assert Calibration.from_json(json.loads(json.dumps(found.to_json()))) == found


# Right and wrong candidates with the scores 0 and 1, one to five of them in a group.
binary = st.lists(st.tuples(st.sampled_from([0, 1]), st.booleans()), min_size=1, max_size=5)


@settings(max_examples=80, deadline=None)
@given(st.lists(binary, min_size=4, max_size=4), st.integers(0, 9), st.sampled_from([0.25, 0.5, 0.75]))
def test_calibrate_against_the_exact_optimum_on_the_groups_that_it_fitted(
    found: list[list[tuple[int, bool]]], seed: int, share: float
) -> None:
    """Two parameters fit two scores exactly, so each score's best probability is its mean target, (N+ + 1)/(N+ + 2)
    for the right and 1/(N- + 2) for the wrong; with one score, the same. Groups are repeated 1, 6, 36 and 216 times,
    so that the number of fitted candidates says which were: no other choice of groups has as many."""
    pools = [group * 6**i for i, group in enumerate(found)]
    flat = [(s, c, f"g{i}") for i, pool in enumerate(pools) for s, c in pool]
    result = calibrate([s for s, _, _ in flat], [c for _, c, _ in flat], [g for _, _, g in flat], share, seed)
    chosen = [
        picked
        for picked in combinations(range(4), round(4 * share))
        if sum(len(pools[i]) for i in picked) == result.fitted
    ]
    assert len(chosen) == 1
    fit = [one for i in chosen[0] for one in pools[i]]
    rest = [one for i in range(4) if i not in chosen[0] for one in pools[i]]
    passing = sum(c for _, c in fit)
    target = {True: (passing + 1) / (passing + 2), False: 1 / (len(fit) - passing + 2)}
    best = {score: [target[c] for s, c in fit if s == score] for score in (0, 1)}
    if not best[0] or not best[1]:
        best[0] = best[1] = best[0] + best[1]
    p = {score: sum(targets) / len(targets) for score, targets in best.items()}
    assert result.platt([0, 1]) == pytest.approx([p[0], p[1]], abs=1e-6)
    assert result.measured == len(rest)
    base = passing / len(fit)
    assert result.brier == pytest.approx(sum((p[s] - c) ** 2 for s, c in rest) / len(rest), abs=1e-6)
    assert result.brier_of_base_rate == pytest.approx(sum((base - c) ** 2 for _, c in rest) / len(rest))


def test_calibrate_against_a_search_of_the_whole_plane() -> None:
    """One group of 300 and one of 200 candidates, noisy and shifted differently: the number of fitted ones says which
    group it was. The loss on it, Platt's targets and all, is searched on ever finer grids from -8 to 8; ECE and Brier
    score are then worked out for the found parameters on the other group, candidate by candidate."""
    generator = np.random.default_rng(11)
    scores = np.concatenate([generator.normal(0.5, 1, 300), generator.normal(-0.5, 2, 200)])
    truth = 1 / (1 + np.exp(-(1.7 * scores - 0.9)))
    correct = (generator.random(500) < truth).astype(int)
    groups = np.array(["a"] * 300 + ["b"] * 200)
    fitted = set()
    for seed in range(4):
        found = calibrate(scores, correct, list(groups), seed=seed)
        fit = groups == ("a" if found.fitted == 300 else "b")
        fitted.add(found.fitted)
        slope, offset = searched(scores[fit], correct[fit])
        assert (found.platt.slope, found.platt.offset) == pytest.approx((slope, offset), abs=1e-4)
        p, y = 1 / (1 + np.exp(-(slope * scores[~fit] + offset))), correct[~fit]
        assert found.brier == pytest.approx(np.mean((p - y) ** 2), abs=1e-5)
        bins = [np.ceil(10 * p) == i for i in range(1, 11)]
        gaps = [abs(p[own].mean() - y[own].mean()) * own.mean() for own in bins if own.any()]
        assert found.ece == pytest.approx(sum(gaps), abs=1e-3)
    assert fitted == {200, 300}


def searched(scores: np.ndarray, correct: np.ndarray) -> tuple[float, float]:
    """Slope and offset of the least loss under Platt's targets, by grids, each four times as fine as the last."""
    passing = correct.sum()
    target = np.where(correct == 1, (passing + 1) / (passing + 2), 1 / (len(correct) - passing + 2))
    slope, offset, width = 0.0, 0.0, 8.0
    while width > 1e-6:
        steps = np.linspace(-width, width, 41)
        a, b = (grid.ravel()[:, None] for grid in np.meshgrid(slope + steps, offset + steps))
        z = a * scores + b
        best = int(np.argmin((np.logaddexp(0, z) - target * z).sum(axis=1)))
        slope, offset, width = float(a[best, 0]), float(b[best, 0]), width / 4
    return slope, offset


def test_no_group_is_on_both_sides() -> None:
    """Group a says that high is right and group b that low is: fitted on either, it is wrong on the other."""
    scores, correct, groups = [1, 0] * 20, [1, 0] * 10 + [0, 1] * 10, ["a"] * 20 + ["b"] * 20
    for seed in range(4):
        found = calibrate(scores, correct, groups, seed=seed)
        assert (found.fitted, found.measured) == (20, 20)
        assert found.brier > 0.5 > found.brier_of_base_rate


def test_what_cannot_be_calibrated_is_refused() -> None:
    with pytest.raises(UserError, match="at least 2 problem groups"):
        calibrate([1, 2], [0, 1], ["a", "a"])
    with pytest.raises(UserError, match="share is 1"):
        calibrate([1, 2], [0, 1], ["a", "b"], fit_share=1)
    with pytest.raises(UserError, match="1 of 2 are not"):
        calibrate([1, -math.inf], [0, 1], ["a", "b"])
    for scores, correct in (([], []), ([1.0], [0, 1]), ([math.nan], [1]), ([1.0], [2])):
        for function in (fit_platt, brier, reliability):
            with pytest.raises(ValueError, match="calibration needs"):
                function(scores, correct)  # type: ignore[operator]
    with pytest.raises(ValueError, match="from 0 to 1"):
        reliability([1.5], [1])
