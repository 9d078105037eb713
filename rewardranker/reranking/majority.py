"""Majority vote over behaviour: programs that act alike on the test inputs vote for each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rewardranker.problems.types import Candidate, Problem


def votes(candidates: Sequence[Candidate]) -> list[float]:
    """How many candidates share each one's signature, itself included; 0 where it has none.

    A program without a signature never got to run, so those that failed to run do not form a class.
    """
    sizes = Counter(candidate.signature for candidate in candidates)
    return [float(sizes[c.signature]) if c.signature else 0.0 for c in candidates]


class MajorityRanker:
    """Prefers the largest class of equal behaviour (Shi et al. 2022, MBR-exec with a hard match).

    Needs the test inputs at inference time, though not the expected outputs.
    """

    name = "majority"

    def score(self, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
        return votes(candidates)
