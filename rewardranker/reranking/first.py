"""The generator's first sample: what a user without a reranker gets."""

from __future__ import annotations

from collections.abc import Sequence

from rewardranker.problems.types import Candidate, Problem


class FirstRanker:
    """Keeps the order of the candidates. Over many problems it solves what a random choice solves."""

    name = "first"

    def score(self, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
        return [-float(place) for place in range(len(candidates))]
