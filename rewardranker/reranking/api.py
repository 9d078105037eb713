"""Choosing from candidates that you already have."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rewardranker.errors import UserError
from rewardranker.problems.pool import group_by_problem
from rewardranker.problems.types import Candidate, Problem
from rewardranker.reranking.protocol import Ranker


def rank(problem: Problem, candidates: Sequence[Candidate], ranker: Ranker) -> list[int]:
    """Indices into ``candidates``, best first; equal scores keep the order of the candidates.

    Raises:
        ValueError: the ranker gave not one score per candidate.
        UserError: it gave NaN.
    """
    return _order(checked_scores(problem, candidates, ranker))


def rank_pool(pool: Sequence[Candidate], problems: Mapping[str, Problem], ranker: Ranker) -> list[Candidate]:
    """The candidates best first within each problem, problems in order of first appearance.

    Fills in ``scores[ranker.name]``; equal scores keep the order of the pool. Raises as :func:`rank` does, before
    any score is filled in.
    """
    groups = group_by_problem(pool)
    scores = {name: checked_scores(problems[name], group, ranker) for name, group in groups.items()}
    ordered = []
    for name, group in groups.items():
        for candidate, score in zip(group, scores[name], strict=True):
            candidate.scores[ranker.name] = score
        ordered += [group[i] for i in _order(scores[name])]
    return ordered


def checked_scores(problem: Problem, candidates: Sequence[Candidate], ranker: Ranker) -> list[float]:
    """The ranker's scores, one number per candidate. Raises as :func:`rank` does."""
    scores = ranker.score(problem, candidates)
    if len(scores) != len(candidates):
        raise ValueError(
            f"ranker {ranker.name} gave {len(scores)} scores for {len(candidates)} candidates of {problem.id}"
        )
    for place, score in enumerate(scores):
        if math.isnan(score):
            raise UserError(
                f"ranker {ranker.name} gave NaN for candidate {place} (from 0) of problem {problem.id}; look at what "
                "it reads of that candidate, or at the model behind it, whose training may have diverged"
            )
    return scores


def _order(scores: Sequence[float]) -> list[int]:
    return sorted(range(len(scores)), key=lambda i: -scores[i])
