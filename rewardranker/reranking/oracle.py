"""The upper bound: a ranker that has seen the verdicts."""

from __future__ import annotations

from collections.abc import Sequence

from rewardranker.errors import UserError
from rewardranker.problems.types import Candidate, Problem
from rewardranker.problems.verdict import Verdict


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
