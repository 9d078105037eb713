"""Minimum Bayes risk over execution results (Shi et al. 2022, `Natural Language to Code Translation with
Execution`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rewardranker.judge.observations import is_value
from rewardranker.problems.types import Candidate, Problem


class MbrExecRanker:
    """Prefers the program with the least expected loss against all sampled ones, itself included.

    The score is minus the loss of section 3.2, up to a constant that a problem's candidates share:

    - hard: the number of programs that return the same value on every probe;
    - soft: the sum over programs of the share of probes on which both return the same value.

    A failed run equals no other, not even itself, as in the authors' code: agreement on errors is no agreement. Equal
    scores are a tie (the authors break it by likelihood).
    """

    def __init__(self, soft: bool = False) -> None:
        self.name = "mbr_exec_soft" if soft else "mbr_exec"
        self._soft = soft

    def score(self, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
        returns = [candidate.returns for candidate in candidates]
        return soft_agreement(returns) if self._soft else hard_agreement(returns)


def hard_agreement(returns: Sequence[Sequence[str]]) -> list[float]:
    """How many programs' returns, ``[programs][probes]``, equal each one's on all probes; 0 where one failed."""
    whole = [tuple(one) if one and all(map(is_value, one)) else None for one in returns]
    sizes = Counter(whole)
    return [float(sizes[one]) if one is not None else 0.0 for one in whole]


def soft_agreement(returns: Sequence[Sequence[str]]) -> list[float]:
    """For each program the sum, over all programs, of the share of probes on which both returned the same value."""
    seen = Counter((place, word) for one in returns for place, word in enumerate(one) if is_value(word))
    return [
        sum(seen[place, word] for place, word in enumerate(one) if is_value(word)) / len(one) if one else 0.0
        for one in returns
    ]
