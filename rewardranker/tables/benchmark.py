"""The paper's tables from our pools: HumanEval in eight languages (Table 1), MBPP (Table 2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from rewardranker.evaluation.pools import Entries, Provenance
from rewardranker.problems.languages import PROPER_NAMES
from rewardranker.rendering.grid import SOFT_HYPHEN, Cell, Grid, Section
from rewardranker.rendering.html import safe
from rewardranker.reranking.protocol import Ranker
from rewardranker.tables.names import label, per_cent
from rewardranker.tables.notes import benchmark_notes, footnotes, scored_languages
from rewardranker.tables.paper import PaperRow, paper_table
from rewardranker.tables.ranked import Method
from rewardranker.tables.ranking import Ranking, Scorer
from rewardranker.tables.rows import AVERAGE, COMMON, Row, Table
from rewardranker.tables.views import DASH, Marked, Sheet, around, interval, line, mark_of, versus, with_intervals

_LANGUAGES = {name: proper.replace("Script", f"{SOFT_HYPHEN}Script") for name, proper in PROPER_NAMES.items()}
_BENCHMARKS = {"humaneval": "HumanEval", "mbpp": "MBPP"}


def build_benchmark_table(
    entries: Entries, rankers: Sequence[Ranker], n: int, method: Method, provenance: Provenance
) -> Table:
    """Ranks every pool with every ranker, which chooses one of ``n`` candidates.

    Pools may hold more than ``n`` candidates of a problem: the number is then the expectation over which ``n`` are
    drawn (in closed form; over ``method.draws`` draws for rankers that compare candidates with each other).

    Raises:
        UserError: see :class:`Ranking`.
    """
    ranking = Ranking(entries, rankers, [n], method)
    ids, paper = ranking.reaching(n), paper_table(entries.pools[0].benchmark)
    scorer = Scorer(ranking, ids)
    rows: list[Row] = []
    for generator in dict.fromkeys(pool.generator for pool in entries.pools):
        systems = ranking.systems(generator, n, ids)
        rows += [scorer.row(generator, name, one, systems) for name, one in systems.items() if one.values]
    rows += [scorer.row("", name, one) for name, one in ranking.guards(ids).items()]
    coverage = ranking.coverage(ids, n)
    return Table(
        name=paper.name,
        benchmark=paper.benchmark,
        columns=list(dict.fromkeys([*paper.problems, *coverage])),
        rows=rows,
        coverage=coverage,
        settings=ranking.settings(n) | asdict(provenance),
        paper=list(paper.rows),
        common=len(scorer.common),
    )


def benchmark_sheet(found: Table) -> Sheet:
    """Our rows, the guards, and the paper's rows below them."""
    grid = _grid(found)
    lead = "Share of problems whose chosen program passes all tests, in %, beside the paper's numbers."
    return Sheet(grid.title, lead, (grid, _intervals(found)), found.alarms())


def headline(found: Table) -> str:
    """The column that systems are compared by: the average, or the only language there is."""
    languages = scored_languages(found)
    return languages[0] if len(languages) == 1 else AVERAGE


def _grid(found: Table) -> Grid:
    columns = [*found.columns, *([AVERAGE, COMMON] if len(found.columns) > 1 else [])]
    names = {AVERAGE: "Avg", COMMON: f"Com{SOFT_HYPHEN}mon {found.common}", **_LANGUAGES}
    headers = ["System", *(names.get(column, column) for column in columns)]
    if len(found.columns) == 1:
        headers.append("95 % CI")
    headers.append(f"vs {found.settings['baseline']} [CI]")
    by_generator = found.by_generator()
    sections = [
        Section(f"{generator}, n = {found.settings['n']}", [_system(row, columns, found) for row in rows])
        for generator, rows in by_generator.items()
        if generator
    ]
    guards = [_system(row, columns, found) for row in by_generator.get("", [])]
    sections.append(Section("Guards", guards + _counts(found, columns, len(headers))))
    letters = footnotes(found.paper)
    paper = [_paper(row, columns, len(headers), letters) for row in found.paper]
    if paper:
        sections.append(Section("The paper, as printed", paper, "beside"))
    of_paper = f": {_BENCHMARKS[found.benchmark]}" if found.benchmark in _BENCHMARKS else ""
    title = f"{found.name}{of_paper}, problems solved in %"
    return Grid(title, headers, sections, benchmark_notes(found, letters))


