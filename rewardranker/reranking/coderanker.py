"""CodeRanker: a classifier that says, for one program at a time, whether it is correct. Nothing is executed."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rewardranker.problems.types import Candidate, Problem
from rewardranker.reranking.numbers import Numbers


def log_probability(logit: float) -> float:
    """``log sigmoid(logit)``: the log-probability of *correct*, in nats, without overflow on either side."""
    return min(logit, 0.0) - math.log1p(math.exp(-abs(logit)))


class CodeRanker:
    """Prefers the higher log-probability of being correct (Inala et al. 2022, the binary task).

    Args:
        classifier: logits of *correct*; the network reads what the reward model reads (prompt and program).
    """

    def __init__(self, classifier: Numbers, name: str = "coderanker") -> None:
        self.name, self._classifier = name, classifier

    def score(self, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
        return [log_probability(logit) for logit in self._classifier(problem, candidates)]
