"""The paper's own result tables, to print beside ours."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from rewardranker.errors import UserError


@dataclass(frozen=True)
class PaperRow:
    """One row as printed, shares of 1.

    Attributes:
        scores: by column.
        average: as printed; ``None`` where the table has none.
        solved: how many problems a column's share stands for, where one count rounds to it.
        notes: what a reader must know before comparing with it.
    """

    system: str
    scores: dict[str, float]
    average: float | None = None
    solved: dict[str, int] | None = None
    notes: tuple[str, ...] = ()

    @property
    def recomputed_average(self) -> float:
        """The mean of the columns."""
        return sum(self.scores.values()) / len(self.scores)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PaperRow:
        return cls(**{**data, "notes": tuple(data["notes"])})


@dataclass(frozen=True)
class PaperTable:
    """A table of the paper: its columns (our names of languages) and how many problems each has."""

    name: str
    benchmark: str
    problems: dict[str, int]
    rows: tuple[PaperRow, ...]


#: Benchmarks that the paper has no table of, and what ours is called.
_OURS = {"humaneval_x": "HumanEval-X", "multipl_e": "MultiPL-E"}


def paper_table(benchmark: str) -> PaperTable:
    """Table 1 (``humaneval``, eight languages) or Table 2 (``mbpp``); one without rows for those of ours alone.

    Raises:
        UserError: another benchmark.
    """
    if benchmark in _OURS:
        return PaperTable(_OURS[benchmark], benchmark, {}, ())
    data = tomllib.loads(resources.files(__package__).joinpath("paper.toml").read_text(encoding="utf-8"))
    found = {table["benchmark"]: table for table in data["table"]}
    if benchmark not in found:
        raise UserError(f"the paper has no table of {benchmark!r}, only of {', '.join(found)}")
    table = found[benchmark]
    columns = table["columns"]
    rows = tuple(_row(row, columns, data["notes"]) for row in table["row"])
    return PaperTable(table["name"], benchmark, dict(zip(columns, table["problems"], strict=True)), rows)


def _row(row: Mapping[str, Any], columns: list[str], notes: Mapping[str, str]) -> PaperRow:
    return PaperRow(
        system=row["system"],
        scores={column: share / 100 for column, share in zip(columns, row["scores"], strict=True)},
        average=row["average"] / 100 if "average" in row else None,
        solved={c: n for c, n in zip(columns, row["solved"], strict=True) if n} if "solved" in row else None,
        notes=tuple(notes[key] for key in row.get("notes", ())),
    )
