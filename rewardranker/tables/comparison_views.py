"""The comparison of rankers for people: terminal (120 columns), Markdown, and an HTML page of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group

from rewardranker.rendering.charts import Series, line_chart
from rewardranker.rendering.grid import Cell, Grid, Mark, Section, html, markdown, terminal
from rewardranker.rendering.html import lead, page, safe, table
from rewardranker.rendering.svg import percent
from rewardranker.tables.benchmark.notes import ranker_notes
from rewardranker.tables.comparison import Comparison, Estimate, RankerRow
from rewardranker.tables.fixed_programs import unguarded
from rewardranker.tables.names import label, per_cent

_DASH = Cell("–")


def render(found: Comparison) -> Group:
    """For the terminal."""
    return Group(*(terminal(grid, dense=True) for grid in _grids(found)))


def to_markdown(found: Comparison) -> str:
    return "\n".join(map(markdown, _grids(found)))


def to_html(found: Comparison) -> str:
    """A whole page: the tables, best-of-n as curves, and the reliability of every calibrated ranker."""
    choices, scores = _grids(found)
    tables = [f"<h3>{safe(grid.title)}</h3>{html(grid)}" for grid in (choices, scores)]
    alarms = "".join(f"<li>{safe(line)}</li>" for line in found.alarms())
    sections = f'<ul class="notes alarm">{alarms}</ul>' if alarms else ""
    sections += tables[0] + _curves(found) + tables[1] + _reliability(found.rows)
    first = lead("Every ranker chooses among the same candidates; all numbers in %, with 95 % intervals below them.")
    return page(f"Rankers on {found.name}", "RewardRanker evaluation", first, sections)


def _grids(found: Comparison) -> tuple[Grid, Grid]:
    """What the rankers' choices are worth, and what their scores are like."""
    ns = found.settings["ns"]
    ks = sorted({k for row in found.rows for k in row.rerank_at})
    headers = ["Ranker", *(f"best of {n}" for n in ns), f"vs {found.settings['baseline']} [CI]", "gap closed"]
    headers += [f"{k} best of {ns[-1]}" for k in ks]
    width = len(headers)
    rankers = [*(_choices(row, ns, ks) for row in found.rows), *_fixed(found, ["greedy"], width)]
    choices = [Section("", rankers), Section("Guards", _guards(found, width))]
    qualities = ["Ranker", "pairs", "AUC", "MRR", "length", "ECE", "Brier", "Brier of base rate"]
    scores = [Section("", [_scores(row) for row in found.rows])]
    return (
        Grid(f"Rankers on {found.name}: problems solved in %", headers, choices, _choice_notes(found)),
        Grid("Their scores, over all candidates, in %", qualities, scores, _score_notes(found)),
    )


def _guards(found: Comparison, width: int) -> list[list[Cell]]:
    """With what the numbers are over; counts of candidates are of the whole pool, so said once."""
    settings = found.settings
    rows = _fixed(found, [one.row for one in found.programs if one.row != "greedy"], width)
    asked = settings["asked"]
    reached = [Cell(str(count) if count == asked else f"{count}/{asked}") for count in settings["reaching"]]
    rows.append(_line("Problems", reached, width))
    return rows + [_line(f"{name} candidates", [Cell(str(n))], width) for name, n in settings["never_judged"].items()]


def _fixed(found: Comparison, rows: Sequence[str], width: int) -> list[list[Cell]]:
    """What no ranker chose is the same at every n."""
    each = len(found.settings["ns"])
    return [_line(label(one.row), [_estimate(one.solved)] * each, width) for one in found.programs if one.row in rows]


def _line(name: str, cells: Sequence[Cell], width: int) -> list[Cell]:
    return [Cell(name), *cells, *[Cell("")] * (width - 1 - len(cells))]


def _choices(row: RankerRow, ns: Sequence[int], ks: Sequence[int]) -> list[Cell]:
    mark: Mark = ""
    versus = _DASH
    if row.versus is not None:
        middle, low, high = (per_cent(value, "+") for value in row.versus)
        if row.ranker != "oracle":
            mark = "better" if row.versus[1] > 0 else "worse" if row.versus[2] < 0 else ""
        versus = Cell(middle, f"[{low}, {high}]")
    best = [_estimate(row.best_of[n], mark if n == ns[-1] else "") for n in ns]
    gap = _DASH if row.gap_closed is None else Cell(per_cent(row.gap_closed))
    return [Cell(label(row.ranker)), *best, versus, gap, *(_estimate(row.rerank_at[k]) for k in ks)]


def _scores(row: RankerRow) -> list[Cell]:
    cells = [_estimate(one) for one in (row.pair_accuracy, row.auc, row.mrr, row.length_correlation)]
    found = row.calibration
    errors = [found.ece, found.brier, found.brier_of_base_rate] if found else []
    return [Cell(label(row.ranker)), *cells, *([Cell(per_cent(error)) for error in errors] or [_DASH] * 3)]


