"""What a trained reranker is worth on problems that it has not learnt from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rewardranker.problems.pool import group_by_problem
from rewardranker.problems.types import Candidate, Problem
from rewardranker.problems.verdict import Verdict
from rewardranker.reranking.api import checked_scores
from rewardranker.reranking.protocol import Ranker
from rewardranker.runs.seeds import derive_seed
from rewardranker.statistics.metrics import choice_shares, mean_of_known, pair_accuracy


def held_out(groups: Iterable[str], share: float, seed: int) -> frozenset[str]:
    """A share of the groups of problems, at least one; none where it is 0, or there is but one group.

    Which ones follows from the seed and their names: the same however they are ordered, and mostly the same with
    others among them.
    """
    known = sorted(set(groups), key=lambda group: derive_seed(seed, "validation", group))
    if not share or len(known) < 2:
        return frozenset()
    return frozenset(known[: min(len(known) - 1, max(1, round(share * len(known))))])


@dataclass(frozen=True)
class Validation:
    """Shares of the held-out problems, ties broken at random.

    Attributes:
        solved: of which the chosen candidate is right; ``random`` and ``oracle``: by chance, and at best.
        pair_accuracy: mean share of (right, wrong) pairs in the right order over the ``choices`` problems that have
            both; ``None`` where none has.
    """

    problems: int
    candidates: int
    solved: float
    random: float
    oracle: float
    pair_accuracy: float | None
    choices: int

    @classmethod
    def of(cls, ranker: Ranker, problems: Mapping[str, Problem], pool: Sequence[Candidate]) -> Validation:
        """``pool``: judged candidates of at least one problem."""
        groups = group_by_problem(pool)
        scores = [checked_scores(problems[name], group, ranker) for name, group in groups.items()]
        correct = [[int(c.verdict == Verdict.OK) for c in group] for group in groups.values()]
        pairs = [pair_accuracy(s, y) for s, y in zip(scores, correct, strict=True)]
        mean, undefined = mean_of_known(pairs)
        solved, random, oracle = choice_shares(scores, correct)
        return cls(
            problems=len(groups),
            candidates=len(pool),
            solved=solved,
            random=random,
            oracle=oracle,
            pair_accuracy=mean,
            choices=len(groups) - undefined,
        )

    def sentence(self) -> str:
        """For people, in %."""
        right = "" if self.pair_accuracy is None else f", pairs ranked right {self.pair_accuracy:.1%}"
        return (
            f"{self.problems:,} problems held out, {self.candidates:,} candidates: solved by the chosen one "
            f"{self.solved:.1%}, random {self.random:.1%}, oracle {self.oracle:.1%}{right}"
        )
