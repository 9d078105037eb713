"""The generator's own opinion: mean log-probability of a response's tokens."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rewardranker.problems.types import Candidate, Problem


def mean_logprob(candidate: Candidate) -> float:
    """Mean over response tokens, in nats; ``-inf`` where no log-probabilities are known."""
    if not candidate.logprobs:
        return -math.inf
    return math.fsum(candidate.logprobs) / len(candidate.logprobs)


class LogprobRanker:
    """Prefers what the generator found likely, whatever its length (Chen et al. 2021, section 3.3)."""

    name = "logprob"

    def score(self, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
        return [mean_logprob(candidate) for candidate in candidates]
