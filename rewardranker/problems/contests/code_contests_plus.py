"""CodeContests+ (Wang et al. 2025; ``ByteDance-Seed/Code-Contests-Plus``): CodeContests with better tests, and with
checkers written with testlib."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rewardranker.linear import lexer
from rewardranker.problems.contests.census import Census
from rewardranker.problems.contests.corpus import ContestOptions, ContestSource, split_of
from rewardranker.problems.contests.dialects import dialect
from rewardranker.problems.contests.hubs import HUBS
from rewardranker.problems.contests.tables import Columns, Table, revision_of
from rewardranker.problems.contests.task import Program, Task, interactive, limits_of, pairs, whole_tests
from rewardranker.problems.fields import Row
from rewardranker.problems.types import Split

LICENCE = "CC-BY-4.0"
COLUMNS = Columns(
    (
        "source",
        "id",
        "title",
        "description",
        "time_limit",
        "memory_limit",
        "checker",
        "correct_submissions",
        "incorrect_submissions",
        "test_cases",
    ),
)
_CODEFORCES_ID = lexer(r"(\d++)[_/ ]{0,1}+([A-Z]\d{0,1}+)")


@dataclass(frozen=True)
class PlusOptions(ContestOptions):
    """Further options of this source.

    Attributes:
        configuration: ``1x`` to ``5x``, by how many tests there are. (``default`` has none.)
    """

    configuration: str = "1x"


def tasks(options: PlusOptions, census: Census) -> Iterator[Task]:
    """Every problem with its programs, as they are read. Two shares of the one split are held out."""
    source = options.path or HUBS["code_contests_plus"]
    table = Table(source, options.configuration, "train", COLUMNS, options.skip_damaged)
    census.licence, census.revision = LICENCE, revision_of([table])
    for _, row in table.rows(census):
        split = split_of(_name(row), options.held_out, options.held_out)
        yield task_of(row, split, census.revision, options.time_factor)


code_contests_plus_corpus = ContestSource(PlusOptions, tasks)


def task_of(row: Row, split: Split, revision: str, time_factor: float = 1.0) -> Task:
    """A row of the data set."""
    tests, cut = whole_tests(row["test_cases"])
    checker = (row["checker"] or "").strip()
    return Task(
        id=f"code_contests_plus/{_name(row)}",
        source="code_contests_plus",
        contest=_contest(row),
        statement="\n\n".join(part for part in (row["title"], row["description"]) if part),
        tests=tests,
        limits=limits_of((row["time_limit"] or 0) / 1000 or None, row["memory_limit"], time_factor),
        split=split,
        licence=LICENCE,
        revision=revision,
        comparator="testlib" if checker else "tokens",
        checker=checker,
        incomplete="tests that are cut off" if cut else "",
        unusable="interactive" if interactive(row["description"], ()) else "",
        programs=(*_programs(row, "correct_submissions", True), *_programs(row, "incorrect_submissions", False)),
    )


def _name(row: Row) -> str:
    return f"{row['source']}/{row['id']}"


def _contest(row: Row) -> str:
    found = _CODEFORCES_ID.match(row["id"]) if row["source"].lower() == "codeforces" else None
    return f"codeforces/{found[1]}/{found[2]}" if found else f"code_contests_plus/{_name(row)}"


def _programs(row: Row, column: str, right: bool) -> Iterator[Program]:
    for language, code in pairs(row[column], ("language", "code")):
        yield Program(dialect(language), language, code, right, column)
