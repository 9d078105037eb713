"""Pairs at any size: the nearest without all distances, caps, and the same whatever does the work."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from rewardranker.mining import nearest as nearest_module
from rewardranker.mining.nearest import Match, Neighbours
from rewardranker.mining.pairing import Pair, PairCaps, pair_up
from rewardranker.problems.contests.made_tasks import made_task

Programs = tuple[list[str], list[str]]


def programs(number: int, count: int, language: str = "python") -> Programs:
    """Distinct right and wrong programs for one problem."""
    task, rng = made_task(number, 0), random.Random(number)
    found = [list(dict.fromkeys(task.program(language, right, rng) for _ in range(count))) for right in (True, False)]
    return found[0], found[1]


def by_all_pairs(passing: list[str], failing: list[str], cap: int, seed: int) -> list[Pair]:
    """As it is said: every distance, the first of several as near, then the draw."""
    rng = random.Random(seed)
    pairs: list[Pair] = []
    for index, code in enumerate(failing):
        distances = [Levenshtein.distance(code, other) for other in passing]
        least = min(distances)
        pairs.append(Pair(distances.index(least), index, "levenshtein", least))
        pairs.append(Pair(rng.choice(range(len(passing))), index, "random"))
    return pairs if len(pairs) <= cap else rng.sample(pairs, cap)


@settings(max_examples=60, deadline=None)
@given(st.text("ab\u00e9\ud83d\U0001f600\n", max_size=12), st.lists(st.text("ab\u00e9\n", max_size=12), max_size=90))
def test_the_nearest_is_that_of_all_distances(text: str, others: list[str]) -> None:
    distances = [Levenshtein.distance(text, other) for other in others]
    expected = Match(distances.index(min(distances)), min(distances)) if others else None
    assert Neighbours(others).nearest(text) == expected
    for most in range(4):
        within = expected if expected is not None and expected.distance <= most else None
        assert Neighbours(others).nearest(text, most) == within


@pytest.mark.parametrize("cap", [10_000, 7, 0])
def test_pairs_are_those_of_all_pairs(cap: int) -> None:
    passing, failing = programs(3, 60)
    assert pair_up(passing, failing, PairCaps(pairs=cap), seed=5) == by_all_pairs(passing, failing, cap, seed=5)
    assert pair_up([], failing, PairCaps(), 0) == pair_up(passing, [], PairCaps(), 0) == []


def test_few_distances_are_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    """None for pairs that a cap leaves out, and few of a text's to all others."""
    asked: list[int] = []
    distances = nearest_module._distances

    def counted(text: str, others: list[str], limit: int | None) -> object:
        asked.append(len(others))
        return distances(text, others, limit)

    monkeypatch.setattr(nearest_module, "_distances", counted)
    passing, failing = programs(3, 300, "java")
    pair_up(passing, failing, PairCaps(), 0)
    assert sum(asked) < 0.4 * len(passing) * len(failing)
    asked.clear()
    kept = pair_up(passing, failing, PairCaps(pairs=8), 0)
    assert len(kept) == 8 and sum(asked) < 8 * len(passing)


def test_caps() -> None:
    passing, failing = programs(4, 80)
    some = pair_up(passing, failing, PairCaps(failing=5, passing=3), 1)
    assert len({p.rejected for p in some}) == 5 and len({p.chosen for p in some}) <= 3 and len(some) == 10
    assert Counter(p.origin for p in some) == {"levenshtein": 5, "random": 5}
    often = Counter(p.chosen for p in pair_up(passing, failing, PairCaps(of_one=2), 1) if p.origin == "levenshtein")
    assert max(often.values()) == 2
    near = [p for p in pair_up(passing, failing, PairCaps(distance=0.1), 1) if p.origin == "levenshtein"]
    every = [p for p in pair_up(passing, failing, PairCaps(), 1) if p.origin == "levenshtein"]
    shares = {p: p.distance / max(len(passing[p.chosen]), len(failing[p.rejected])) for p in every}
    assert near == [p for p in every if shares[p] <= 0.1] and 0 < len(near) < len(every)
    rates = [index / len(failing) for index in range(len(failing))]
    apart = pair_up(passing, failing, PairCaps(gap=0.4), 1, rates)
    assert {p.rejected for p in apart} == {i for i, rate in enumerate(rates) if rate <= 0.6}


def pairs_of(number: int) -> list[Pair]:
    passing, failing = programs(number, 25)
    return pair_up(passing, failing, PairCaps(pairs=12, failing=20, of_one=4), seed=number)


def test_the_same_pairs_whatever_the_number_of_workers() -> None:
    numbers = list(range(8))
    with ThreadPoolExecutor(2) as pool:
        shared = list(pool.map(pairs_of, reversed(numbers)))
    assert list(reversed(shared)) == [pairs_of(number) for number in numbers]
