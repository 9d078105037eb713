"""CodeContests (Li et al. 2022, AlphaCode; ``deepmind/code_contests``): problems of five sites with solutions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rewardranker.problems.contests.census import Census
from rewardranker.problems.contests.corpus import ContestOptions, ContestSource
from rewardranker.problems.contests.dialects import CODE_CONTESTS_LANGUAGES
from rewardranker.problems.contests.hubs import HUBS
from rewardranker.problems.contests.tables import Columns, Table, revision_of
from rewardranker.problems.contests.task import Program, Task, interactive, limits_of, pairs, whole_tests
from rewardranker.problems.fields import Row
from rewardranker.problems.types import Limits, Split

LICENCE = "CC-BY-4.0"
#: The hub's splits, and ours.
SPLITS: dict[str, Split] = {"train": "train", "valid": "validation", "test": "test"}
COLUMNS = Columns(
    ("name", "description", "public_tests", "private_tests", "generated_tests", "solutions", "incorrect_solutions"),
    (
        "source",
        "cf_contest_id",
        "cf_index",
        "cf_tags",
        "time_limit",
        "memory_limit_bytes",
        "input_file",
        "output_file",
    ),
)
_CODEFORCES = (2, "CODEFORCES")
_RIGHT, _WRONG = "solutions", "incorrect_solutions"


def tasks(options: ContestOptions, census: Census) -> Iterator[Task]:
    """Every problem of all three splits with its programs, as they are read; the held-out splits first."""
    tables = {
        split: Table(options.path or HUBS["code_contests"], "", split, COLUMNS, options.skip_damaged)
        for split in reversed(SPLITS)
    }
    census.licence, census.revision = LICENCE, revision_of(tables.values())
    for split, table in tables.items():
        for where, row in table.rows(census):
            yield task_of(row, where, SPLITS[split], census.revision, options.time_factor)


code_contests_corpus = ContestSource(ContestOptions, tasks)


def task_of(row: Row, where: str, split: Split, revision: str, time_factor: float = 1.0) -> Task:
    """A row of the data set. Raises :class:`UserError` for a column that is not what the hub has there."""
    tests, cut = whole_tests(row["public_tests"], row["private_tests"], row["generated_tests"])
    replaced = bool(list(pairs(row["generated_tests"], ("input", "output"))))
    files = [name for name in ("input_file", "output_file") if row.get(name)]
    tags = row.get("cf_tags") or []
    return Task(
        id=f"code_contests/{row['name']}",
        source="code_contests",
        contest=_contest(row),
        statement=row["description"],
        tests=tests,
        limits=_limits(row, time_factor),
        split=split,
        licence=LICENCE,
        revision=revision,
        incomplete="" if replaced or not cut else "tests that are cut off, and no generated ones in their place",
        unusable="interactive" if interactive(row["description"], tags) else "reads or writes files" if files else "",
        programs=tuple(_programs(row, _RIGHT, True)) + tuple(_programs(row, _WRONG, False)),
    )


def _contest(row: Row) -> str:
    """Codeforces' problems by contest and index, as other data sets name them; others by name."""
    if row.get("source") in _CODEFORCES and row.get("cf_contest_id") and row.get("cf_index"):
        return f"codeforces/{row['cf_contest_id']}/{row['cf_index']}"
    return f"code_contests/{row['name']}"


def _limits(row: Row, factor: float) -> Limits:
    time: dict[str, Any] = row.get("time_limit") or {}
    seconds = (time.get("seconds") or 0) + (time.get("nanos") or 0) / 1e9
    memory = row.get("memory_limit_bytes") or 0
    return limits_of(seconds or None, memory / 2**20 or None, factor)


def _programs(row: Row, column: str, right: bool) -> Iterator[Program]:
    for number, code in pairs(row[column], ("language", "solution")):
        yield Program(CODE_CONTESTS_LANGUAGES.get(number, ""), str(number), code, right, column)
