"""RewardRanker: the scalar of a reward model trained on pairs. Nothing is executed to rank."""

from __future__ import annotations

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
