"""What a ranker is measured against: the first sample, chance, length alone, and the verdicts themselves."""

from __future__ import annotations

import random
from collections.abc import Sequence

from rewardranker.errors import UserError
from rewardranker.problems.types import Candidate, Problem
from rewardranker.problems.verdict import Verdict


class FirstRanker:
    """Keeps the order of the candidates. Over many problems it solves what a random choice solves."""

    name = "first"

    def score(self, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
        return [-float(place) for place in range(len(candidates))]


class RandomRanker:
    """Uniform scores, seeded by the problem's id: the same problem gets the same choice in any order."""

    name = "random"

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed

    def score(self, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
        generator = random.Random(f"{self._seed}/{problem.id}")
        return [generator.random() for _ in candidates]


class LengthRanker:
    """Prefers the program with the fewest characters in normal form, or the most (``longest``)."""

    def __init__(self, longest: bool = False) -> None:
        self.name = "longest" if longest else "shortest"
        self._sign = 1.0 if longest else -1.0

    def score(self, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
        return [self._sign * len(candidate.code) for candidate in candidates]


class OracleRanker:
    """1 for a candidate that passed its tests, else 0."""

    name = "oracle"

    def score(self, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
        """Raises :class:`UserError` for candidates that were not judged."""
        unjudged = sum(c.verdict is None for c in candidates)
        if unjudged:
            raise UserError(
                f"the oracle needs verdicts; {unjudged} of {len(candidates)} candidates of problem "
                f"{problem.id} have none: judge the pool first"
            )
        return [float(c.verdict == Verdict.OK) for c in candidates]
