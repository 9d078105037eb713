"""Every ranker on one pool, by every metric: what each is worth, and why."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rewardranker.errors import UserError
from rewardranker.evaluation.pools import GREEDY, Entries
from rewardranker.rendering.charts import Axis, Series, Size, line_chart
from rewardranker.rendering.grid import Cell, Grid, Section
from rewardranker.rendering.html import safe, table
from rewardranker.rendering.svg import percent
from rewardranker.reranking.protocol import Ranker
from rewardranker.statistics.calibration import Calibration, calibrate
from rewardranker.statistics.metrics import gap_closed, length_correlation, pair_accuracy, reciprocal_rank
from rewardranker.tables.names import label, per_cent
from rewardranker.tables.notes import comparison_notes, metric_notes, ranked_rows
from rewardranker.tables.ranked import Method
from rewardranker.tables.ranking import ENDS, Ranking, Scorer
from rewardranker.tables.rows import Estimate, Row, Table
from rewardranker.tables.views import DASH, Sheet, estimate, line, mark_of, versus


def compare_rankers(
    entries: Entries, rankers: Sequence[Ranker], ns: Sequence[int], ks: Sequence[int], method: Method
) -> Table:
    """Random pick, the rankers and the oracle on one judged pool.

    Best-of-n and rerank@k are expectations over which n of a problem's candidates are drawn; the other metrics
    are of all its candidates. In a partial comparison each n is over the problems that have so many.

    Args:
        entries: one pool, and its submissions.
        ns, ks: candidates to choose from, and submissions out of the largest n.

    Raises:
        UserError: no n, a k above the largest n, and as :class:`Ranking`.
    """
    (pool,) = entries.pools
    if not ns or any(k < 1 or k > max(ns) for k in ks):
        raise UserError(
            f"pool {pool.name}: needs at least one n, and k from 1 to the largest n; asked for n of "
            f"{', '.join(map(str, ns)) or 'nothing'} and k of {', '.join(map(str, ks)) or 'nothing'}"
        )
    ns, ks, most = sorted(set(ns)), sorted(set(ks)), max(ns)
    ranking = Ranking(entries, rankers, ns, method)
    at, judged = {n: ranking.reaching(n) for n in ns}, ranking.reaching(1)
    scorer = Scorer(ranking, judged)
    choices = {f"best of {n}": (at[n], ranking.systems(pool.generator, n, at[n])) for n in ns}
    for k in ks:
        choices[f"{k} best of {most}"] = at[most], ranking.systems(pool.generator, most, at[most], k)
    rows = []
    for name in (ranker.name for ranker in ranking.rankers):
        scores = {
            column: scorer.score(name, systems[name], ids, systems) for column, (ids, systems) in choices.items()
        }
        rows.append(Row(pool.generator, name, scores, *_metrics(ranking, scorer, name, most)))
    greedy = ranking.submitted([one for one in entries.submissions if one.row == GREEDY], judged)
    submitted = {(pool.generator, GREEDY): greedy} | {("", row): one for row, one in ranking.guards(judged).items()}
    rows += [scorer.row(generator, row, one) for (generator, row), one in submitted.items() if one.values]
    return Table(
        name=pool.name,
        benchmark=pool.benchmark,
        columns=list(choices),
        rows=rows,
        coverage=ranking.coverage(judged, most),
        settings=ranking.settings(most) | {"ns": ns, "reaching": [len(at[n][pool.language]) for n in ns]},
    )


def comparison_sheet(found: Table) -> Sheet:
    """What the rankers' choices are worth, and what their scores are like."""
    choices, metrics = _choices(found), _metrics_grid(found)
    lead = "Every ranker chooses among the same candidates; all numbers in %, with 95 % intervals below them."
    parts = (choices, _curves(found), metrics, _reliability(found.rows))
    return Sheet(f"Rankers on {found.name}", lead, parts, found.alarms())


