"""Rankers on which model-written tests a program passes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from rewardranker.errors import UserError
from rewardranker.problems.types import Candidate, Problem


class GeneratedCountRanker:
    """Prefers programs that pass more of the model-written tests. Equal numbers are a tie."""

    def __init__(self, counts: Mapping[str, Sequence[int]] | None = None) -> None:
        """
        Args:
            counts: by problem id, how often each test was sampled, to count it so often; without, once each.
        """
        self.name = "generated_tests" if counts is None else "generated_tests_weighted"
        self._counts = counts or {}

    def score(self, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
        """Raises :class:`UserError` for a test that the problem's counts do not have."""
        counts = self._counts.get(problem.id)
        return [float(passed_weight(problem, set(c.passed_generated), counts)) for c in candidates]


def passed_weight(problem: Problem, passed: Collection[int], counts: Sequence[int] | None) -> int:
    """The number of tests passed, each as often as ``counts`` says.

    Raises:
        UserError: a test beyond the counts: those are of other tests than the candidates were probed with.
    """
    if counts is None:
        return len(passed)
    if passed and max(passed) >= len(counts):
        raise UserError(
            f"problem {problem.id}: a candidate passed generated test {max(passed)}, but counts are given for "
            f"{len(counts)} tests; give the counts of the tests that the pool was probed with"
        )
    return sum(counts[i] for i in passed)


class CodeTRanker:
    """Prefers programs that agree with many others on which of many model-written tests they pass (Chen et al. 2022,
    `CodeT: Code Generation with Generated Tests`).

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
