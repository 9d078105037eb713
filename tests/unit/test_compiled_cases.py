"""Programs in Java and C# that were once judged wrongly, from the folder of shared cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from benchmark_data import SHARED, shared
from judging import need

from rewardranker.judge import Judge
from rewardranker.problems.io import read_problems
from rewardranker.problems.multipl_e import load_multipl_e
from rewardranker.problems.verdict import Verdict
from rewardranker.programs import extract


def case(name: str) -> Path:
    path = SHARED.parent / "cases" / name
    if not path.exists():
        pytest.skip(f"{path} is absent: set REWARDRANKER_SHARED_DATA to a folder beside one with {name}")
    return path


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_numbers_that_the_program_has_spoilt_are_not_compared_where_it_is(judge: Judge) -> None:
    need("java")
    problems = {one.id.rpartition("/")[2]: one for one in load_multipl_e(shared("multipl_e/humaneval-java.jsonl"))}
    items = [(problems[row["problem_id"]], row["text"]) for row in rows(case("multipl_e_java.jsonl"))]
    for result in judge.run([(problem, extract(problem, text)) for problem, text in items]):
        assert (result.verdict, result.level) == (Verdict.WRONG, "L2"), result


def test_hello_fits_into_a_quarter_of_a_gigabyte(judge: Judge) -> None:
    need("java")
    known = {one.id: one for one in read_problems(case("stdio_problems.jsonl"))}
    items = [
        (known[row["problem_id"]], row["code"]) for row in rows(case("stdio_pool.jsonl")) if row["language"] == "java"
    ]
    assert [result.verdict for result in judge.run(items)] == [Verdict.OK] * len(items) != []
