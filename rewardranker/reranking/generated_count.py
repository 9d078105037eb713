"""The plainest use of model-written tests: how many of them a program passes."""

from __future__ import annotations

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
