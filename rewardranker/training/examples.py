"""What rerankers learn from: candidates of one problem, one that passed its tests and one that failed them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rewardranker.execution.extraction import completion_of
from rewardranker.generation.candidates import derive_seed
from rewardranker.mining.triplets import first_triplets
from rewardranker.problems.pool import group_by_problem
from rewardranker.problems.types import Candidate, Problem

CandidatePair = tuple[Candidate, Candidate]


def judged_pairs(
    problems: Mapping[str, Problem], pool: Sequence[Candidate], cap: int, seed: int
) -> list[CandidatePair]:
    """(passed, failed) candidates, problem by problem: the pairs of :func:`mining.triplets.first_triplets`.

    For every distinct failing program its nearest passing one and a random one, at most ``cap`` pairs a problem.
    Whole candidates and not texts, because a verifier also reads what their execution showed. Problems without a
    passing or without a failing program give none: they say nothing about how to choose.
    """
    pairs: list[CandidatePair] = []
    for problem_id, group in group_by_problem(pool).items():
        problem = problems[problem_id]
        by_text = {completion_of(problem, c.code): c for c in reversed(group)}
        pairs += [
            (by_text[t.chosen], by_text[t.rejected])
            for t in first_triplets(problem, group, cap, derive_seed(seed, problem_id))
            if t.chosen != t.rejected
        ]
    return pairs
