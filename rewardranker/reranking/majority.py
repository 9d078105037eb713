"""Majority vote over behaviour: programs that act alike on the test inputs vote for each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rewardranker.judge.observations import has_values
from rewardranker.problems.types import Candidate, Problem


def votes(candidates: Sequence[Candidate]) -> list[float]:
    """How many candidates act as each one does, itself included; 0 where it showed no behaviour.

    Behaviour is what a program returned on the probes (an error counts by its name), where any candidate was
    probed; else its ``signature``. A program that never returned a value, or never got to run, shows none, so those
    that fail do not form a class.
    """
    probed = any(candidate.returns for candidate in candidates)
    behaviours = [_behaviour(candidate, probed) for candidate in candidates]
    sizes = Counter(behaviours)
    return [float(sizes[behaviour]) if behaviour else 0.0 for behaviour in behaviours]


def _behaviour(candidate: Candidate, probed: bool) -> tuple[str, ...]:
    if not probed:
        return (candidate.signature,) if candidate.signature else ()
    return tuple(candidate.returns) if has_values(candidate.returns) else ()


class MajorityRanker:
    """Prefers the largest class of equal behaviour, as AlphaCode's clustering does without its filter.

    Needs inputs to run programs on at inference time, though not the expected outputs. Equal votes are a tie.
    """

    name = "majority"

    def score(self, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
        return votes(candidates)
