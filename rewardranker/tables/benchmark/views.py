"""A benchmark's table for people: terminal (120 columns), Markdown, and an HTML page that needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rich.table import Table

from rewardranker.rendering.charts import interval_mark
from rewardranker.rendering.grid import SOFT_HYPHEN, Cell, Grid, Mark, Section, html, markdown, terminal
from rewardranker.rendering.html import lead, page, safe, table
from rewardranker.rendering.svg import Scale, percent
from rewardranker.tables.benchmark.notes import footnotes, notes
from rewardranker.tables.benchmark.paper import PaperRow
from rewardranker.tables.benchmark.tables import AVERAGE, COMMON, BenchmarkTable, Score, SystemRow
from rewardranker.tables.names import label, per_cent

_LANGUAGES = {
    "python": "Python",
    "cpp": "C++",
    "java": "Java",
    "php": "PHP",
    "typescript": f"Type{SOFT_HYPHEN}Script",
    "csharp": "C#",
    "bash": "Bash",
    "javascript": f"Java{SOFT_HYPHEN}Script",
}
_BENCHMARKS = {"humaneval": "HumanEval", "mbpp": "MBPP"}
_DASH = Cell("–")
_EMPTY = Cell("")


def render(found: BenchmarkTable) -> Table:
    """For the terminal."""
    return terminal(_grid(found), dense=True)


def to_markdown(found: BenchmarkTable) -> str:
    return markdown(_grid(found))


def to_html(found: BenchmarkTable) -> str:
    """A whole page, without scripts and requests."""
    grid = _grid(found)
    alarms = "".join(f"<li>{safe(line)}</li>" for line in found.alarms())
    sections = f'<ul class="notes alarm">{alarms}</ul>' if alarms else ""
    sections += html(Grid(grid.title, grid.headers, grid.sections)) + _intervals(found)
    lines = "".join(f"<li>{safe(line)}</li>" for line in grid.notes)
    sections += f'<h3>How these numbers came about</h3><ul class="notes">{lines}</ul>'
    first = lead("Share of problems whose chosen program passes all tests, in %, beside the paper's numbers.")
    return page(grid.title, "RewardRanker evaluation", first, sections)


def headline(found: BenchmarkTable) -> str:
    """The column that systems are compared by: the average, or the only language there is."""
    languages = found.scored_languages()
    return languages[0] if len(languages) == 1 else AVERAGE


def _grid(found: BenchmarkTable) -> Grid:
    columns = [*found.columns, *([AVERAGE, COMMON] if len(found.columns) > 1 else [])]
    names = {AVERAGE: "Avg", COMMON: f"Com{SOFT_HYPHEN}mon {found.common}", **_LANGUAGES}
    headers = ["System", *(names.get(column, column) for column in columns)]
    if len(found.columns) == 1:
        headers.append("95 % CI")
    headers.append(f"vs {found.settings['baseline']} [CI]")
    sections = [
        Section(f"{generator}, n = {found.settings['n']}", [_system(row, columns, found) for row in rows])
        for generator, rows in _by_generator(found).items()
    ]
    sections.append(Section("Guards", _guards(found, columns)))
    letters = footnotes(found.paper)
    paper = [_paper(row, columns, len(headers), letters) for row in found.paper]
    if paper:
        sections.append(Section("The paper, as printed", paper, "beside"))
    of_paper = f": {_BENCHMARKS[found.benchmark]}" if found.benchmark in _BENCHMARKS else ""
    title = f"{found.name}{of_paper}, problems solved in %"
    return Grid(title, headers, sections, notes(found, letters))


def _by_generator(found: BenchmarkTable) -> dict[str, list[SystemRow]]:
    grouped: dict[str, list[SystemRow]] = {}
    for row in found.rows:
        if row.generator:
            grouped.setdefault(row.generator, []).append(row)
    return grouped


def _system(row: SystemRow, columns: Sequence[str], found: BenchmarkTable) -> list[Cell]:
    cells = [Cell(label(row.ranker)), *(_score(row, column) for column in columns)]
    score = row.scores.get(headline(found))
    if len(found.columns) == 1:
        cells.append(Cell(f"{per_cent(score.low)} – {per_cent(score.high)}") if score else _DASH)
    return [*cells, _versus(score)]


def _score(row: SystemRow, column: str) -> Cell:
    score = row.scores.get(column)
    if score is None:
        return _DASH
    below = "" if score.seed_error is None else f"±{per_cent(score.seed_error)}"
    mark: Mark = "better" if row.better(column) else "worse" if row.worse(column) else ""
    return Cell(per_cent(score.solved), below, mark)


def _versus(score: Score | None) -> Cell:
    if score is None or score.versus is None:
        return _DASH
    middle, low, high = (per_cent(value, "+") for value in score.versus)
    return Cell(middle, f"[{low}, {high}]")


def _guards(found: BenchmarkTable, columns: Sequence[str]) -> list[list[Cell]]:
    rows = [_system(row, columns, found) for row in found.rows if not row.generator]
    facts = found.languages
    ceilings = {one: f.ceiling[0] / f.ceiling[1] for one, f in facts.items() if f.ceiling}
    if ceilings:
        if len(ceilings) == len(facts) > 1:
            ceilings[AVERAGE] = sum(ceilings.values()) / len(ceilings)
        rows.append(_line("Known ceiling", columns, {one: per_cent(share) for one, share in ceilings.items()}, found))
    problems = {one: f"{f.used}" if f.used == f.asked else f"{f.used}/{f.asked}" for one, f in facts.items()}
    rows.append(_line("Problems", columns, problems, found))
    for verdict in sorted({verdict for f in facts.values() for verdict in f.never_judged}):
        counts = {one: f"{f.never_judged.get(verdict, 0)}" for one, f in facts.items()}
        rows.append(_line(f"{verdict} candidates", columns, counts, found))
    return rows


def _line(name: str, columns: Sequence[str], texts: Mapping[str, str], found: BenchmarkTable) -> list[Cell]:
    blank = [_EMPTY] * (2 if len(found.columns) == 1 else 1)
    totals = (AVERAGE, COMMON)
    return [Cell(name), *(Cell(texts.get(c, "" if c in totals else "–")) for c in columns), *blank]


def _paper(row: PaperRow, columns: Sequence[str], width: int, letters: Mapping[str, str]) -> list[Cell]:
    marks = "".join(sorted(letters[note] for note in row.notes))
    name = f"{row.system} [{marks}]" if marks else row.system
    cells = [Cell(name)]
    for column in columns:
        if column == AVERAGE and row.average is not None:
            cells.append(Cell(per_cent(row.average), f"{100 * row.recomputed_average + 1e-9:.2f}"))
        else:
            cells.append(Cell(per_cent(row.scores[column])) if column in row.scores else _DASH)
    return cells + [_EMPTY] * (width - len(cells))


def _intervals(found: BenchmarkTable) -> str:
    """The headline of every system of ours with its interval, drawn on one scale."""
    column = headline(found)
    shown = [(row, row.scores[column]) for row in found.rows if row.generator and column in row.scores]
    if not shown:
        return ""
    low, high = min(score.low for _, score in shown), max(score.high for _, score in shown)
    scale = Scale(math.floor(10 * low) / 10, max(math.ceil(10 * high), math.floor(10 * low) + 1) / 10)
    marks = f'<div class="ends"><span>{percent(scale.low)}</span><span>{percent(scale.high)}</span></div>'
    baseline = {r.generator: s.solved for r, s in shown if r.ranker == found.settings["baseline"]}
    rows = []
    for row, score in shown:
        difference = _versus(score)
        rows.append(
            [
                safe(f"{row.generator}: {label(row.ranker)}"),
                per_cent(score.solved),
                f"{per_cent(score.low)} – {per_cent(score.high)}",
                interval_mark(score.solved, score.low, score.high, scale, baseline[row.generator]),
                f"{difference.text} {difference.below}".strip(),
                "–" if score.gap_closed is None else per_cent(score.gap_closed),
            ]
        )
    name = "average over languages" if column == AVERAGE else _LANGUAGES.get(column, column).replace(SOFT_HYPHEN, "")
    headers = ("System", "Solved", "95 % CI", marks, f"vs {safe(found.settings['baseline'])}", "Gap closed")
    return f"<h3>With intervals: {safe(name)}; the upright tick is the baseline</h3>{table(headers, rows)}"
