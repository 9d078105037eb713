"""The ``contamination`` command: training problems against benchmarks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from rewardranker.commands.problem_sets import read_problem_set, refuse_unused, require_writable, sources_of
from rewardranker.errors import UserError
from rewardranker.problems.contamination import ContaminationReport, Overlap, find_contamination
from rewardranker.runs.atomic import write_text
from rewardranker.runs.console import Console

#: Pairs of each check that are printed, the most alike first; a report in Markdown has them all.
SHOWN = 5


@dataclass(frozen=True)
class ContaminationRequest:
    """What the command was asked for; see :func:`run_contamination` and the command's own help."""

    training: str
    benchmarks: tuple[str, ...]
    data: tuple[str, ...] = ()
    out: Path | None = None
    run_words: int = 10
    edit_ratio: float = 0.7


def run_contamination(request: ContaminationRequest, console: Console) -> list[ContaminationReport]:
    """Compares the training problems with each benchmark, prints what is alike and perhaps writes it.

    Returns:
        One report for each benchmark.

    Raises:
        UserError: arguments or files that are not what they should be; nothing is written. What is found is no error.
    """
    if request.run_words < 1:
        raise UserError(f"--run-words {request.run_words}: a run has at least 1 word")
    if not 0 <= request.edit_ratio < 1:
        raise UserError(f"--edit-ratio {request.edit_ratio:g}: must be at least 0 and below 1, where texts are equal")
    require_writable(request.out)
    sources = sources_of(request.data)
    refuse_unused(sources, (request.training, *request.benchmarks))
    training, *benchmarks = (read_problem_set(a, sources) for a in (request.training, *request.benchmarks))
    reports, pages = [], []
    for benchmark in benchmarks:
        report = find_contamination(
            training.problems,
            benchmark.problems,
            training.solutions,
            benchmark.solutions,
            run_words=request.run_words,
            edit_ratio=request.edit_ratio,
        )
        title = f"{training.described()} against {benchmark.described()}"
        reports.append(report)
        pages.append(report.markdown(title))
        _show(title, report, console)
    if request.out is not None:
        write_text(request.out, "\n".join(pages))
        console.say(f"{request.out}: every pair")
    return reports


def most_alike(rows: Sequence[Overlap]) -> list[Overlap]:
    """Up to :data:`SHOWN` pairs of each check, the highest values first."""
    shown: list[Overlap] = []
    for check in dict.fromkeys(row.check for row in rows):
        mine = [row for row in rows if row.check == check]
        shown += sorted(mine, key=lambda row: -row.value)[:SHOWN]
    return shown


def _show(title: str, report: ContaminationReport, console: Console) -> None:
    console.say(title)
    table = Table("check", "limit", "pairs", "training problems")
    for column in table.columns[2:]:
        column.justify = "right"
    for row in report.counts():
        table.add_row(*row)
    console.show(table)
    shown = most_alike(report.rows)
    if shown:
        pairs = Table("training", "benchmark", "check", "value")
        pairs.columns[3].justify = "right"
        for pair in shown:
            pairs.add_row(pair.training_id, pair.benchmark_id, pair.check, f"{pair.value:.4g}")
        pairs.caption = f"{len(shown):,} of {len(report.rows):,} pairs, each check's most alike"
        console.show(pairs)
    console.say(report.summary())
