"""A random choice: what a ranker must beat."""

from __future__ import annotations

import random
from collections.abc import Sequence

from rewardranker.problems.types import Candidate, Problem


class RandomRanker:
    """Uniform scores, seeded by the problem's id: the same problem gets the same choice in any order."""

    name = "random"

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed

    def score(self, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
        generator = random.Random(f"{self._seed}/{problem.id}")
        return [generator.random() for _ in candidates]
