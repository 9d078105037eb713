"""Scores that a ranker wrote into the pool earlier."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rewardranker.errors import UserError
from rewardranker.problems.types import Candidate, Problem


def stored_scores(candidates: Sequence[Candidate], key: str) -> list[float]:
    """``candidate.scores[key]`` of each.

    Raises:
        UserError: a candidate has no such score, or NaN; names its problem.
    """
    scores = []
    for index, candidate in enumerate(candidates):
        where = f"problem {candidate.problem_id}, candidate {index}"
        if key not in candidate.scores:
            found = ", ".join(sorted(candidate.scores)) or "none"
            raise UserError(f"{where}: no score {key!r} (scores found: {found}); score the pool with it first")
        if math.isnan(candidate.scores[key]):
            raise UserError(f"{where}: score {key!r} is NaN; check the model that wrote it, and score again")
        scores.append(candidate.scores[key])
    return scores


class StoredRanker:
    """Ranks by the scores under one key; its name is the key."""

    def __init__(self, key: str) -> None:
        self.name = key

    def score(self, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
        return stored_scores(candidates, self.name)
