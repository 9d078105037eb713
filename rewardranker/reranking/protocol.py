"""The one interface of everything that chooses among candidate programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from rewardranker.problems.types import Candidate, Problem


class Ranker(Protocol):
    """Scores candidates of one problem; ``name`` is its key in tables and in ``Candidate.scores``."""

    name: str

    def score(self, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
        """One number per candidate, in their order. Higher is better; only order within a problem counts.

        ``-inf`` is a score (the worst); NaN is not.
        """
