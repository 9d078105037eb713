"""Choosing from candidates that you already have."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rewardranker.problems.types import Candidate, Problem
from rewardranker.reranking.protocol import Ranker


def rank(problem: Problem, candidates: Sequence[Candidate], ranker: Ranker) -> list[int]:
    """Indices into ``candidates``, best first; equal scores keep the order of the candidates.

    Raises:
        ValueError: the ranker returned NaN, or not one score per candidate.
    """
    scores = ranker.score(problem, candidates)
    if len(scores) != len(candidates):
        raise ValueError(
            f"ranker {ranker.name} gave {len(scores)} scores for {len(candidates)} candidates of {problem.id}"
        )
    if any(math.isnan(score) for score in scores):
        raise ValueError(f"ranker {ranker.name} gave NaN for a candidate of problem {problem.id}")
    return sorted(range(len(scores)), key=lambda i: -scores[i])
