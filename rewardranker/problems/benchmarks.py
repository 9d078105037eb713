"""Loaders of public benchmarks: MBPP and HumanEval."""

from __future__ import annotations

import ast
import builtins
import hashlib
import re
import warnings
from collections.abc import Sequence
from pathlib import Path

from rewardranker.config.schema import MbppConfig
from rewardranker.errors import UserError
from rewardranker.execution.extraction import normalise
from rewardranker.problems.io import Row, read_json_lines
from rewardranker.problems.types import Limits, Problem, Split, Test

MBPP_FIELDS = ("task_id", "text", "code", "test_list", "test_setup_code")
HUMANEVAL_FIELDS = ("task_id", "prompt", "entry_point", "test")

# The slowest reference (MBPP 123) needs 3 CPU seconds; half of all programs need 0.02.
MBPP_LIMITS = Limits(cpu_s=6.0, wall_s=60.0)

# A statement that occurs in two splits stays in the one that comes first here.
_PRECEDENCE: tuple[Split, ...] = ("test", "validation", "train")


def load_mbpp(config: MbppConfig) -> list[Problem]:
    """MBPP problems (Austin et al. 2021) by task id, sorted by it; ids outside the three ranges are left out.

    The prompt holds the statement and all three asserts, as is the custom; the tests are the same asserts,
    one each. Tasks with the same statement share a ``group_id``, the lowest id among them; a task whose
    statement is also in a split further from training is left out (train 602, 704 and 872 repeat test 217,
    248 and 216).

    Raises:
        UserError: no such file or hub data set, malformed rows, overlapping ranges, or no task in any range.
    """
    ranges = _ranges(config)
    rows, revision = _mbpp_rows(config)
    groups = _groups(rows)
    split_of = {row["task_id"]: _split_of(row["task_id"], ranges) for row in rows}
    keeper: dict[int, Split] = {}
    for split in reversed(_PRECEDENCE):
        keeper.update({groups[task]: split for task, found in split_of.items() if found == split})
    problems = [
        _mbpp_problem(row, where, f"mbpp/{groups[row['task_id']]}", revision)
        for row in rows
        if (where := split_of[row["task_id"]]) is not None and keeper[groups[row["task_id"]]] == where
    ]
    if not problems:
        raise UserError(
            f"MBPP has no task in data.mbpp.train_ids={config.train_ids}, validation_ids="
            f"{config.validation_ids}, test_ids={config.test_ids}; ids go from 1 to 974"
        )
    return _limit(_limit(problems, "test", config.test_limit), "validation", config.validation_limit)


def mbpp_solutions(config: MbppConfig) -> dict[str, str]:
    """The reference programs in normal form, by problem id (``mbpp/601``), of every task in the data."""
    rows, _ = _mbpp_rows(config)
    return {f"mbpp/{row['task_id']}": normalise(row["code"]) for row in rows}


def load_humaneval(path: Path) -> list[Problem]:
    """HumanEval (Chen et al. 2021) from its JSON lines, gzipped or not; every problem is in the test split.

    The model continues ``prompt``, which is part of the program. One test: the data's ``check`` and its call.

    Raises:
        UserError: no such file, malformed rows, or none.
    """
    rows = _complete(read_json_lines(path), HUMANEVAL_FIELDS, str(path))
    revision = _file_revision(path)
    return [
        Problem(
            id=f"humaneval/{row['task_id'].rpartition('/')[2]}",
            source="humaneval",
            language="python",
            prompt=row["prompt"],
            prefix=row["prompt"],
            entry_point=row["entry_point"],
            style="program",
            tests=(Test(f"{_unix(row['test']).rstrip()}\n\ncheck({row['entry_point']})\n"),),
            split="test",
            group_id=f"humaneval/{row['task_id'].rpartition('/')[2]}",
            licence="MIT",
            revision=revision,
            limits=MBPP_LIMITS,
        )
        for row in rows
    ]


