"""MBPP (Austin et al. 2021)."""

from __future__ import annotations

import ast
import builtins
import warnings
from pathlib import Path

from rewardranker.config.schema import DataConfig, MbppConfig
from rewardranker.errors import UserError
from rewardranker.problems.corpus import Corpus
from rewardranker.problems.io import Row, require_fields, unix_lines
from rewardranker.problems.near_duplicates import group_near_duplicates, keep_splits_apart
from rewardranker.problems.normal_form import normalise
from rewardranker.problems.prompts import Shot
from rewardranker.problems.sources import read_source
from rewardranker.problems.statements import plain_mbpp_prompt
from rewardranker.problems.types import Limits, Problem, Split, Test

_FIELDS = ("task_id", "text", "code", "test_list", "test_setup_code")

# The slowest reference (MBPP 123) needs 3 CPU seconds; half of all programs need 0.02.
MBPP_LIMITS = Limits(cpu_s=6.0, wall_s=60.0)

# The data set's worked examples come first in its file: the ones at indices 1 to 3 are shown.
SHOT_IDS = (2, 3, 4)

_HUB_SPLITS = "train+validation+test+prompt"
_SPLITS: tuple[Split, ...] = ("test", "validation", "train")


def load_mbpp(config: MbppConfig) -> list[Problem]:
    """MBPP problems (Austin et al. 2021) by task id, sorted by it; ids outside the three ranges are left out.

    The prompt holds the statement and all three asserts, as is the custom; the tests are the same asserts,
    one each. Tasks with nearly the same statement share a ``group_id``; a task whose group is also in a split
    further from training is left out (train 602, 704 and 872 repeat test 217, 248 and 216 word for word, train 607,
    653 and 928 nearly repeat validation 534, test 174 and test 427).

    Raises:
        UserError: no such file or hub data set, malformed rows, overlapping ranges, or no task in any range.
    """
    ranges = _ranges(config)
    rows, revision = _rows(config)
    problems = [_problem(row, where, revision) for row in rows if (where := _split_of(row["task_id"], ranges))]
    if not problems:
        raise UserError(
            f"MBPP has no task in data.mbpp.train_ids={config.train_ids}, validation_ids="
            f"{config.validation_ids}, test_ids={config.test_ids}; ids go from 1 to 974"
        )
    kept = keep_splits_apart(group_near_duplicates(problems))
    return _limit(_limit(kept, "test", config.test_limit), "validation", config.validation_limit)


def every_mbpp_task(config: MbppConfig) -> list[Problem]:
    """All tasks of the data, repeated ones too, for programs that are there already and only have to be judged.

    What lies in none of the ranges, as the tasks that are shown as examples, counts as training.
    """
    ranges = _ranges(config)
    rows, revision = _rows(config)
    return [_problem(row, _split_of(row["task_id"], ranges) or "train", revision) for row in rows]


def mbpp_shots(config: MbppConfig) -> tuple[Shot, ...]:
    """The three worked examples of the usual prompts: tasks 2, 3 and 4.

    Raises:
        UserError: the data lack one of them.
    """
    rows = {row["task_id"]: row for row in _rows(config)[0]}
    lacking = [str(task) for task in SHOT_IDS if task not in rows]
    if lacking:
        raise UserError(
            f"MBPP in {config.path or config.hub_name} lacks task {', '.join(lacking)}, which its prompts show as an "
            "example; give the whole data set (mbpp.jsonl, with tasks 1 to 974)"
        )
    return tuple(Shot(rows[i]["text"], tuple(rows[i]["test_list"]), rows[i]["code"]) for i in SHOT_IDS)


def mbpp_solutions(config: MbppConfig) -> dict[str, str]:
    """The reference programs in normal form, by problem id (``mbpp/601``), of every task in the data."""
    rows, _ = _rows(config)
    return {f"mbpp/{row['task_id']}": normalise(row["code"]) for row in rows}


def mbpp_corpus(data: DataConfig, seed: int) -> Corpus:
    """MBPP for the cycle. It holds one correct program a task, which is imitated; failing ones have to be sampled."""
    problems, known = load_mbpp(data.mbpp), mbpp_solutions(data.mbpp)
    own = [(p.id, known[p.id]) for p in problems if p.split == "train"]
    return Corpus(problems, [(p.id, known[p.id]) for p in problems], own[: data.sft_problems], own)


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


def _rows(config: MbppConfig) -> tuple[list[Row], str]:
    """Rows sorted by task id, and the data's revision."""
    source = config.path or config.hub_name
    advice = "download mbpp.jsonl and set data.mbpp.path to it"
    # A path is one even where it looks like a name on the hub.
    rows, revision = read_source(Path(source) if config.path else source, "full", _HUB_SPLITS, advice)
    rows = require_fields(rows, _FIELDS, f"MBPP in {source}")
    return sorted(rows, key=lambda row: row["task_id"]), revision


def _problem(row: Row, split: Split, revision: str) -> Problem:
    tests = [unix_lines(test) for test in row["test_list"]]
    return Problem(
        id=f"mbpp/{row['task_id']}",
        source="mbpp",
        language="python",
        prompt=plain_mbpp_prompt(unix_lines(row["text"]).strip(), [test.strip() for test in tests]),
        entry_point=entry_point(tests[0], row["code"]),
        style="program",
        tests=tuple(Test(test) for test in tests),  # to the byte, as other harnesses show them
        setup=unix_lines(row["test_setup_code"]),
        split=split,
        group_id=f"mbpp/{row['task_id']}",
        licence="CC-BY-4.0",
        revision=revision,
        limits=MBPP_LIMITS,
    )


def _ranges(config: MbppConfig) -> dict[Split, range]:
    given = {"test": config.test_ids, "validation": config.validation_ids, "train": config.train_ids}
    ranges: dict[Split, range] = {}
    for split in _SPLITS:
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


def _limit(problems: list[Problem], split: Split, limit: int) -> list[Problem]:
    """Keeps ``limit`` problems of a split, evenly spaced over it (0: all of them), and the other splits."""
    ids = [problem.id for problem in problems if problem.split == split]
    if not 0 < limit < len(ids):
        return problems
    kept = {ids[i * len(ids) // limit] for i in range(limit)}
    return [problem for problem in problems if problem.split != split or problem.id in kept]


def _parse(code: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # "\d" in somebody's program is not our business
        return ast.parse(unix_lines(code))
