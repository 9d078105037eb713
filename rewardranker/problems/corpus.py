"""What a source of data gives to the cycle."""

from __future__ import annotations

from dataclasses import dataclass

from rewardranker.errors import UserError
from rewardranker.problems.io import check_problems
from rewardranker.problems.types import Problem

#: ``(problem id, program)``.
Programs = list[tuple[str, str]]


@dataclass(frozen=True)
class Corpus:
    """Problems of all three splits, and programs for them.

    Attributes:
        references: a known correct program for every problem; of held-out ones, to guard the judge with.
        imitated: what the generator learns to imitate; not verified.
        written: what people wrote, right or wrong, for the first triplets; not verified.
    """

    problems: list[Problem]
    references: Programs
    imitated: Programs
    written: Programs

    def check(self, least: int) -> None:
        """Raises :class:`UserError` where problems are not as they have to be, a split has none, fewer than ``least``
        are for training, or a program is of no problem."""
        check_problems(self.problems)
        train = sum(problem.split == "train" for problem in self.problems)
        if train < least:
            raise UserError(
                f"ppo.prompts_per_step={least}, but there are only {train} training problems: lower it, or widen the "
                "data"
            )
        for split in ("validation", "test"):
            if not any(problem.split == split for problem in self.problems):
                raise UserError(f"data has no {split} problems: rerankers are compared on them; widen the data")
        known = {problem.id for problem in self.problems}
        for name, programs in (
            ("references", self.references),
            ("imitated", self.imitated),
            ("written", self.written),
        ):
            strange = next((problem for problem, _ in programs if problem not in known), None)
            if strange is not None:
                raise UserError(
                    f"data has {name} for problem {strange!r}, which is none of its {len(known):,} problems"
                )