def entry_point(test: str, program: str) -> str:
    """The function under test: the outermost call of ``test`` to something that ``program`` defines.

    Where it defines none of the names called, the outermost call that is not to a builtin.

    Raises:
        UserError: no such call.
    """
    calls = [
        node.func.id
        for node in ast.walk(_parse(test))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    defined = {node.name for node in _parse(program).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    foreign = [name for name in calls if name not in vars(builtins)]
    found = [*(name for name in calls if name in defined), *foreign]
    if not found:
        raise UserError(f"no function under test in {test!r}: expected an assert that calls one by its name")
    return found[0]


def _mbpp_rows(config: MbppConfig) -> tuple[list[Row], str]:
    """Rows sorted by task id, and the data's revision."""
    if config.path:
        path = Path(config.path)
        rows, revision = read_json_lines(path), _file_revision(path)
    else:
        rows, revision = _hub_rows(config.hub_name)
    rows = _complete(rows, MBPP_FIELDS, f"MBPP in {config.path or config.hub_name}")
    return sorted(rows, key=lambda row: row["task_id"]), revision


def _hub_rows(name: str) -> tuple[list[Row], str]:
    from datasets import load_dataset  # takes seconds to import, and only this path needs it
    from huggingface_hub import HfApi

    try:
        revision = HfApi().dataset_info(name).sha
        data = load_dataset(name, "full", split="train+validation+test+prompt", revision=revision)
    except Exception as error:  # offline, not found, no permission, no such config: no common base class
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(
            f"data set {name!r} could not be loaded from the hub: {reason}; check data.mbpp.hub_name and the "
            "network, or download mbpp.jsonl and set data.mbpp.path to it"
        ) from error
    return [dict(row) for row in data], str(revision)


def _mbpp_problem(row: Row, split: Split, group: str, revision: str) -> Problem:
    tests = [_unix(test).strip() for test in row["test_list"]]
    return Problem(
        id=f"mbpp/{row['task_id']}",
        source="mbpp",
        language="python",
        prompt=f"You are an expert Python programmer. Task: {_unix(row['text']).strip()}\n"
        "Your code should pass these tests:\n" + "".join(f"{test}\n" for test in tests),
        entry_point=entry_point(tests[0], row["code"]),
        style="program",
        tests=tuple(Test(test) for test in tests),
        setup=_unix(row["test_setup_code"]),
        split=split,
        group_id=group,
        licence="CC-BY-4.0",
        revision=revision,
        limits=MBPP_LIMITS,
    )


def _ranges(config: MbppConfig) -> dict[Split, range]:
    given = {"test": config.test_ids, "validation": config.validation_ids, "train": config.train_ids}
    ranges: dict[Split, range] = {}
    for split in _PRECEDENCE:
        ids = given[split]
        if len(ids) != 2 or ids[0] > ids[1]:
            raise UserError(f"data.mbpp.{split}_ids={ids}: must be the first and the last id, e.g. [601, 974]")
        ranges[split] = range(ids[0], ids[1] + 1)
        for other in list(ranges)[:-1]:
            if ranges[split].start < ranges[other].stop and ranges[other].start < ranges[split].stop:
                raise UserError(
                    f"data.mbpp.{split}_ids={ids} and data.mbpp.{other}_ids={given[other]} overlap: "
                    "a task must lie in one split"
                )
    return ranges


def _split_of(task: int, ranges: dict[Split, range]) -> Split | None:
    return next((split for split, ids in ranges.items() if task in ids), None)


def _groups(rows: Sequence[Row]) -> dict[int, int]:
    """Task id -> lowest id of the tasks with the same statement but for case and punctuation."""
    first: dict[str, int] = {}
    groups = {}
    for row in rows:
        statement = " ".join(re.findall(r"\w+", row["text"].lower()))
        groups[row["task_id"]] = first.setdefault(statement, row["task_id"])
    return groups


def _limit(problems: list[Problem], split: Split, limit: int) -> list[Problem]:
    """Keeps ``limit`` problems of a split, evenly spaced over it (0: all of them), and the other splits."""
    ids = [problem.id for problem in problems if problem.split == split]
    if not 0 < limit < len(ids):
        return problems
    kept = {ids[i * len(ids) // limit] for i in range(limit)}
    return [problem for problem in problems if problem.split != split or problem.id in kept]


def _complete(rows: list[Row], fields: Sequence[str], where: str) -> list[Row]:
    if not rows:
        raise UserError(f"{where} has no rows; is it the right file?")
    for number, row in enumerate(rows, 1):
        missing = [field for field in fields if field not in row]
        if missing:
            raise UserError(f"{where}, row {number} lacks {', '.join(missing)}; it has {', '.join(row)}")
    return rows


def _file_revision(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n")


def _parse(code: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # "\d" in somebody's program is not our business
        return ast.parse(_unix(code))
