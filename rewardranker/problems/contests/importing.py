"""Whole contest data sets as shards of problems and of programs, of which statements alone are held.

:func:`rewardranker.problems.contests.corpus.contest_corpus` takes a few programs of each problem for the cycle; this
takes them all, for triplets by the million.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq

from rewardranker.errors import UserError
from rewardranker.paths import AnyPath
from rewardranker.problems.contests.census import Census
from rewardranker.problems.contests.corpus import ContestOptions, Submissions, chosen_tasks
from rewardranker.problems.contests.dialects import NO_LANGUAGE
from rewardranker.problems.contests.task import Program, Task, problem_in
from rewardranker.problems.near_duplicates import group_near_duplicates, keep_splits_apart
from rewardranker.problems.normal_form import normalise
from rewardranker.problems.shards import PROGRAMS, problem_table
from rewardranker.runs.atomic import write_json
from rewardranker.runs.shards import Made, stream_shards

PROBLEMS_IN, PROGRAMS_IN, CARD = "problems", "programs", "card.json"
#: Rows of submissions that wait in memory for their shard's file.
_WAITING = 512
_SUBMITTED = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("task", "language", "named", "code", "outcome")),
        pa.field("right", pa.bool_()),
        pa.field("passed", pa.int32()),
    ]
)


def import_contests(
    read: Callable[[Census], Iterator[Task]],
    options: ContestOptions,
    directory: AnyPath,
    submissions: Submissions | None = None,
    size: int = 64,
) -> Census:
    """Writes ``problems/``, ``programs/`` (:mod:`rewardranker.problems.shards`) and ``card.json`` into ``directory``.

    The data are read twice: for the groups of near duplicates, of which none is in two splits, and to be written.
    Programs that lie apart from their problems (``submissions``) are sorted into files first.

    Args:
        size: contest problems in a shard; each is a problem in every language.

    Returns:
        What was left out of the problems; programs are counted in the shards.

    Raises:
        UserError: as ``read`` and ``submissions``, or where no problem is left.
    """
    directory, census = Path(directory), Census()
    directory.mkdir(parents=True, exist_ok=True)
    told = [
        dataclasses.replace(task, tests=(), checker="", programs=())
        for task in chosen_tasks(read(census), options, census)
    ]
    groups = _groups(told, options, census)
    if not groups:
        raise UserError("no problem of the data gives labels: " + "; ".join(census.lines()))
    kept = (
        dataclasses.replace(task, contest=groups[task.id])
        for task in chosen_tasks(read(Census()), options, Census())
        if task.id in groups
    )
    settings = {"options": asdict(options) | {"path": ""}, "revision": census.revision, "size": size}
    with TemporaryDirectory(prefix=".submissions-", dir=directory) as spool:
        if submissions is not None:
            place = {name: number // size for number, name in enumerate(groups)}
            _sort(submissions([task for task in told if task.id in groups], census), place, Path(spool))
        parts = (
            program_tables(_with_submissions(tasks, Path(spool, f"{number}.parquet")), options.languages)
            for number, tasks in enumerate(_batches(kept, size))
        )
        stream_shards("import", settings, parts, [directory / PROBLEMS_IN, directory / PROGRAMS_IN])
    write_json(directory / CARD, census.record())
    return census


def _groups(tasks: Sequence[Task], options: ContestOptions, census: Census) -> dict[str, str]:
    """The group of every task that is not like one that is held out, by its id."""
    first = options.languages[0]
    grouped = keep_splits_apart(group_near_duplicates([problem_in(task, first) for task in tasks]))
    of = {problem.id: problem.group_id for problem in grouped}
    found = {task.id: group for task in tasks if (group := of.get(f"{task.id}/{first}")) is not None}
    for task in tasks:
        if task.id in found:
            census.take("problems")
        else:
            census.leave_out("problems: nearly the same as one that is held out", task.id)
    return found


def _sort(submitted: Iterable[tuple[str, Program]], place: dict[str, int], spool: Path) -> None:
    """Writes what was submitted into a file for every shard of problems."""
    waiting: dict[int, list[dict[str, object]]] = {}
    with ExitStack() as files:
        writers: dict[int, pq.ParquetWriter] = {}

        def flush(shard: int) -> None:
            if shard not in writers:
                writers[shard] = files.enter_context(pq.ParquetWriter(spool / f"{shard}.parquet", _SUBMITTED))
            writers[shard].write_table(pa.Table.from_pylist(waiting.pop(shard), _SUBMITTED))

        for name, program in submitted:
            of = waiting.setdefault(shard := place[name], [])
            of.append({"task": name, **asdict(program)})
            if len(of) == _WAITING:
                flush(shard)
        for shard in list(waiting):
            flush(shard)


def _with_submissions(tasks: Sequence[Task], file: Path) -> Sequence[Task]:
    if not file.exists():
        return tasks
    programs: dict[str, list[Program]] = {}
    for row in pq.read_table(file).to_pylist():
        programs.setdefault(row.pop("task"), []).append(Program(**row))
    return [dataclasses.replace(task, programs=tuple(programs.get(task.id, ()))) for task in tasks]


def _batches(tasks: Iterable[Task], size: int) -> Iterator[list[Task]]:
    batch: list[Task] = []
    for task in tasks:
        batch.append(task)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def program_tables(tasks: Iterable[Task], languages: Sequence[str]) -> tuple[Made, Made]:
    """Contest problems in each of the languages, and all that people submitted for them, each text once.

    A text that has both labels is no label and is left out, as are programs in other languages; counted.
    """
    problems, rows, counts = [], [], Counter[str]()
    for task in tasks:
        found = _by_language(task, languages, counts)
        for language, programs in found.items():
            problem = problem_in(task, language)
            problems.append(problem)
            for code, program in programs.items():
                counts[f"programs in {language}, {'right' if program.right else 'wrong'}"] += 1
                rows.append(
                    {
                        "problem_id": problem.id,
                        "language": language,
                        "code": code,
                        "source": "human",
                        "right": program.right,
                        "outcome": program.outcome,
                        "passed": program.passed,
                    }
                )
    return (
        Made(problem_table(problems), {"problems": len(problems)}),
        Made(pa.Table.from_pylist(rows, PROGRAMS), counts),
    )


def _by_language(task: Task, languages: Sequence[str], counts: Counter[str]) -> dict[str, dict[str, Program]]:
    """A task's programs by language and normalised code; counts what is left out."""
    found: dict[str, dict[str, Program]] = {language: {} for language in languages}
    both: set[tuple[str, str]] = set()
    for program in task.programs:
        code = normalise(program.code)
        known = found[program.language].get(code) if program.language in found else None
        if program.language not in found:
            named = program.named if program.language == NO_LANGUAGE else program.language
            counts[f"left out: programs in {named}"] += 1
        elif not code:
            counts["left out: programs without a line"] += 1
        elif known is None:
            found[program.language][code] = program
        else:
            counts["left out: programs that repeat another"] += 1
            if known.right != program.right:
                both.add((program.language, code))
    for language, code in both:
        del found[language][code]
    counts["left out: programs with both labels"] += len(both)
    return found
