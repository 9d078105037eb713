"""MultiPL-E's rows as problems."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmark_data import shared

from rewardranker.errors import UserError
from rewardranker.problems.multipl_e import load_multipl_e
from rewardranker.problems.types import Problem

ROW = {
    "name": "HumanEval_53_add",
    "language": "js",
    "prompt": "//Add two numbers x and y\r\nfunction add(x, y){\r\n",
    "tests": "function test() {\n  let candidate = add;\n  assert.deepEqual(candidate(0, 1),1);\n}\n\ntest();",
    "stop_tokens": ["\nfunction "],
}
ROWS = {"python": 164, "cpp": 161, "java": 158, "php": 161, "ts": 159, "cs": 158, "sh": 158, "js": 161}


def loaded(tmp_path: Path, *rows: dict[str, object], language: str | None = None) -> list[Problem]:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return load_multipl_e(path, language)


def test_a_row(tmp_path: Path) -> None:
    (problem,) = loaded(tmp_path, ROW)
    assert (problem.id, problem.group_id, problem.language) == ("HumanEval_53_add", "humaneval/53", "javascript")
    assert (problem.entry_point, problem.style, problem.split) == ("add", "program", "test")
    assert problem.prefix == problem.prompt == "//Add two numbers x and y\nfunction add(x, y){\n"
    assert problem.stop_tokens == ("\nfunction ",)


def test_a_language_may_be_asked_for_by_either_name(tmp_path: Path) -> None:
    other = ROW | {"language": "php", "tests": "function candidate(...$args) {\n    return add(...$args);\n}"}
    assert [p.language for p in loaded(tmp_path, ROW, other)] == ["javascript", "php"]
    for name in ("js", "javascript"):
        assert [p.language for p in loaded(tmp_path, ROW, other, language=name)] == ["javascript"]
    with pytest.raises(UserError, match="no problems in cobol; it has javascript"):
        loaded(tmp_path, ROW, language="cobol")


def test_rows_that_lack_something_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="row 2 lacks tests"):
        loaded(tmp_path, ROW, {key: value for key, value in ROW.items() if key != "tests"})
    with pytest.raises(UserError, match="row 1"):
        loaded(tmp_path, ROW | {"language": "brainfuck"})


@pytest.mark.parametrize("code", ROWS)
def test_every_row_of_the_data_has_an_entry_point_that_its_prompt_names(code: str) -> None:
    problems = load_multipl_e(shared(f"multipl_e/humaneval-{code}.jsonl"))
    assert len(problems) == ROWS[code]
    assert all(problem.entry_point in problem.prompt for problem in problems)


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("    public static long add(long x) {\n", "add"),
        # MBPP 568 in Java: calls in the type, before the name
        ("    public static ArrayList<HashMap<Optional.empty(),Optional.empty()>> add(long length) {\n", "add"),
        ("    public static long add(HashMap<Optional.empty(),Long> x, long y) {\n", "add"),
    ],
)
def test_functions_that_the_tests_call_by_their_own_name(tmp_path: Path, head: str, expected: str) -> None:
    tests = "    }\n    public static void main(String[] args) {\n    assert(add((5l)) == 1);\n    }\n}\n"
    row = ROW | {"language": "java", "prompt": f"class Problem {{\n{head}", "tests": tests}
    assert [problem.entry_point for problem in loaded(tmp_path, row)] == [expected]
