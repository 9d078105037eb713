"""MultiPL-E's rows as problems."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmark_data import shared

from rewardranker.commands.judge_files import own_names
from rewardranker.errors import UserError
from rewardranker.judge import Judge
from rewardranker.judge.languages import LANGUAGES
from rewardranker.judge.languages.toolchain import toolchain
from rewardranker.problems.contamination import find_contamination
from rewardranker.problems.data_card import card_rows, common_problems
from rewardranker.problems.io import check_problems
from rewardranker.problems.multipl_e import load_multipl_e
from rewardranker.problems.types import Problem
from rewardranker.problems.verdict import Verdict

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


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("HumanEval_53_add", "humaneval/53"),
        ("mbpp_3_x", "mbpp/3"),
        ("my_set_12_foo", "multipl_e/my_set_12_foo"),
        ("foo", "multipl_e/foo"),
        ("HumanEvalPlus_12_foo", "multipl_e/HumanEvalPlus_12_foo"),
        ("python_3_foo", "multipl_e/python_3_foo"),
        ("HumanEval_12b", "multipl_e/HumanEval_12b"),
        ("org/set/größe", "multipl_e/org/set/größe"),
        ("2048", "multipl_e/2048"),
    ],
)
def test_rows_of_other_people_s_sets_are_taken(tmp_path: Path, name: str, group: str) -> None:
    """Their names are their ids; only HumanEval's and MBPP's numbers say which problem it is elsewhere."""
    php = {"name": name, "language": "php", "tests": "function candidate(...$args) {\n    return add(...$args);\n}"}
    problems = loaded(tmp_path, ROW | {"name": name}, ROW | php)
    assert [(problem.id, problem.group_id) for problem in problems] == [(name, group)] * 2
    check_problems(problems[:1])
    assert own_names(problems[0]) == {name, name.rpartition("/")[2]}
    kinds = {row[0] for row in card_rows(problems)}
    assert kinds == {"multipl_e" if group.startswith("multipl_e") else f"multipl_e {group.partition('/')[0]}"}
    assert common_problems(problems) == {group}


def test_a_set_of_one_s_own_is_judged_and_compared(judge: Judge, tmp_path: Path) -> None:
    python = {
        "name": "mine_add",
        "language": "py",
        "prompt": 'def add(x, y):\n    """Add two numbers x and y"""\n',
        "tests": "def check(candidate):\n    assert candidate(0, 1) == 1\n\n"
        "def test_check():\n    check(add)\n\ntest_check()\n",
    }
    js = ROW | {"name": "mine_add", "tests": "const assert = require('node:assert');\n" + str(ROW["tests"])}
    problems = loaded(tmp_path, python, js)
    codes = [python["prompt"] + "    return x + y\n", problems[1].prefix + "  return x + y\n}"]
    wrong = [python["prompt"] + "    return x\n", problems[1].prefix + "  return x\n}"]
    found = judge.run([*zip(problems, codes, strict=True), *zip(problems, wrong, strict=True)])
    assert [one.verdict for one in found][::2] == [Verdict.OK, Verdict.WRONG]
    if not toolchain(LANGUAGES["javascript"]).missing:
        assert [one.verdict for one in found][1::2] == [Verdict.OK, Verdict.WRONG]
    report = find_contamination(problems[:1], problems[1:])
    assert report.training == report.benchmark == 1
