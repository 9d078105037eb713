"""CodeT: dual execution agreement (Chen et al. 2022, `CodeT: Code Generation with Generated Tests`)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from rewardranker.problems.types import Candidate, Problem
from rewardranker.reranking.generated_count import passed_weight


class CodeTRanker:
    """Prefers programs that agree with many others on which of many model-written tests they pass.

    Programs that pass exactly the same tests form a consensus set; its score is ``sqrt(programs) * tests`` (section
    2.2; the square root is in the authors' code), each counted as often as it was sampled. A program
    that passes none scores 0, so that where none passes any, all are tied, as the authors' random choice has it.
    """

    name = "codet"

    def __init__(self, counts: Mapping[str, Sequence[int]] | None = None) -> None:
        """
        Args:
            counts: by problem id, how often each model-written test was sampled; where absent, once each.
        """
        self._counts = counts or {}

    def score(self, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
        """Raises :class:`UserError` for a test that the problem's counts do not have."""
        counts = self._counts.get(problem.id)
        sets = [frozenset(candidate.passed_generated) for candidate in candidates]
        sizes = Counter(sets)
        weights = {passed: passed_weight(problem, passed, counts) for passed in sizes}
        return [math.sqrt(sizes[passed]) * weights[passed] for passed in sets]
