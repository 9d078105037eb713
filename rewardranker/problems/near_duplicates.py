"""Texts that are nearly the same, found by MinHash (Broder 1997), and the groups of problems that they make."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from rewardranker.problems.statements import statement, words
from rewardranker.problems.types import Problem, Split

SHINGLE_WORDS = 5
THRESHOLD = 0.8

# With 32 bands of 4 values a pair of Jaccard similarity s shares a band with probability 1 - (1 - s^4)^32
# (Leskovec, Rajaraman & Ullman, Mining of Massive Datasets, section 3.4): all but 5e-8 at 0.8, 4e-3 at 0.63.
_BANDS, _ROWS = 32, 4
_SEED = 20250409

# A problem that is in two splits stays in the one that comes first here.
_PRECEDENCE: tuple[Split, ...] = ("test", "validation", "train")


def shingles(text: str, n: int = SHINGLE_WORDS) -> np.ndarray:
    """The distinct runs of ``n`` words of a text, hashed and sorted: ``uint64 [number of runs]``.

    A text of fewer words is one run; one without words has none.
    """
    found = words(text)
    runs = [" ".join(found[i : i + n]) for i in range(max(1, len(found) - n + 1))] if found else []
    hashes = [int.from_bytes(hashlib.blake2b(run.encode(), digest_size=8).digest(), "little") for run in runs]
    return np.unique(np.array(hashes, dtype=np.uint64))


def jaccard(left: np.ndarray, right: np.ndarray) -> float:
    """Shared elements over all elements of two sorted arrays of distinct values; 0 where both are empty."""
    shared = len(np.intersect1d(left, right, assume_unique=True))
    return shared / max(1, len(left) + len(right) - shared)


def near_pairs(
    left: Sequence[str], right: Sequence[str] | None = None, threshold: float = THRESHOLD
) -> list[tuple[int, int, float]]:
    """Pairs of texts whose runs of five words have at least this Jaccard similarity.

    MinHash and banding only propose pairs; the similarity returned, and compared, is the exact one.

    Args:
        right: to compare ``left`` with; ``None`` for itself, each pair once and none with itself.

    Returns:
        ``(index in left, index in right, similarity)``, sorted; the same texts give the same pairs.
    """
    first = [shingles(text) for text in left]
    second = first if right is None else [shingles(text) for text in right]
    pairs = []
    for i, j in sorted(_proposed(first, second, itself=right is None)):
        similarity = jaccard(first[i], second[j])
        if similarity >= threshold:
            pairs.append((i, j, similarity))
    return pairs


def group_near_duplicates(problems: Sequence[Problem], threshold: float = THRESHOLD) -> list[Problem]:
    """The same problems, those with nearly the same statement in one group, transitively.

    Problems of one group before stay together. A group's id is that of its first problem.
    """
    groups = list(dict.fromkeys(problem.group_id for problem in problems))
    place = {group: i for i, group in enumerate(groups)}
    pairs = near_pairs([statement(problem) for problem in problems], threshold=threshold)
    links = [(place[problems[i].group_id], place[problems[j].group_id]) for i, j, _ in pairs]
    root = _components(len(groups), links)
    return [dataclasses.replace(p, group_id=groups[root[place[p.group_id]]]) for p in problems]


def keep_splits_apart(problems: Sequence[Problem]) -> list[Problem]:
    """Without the problems whose group is also in a split further from training."""
    kept: dict[str, Split] = {}
    for split in reversed(_PRECEDENCE):
        kept.update({problem.group_id: split for problem in problems if problem.split == split})
    return [problem for problem in problems if problem.split == kept[problem.group_id]]


def _proposed(left: Sequence[np.ndarray], right: Sequence[np.ndarray], itself: bool) -> set[tuple[int, int]]:
    """Pairs that agree in all values of at least one band."""
    first = _signatures(left)
    second = first if itself else _signatures(right)
    found: set[tuple[int, int]] = set()
    for start in range(0, _BANDS * _ROWS, _ROWS):
        buckets: dict[bytes, list[int]] = defaultdict(list)
        for j, signature in second.items():
            buckets[signature[start : start + _ROWS].tobytes()].append(j)
        for i, signature in first.items():
            others = buckets.get(signature[start : start + _ROWS].tobytes(), ())
            found.update((i, j) for j in others if not itself or i < j)
    return found


def _signatures(sets: Sequence[np.ndarray]) -> dict[int, np.ndarray]:
    """MinHash signatures ``uint32 [128]`` of the sets that are not empty, by index.

    Each value is the least of the high halves of ``a x + b`` modulo 2^64 with odd ``a`` (multiply-shift hashing,
    Dietzfelbinger et al. 1997).
    """
    rng = np.random.default_rng(_SEED)
    limits = np.iinfo(np.uint64)
    a = rng.integers(0, limits.max, _BANDS * _ROWS, dtype=np.uint64) | np.uint64(1)
    b = rng.integers(0, limits.max, _BANDS * _ROWS, dtype=np.uint64)
    return {
        i: ((values[:, None] * a + b) >> np.uint64(32)).astype(np.uint32).min(axis=0)
        for i, values in enumerate(sets)
        if len(values)
    }


def _components(count: int, links: Iterable[tuple[int, int]]) -> list[int]:
    """The least element of each element's component, by union-find."""
    parent = list(range(count))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for i, j in links:
        low, high = sorted((root(i), root(j)))
        parent[high] = low
    return [root(i) for i in range(count)]
