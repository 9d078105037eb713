"""MinHash pairs and groups against brute force over all pairs."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from benchmark_data import shared
from hypothesis import given, settings
from hypothesis import strategies as st

from rewardranker.errors import UserError
from rewardranker.problems.benchmarks import load_benchmark
from rewardranker.problems.io import check_problems
from rewardranker.problems.near_duplicates import (
    group_near_duplicates,
    jaccard,
    keep_splits_apart,
    near_pairs,
    shingles,
)
from rewardranker.problems.types import Problem, Split, Test

WORDS = [
    "write",
    "a",
    "function",
    "to",
    "find",
    "the",
    "sum",
    "of",
    "all",
    "even",
    "odd",
    "numbers",
    "in",
    "given",
    "list",
]
texts = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


def runs(text: str, n: int = 5) -> set[tuple[str, ...]]:
    found = text.split()
    return {tuple(found[i : i + n]) for i in range(max(1, len(found) - n + 1))} if found else set()


def similarity(left: str, right: str) -> float:
    either = runs(left) | runs(right)
    return len(runs(left) & runs(right)) / len(either) if either else 0.0


def problem(name: str, statement: str, split: Split = "train", group: str = "") -> Problem:
    return Problem(
        id=name,
        source="made",
        language="python",
        prompt=statement,
        entry_point="f",
        style="program",
        tests=(Test("assert f()"),),
        split=split,
        group_id=group or name,
        licence="MIT",
        revision="1",
    )


def edited(text: str, at: int, word: str) -> str:
    found = text.split()
    return " ".join([*found[:at], word, *found[at + 1 :]])


def test_jaccard_by_hand() -> None:
    """``a b c d e f`` has the runs abcde and bcdef, ``a b c d e`` the first: 1 of 2; letter case and punctuation
    do not count; three words are one run; no words are like nothing."""
    assert jaccard(shingles("a b c d e f"), shingles("A, b: c d... e")) == 0.5
    assert len(shingles("one two three")) == 1 and len(shingles("")) == len(shingles(" ,.")) == 0
    assert jaccard(shingles("one two three"), shingles("one two")) == 0.0
    assert jaccard(shingles(""), shingles("")) == 0.0
    assert near_pairs(["", ""]) == []


@settings(max_examples=60, deadline=None)
@given(st.lists(texts, max_size=12), st.lists(texts, max_size=6), st.sampled_from([0.8, 0.9, 1.0]))
def test_pairs_are_those_of_brute_force(left: list[str], right: list[str], threshold: float) -> None:
    """At 0.8 a pair is missed with probability 5e-8 (and the hashing is fixed, so never again)."""
    right = [*right, *left[:2], *(edited(text, -1, "else") for text in left[2:4])]
    across = {(i, j, similarity(a, b)) for i, a in enumerate(left) for j, b in enumerate(right)}
    assert near_pairs(left, right, threshold) == sorted(p for p in across if p[2] >= threshold)
    within = {(i, j, similarity(left[i], left[j])) for j in range(len(left)) for i in range(j)}
    assert near_pairs(left, threshold=threshold) == sorted(p for p in within if p[2] >= threshold)


def test_one_word_changed_in_a_long_text_is_found() -> None:
    """A changed word takes 5 of 96 runs from each side: 91 / 101 = 0.901; three changed words leave 81 / 111."""
    words = [f"word{i}" for i in np.random.default_rng(0).integers(0, 10_000, 100)]
    text = " ".join(words)
    once = edited(text, 50, "other")
    thrice = edited(edited(once, 20, "other"), 80, "other")
    assert near_pairs([text], [once]) == [(0, 0, pytest.approx(91 / 101))]
    assert near_pairs([text], [thrice]) == [] and similarity(text, thrice) == pytest.approx(81 / 111)
    assert near_pairs([text], [thrice], threshold=0.7) == [(0, 0, pytest.approx(81 / 111))]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(texts, st.sampled_from(SPLITS), st.integers(0, 8)), min_size=1, max_size=12))
def test_groups_are_the_components_of_brute_force(drawn: list[tuple[str, Split, int]]) -> None:
    """Problems that are alike, or were in one group, are in one group, and no others: by relaxation."""
    problems = [problem(str(i), text, split, f"g{group}") for i, (text, split, group) in enumerate(drawn)]
    label = list(range(len(problems)))
    for _ in problems:
        for i, one in enumerate(problems):
            for j, other in enumerate(problems):
                if one.group_id == other.group_id or similarity(one.prompt, other.prompt) >= 0.8:
                    label[i] = label[j] = min(label[i], label[j])
    grouped = group_near_duplicates(problems)
    assert [p.group_id for p in grouped] == [problems[i].group_id for i in label]
    assert [dataclasses.replace(p, group_id=q.group_id) for p, q in zip(grouped, problems, strict=True)] == problems

    kept = keep_splits_apart(grouped)
    check_problems(kept)
    assert {p.group_id for p in kept} == {p.group_id for p in grouped}
    ranks = {p.group_id: max(SPLITS.index(q.split) for q in grouped if q.group_id == p.group_id) for p in grouped}
    assert kept == [p for p in grouped if SPLITS.index(p.split) == ranks[p.group_id]]


def test_chains_are_one_group_and_leaks_are_seen() -> None:
    """b is like a (runs 5 of 6) and like c (5 of 6), a and c are less alike (4 of 6 = 0.67)."""
    a = "one two three four five six seven eight nine"
    b, c = f"{a} ten", f"{a.removeprefix('one ')} ten"
    chain = [problem("a", a, "test"), problem("c", c), problem("b", b), problem("z", "other", "test")]
    assert similarity(a, c) < 0.8 < similarity(a, b)
    grouped = group_near_duplicates(chain)
    assert [p.group_id for p in grouped] == ["a", "a", "a", "z"]
    with pytest.raises(UserError, match=r"in several: a \(test, train\)"):
        check_problems(grouped)
    assert [p.id for p in keep_splits_apart(grouped)] == ["a", "z"]


def test_near_duplicates_of_mbpp() -> None:
    """All 974 statements; the pairs are those of brute force."""
    problems = load_benchmark("mbpp", shared("mbpp/mbpp.jsonl"), split=None)
    sentences = [p.prompt.split("Task: ")[1].split("\nYour code")[0] for p in problems]
    hashed = [shingles(text) for text in sentences]
    brute = [(i, j) for j in range(974) for i in range(j) if jaccard(hashed[i], hashed[j]) >= 0.8]
    assert sorted(brute) == [(i, j) for i, j, _ in near_pairs(sentences)]
    groups = {p.id: p.group_id for p in group_near_duplicates(problems)}
    pairs = {name: group for name, group in groups.items() if name != group}
    expected = {43: 16, 347: 76, 602: 217, 607: 534, 653: 174, 704: 248, 872: 216, 879: 794, 928: 427, 930: 719}
    assert pairs == {f"mbpp/{one}": f"mbpp/{other}" for one, other in expected.items()}
