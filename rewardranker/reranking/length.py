"""The length of a program and nothing else: how much of another ranker's gain could be mere length."""

from __future__ import annotations

from collections.abc import Sequence

from rewardranker.problems.types import Candidate, Problem


class LengthRanker:
    """Prefers the program with the fewest characters in normal form, or the most (``longest``)."""

    def __init__(self, longest: bool = False) -> None:
        self.name = "longest" if longest else "shortest"
        self._sign = 1.0 if longest else -1.0

    def score(self, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
        return [self._sign * len(candidate.code) for candidate in candidates]
