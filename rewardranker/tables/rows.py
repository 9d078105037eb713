"""Every table as data: what each number is over, how sure it is, and what stands behind each column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from rewardranker.statistics.calibration import Calibration
from rewardranker.statistics.clusters import Interval
from rewardranker.tables.paper import PaperRow
from rewardranker.tables.submissions import guard_alarm

AVERAGE, COMMON = "average", "common"
UPPER_BOUNDS = ("oracle", "gold")  # rows that have seen the tests: never set off as better


@dataclass(frozen=True)
class Score:
    """A share of problems solved.

    Attributes:
        low, high: 95 % interval from resampling problem groups.
        problems: that it is over; of several languages, of all of them together.
        n: candidates of a problem to choose from; 1 for programs that nobody chose.
        seeds: pool seeds that it is the mean of.
        seed_error: standard error over them; ``None`` for a single one, and for an average of languages that
            were sampled with different seeds.
        versus: difference to the baseline with its interval, on the same problems; ``None`` where there is no
            baseline, or the row is it.
        gap_closed: share of the way from a random pick to the oracle on the same problems; ``None`` for guards
            and where the oracle is no better.
    """

    solved: float
    low: float
    high: float
    problems: int
    n: int
    seeds: int = 1
    seed_error: float | None = None
    versus: Interval | None = None
    gap_closed: float | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Score:
        return cls(**{**data, "versus": data["versus"] and tuple(data["versus"])})


@dataclass(frozen=True)
class Estimate:
    """The mean of another metric over ``problems`` with its 95 % interval; the cycle keeps the mean alone."""

    value: float
    low: float | None = None
    high: float | None = None
    problems: int | None = None


@dataclass(frozen=True)
class Row:
    """A generator's pools with a ranker, or its greedy answers, or a guard.

    Attributes:
        generator: also the name of its pool in the cycle; empty where the row is of all generators.
        scores: by column: the cycle's pool, a language, :data:`AVERAGE` and :data:`COMMON` where the row has all
            languages, or ``best of 5`` and ``3 best of 10`` in a comparison.
        metrics: what its scores are like, by name; one that is not defined is not there. ``pair_accuracy``: mean
            over problems that have right and wrong candidates, equal to the AUC within them. ``auc``: over all
            candidates of the pool, which also asks that scores compare between problems. ``mrr``: mean reciprocal
            rank of the first correct candidate, over problems that have one. ``length_correlation``: mean over
            problems of Spearman's between score and program length. ``gap_per_problem``: the mean of every problem's
            own gap closed, over those that have right and wrong candidates.
        calibration: after Platt scaling; ``None`` where scores are not finite or there is one problem group.
    """

    generator: str
    ranker: str
    scores: dict[str, Score]
    metrics: dict[str, Estimate] = field(default_factory=dict)
    calibration: Calibration | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Row:
        return cls(
            generator=data["generator"],
            ranker=data["ranker"],
            scores={key: Score.from_json(one) for key, one in data["scores"].items()},
            metrics={key: Estimate(**one) for key, one in data["metrics"].items()},
            calibration=data["calibration"] and Calibration.from_json(data["calibration"]),
        )

    def better(self, column: str) -> bool:
        """Whether the difference to the baseline has an interval above zero. Never for an upper bound."""
        versus = self.scores[column].versus
        return versus is not None and versus[1] > 0 and self.ranker not in UPPER_BOUNDS

    def worse(self, column: str) -> bool:
        versus = self.scores[column].versus
        return versus is not None and versus[2] < 0


@dataclass(frozen=True)
class Coverage:
    """Which problems and candidates stand behind the numbers of one language.

    Attributes:
        asked: problems that any pool was asked.
        used: problems that the rows are over; 0 where nothing could be judged.
        unjudged: problems lost because in some pool none of their candidates could be judged.
        short: of the used ones, those that in some pool have fewer judged candidates than the table's ``n``.
        left_out: problems that a partial table leaves out for having fewer than ``n`` in some pool.
        candidates: in all pools.
        never_judged: how many of them could not be judged, by verdict.
        revision: of the data.
        ceiling: (solvable, total) problems of the whole benchmark; ``None`` where nobody says.
    """

    asked: int
    used: int
    unjudged: int
    short: int
    left_out: int
    candidates: int
    never_judged: dict[str, int]
    revision: str
    ceiling: tuple[int, int] | None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Coverage:
        return cls(**{**data, "ceiling": data["ceiling"] and tuple(data["ceiling"])})


@dataclass(frozen=True)
class Table:
    """Rows, and what a reader must know of them.

    Attributes:
        name: for people: ``Table 1``, or the pool of a comparison.
        columns: keys of ``Row.scores`` in the order in which they are shown; the paper's languages too.
        rows: by generator in the order of the pools; guards last.
        coverage: by language.
        settings: how the numbers came about, plain JSON values.
        paper: the paper's rows beside ours, as printed.
        common: problem groups that all languages with a score have.
    """

    name: str
    benchmark: str
    columns: list[str]
    rows: list[Row]
    coverage: dict[str, Coverage]
    settings: dict[str, Any]
    paper: list[PaperRow] = field(default_factory=list)
    common: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Table:
        """Reads what :meth:`to_json` gave, also after a trip through a file."""
        rows = [Row.from_json(row) for row in data["rows"]]
        paper = [PaperRow.from_json(row) for row in data["paper"]]
        coverage = {key: Coverage.from_json(one) for key, one in data["coverage"].items()}
        return cls(**{**data, "rows": rows, "paper": paper, "coverage": coverage})

    def by_generator(self) -> dict[str, list[Row]]:
        """The rows in their order; those of all generators under the empty name."""
        grouped: dict[str, list[Row]] = {}
        for row in self.rows:
            grouped.setdefault(row.generator, []).append(row)
        return grouped

    def alarms(self) -> list[str]:
        """What a guard row says is wrong with the table: nobody should read on before it is explained."""
        ceilings = {key: one.ceiling for key, one in self.coverage.items()}
        found = [
            guard_alarm(row.ranker, column, score.solved, score.problems, ceilings.get(column))
            for row in self.rows
            for column, score in row.scores.items()
            if column not in (AVERAGE, COMMON)
        ]
        return [alarm for alarm in found if alarm]
