"""The cluster bootstrap against explicit resampling, and what it is for: columns that share their problems."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewardranker.statistics.clusters import ClusterBootstrap, Column
from rewardranker.statistics.metrics import auc, bootstrap_mean, paired_bootstrap

RESAMPLES = 60

columns = st.lists(
    st.lists(st.tuples(st.floats(0, 1), st.sampled_from("abc")), min_size=1, max_size=6), min_size=1, max_size=3
)


def drawn(groups: int, seed: int) -> list[np.ndarray]:
    """The documented draws: as many groups as there are, uniformly, from numpy's default generator."""
    generator = np.random.default_rng(seed)
    return [generator.integers(0, groups, groups) for _ in range(RESAMPLES)]


@settings(max_examples=60, deadline=None)
@given(columns, st.integers(0, 5))
def test_interval_is_that_of_copying_the_drawn_groups(found: list[list[tuple[float, str]]], seed: int) -> None:
    """Every resample writes out the problems of each drawn group as often as it was drawn."""
    names = "abc"
    bootstrap = ClusterBootstrap(list(names), RESAMPLES, seed)
    means = []
    for draw in drawn(3, seed):
        copies = [[value for i in draw for value, group in column if group == names[i]] for column in found]
        known = [np.mean(copied) for copied in copies if copied]
        if known:
            means.append(np.mean(known))
    wanted = np.mean([np.mean([value for value, _ in column]) for column in found])
    low, high = np.percentile(means, [2.5, 97.5])
    given_columns = [Column([v for v, _ in column], [g for _, g in column]) for column in found]
    assert bootstrap.interval(given_columns) == pytest.approx((wanted, low, high))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([-math.inf, 0.0, 1.0]), st.booleans(), st.sampled_from("abc")),
        min_size=2,
        max_size=12,
    ),
    st.integers(0, 5),
)
def test_auc_interval_is_that_of_copying_the_drawn_groups(pool: list[tuple[float, bool, str]], seed: int) -> None:
    bootstrap = ClusterBootstrap(list("abc"), RESAMPLES, seed)
    scores, correct, groups = ([part[i] for part in pool] for i in range(3))
    wanted = auc(scores, correct)
    if wanted is None:
        assert bootstrap.auc(scores, correct, groups) is None
        return
    areas = []
    for draw in drawn(3, seed):
        copied = [(s, c) for i in draw for s, c, g in pool if g == "abc"[i]]
        area = auc([s for s, _ in copied], [c for _, c in copied]) if copied else None
        if area is not None:
            areas.append(area)
    low, high = np.percentile(areas, [2.5, 97.5])
    assert bootstrap.auc(scores, correct, groups) == pytest.approx((wanted, low, high))


def test_eight_languages_of_the_same_problems_are_no_more_certain_than_one() -> None:
    """Eight copies of a column of 200 zeros and ones: the standard error stays sqrt(.25/200) = .035, so the interval
    is 2 * 1.96 * .035 = .139 wide. Taking the 1,600 cells as independent gives .049, too narrow by sqrt(8)."""
    values, names = [0, 1] * 100, [str(i) for i in range(200)]
    bootstrap = ClusterBootstrap(names, 4000, seed=0)
    one = bootstrap.interval([Column(values, names)])
    eight = bootstrap.interval([Column(values, names)] * 8)
    assert eight == pytest.approx(one)
    assert eight[2] - eight[1] == pytest.approx(0.139, abs=0.01)
    naive = bootstrap_mean(values * 8, 4000, seed=0)
    assert naive[2] - naive[1] == pytest.approx(0.049, abs=0.006)


def test_near_duplicates_widen_the_interval() -> None:
    """100 problems that are 25 groups of four equal ones: sqrt(.25/25) = .1, twice what 100 problems give."""
    values = [i // 4 % 2 for i in range(100)]
    groups = [str(i // 4) for i in range(100)]
    clustered = bootstrap_mean(values, 4000, 0, groups)
    plain = bootstrap_mean(values, 4000, 0)
    assert (clustered[2] - clustered[1]) / (plain[2] - plain[1]) == pytest.approx(2, abs=0.25)


def test_near_duplicates_widen_a_difference_too() -> None:
    """Of groups of four, the first ranker solves all or none, in turn, the second every other problem. A group's mean
    difference is then 1/2 or -1/2, so sqrt(.25/25) = .1; of single problems 1, 0 or -1, with variance 1/2, so
    sqrt(.5/100) = .0707. The intervals are 2 * 1.96 times that wide: .392 and .277."""
    first = [i // 4 % 2 for i in range(100)]
    second = [i % 2 for i in range(100)]
    found = paired_bootstrap(first, second, 4000, 0, [str(i // 4) for i in range(100)])
    plain = paired_bootstrap(first, second, 4000, 0)
    assert found[0] == plain[0] == pytest.approx(-0.02)  # 12 groups of 25 solved by the first
    assert found[2] - found[1] == pytest.approx(0.392, abs=0.03)
    assert plain[2] - plain[1] == pytest.approx(0.277, abs=0.02)


def test_a_group_of_its_own_is_the_plain_bootstrap() -> None:
    values = np.random.default_rng(0).random(30)
    assert bootstrap_mean(values, 200, 3) == bootstrap_mean(values, 200, 3, [f"g{i}" for i in range(30)])


def test_what_cannot_be_resampled_is_refused() -> None:
    for names, resamples in (([], 10), (["a"], 0)):
        with pytest.raises(ValueError, match="bootstrap needs"):
            ClusterBootstrap(names, resamples, 0)
    bootstrap = ClusterBootstrap(["a", "b"], 10, 0)
    for column in (Column([], []), Column([math.nan], ["a"]), Column([1.0], ["a", "b"])):
        with pytest.raises(ValueError, match="bootstrap needs"):
            bootstrap.interval([column])
    with pytest.raises(ValueError, match="not for 'c'"):
        bootstrap.interval([Column([1.0], ["c"])])


def test_resamples_that_never_draw_what_is_wanted_say_so() -> None:
    """One of two groups is missing from a quarter of all resamples."""
    seed = next(s for s in range(50) if 0 not in np.random.default_rng(s).integers(0, 2, 2))
    with pytest.raises(ValueError, match="needs more resamples"):
        ClusterBootstrap(["a", "b"], 1, seed).interval([Column([1.0], ["a"])])
