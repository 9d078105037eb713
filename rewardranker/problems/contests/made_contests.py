"""Contest problems that need no download: made ones, with real ones among them where their file is given.

They are written in the columns of CodeContests, and read as that is, so that a run on them is a run on contest data.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from tempfile import TemporaryDirectory
from typing import Any

from rewardranker.errors import UserError
from rewardranker.problems.contests import code_contests
from rewardranker.problems.contests.census import Census
from rewardranker.problems.contests.corpus import ContestOptions, ContestSource
from rewardranker.problems.contests.made_data import Made, write_code_contests
from rewardranker.problems.contests.made_tasks import LANGUAGES, made_texts
from rewardranker.problems.contests.task import Task, request_for
from rewardranker.problems.fields import Row
from rewardranker.problems.io import numbered_json_lines

#: Of the real problems every fifth is for the result table, and the one after it for validation.
_SPLITS = ("test", "valid", "train", "train", "train")
_SITES = {"CODECHEF": 1, "CODEFORCES": 2, "HACKEREARTH": 3, "CODEJAM": 4, "ATCODER": 5, "AIZU": 6}


@dataclass(frozen=True)
class MadeOptions(ContestOptions):
    """
    Attributes:
        made: problems to train on that are made.
        made_held_out: as many for validation, and for the result table.
        right, wrong: programs of each in every language.
        operations: of a problem, at least and at most.
        names: that people give to the list in their programs, 1 to 8: with one, a tiny model learns to write them.
        world: other numbers are other problems.
        real: JSON lines of real problems with their tests (:func:`real_rows`); empty: made ones only.
    """

    made: int = 100
    made_held_out: int = 10
    right: int = 6
    wrong: int = 6
    operations: list[int] = field(default_factory=lambda: [2, 4])
    names: int = 8
    world: int = 0
    real: str = ""


def tasks(options: MadeOptions, census: Census) -> Iterator[Task]:
    """Every problem with its programs, the held-out splits first."""
    if len(options.operations) != 2 or not 1 <= options.operations[0] <= options.operations[1]:
        raise UserError(
            f"data.options.operations={options.operations}: the fewest and the most of a problem, such as [1,2]"
        )
    if not 1 <= options.names <= Made.names:
        raise UserError(f"data.options.names={options.names}: must be 1 to {Made.names}")
    made = Made(
        options.made,
        options.right,
        options.wrong,
        options.made_held_out,
        options.world,
        operations=(options.operations[0], options.operations[1]),
        names=options.names,
    )
    with TemporaryDirectory(prefix="contests-") as folder:
        write_code_contests(folder, made, real_rows(options.real) if options.real else {})
        shared = {one.name: getattr(options, one.name) for one in fields(ContestOptions)}
        yield from code_contests.tasks(ContestOptions(**(shared | {"path": folder})), census)


made_contests_corpus = ContestSource(MadeOptions, tasks)


def made_prompts() -> list[str]:
    """Everything that a model reads and writes of made problems: texts for the vocabulary of a tiny one."""
    return [*made_texts(), *(f"\n\n{request_for(language)}\n" for language in LANGUAGES)]


def real_rows(path: str) -> dict[str, list[Row]]:
    """Problems of CodeContests as SandboxFusion's sample has them, as rows of the hub's columns, by split.

    A line holds the statement (``content``), ``labels`` (``name`` and ``source``) and ``test``: a list of inputs and
    outputs. Right and wrong programs may be beside them, as the hub has them (``solutions``,
    ``incorrect_solutions``).

    Raises:
        UserError: no such file, or a line that is no such problem, by its number.
    """
    found: dict[str, list[Row]] = {split: [] for split in _SPLITS}
    for number, (where, line) in enumerate(numbered_json_lines(path)):
        try:
            found[_SPLITS[number % len(_SPLITS)]].append(_real_row(line))
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(
                f"{where} is no problem with tests ({type(error).__name__}: {error}); a line has content, labels "
                "(name, source) and test (inputs and outputs)"
            ) from error
    return found


def _real_row(line: Row) -> Row:
    labels, tests = _read(line["labels"]), _read(line["test"])
    columns = {
        "input": [test["input"]["stdin"] for test in tests],
        "output": [test["output"]["stdout"] for test in tests],
    }
    contest, _, index = str(labels["name"]).partition(".")[0].partition("_")
    nothing: Row = {"input": [], "output": []}
    return {
        "name": labels["name"],
        "description": line["content"],
        "public_tests": nothing,
        "private_tests": columns,
        "generated_tests": nothing,
        "source": _SITES[labels["source"]],
        "solutions": line.get("solutions") or {"language": [], "solution": []},
        "incorrect_solutions": line.get("incorrect_solutions") or {"language": [], "solution": []},
        "cf_contest_id": int(contest) if index else 0,
        "cf_index": index,
        "cf_tags": [],
        "time_limit": None,
        "memory_limit_bytes": 0,
        "input_file": "",
        "output_file": "",
    }


def _read(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