def _estimate(found: Estimate | None, mark: Mark = "") -> Cell:
    if found is None:
        return _DASH
    low, high = (f"{100 * value:.0f}".replace("-", "\N{MINUS SIGN}") for value in (found.low, found.high))
    return Cell(per_cent(found.value), f"{low} to {high}" if found.low < 0 else f"{low}–{high}", mark)


def _choice_notes(found: Comparison) -> list[str]:
    settings = found.settings
    n = settings["ns"][-1]
    low, high = settings["sampled"]
    lost = sum(settings["never_judged"].values())
    counts = ", ".join(f"{verdict} {count}" for verdict, count in settings["never_judged"].items())
    by_problem = ", ".join(f"{label(row.ranker)} {_share(row.gap_per_problem)}" for row in _between(found.rows))
    return [
        *(f"ALARM: {alarm}." for alarm in found.alarms()),
        f"{settings['problems']} of {settings['asked']} problems, {low if low == high else f'{low} to {high}'} "
        f"candidates each, data {settings['data']}.",
        f"{lost} of {settings['candidates']} candidates not judged and left out ({counts}), {settings['dropped']} "
        f"problems lost to that, {settings['short']} with fewer than n = {n} judged.",
        *_partial(settings),
        *_guard_notes(found),
        *(f"{name}: {value}." for name, value in settings["more"].items()),
        f"Under a number: 95 % interval, percentile bootstrap over problem groups, {settings['bootstrap']:,} "
        f"resamples. Bold: better than {label(settings['baseline'])} at n = {n}, the interval of the difference "
        "excluding zero; italic: worse.",
        f"Gap closed: share of the way from a random pick to the oracle at n = {n}, by the means. Mean over "
        f"problems: {by_problem or 'no ranker'}; undefined for {found.rows[0].gap_undefined} problems, where all "
        "candidates are right or all wrong.",
        *ranker_notes(settings),
    ]


def _partial(settings: Mapping[str, Any]) -> list[str]:
    """Which columns of a partial comparison leave problems out."""
    counts = dict(zip(settings["ns"], settings["reaching"], strict=True))
    lacking = [f"n = {n} over {count}" for n, count in counts.items() if count < settings["problems"]]
    if not lacking:
        return []
    return [
        f"Partial: a problem counts only where it has n judged candidates: {', '.join(lacking)} of "
        f"{settings['problems']} problems. Columns of different n are then of different problems."
    ]


def _guard_notes(found: Comparison) -> list[str]:
    lacking = unguarded([one.row for one in found.programs])
    whole = found.settings["problems"]
    fewer = [f"{label(one.row)} {one.solved.problems}" for one in found.programs if one.solved.problems < whole]
    return [
        *([f"Guards without a judged program: {lacking}."] if lacking else []),
        *([f"On fewer than the {whole} problems, for want of judged programs: {', '.join(fewer)}."] if fewer else []),
    ]


def _score_notes(found: Comparison) -> list[str]:
    return [
        f"Pairs: right over wrong candidates of the same problem ({_over(found.rows, 'pair_accuracy')} both). AUC: "
        "the same over all candidates, whatever their problem. MRR: reciprocal rank of the first right one "
        f"({_over(found.rows, 'mrr')} one). Length: Spearman's correlation of score and program length within a "
        "problem.",
        "ECE (10 bins) and Brier score after Platt scaling, fitted on half of the problem groups and measured on the "
        "other half.",
    ]


def _between(rows: Sequence[RankerRow]) -> list[RankerRow]:
    return [row for row in rows if row.ranker not in ("random", "oracle")]


def _share(value: float | None) -> str:
    return "–" if value is None else per_cent(value)


def _over(rows: Sequence[RankerRow], metric: str) -> str:
    found = next((one for row in rows if (one := getattr(row, metric)) is not None), None)
    return f"{found.problems if found else 0} problems have"


def _curves(found: Comparison) -> str:
    ns = found.settings["ns"]
    if len(ns) < 2:
        return ""
    series = [Series(label(row.ranker), ns, [row.best_of[n].value for n in ns]) for row in found.rows]
    chart = line_chart("Best of n", series, "candidates n", "problems solved", 1040, 340, y_format=percent)
    return f"<h3>Best of n</h3><figure>{chart}</figure>"


def _reliability(rows: Sequence[RankerRow]) -> str:
    parts = []
    for row in rows:
        if row.calibration is None:
            continue
        found = row.calibration
        lines = [
            [f"{per_cent(b.low)} – {per_cent(b.high)}", str(b.count), per_cent(b.predicted), per_cent(b.correct)]
            for b in found.bins
        ]
        body = table(("Predicted", "Candidates", "Mean prediction", "Correct"), lines)
        what = (
            f"{label(row.ranker)}: ECE {per_cent(found.ece)} %, Brier {found.brier:.3f} (always the base rate: "
            f"{found.brier_of_base_rate:.3f}), fitted on {found.fitted} candidates, measured on {found.measured}"
        )
        parts.append(f"<details><summary>{safe(what)}</summary>{body}</details>")
    return f"<h3>Reliability after Platt scaling</h3>{''.join(parts)}" if parts else ""
