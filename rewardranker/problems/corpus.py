"""What a source of data gives to the cycle."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rewardranker.config.choices import chosen
from rewardranker.config.schema import Config, DataConfig
from rewardranker.errors import UserError
from rewardranker.problems.contests.census import Census
from rewardranker.problems.contests.hubs import HUBS
from rewardranker.problems.io import check_problems
from rewardranker.problems.prompts import instructed
from rewardranker.problems.sources import is_local
from rewardranker.problems.types import Problem

#: ``(problem id, program)``.
Programs = list[tuple[str, str]]


@dataclass(frozen=True)
class Corpus:
    """Problems of all three splits, and programs for them.

    Attributes:
        references: known correct programs. A problem may have none: of a training problem, hard negatives are paired
            with them (``mining``, but for the variant ``selftraining``); of a test problem, they guard the judge.
        imitated: what the generator learns to imitate; not verified.
        written: what people wrote, right or wrong, for the first triplets; not verified.
        census: what came in and what was left out, where the source counts it.
    """

    problems: list[Problem]
    references: Programs
    imitated: Programs
    written: Programs
    census: Census | None = None

    def check(self, least: int) -> None:
        """Raises :class:`UserError` where problems are not as they have to be (:func:`check_problems`), fewer than
        ``least`` are for training, none are for validation or for test, or a program is of no problem."""
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
            if any(not isinstance(part, str) for program in programs for part in program):
                raise UserError(f"data has {name} that are no pairs of texts: (problem id, program)")
            strange = next((problem for problem, _ in programs if problem not in known), None)
            if strange is not None:
                raise UserError(
                    f"data has {name} for problem {strange!r}, which is none of its {len(known):,} problems"
                )

    def without_reference(self) -> list[str]:
        """Ids of the training and test problems that no reference is of."""
        known = {problem for problem, _ in self.references}
        return [p.id for p in self.problems if p.split != "validation" and p.id not in known]


def hub_name(data: DataConfig) -> str:
    """The data set on the hub that ``data.source`` would read; empty where it reads none."""
    if data.source == "mbpp":
        return "" if data.mbpp.path else data.mbpp.hub_name
    if data.source not in HUBS:
        return ""
    path = str(data.options.get("path") or HUBS[data.source])
    return "" if is_local(path) else path


def read_corpus(config: Config) -> Corpus:
    """What ``data.source`` gives, checked, every prompt ending with ``data.instruction``.

    Raises:
        UserError: as the source, and as :meth:`Corpus.check`.
    """
    corpus = chosen("data.source", config.data.source)(config.data, config.run.seed)
    if not isinstance(corpus, Corpus):
        raise UserError(f"data.source={config.data.source!r} gave {type(corpus).__name__}, not a Corpus")
    corpus.check(config.ppo.prompts_per_step)
    return replace(corpus, problems=[instructed(problem, config.data.instruction) for problem in corpus.problems])
