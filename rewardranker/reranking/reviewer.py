"""Coder-Reviewer: a program should be likely given the task, and the task likely given the program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from transformers import PreTrainedTokenizerBase

from rewardranker.models.batching import TokenSequence
from rewardranker.models.encoding import encode_prompt
from rewardranker.problems.types import Candidate, Problem
from rewardranker.reranking.logprob import mean_logprob, sum_logprob
from rewardranker.reranking.numbers import Numbers

Reduction = Literal["sum", "mean"]


class ReviewerRanker:
    """``alpha * log p(x|y) + (1 - alpha) * log p(y|x)`` for task ``x`` and program ``y`` (Zhang et al. 2023,
    section 3).

    Args:
        reviewer: ``log p(x|y)`` in nats, reduced over tokens as ``reduction`` says: of a language model that reads
            :func:`review_sequence`.
        reduction: ``sum``, or ``mean``, which forgives length; for both terms.
        alpha: weight of the reviewer; the paper's is 1/2.
    """

    def __init__(self, reviewer: Numbers, reduction: Reduction = "sum", alpha: float = 0.5) -> None:
        if not 0.0 <= alpha <= 1.0:
            raise ValueError(f"alpha must be in [0, 1], got {alpha}")
        self.name = f"reviewer_{reduction}"
        self._reviewer, self._alpha = reviewer, alpha
        self._coder = {"sum": sum_logprob, "mean": mean_logprob}[reduction]

    def score(self, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
        """``-inf`` for candidates without log-probabilities, unless ``alpha`` is 1."""
        reviews = self._reviewer(problem, candidates)
        if self._alpha == 1.0:  # 0 * -inf would be NaN
            return reviews
        return [
            self._alpha * review + (1.0 - self._alpha) * self._coder(candidate)
            for review, candidate in zip(reviews, candidates, strict=True)
        ]


def review_sequence(tokenizer: PreTrainedTokenizerBase, problem: Problem, candidate: Candidate) -> TokenSequence:
    """The program as prompt and the task as response, whose log-probabilities the reviewer gives. No EOS: the task
    need not end there.
    """
    question = f"```{problem.language}\n{candidate.code}```\n\nThe task that this program solves:\n\n"
    task = tokenizer.encode(problem.prompt, add_special_tokens=False)
    return TokenSequence(encode_prompt(tokenizer, question, chat=False), tuple(task))
