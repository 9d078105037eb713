"""What rerankers learn from: candidates of one problem, one that passed its tests and one that failed them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence

from rewardranker.errors import UserError
from rewardranker.mining.triplets import first_triplets
from rewardranker.problems.pool import group_by_problem
from rewardranker.problems.types import Candidate, Problem
from rewardranker.problems.verdict import LABELS, Verdict
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
    for problem_id, group in group_by_problem(pool).items():
        problem = problems[problem_id]
        by_text = {completion_of(problem, c.code): c for c in reversed(group)}
        pairs += [
            (by_text[t.chosen], by_text[t.rejected])
            for t in first_triplets(problem, group, cap, derive_seed(seed, problem_id))
            if t.chosen != t.rejected
        ]
    return pairs


def usable(
    problems: Mapping[str, Problem], pool: Sequence[Candidate], doubtful: Container[str]
) -> tuple[list[Candidate], Counter[str]]:
    """The candidates whose verdict is a label, and how many others there are, by reason.

    Where some are of problems of the training split, those of the other splits are left out too.

    Args:
        doubtful: ids of the problems that are suspected (:mod:`rewardranker.problems.suspects`).
    """
    trained = any(problems[candidate.problem_id].split == "train" for candidate in pool)
    kept: list[Candidate] = []
    left_out: Counter[str] = Counter()
    for candidate in pool:
        split, verdict = problems[candidate.problem_id].split, candidate.verdict
        if trained and split != "train":
            left_out[f"of the {split} split"] += 1
        elif candidate.problem_id in doubtful:
            left_out["of a suspected problem"] += 1
        elif verdict is None:
            left_out["without a verdict"] += 1
        elif verdict not in LABELS:
            left_out[f"{verdict}, which is no label"] += 1
        else:
            kept.append(candidate)
    return kept, left_out


def one_sided(pool: Sequence[Candidate]) -> Counter[str]:
    """How many problems of a pool from :func:`usable` say nothing about how to choose, and why."""
    passed = [[candidate.verdict is Verdict.OK for candidate in group] for group in group_by_problem(pool).values()]
    return Counter(
        "with no passing program" if not any(one) else "with no failing program"
        for one in passed
        if not any(one) or all(one)
    )


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
