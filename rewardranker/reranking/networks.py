"""RewardRanker and CodeRanker: a number of a trained network. Nothing is executed to rank."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rewardranker.problems.types import Candidate, Problem
from rewardranker.reranking.numbers import Numbers


class RewardRanker:
    """Prefers the higher Bradley-Terry score (Sorokin et al. 2025, section 3).

    The loss compares programs of one problem only, so scores of different problems mean nothing side by side.

    Args:
        reward: the reward model's scores; it reads
            :func:`rewardranker.generation.candidates.scored_sequence`.
    """

    def __init__(self, reward: Numbers, name: str = "rewardranker") -> None:
        self.name, self._reward = name, reward

    def score(self, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
        return self._reward(problem, candidates)


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
