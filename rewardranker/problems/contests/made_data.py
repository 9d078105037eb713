"""Made data sets in the hub's columns, of any size, written row group by row group.

Beside the rows that say what they seem to say there are some of each kind that real data have: repetitions, Python 2,
languages that are none of the project's, verdicts that are no labels.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from rewardranker.paths import AnyPath
from rewardranker.problems.contests import shapes
from rewardranker.problems.contests.made_tasks import LANGUAGES, MadeTask, made_task
from rewardranker.problems.fields import Row
from rewardranker.runs.atomic import replacing

_NUMBERS = {"python2": 1, "cpp": 2, "python": 3, "java": 4}
_NAMED = {
    "cpp": ("GNU C++11", "C++17 (GCC 7-32)", "C++20 (GCC 13-64)"),
    "java": ("Java 8", "Java 21"),
    "python": ("Python 3", "PyPy 3-64"),
}
_WRONG_VERDICTS = ("WRONG_ANSWER", "WRONG_ANSWER", "RUNTIME_ERROR", "TIME_LIMIT_EXCEEDED")
_SHORT = {"cpp": "cpp", "java": "java", "python": "py3"}


@dataclass(frozen=True)
class Made:
    """How much is made.

    Attributes:
        problems: of the training split.
        right, wrong: programs of a problem in each language.
        held_out: problems of each other split.
        rows: in a row group.
        first: number of the first problem, so that several data sets can share some.
        operations: of a problem, at least and at most.
        names: that people give to the list, of eight; with fewer, programs are easier to learn to write.
    """

    problems: int
    right: int = 4
    wrong: int = 4
    held_out: int = 4
    seed: int = 0
    rows: int = 64
    first: int = 0
    operations: tuple[int, int] = (2, 4)
    names: int = 8

    def tasks(self, split: str) -> Iterator[MadeTask]:
        """Problems of a split of the hub's: ``train``, ``valid``, ``test``."""
        place = ("train", "valid", "test").index(split)
        begin = self.first + (0 if place == 0 else self.problems + (place - 1) * self.held_out)
        for number in range(begin, begin + (self.problems if place == 0 else self.held_out)):
            yield made_task(number, self.seed, self.operations)

    def programs(self, task: MadeTask) -> Iterator[tuple[str, str, bool]]:
        """Language, code and label of everything that was submitted, in no order of theirs."""
        rng = random.Random(f"{self.seed} programs {task.number}")
        wanted = [(language, True) for language in LANGUAGES for _ in range(self.right)]
        wanted += [(language, False) for language in LANGUAGES for _ in range(self.wrong)]
        rng.shuffle(wanted)
        for language, right in wanted:
            yield language, task.program(language, right, rng, self.names), right


def write_code_contests(folder: AnyPath, made: Made, real: Mapping[str, Sequence[Row]] | None = None) -> None:
    """``data/{train,valid,test}-00000-of-00001.parquet``, as ``deepmind/code_contests`` has them.

    Args:
        real: by split, rows in the same columns that follow those that are made.
    """
    for split in ("train", "valid", "test"):
        rows = (_code_contests_row(made, task) for task in made.tasks(split))
        path = Path(folder, "data", f"{split}-00000-of-00001.parquet")
        _write(path, chain(rows, (real or {}).get(split, ())), shapes.CODE_CONTESTS, made.rows)


def write_codeforces(folder: AnyPath, made: Made) -> None:
    """``problems/`` as ``open-r1/codeforces`` has it, with its generated tests, and ``submissions/``."""
    for split in ("train", "test"):
        rows = (_codeforces_row(task) for task in made.tasks(split))
        path = Path(folder, "problems", "data", f"{split}-00000-of-00001.parquet")
        _write(path, rows, shapes.CODEFORCES, made.rows)
    for task in (task for split in ("train", "test") for task in made.tasks(split) if not _is_whole(task)):
        tests = enumerate(task.tests()[2:])
        generated = (
            {"problem_id": f"{task.number}/A", "input": i, "output": o, "test_case_i": n} for n, (i, o) in tests
        )
        path = Path(folder, "problems", "generated_tests", f"test_cases_{task.number:04d}.parquet")
        _write(path, generated, shapes.GENERATED_TESTS, made.rows)
    submitted = (row for split in ("train", "test") for task in made.tasks(split) for row in _submissions(made, task))
    path = Path(folder, "submissions", "data", "train-00000-of-00001.parquet")
    _write(path, submitted, shapes.SUBMISSIONS, 64 * made.rows)


def write_code_contests_plus(folder: AnyPath, made: Made, checker: str) -> None:
    """``1x/train-00000-of-00001.parquet``, as ``ByteDance-Seed/Code-Contests-Plus`` has it.

    Args:
        checker: every problem's, in C++.
    """
    rows = (_plus_row(made, task, checker) for task in made.tasks("train"))
    _write(Path(folder, "1x", "train-00000-of-00001.parquet"), rows, shapes.CODE_CONTESTS_PLUS, made.rows)