def _metrics(ranking: Ranking, scorer: Scorer, ranker: str, n: int) -> tuple[dict[str, Estimate], Calibration | None]:
    found = ranking.problems()
    reaching = [one for one in found if not ranking.method.partial or len(one.correct) >= n]
    estimates = {
        "gap_per_problem": scorer.estimate(
            reaching, lambda one: gap_closed(*(one.solved(name, n) for name in (ranker, *ENDS)))
        ),
        "pair_accuracy": scorer.estimate(found, lambda one: pair_accuracy(one.scores[ranker], one.correct)),
        "mrr": scorer.estimate(found, lambda one: reciprocal_rank(one.scores[ranker], one.correct)),
        "length_correlation": scorer.estimate(found, lambda one: length_correlation(one.scores[ranker], one.lengths)),
    }
    scores, correct = (
        np.concatenate(parts) for parts in zip(*((o.scores[ranker], o.correct) for o in found), strict=True)
    )
    everyone = [one.problem.group_id for one in found for _ in one.correct]
    area = scorer.bootstrap.auc(scores, correct, everyone)
    estimates["auc"] = area and Estimate(*area, len(found))
    calibrated = np.isfinite(scores).all() and len(set(everyone)) > 1 and ranker not in ENDS
    calibration = calibrate(scores, correct, everyone, seed=ranking.method.seed) if calibrated else None
    return {name: one for name, one in estimates.items() if one is not None}, calibration


def _choices(found: Table) -> Grid:
    settings = found.settings
    ns = settings["ns"]
    best, several = found.columns[: len(ns)], found.columns[len(ns) :]
    headers = ["Ranker", *best, f"vs {settings['baseline']} [CI]", "gap closed", *several]
    width = len(headers)

    def ranked(row: Row) -> list[Cell]:
        last = row.scores[best[-1]]
        cells = [estimate(row.scores[column], mark_of(row, column) if column == best[-1] else "") for column in best]
        gap = DASH if last.gap_closed is None else Cell(per_cent(last.gap_closed))
        return [Cell(label(row.ranker)), *cells, versus(last), gap, *(estimate(row.scores[one]) for one in several)]

    def submitted(row: Row) -> list[Cell]:
        """What no ranker chose is the same at every n."""
        return line(label(row.ranker), [estimate(next(iter(row.scores.values())))] * len(ns), width)

    own = [*map(ranked, ranked_rows(found)), *(submitted(row) for row in found.rows if row.ranker == GREEDY)]
    guards = [submitted(row) for row in found.rows if not row.generator]
    (coverage,) = found.coverage.values()
    reaching = settings["reaching"]
    problems = [Cell(f"{count}" if count == coverage.asked else f"{count}/{coverage.asked}") for count in reaching]
    guards.append(line("Problems", problems, width))
    # Counts of candidates are of the whole pool, so said once.
    guards += [line(f"{name} candidates", [Cell(f"{n}")], width) for name, n in coverage.never_judged.items()]
    sections = [Section("", own), Section("Guards", guards)]
    return Grid(f"Rankers on {found.name}: problems solved in %", headers, sections, comparison_notes(found))


def _metrics_grid(found: Table) -> Grid:
    headers = ["Ranker", "pairs", "AUC", "MRR", "length", "ECE", "Brier", "Brier of base rate"]
    rows = []
    for row in ranked_rows(found):
        shown = (row.metrics.get(name) for name in ("pair_accuracy", "auc", "mrr", "length_correlation"))
        fit = row.calibration
        errors = [Cell(per_cent(x)) for x in (fit.ece, fit.brier, fit.brier_of_base_rate)] if fit else [DASH] * 3
        rows.append([Cell(label(row.ranker)), *map(estimate, shown), *errors])
    title = "Their scores, over all candidates, in %"
    return Grid(title, headers, [Section("", rows)], metric_notes(found))


def _curves(found: Table) -> str:
    ns = found.settings["ns"]
    if len(ns) < 2:
        return ""
    best = found.columns[: len(ns)]
    series = [
        Series(label(row.ranker), ns, [row.scores[column].solved for column in best]) for row in ranked_rows(found)
    ]
    chart = line_chart("Best of n", series, Axis("candidates n"), Axis("problems solved", percent), Size(1040, 340))
    return f"<h3>Best of n</h3><figure>{chart}</figure>"


def _reliability(rows: Sequence[Row]) -> str:
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
