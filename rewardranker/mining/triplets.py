"""Preference pairs from executed solutions of the same problem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rewardranker.errors import UserError
from rewardranker.mining.pairing import PairCaps, pair_up
from rewardranker.problems.types import Candidate, Origin, Problem, Triplet
from rewardranker.problems.verdict import LABELS, Verdict
from rewardranker.programs import completion_of


def first_triplets(
    problem: Problem, candidates: Sequence[Candidate], cap: int, seed: int, iteration: int = 1
) -> list[Triplet]:
    """For every distinct failing program its nearest passing one, and a random passing one.

    Near pairs teach the detail that matters, random ones keep the model from trusting likeness; 1 : 1.

    Args:
        candidates: judged solutions of ``problem``, human or sampled.
        cap: most triplets to keep, drawn at random.
        seed: of the draws.
    """
    source = {c.code: c.source for c in reversed(candidates) if c.verdict is Verdict.OK}
    passing = list(dict.fromkeys(c.code for c in candidates if c.verdict is Verdict.OK))
    failing = list(dict.fromkeys(c.code for c in candidates if c.verdict in LABELS and c.verdict is not Verdict.OK))
    return [
        triplet(problem, passing[p.chosen], failing[p.rejected], p.origin, iteration, source[passing[p.chosen]])
        for p in pair_up(passing, failing, PairCaps(pairs=cap), seed)
    ]


def triplet(
    problem: Problem, chosen: str, rejected: str, origin: Origin, iteration: int, chosen_source: str
) -> Triplet:
    """Two whole programs as completions of the problem's prompt."""
    return Triplet(
        problem_id=problem.id,
        language=problem.language,
        prompt=problem.prompt,
        chosen=completion_of(problem, chosen),
        rejected=completion_of(problem, rejected),
        origin=origin,
        iteration=iteration,
        chosen_source=chosen_source,
    )


def check_triplets(triplets: Sequence[Triplet], problems: Mapping[str, Problem]) -> None:
    """Raises :class:`UserError` when there is nothing to learn from, or something that must not be learnt."""
    if not triplets:
        raise UserError(
            "no triplets: no training problem has both a passing and a failing solution. Sample more "
            "(data.triplet_solutions with data.triplet_source=samples, mining.n), or start from a model that solves "
            "some of the problems"
        )
    kept_out = {p.group_id for p in problems.values() if p.split != "train"}
    for t in triplets:
        if problems[t.problem_id].group_id in kept_out:
            raise UserError(f"triplet of {t.problem_id}: its group belongs to the validation or test split")
        if t.chosen == t.rejected:
            raise UserError(f"triplet of {t.problem_id}: chosen and rejected are the same program")
