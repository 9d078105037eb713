"""The executability filter: whether a program runs at all."""

from __future__ import annotations

from collections.abc import Sequence

from rewardranker.judge.observations import is_value
from rewardranker.problems.types import Candidate, Problem


class ExecFilterRanker:
    """1 for a program that returns a value on every probe, else 0 (the filter in Shi et al. 2022 and in
    Zhang et al. 2023, `Coder Reviewer Reranking`). All that pass are tied, and so are all that do not."""

    name = "exec_filter"

    def score(self, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
        return [float(bool(c.returns) and all(map(is_value, c.returns))) for c in candidates]
