"""Hard negatives: programs that fail their tests and yet please the reward model (Sorokin et al., section 3)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from rewardranker.config.schema import MiningConfig
from rewardranker.mining.nearest import Neighbours
from rewardranker.mining.triplets import triplet
from rewardranker.problems.types import Candidate, Problem, Triplet
from rewardranker.problems.verdict import Verdict

FAILS = (Verdict.WRONG, Verdict.RUNTIME_ERROR)


@dataclass(frozen=True)
class Ranked:
    """A candidate and its place in the reward model's order among distinct programs, 1 the highest."""

    candidate: Candidate
    rank: int


def rank_distinct(candidates: Sequence[Candidate], key: str) -> list[Ranked]:
    """Distinct programs of one problem, highest score first; equal scores in the pool's order."""
    distinct = list({c.code: c for c in reversed(candidates)}.values())[::-1]
    ordered = sorted(distinct, key=lambda c: -c.scores[key])
    return [Ranked(candidate, place) for place, candidate in enumerate(ordered, 1)]


def hard_negatives(candidates: Sequence[Candidate], key: str, config: MiningConfig) -> list[Ranked]:
    """Failing programs of one problem that rank within ``max_rank``, or above a passing sibling.

    Args:
        candidates: judged, with ``scores[key]``.
    """
    ranked = rank_distinct(candidates, key)
    lowest_pass = max((r.rank for r in ranked if r.candidate.verdict is Verdict.OK), default=0)
    hard = [r for r in ranked if r.candidate.verdict in FAILS and (r.rank <= config.max_rank or r.rank < lowest_pass)]
    return hard[: config.max_per_problem]


def mined_triplets(
    problem: Problem,
    candidates: Sequence[Candidate],
    hard: Sequence[Ranked],
    references: Sequence[str],
    variant: str,
    iteration: int,
    seed: int,
) -> list[Triplet]:
    """What a variant adds to the training set for one problem.

    - ``hardnegatives``: each hard negative against the nearest known correct solution.
    - ``selftraining``: each hard negative against the generator's own nearest passing program.
    - ``randomnegatives``: as ``hardnegatives``, with as many failing programs drawn at random. A control.
    """
    own = list(dict.fromkeys(c.code for c in candidates if c.verdict is Verdict.OK))
    rejected = [r.candidate.code for r in hard]
    if variant == "randomnegatives":
        failing = list(dict.fromkeys(c.code for c in candidates if c.verdict in FAILS))
        rejected = random.Random(seed).sample(failing, min(len(failing), len(hard)))
    chosen_from = own if variant == "selftraining" else list(references)
    if not chosen_from:
        return []
    origin = "self_training" if variant == "selftraining" else "hard_negative"
    source = candidates[0].source if variant == "selftraining" else "human"
    if variant == "randomnegatives":
        origin = "random"
    neighbours = Neighbours(chosen_from)
    return [
        triplet(problem, neighbours.text_near(code), code, origin, iteration, source)  # type: ignore[arg-type]
        for code in rejected
    ]
