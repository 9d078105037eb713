"""Codeforces as open-r1 has it: problems (``open-r1/codeforces``) and what was submitted for them
(``open-r1/codeforces-submissions``), joined while the latter are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rewardranker.errors import UserError
from rewardranker.problems.contests.census import Census
from rewardranker.problems.contests.corpus import ContestOptions, ContestSource, split_of
from rewardranker.problems.contests.dialects import CODEFORCES_VERDICTS, dialect
from rewardranker.problems.contests.hubs import HUBS
from rewardranker.problems.contests.tables import Columns, Table, revision_of
from rewardranker.problems.contests.task import Program, Task, interactive, limits_of, whole_tests
from rewardranker.problems.fields import Row
from rewardranker.problems.sources import hub_file, is_local
from rewardranker.problems.types import Split

SUBMISSIONS_HUB = "open-r1/codeforces-submissions"
LICENCE = "CC-BY-4.0"
COLUMNS = Columns(
    (
        "id",
        "title",
        "description",
        "input_format",
        "output_format",
        "interaction_format",
        "examples",
        "official_tests",
        "official_tests_complete",
        "input_mode",
        "generated_checker",
        "generated_tests",
        "time_limit",
        "memory_limit",
    ),
    ("aliases", "contest_id", "note", "tags", "executable"),
)
GENERATED = Columns(("problem_id", "input", "output"))
SUBMITTED = Columns(("problem_id", "source", "programmingLanguage", "verdict"), ("passedTestCount",))
#: Rows of submissions are small, and many.
_BATCH = 1024


@dataclass(frozen=True)
class CodeforcesOptions(ContestOptions):
    """Further options of this source.

    Attributes:
        submissions: their data set, as ``path``; empty for its own on the hub.
        submissions_configuration: ``default`` for all of them, or ``selected_accepted`` or ``selected_incorrect``.
    """

    submissions: str = ""
    submissions_configuration: str = "default"


def tasks(options: CodeforcesOptions, census: Census) -> Iterator[Task]:
    """Every problem, without programs, as they are read. A share of ``train`` is held out for validation."""
    source = options.path or HUBS["codeforces"]
    tables = [Table(source, "default", split, COLUMNS, options.skip_damaged) for split in ("test", "train")]
    census.licence, census.revision = LICENCE, revision_of([*tables, _submitted(options)])
    generated = GeneratedTests(source)
    for table in tables:
        for _, row in table.rows(census):
            held_out: Split = "test" if table.split == "test" else split_of(row["id"], options.held_out, 0.0)
            yield task_of(row, held_out, generated, census.revision, options.time_factor)


def submissions(options: CodeforcesOptions, tasks: Iterable[Task], census: Census) -> Iterator[tuple[str, Program]]:
    """What was submitted for these tasks, by the task's id; verdicts that are no labels are left out, counted."""
    known = {name: task.id for task in tasks for name in (task.contest, *task.aliases)}
    for _, row in _submitted(options).rows(census):
        task = known.get(f"codeforces/{row['problem_id']}")
        if task is None:
            continue
        verdict = row["verdict"] or "none"
        right = CODEFORCES_VERDICTS.get(verdict)
        if right is None:
            census.leave_out(f"programs with verdict {verdict}", task)
            continue
        named, passed = row["programmingLanguage"] or "no language", row.get("passedTestCount")
        code = row["source"] or ""
        yield task, Program(dialect(named), named, code, right, verdict, None if passed is None else int(passed))


codeforces_corpus = ContestSource(CodeforcesOptions, tasks, submissions)


class GeneratedTests:
    """Tests that open-r1 made, in a file for each contest beside the problems."""

    def __init__(self, source: str) -> None:
        self._source = source

    def of(self, problem: str, contest: str) -> list[Row]:
        """The problem's; none where there is no file. Raises :class:`UserError` for a file that is not as it was."""
        path = self._file(contest)
        if path is None:
            return []
        table = Table(str(path), "", "", GENERATED)
        return [row for _, row in table.rows(Census()) if row["problem_id"] == problem]

    def _file(self, contest: str) -> Path | None:
        names = [f"generated_tests/test_cases_{name}.parquet" for name in dict.fromkeys((contest, contest.zfill(4)))]
        if not is_local(self._source):
            return hub_file(self._source, names)
        root = Path(self._source)
        folder = root if root.is_dir() else root.parent.parent
        return next((folder / name for name in names if (folder / name).is_file()), None)


def task_of(row: Row, split: Split, generated: GeneratedTests, revision: str, time_factor: float = 1.0) -> Task:
    """A row of the problems."""
    tests, cut = whole_tests(row["official_tests"])
    incomplete = ""
    if cut or not row["official_tests_complete"]:
        wanted = row["generated_tests"] or 0
        made = generated.of(row["id"], str(row.get("contest_id") or row["id"].partition("/")[0])) if wanted else []
        tests, _ = whole_tests(row["official_tests"], made)
        if not wanted:
            incomplete = "official tests that are incomplete, and no generated ones"
        elif len(made) != wanted:
            incomplete = "generated tests that are not all there"
    checker = row["generated_checker"] or ""
    return Task(
        id=f"codeforces/{row['id']}",
        source="codeforces",
        contest=f"codeforces/{row['id']}",
        aliases=tuple(f"codeforces/{alias}" for alias in row.get("aliases") or ()),
        statement=_statement(row),
        tests=tests,
        limits=limits_of(row["time_limit"], row["memory_limit"], time_factor),
        split=split,
        licence=LICENCE,
        revision=revision,
        comparator="script" if checker.strip() else "tokens",
        checker=checker if checker.strip() else "",
        incomplete=incomplete,
        unusable=_unusable(row, checker),
    )


def _submitted(options: CodeforcesOptions) -> Table:
    source = options.submissions or SUBMISSIONS_HUB
    return Table(source, options.submissions_configuration, "train", SUBMITTED, options.skip_damaged, _BATCH)


def _unusable(row: Row, checker: str) -> str:
    if (row["interaction_format"] or "").strip() or interactive(row["description"] or "", row.get("tags") or ()):
        return "interactive"
    if row["input_mode"] not in (None, "", "stdio"):
        return "reads or writes files"
    if row.get("executable") is False:
        return "the data set calls it not executable"
    return _no_python(checker)


def _no_python(checker: str) -> str:
    try:
        compile(checker, "<checker>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError):
        return "a checker that is no Python"
    return ""


def _statement(row: Row) -> str:
    """The parts in the site's order, under its headings."""
    if not row["description"]:
        raise UserError(f"problem {row['id']} of {HUBS['codeforces']} has no description; give the data as they are")
    examples = [
        f"Input\n\n{example['input'].rstrip()}\n\nOutput\n\n{example['output'].rstrip()}"
        for example in row["examples"] or ()
    ]
    parts = {
        row["title"] or "": row["description"],
        "Input": row["input_format"],
        "Output": row["output_format"],
        "Examples" if len(examples) > 1 else "Example": "\n\n".join(examples),
        "Note": row.get("note"),
    }
    return "\n\n".join(f"{heading}\n\n{text.strip()}".strip() for heading, text in parts.items() if text)
