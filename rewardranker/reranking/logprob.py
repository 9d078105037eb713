"""The generator's own opinion: the log-probability of a response's tokens."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rewardranker.problems.types import Candidate, Problem


def sum_logprob(candidate: Candidate) -> float:
    """Log-probability of the whole response, in nats; ``-inf`` where no log-probabilities are known."""
    return math.fsum(candidate.logprobs) if candidate.logprobs else -math.inf


def mean_logprob(candidate: Candidate) -> float:
    """Mean over response tokens, in nats; ``-inf`` where no log-probabilities are known."""
    return sum_logprob(candidate) / max(1, len(candidate.logprobs))


class LogprobRanker:
    """Prefers what the generator found likely, whatever its length (Chen et al. 2021, section 3.3)."""

    name = "logprob"

    def score(self, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
        return [mean_logprob(candidate) for candidate in candidates]


class SumLogprobRanker:
    """Prefers the most probable response, which favours short ones."""

    name = "logprob_sum"

    def score(self, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
        return [sum_logprob(candidate) for candidate in candidates]