def _write(path: Path, rows: Iterable[Row], schema: pa.Schema, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary, pq.ParquetWriter(temporary, schema, compression="snappy") as writer:
        group: list[Row] = []
        for row in rows:
            group.append(row)
            if len(group) == size:
                writer.write_table(pa.Table.from_pylist(group, schema))
                group = []
        if group:
            writer.write_table(pa.Table.from_pylist(group, schema))


def _code_contests_row(made: Made, task: MadeTask) -> Row:
    tests = task.tests()
    parts = {"public_tests": tests[:1], "private_tests": tests[1:4], "generated_tests": tests[4:]}
    submitted: dict[bool, list[tuple[int, str]]] = {True: [], False: []}
    for language, code, right in made.programs(task):
        submitted[right].append((_NUMBERS[language], code))
    submitted[True].append((_NUMBERS["python2"], "print raw_input()\n"))
    submitted[True].append(submitted[True][0])
    return {
        "name": f"{task.number}_A. Task {task.number}",
        "description": task.statement,
        **{name: _in_columns(part) for name, part in parts.items()},
        "source": 2,
        "difficulty": 7,
        "solutions": _solutions(submitted[True]),
        "incorrect_solutions": _solutions(submitted[False]),
        "cf_contest_id": task.number,
        "cf_index": "A",
        "cf_tags": ["implementation"],
        "is_description_translated": False,
        "untranslated_description": "",
        "time_limit": {"seconds": 2, "nanos": 500_000_000} if task.number % 3 else None,
        "memory_limit_bytes": 256_000_000 if task.number % 2 else 0,
        "input_file": "",
        "output_file": "",
    }


def _codeforces_row(task: MadeTask) -> Row:
    tests = task.tests()
    whole = _is_whole(task)
    return {
        "id": f"{task.number}/A",
        "aliases": [f"{task.number + 100_000}/B"] if task.number % 5 == 0 else None,
        "contest_id": str(task.number),
        "contest_name": f"Round {task.number}",
        "contest_type": "CF",
        "contest_start_year": 2024,
        "index": "A",
        "time_limit": 2.0,
        "memory_limit": 256.0 if task.number % 2 else None,
        "title": f"Task {task.number}",
        "description": task.statement.partition("\n\nInput")[0],
        "input_format": "n and n integers.",
        "output_format": "How many elements are left, and the elements.",
        "examples": _in_rows(tests[:1]),
        "tags": ["implementation"],
        "testset_size": len(tests),
        "official_tests": _in_rows(tests if whole else tests[:2]),
        "official_tests_complete": whole,
        "input_mode": "stdio",
        "executable": True,
        "generated_tests": 0 if whole else len(tests) - 2,
    }


def _is_whole(task: MadeTask) -> bool:
    """Whether the site shows all of its tests."""
    return task.number % 4 != 0


def _submissions(made: Made, task: MadeTask) -> Iterator[Row]:
    rng = random.Random(f"{made.seed} submissions {task.number}")
    count = 0

    def row(code: str, named: str, verdict: str, passed: int) -> Row:
        nonlocal count
        count += 1
        return {
            "submission_id": f"{task.number}{count:05d}",
            "source": code,
            "contestId": str(task.number),
            "problem_index": "A",
            "programmingLanguage": named,
            "verdict": verdict,
            "testset": "TESTS",
            "passedTestCount": float(passed),
            "problem_id": f"{task.number}/A",
        }

    tests = len(task.tests())
    for language, code, right in made.programs(task):
        verdict = "OK" if right else rng.choice(_WRONG_VERDICTS)
        yield row(code, rng.choice(_NAMED[language]), verdict, tests if right else rng.randrange(1, tests))
    yield row("print raw_input()\n", "Python 2", "OK", tests)
    yield row("fun main() {}\n", "Kotlin 1.9", "WRONG_ANSWER", 0)
    yield row("int main() {}\n", "GNU C++11", "SKIPPED", 0)


def _plus_row(made: Made, task: MadeTask, checker: str) -> Row:
    submitted: dict[bool, list[dict[str, str]]] = {True: [], False: []}
    for language, code, right in made.programs(task):
        submitted[right].append({"code": code, "language": _SHORT[language]})
    submitted[True].append({"code": "print raw_input()\n", "language": "py2"})
    return {
        "source": "Codeforces",
        "id": f"{task.number}_A",
        "title": f"Task {task.number}",
        "description": task.statement,
        "time_limit": 2000,
        "memory_limit": 256,
        "checker": checker,
        "correct_submissions": submitted[True],
        "incorrect_submissions": submitted[False],
        "test_cases": _in_rows(task.tests()),
        "true_positive_rate": 1.0,
        "true_negative_rate": 1.0,
    }


def _in_columns(tests: list[tuple[str, str]]) -> dict[str, list[str]]:
    return {"input": [given for given, _ in tests], "output": [printed for _, printed in tests]}


def _in_rows(tests: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"input": given, "output": printed} for given, printed in tests]


def _solutions(programs: list[tuple[int, str]]) -> dict[str, Any]:
    return {"language": [number for number, _ in programs], "solution": [code for _, code in programs]}
