"""What rerankers learn from: candidates of one problem, one that passed its tests and one that failed them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rewardranker.errors import UserError
from rewardranker.mining.triplets import first_triplets
from rewardranker.problems.suspects import labelled
from rewardranker.problems.types import Candidate, Problem
from rewardranker.programs import completion_of
from rewardranker.reranking.numbers import Read
from rewardranker.runs.seeds import derive_seed

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
    for problem_id, group in labelled(problems, pool).items():
        problem = problems[problem_id]
        by_text = {completion_of(problem, c.code): c for c in reversed(group)}
        pairs += [
            (by_text[t.chosen], by_text[t.rejected])
            for t in first_triplets(problem, group, cap, derive_seed(seed, problem_id))
            if t.chosen != t.rejected
        ]
    return pairs


def fitting(
    pairs: Sequence[CandidatePair], problems: Mapping[str, Problem], read: Read, max_tokens: int
) -> list[CandidatePair]:
    """The pairs of which both programs are at most ``max_tokens`` long as ``read`` reads them, problem included."""
    return [pair for pair in pairs if all(len(read(problems[c.problem_id], c)) <= max_tokens for c in pair)]


def check_trainable(kind: str, pool: Sequence[Candidate], name: str) -> None:
    """Raises :class:`UserError`, naming the pool ``name``, where candidates lack what a reranker learns from."""
    unjudged = sum(candidate.verdict is None for candidate in pool)
    if unjudged:
        raise UserError(f"{name}: {unjudged:,} of {len(pool):,} candidates have no verdict; judge the pool first")
    if kind.startswith("lever") and not any(candidate.returns for candidate in pool):
        raise UserError(
            f"{name}: no candidate has `returns`, what it gave on probe inputs, which LEVER reads; probe the pool "
            "(`rewardranker evaluate` writes such pools), or train another kind"
        )
