"""HumanEval (Chen et al. 2021)."""

from __future__ import annotations

from rewardranker.paths import AnyPath
from rewardranker.problems.io import Row, require_fields
from rewardranker.problems.normal_form import normalise
from rewardranker.problems.sources import read_source
from rewardranker.problems.types import Limits, Problem, Test

HUMANEVAL_HUB = "openai/openai_humaneval"
HUMANEVAL_LIMITS = Limits(cpu_s=6.0, wall_s=60.0)

_FIELDS = ("task_id", "prompt", "entry_point", "test")


def humaneval_solutions(source: AnyPath = HUMANEVAL_HUB) -> dict[str, str]:
    """The reference programs in normal form, by problem id (``humaneval/7``), of the rows that have one."""
    rows, _ = _rows(source)
    return {
        _id(row): normalise(row["prompt"] + row["canonical_solution"])
        for row in rows
        if row.get("canonical_solution")
    }


def load_humaneval(source: AnyPath = HUMANEVAL_HUB) -> list[Problem]:
    """HumanEval's problems, all in the test split.

    The model continues ``prompt``, which is part of the program. One test: the data's ``check`` and its call.

    Args:
        source: as in :func:`rewardranker.problems.sources.read_source`.

    Raises:
        UserError: no such source, malformed rows, or none.
    """
    rows, revision = _rows(source)
    return [
        Problem(
            id=_id(row),
            source="humaneval",
            language="python",
            prompt=row["prompt"],
            prefix=row["prompt"],
            entry_point=row["entry_point"],
            style="program",
            tests=(Test(f"{row['test'].replace(chr(13), '').rstrip()}\n\ncheck({row['entry_point']})\n"),),
            split="test",
            group_id=_id(row),
            licence="MIT",
            revision=revision,
            limits=HUMANEVAL_LIMITS,
        )
        for row in rows
    ]


def _rows(source: AnyPath) -> tuple[list[Row], str]:
    rows, revision = read_source(source, "openai_humaneval", "test", "download HumanEval.jsonl.gz")
    return require_fields(rows, _FIELDS, str(source)), revision


def _id(row: Row) -> str:
    return f"humaneval/{row['task_id'].rpartition('/')[2]}"
