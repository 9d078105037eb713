"""Can the preferred side be told by style alone? Then a reward model would learn style."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rewardranker.problems.types import Triplet

FEATURES: dict[str, Callable[[str], float]] = {
    "length": len,
    "lines": lambda code: code.count("\n"),
    "carriage_returns": lambda code: code.count("\r"),
    "tabs": lambda code: code.count("\t"),
    "trailing_spaces": lambda code: sum(line != line.rstrip() for line in code.split("\n")),
    "comments": lambda code: code.count("#"),
    "docstrings": lambda code: code.count('"""'),
    "fences": lambda code: code.count("```"),
    "blank_lines": lambda code: sum(not line.strip() for line in code.split("\n")),
}


def style_shares(triplets: Sequence[Triplet]) -> dict[str, float]:
    """For each feature, the share of pairs in which chosen has more of it, ties counted half.

    .5 tells nothing; near 0 or 1 the feature alone gives the label away.
    """
    return {name: _share(triplets, feature) for name, feature in FEATURES.items()}


def _share(triplets: Sequence[Triplet], feature: Callable[[str], float]) -> float:
    points = 0.0
    for t in triplets:
        difference = feature(t.chosen) - feature(t.rejected)
        points += 1.0 if difference > 0 else 0.5 if difference == 0 else 0.0
    return points / len(triplets)
