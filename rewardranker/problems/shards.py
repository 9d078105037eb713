"""Problems and the programs that people wrote for them as directories of shards: ``problems/`` and ``programs/``.

Shards of one number hold the same problems, and a problem's programs stand together. A generated pool's shards have
the columns of a program too (``problem_id``, ``language``, ``code``), so that the steps that read them read both.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import pyarrow as pa

from rewardranker.problems.types import Limits, Problem, Test
from rewardranker.runs.shards import Shard

_TEXT = pa.string()
#: All of a problem, its tests as columns of their own: a step that runs nothing does not read them.
PROBLEMS = pa.schema(
    [
        *(pa.field(name, _TEXT, nullable=False) for name in ("id", "source", "language", "prompt", "prefix")),
        *(pa.field(name, _TEXT, nullable=False) for name in ("entry_point", "style", "split", "group_id")),
        *(
            pa.field(name, _TEXT, nullable=False)
            for name in ("licence", "revision", "setup", "comparator", "checker")
        ),
        pa.field(
            "limits",
            pa.struct(
                [
                    ("cpu_s", pa.float64()),
                    ("wall_s", pa.float64()),
                    ("memory_mb", pa.int64()),
                    ("output_kb", pa.int64()),
                ]
            ),
        ),
        pa.field("tests", pa.list_(pa.struct([("input", _TEXT), ("expected", _TEXT)]))),
    ]
)
#: What every step reads of a problem, and what it takes to run programs.
TOLD = ("id", "source", "language", "prompt", "prefix", "entry_point", "style", "split", "group_id")
RUN = (*TOLD, "setup", "comparator", "checker", "limits", "tests")

#: ``right``: what the site said of it, null where it said nothing that is a label. ``passed``: tests passed there.
PROGRAMS = pa.schema(
    [
        pa.field("problem_id", _TEXT, nullable=False),
        pa.field("language", _TEXT, nullable=False),
        pa.field("code", _TEXT, nullable=False),
        pa.field("source", _TEXT, nullable=False),
        pa.field("right", pa.bool_()),
        pa.field("outcome", _TEXT),
        pa.field("passed", pa.int32()),
    ]
)


def problem_table(problems: Iterable[Problem]) -> pa.Table:
    """Rows of :data:`PROBLEMS`."""
    rows = [dataclasses.asdict(problem) for problem in problems]
    return pa.Table.from_pylist([{name: row[name] for name in PROBLEMS.names} for row in rows], PROBLEMS)


def problems_of(shard: Shard, source: str = "problems", columns: Sequence[str] = TOLD) -> dict[str, Problem]:
    """A shard's problems by id. Those that are read without their tests (:data:`TOLD`) have none."""
    found = {}
    for row in shard.table(source, columns).to_pylist():
        if "limits" in row:
            row["limits"] = Limits(**row["limits"])
        tests = tuple(Test(test["input"], test["expected"]) for test in row.pop("tests", ()))
        found[row["id"]] = Problem(**row, tests=tests)
    return found


def groups_of(problem_ids: Iterable[str]) -> dict[str, list[int]]:
    """Rows by problem, in order."""
    groups: dict[str, list[int]] = {}
    for row, name in enumerate(problem_ids):
        groups.setdefault(name, []).append(row)
    return groups
