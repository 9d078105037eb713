"""What people see of any table: cells, and a sheet of grids on a terminal, in Markdown, or as a page of its own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Group

from rewardranker.rendering.charts import interval_mark
from rewardranker.rendering.grid import Cell, Grid, Mark, html, markdown, terminal
from rewardranker.rendering.html import lead, page, safe, table
from rewardranker.rendering.svg import Scale, percent
from rewardranker.tables.names import per_cent
from rewardranker.tables.rows import Estimate, Row, Score

DASH = Cell("–")


@dataclass(frozen=True)
class Sheet:
    """A table as it is shown.

    Attributes:
        lead: what a page says first.
        parts: grids, and HTML that only a page has room for.
    """

    title: str
    lead: str
    parts: Sequence[Grid | str]
    alarms: Sequence[str]

    def grids(self) -> list[Grid]:
        return [part for part in self.parts if isinstance(part, Grid)]

    def render(self) -> Group:
        """For the terminal, 120 columns."""
        return Group(*(terminal(grid, dense=True) for grid in self.grids()))

    def markdown(self) -> str:
        return "\n".join(map(markdown, self.grids()))

    def page(self) -> str:
        """HTML, without scripts and requests."""
        alarms = "".join(f"<li>{safe(line)}</li>" for line in self.alarms)
        body = f'<ul class="notes alarm">{alarms}</ul>' if alarms else ""
        for part in self.parts:
            body += f"<h3>{safe(part.title)}</h3>{html(part)}" if isinstance(part, Grid) else part
        return page(self.title, "RewardRanker evaluation", lead(self.lead), body)


def mark_of(row: Row, column: str) -> Mark:
    return "better" if row.better(column) else "worse" if row.worse(column) else ""


def estimate(found: Score | Estimate | None, mark: Mark = "") -> Cell:
    """With its interval below it."""
    if found is None:
        return DASH
    value = found.solved if isinstance(found, Score) else found.value
    if found.low is None or found.high is None:
        return Cell(per_cent(value), mark=mark)
    low, high = (f"{100 * bound:.0f}".replace("-", "\N{MINUS SIGN}") for bound in (found.low, found.high))
    return Cell(per_cent(value), f"{low} to {high}" if found.low < 0 else f"{low}–{high}", mark)


def versus(score: Score | None) -> Cell:
    """The difference to the baseline with its interval below it."""
    if score is None or score.versus is None:
        return DASH
    middle, low, high = (per_cent(value, "+") for value in score.versus)
    return Cell(middle, f"[{low}, {high}]")


def interval(score: Score) -> str:
    return f"{per_cent(score.low)} – {per_cent(score.high)}"


def line(name: str, cells: Sequence[Cell], width: int) -> list[Cell]:
    """A row of a grid that is not one of the table's."""
    return [Cell(name), *cells, *[Cell("")] * (width - 1 - len(cells))]


def around(scores: Iterable[Score]) -> Scale:
    """One for the marks of all intervals, from ten to ten per cent around everything shown."""
    found = list(scores)
    low = math.floor(10 * min(score.low for score in found))
    return Scale(low / 10, max(math.ceil(10 * max(score.high for score in found)), low + 1) / 10)


@dataclass(frozen=True)
class Marked:
    """A line of HTML with its interval drawn; ``name`` and ``more`` are HTML; ``tick``: what it is compared with."""

    name: str
    score: Score
    tick: float
    more: Sequence[str] = ()
    kind: str = ""


def with_intervals(headers: Sequence[str], lines: Sequence[Marked], scale: Scale) -> str:
    """An HTML table: name, share, interval in figures, interval drawn, and whatever more ``headers`` has."""
    ends = f'<div class="ends"><span>{percent(scale.low)}</span><span>{percent(scale.high)}</span></div>'
    rows = []
    for one in lines:
        score = one.score
        mark = interval_mark(score.solved, score.low, score.high, scale, one.tick)
        rows.append([one.name, per_cent(score.solved), interval(score), mark, *one.more])
    return table((*headers[:3], ends, *headers[3:]), rows, [one.kind for one in lines])