def _system(row: Row, columns: Sequence[str], found: Table) -> list[Cell]:
    score = row.scores.get(headline(found))
    cells = [Cell(label(row.ranker)), *(_score(row, column) for column in columns)]
    if len(found.columns) == 1:
        cells.append(Cell(interval(score)) if score else DASH)
    return [*cells, versus(score)]


def _score(row: Row, column: str) -> Cell:
    score = row.scores.get(column)
    if score is None:
        return DASH
    below = "" if score.seed_error is None else f"±{per_cent(score.seed_error)}"
    return Cell(per_cent(score.solved), below, mark_of(row, column))


def _counts(found: Table, columns: Sequence[str], width: int) -> list[list[Cell]]:
    """What stands behind each column."""
    counted, rows = found.coverage, dict[str, dict[str, str]]()
    ceilings = {one: c.ceiling[0] / c.ceiling[1] for one, c in counted.items() if c.ceiling}
    if ceilings:
        if len(ceilings) == len(counted) > 1:
            ceilings[AVERAGE] = sum(ceilings.values()) / len(ceilings)
        rows["Known ceiling"] = {one: per_cent(share) for one, share in ceilings.items()}
    rows["Problems"] = {
        one: f"{c.used}" if c.used == c.asked else f"{c.used}/{c.asked}" for one, c in counted.items()
    }
    for verdict in sorted({verdict for c in counted.values() for verdict in c.never_judged}):
        rows[f"{verdict} candidates"] = {one: f"{c.never_judged.get(verdict, 0)}" for one, c in counted.items()}
    totals = (AVERAGE, COMMON)
    return [
        line(name, [Cell(texts.get(one, "" if one in totals else "–")) for one in columns], width)
        for name, texts in rows.items()
    ]


def _paper(row: PaperRow, columns: Sequence[str], width: int, letters: Mapping[str, str]) -> list[Cell]:
    marks = "".join(sorted(letters[note] for note in row.notes))
    cells = []
    for column in columns:
        if column == AVERAGE and row.average is not None:
            cells.append(Cell(per_cent(row.average), f"{100 * row.recomputed_average + 1e-9:.2f}"))
        else:
            cells.append(Cell(per_cent(row.scores[column])) if column in row.scores else DASH)
    return line(f"{row.system} [{marks}]" if marks else row.system, cells, width)


def _intervals(found: Table) -> str:
    """The headline of every system of ours with its interval, drawn on one scale."""
    column, baseline = headline(found), found.settings["baseline"]
    shown = [(row, row.scores[column]) for row in found.rows if row.generator and column in row.scores]
    if not shown:
        return ""
    ticks = {row.generator: score.solved for row, score in shown if row.ranker == baseline}
    lines = []
    for row, score in shown:
        difference, gap = versus(score), "–" if score.gap_closed is None else per_cent(score.gap_closed)
        more = [f"{difference.text} {difference.below}".strip(), gap]
        lines.append(Marked(safe(f"{row.generator}: {label(row.ranker)}"), score, ticks[row.generator], more))
    name = "average over languages" if column == AVERAGE else _LANGUAGES.get(column, column).replace(SOFT_HYPHEN, "")
    headers = ("System", "Solved", "95 % CI", f"vs {safe(baseline)}", "Gap closed")
    body = with_intervals(headers, lines, around(score for _, score in shown))
    return f"<h3>With intervals: {safe(name)}; the upright tick is the baseline</h3>{body}"
