"""A benchmark's table as data: what every number is over, how sure it is, and what stands behind each column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rewardranker.statistics.clusters import Interval
from rewardranker.tables.benchmark.paper import PaperRow
from rewardranker.tables.fixed_programs import guard_alarm

AVERAGE, COMMON = "average", "common"
UPPER_BOUNDS = ("oracle", "gold")  # rows that have seen the tests: never set off as better


@dataclass(frozen=True)
class Score:
    """A number of the table, a share of 1.

    Attributes:
        low, high: 95 % interval from resampling problem groups.
        problems: that it is over; under ``average`` and ``common``, of all languages together.
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
    seeds: int
    seed_error: float | None
    versus: Interval | None
    gap_closed: float | None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Score:
        return cls(**{**data, "versus": data["versus"] and tuple(data["versus"])})


@dataclass(frozen=True)
class SystemRow:
    """A generator with a ranker, or a guard, which has no generator.

    ``scores`` by language and, where the row has all of the table's, under :data:`AVERAGE` and :data:`COMMON`.
    """

    generator: str
    ranker: str
    scores: dict[str, Score]

    def better(self, column: str) -> bool:
        """Whether the difference to the baseline has an interval above zero. Never for an upper bound."""
        versus = self.scores[column].versus
        return versus is not None and versus[1] > 0 and self.ranker not in UPPER_BOUNDS

    def worse(self, column: str) -> bool:
        versus = self.scores[column].versus
        return versus is not None and versus[2] < 0


@dataclass(frozen=True)
class LanguageFacts:
    """What stands behind one column.

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
    candidates: int
    never_judged: dict[str, int]
    revision: str
    ceiling: tuple[int, int] | None
    left_out: int = 0

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> LanguageFacts:
        return cls(**{**data, "ceiling": data["ceiling"] and tuple(data["ceiling"])})


@dataclass(frozen=True)
class BenchmarkTable:
    """Table 1 or Table 2 in our numbers, with the paper's beside them.

    Attributes:
        columns: the paper's languages, then others that have pools.
        rows: by generator in the order of the pools, then the guards ``cheat`` and ``gold``.
        paper: its rows, as printed.
        languages: by language, of those that have pools.
        common: problem groups that all languages with a score have.
        settings: n, seeds, baseline, bootstrap and provenance, plain JSON values.
    """

    name: str
    benchmark: str
    columns: list[str]
    rows: list[SystemRow]
    paper: list[PaperRow]
    languages: dict[str, LanguageFacts]
    common: int
    settings: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> BenchmarkTable:
        """Reads what :meth:`to_json` gave, also after a trip through a file."""
        rows = [
            SystemRow(row["generator"], row["ranker"], {k: Score.from_json(v) for k, v in row["scores"].items()})
            for row in data["rows"]
        ]
        paper = [PaperRow.from_json(row) for row in data["paper"]]
        languages = {key: LanguageFacts.from_json(one) for key, one in data["languages"].items()}
        return cls(**{**data, "rows": rows, "paper": paper, "languages": languages})

    def scored_languages(self) -> list[str]:
        """Those whose columns have numbers of ours."""
        return [language for language, facts in self.languages.items() if facts.used]

    def alarms(self) -> list[str]:
        """What a guard row says is wrong with the table: nobody should read on before it is explained."""
        found = [
            guard_alarm(row.ranker, language, score.solved, score.problems, self.languages[language].ceiling)
            for row in self.rows
            if not row.generator
            for language, score in row.scores.items()
            if language in self.languages
        ]
        return [alarm for alarm in found if alarm]
