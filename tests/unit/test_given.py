"""Problems and candidates as people write them: what may be left out, and what is said of mistakes."""

from __future__ import annotations

import codecs
import json
from pathlib import Path
from typing import Any

import pytest
from judging import problem

from rewardranker.commands.judge_files import load_pool
from rewardranker.errors import UserError
from rewardranker.judge import Judge
from rewardranker.problems.io import read_problems, write_problems
from rewardranker.problems.pool import write_pool
from rewardranker.problems.types import Candidate, Limits, Problem, Test
from rewardranker.programs.given import read_candidates

ADD: dict[str, Any] = {
    "id": "add",
    "language": "python",
    "style": "function",
    "entry_point": "add",
    "prompt": "Write add(a, b).\n",
    "tests": [{"input": "[1, 2]", "expected": "3"}],
}
ECHO: dict[str, Any] = {
    "id": "echo",
    "language": "java",
    "style": "stdio",
    "prompt": "Echo.\n",
    "tests": [{"input": "1", "expected": "1"}],
}
CODE = "def add(a, b):\n    return a + b\n"


def lines(path: Path, *rows: Any) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def test_five_fields_are_a_problem(tmp_path: Path) -> None:
    path = lines(tmp_path / "problems.jsonl", ADD, "", ECHO)
    path.write_bytes(codecs.BOM_UTF8 + path.read_bytes())
    add, echo = read_problems(str(path))
    assert add == Problem(
        id="add",
        source="own",
        language="python",
        prompt="Write add(a, b).\n",
        entry_point="add",
        style="function",
        tests=(Test("[1, 2]", "3"),),
        split="train",
        group_id="add",
        licence="",
        revision="",
        limits=Limits(),
    )
    assert (echo.entry_point, echo.group_id) == ("", "echo")
    write_problems(path, [add, echo])
    assert read_problems(path) == [add, echo]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prompt": None}, "line 2: lacks prompt; the fields of a Problem are id, source, language"),
        ({"prompt": None, "promt": ""}, "line 2: lacks prompt and has unknown promt; .*; did you mean prompt?"),
        ({"id": 7}, "line 2: id must be text, found 7"),
        ({"id": "echo"}, "line 2: id 'echo' is also that of .*line 1; ids must be unique"),
        ({"language": "py"}, r"line 2 \(add\): language 'py' must be one of python, cpp,.*; did you mean python?"),
        ({"language": "Javascrip"}, "did you mean javascript?"),
        ({"style": "stdin"}, "style 'stdin' must be one of stdio, function, program; did you mean stdio?"),
        ({"split": "training"}, "split 'training' must be one of train, validation, test; did you mean train?"),
        ({"comparator": "Exact"}, "comparator 'Exact' must be .*; did you mean exact?"),
        ({"entry_point": None}, r"\(add\) lacks entry_point: style 'function' calls a function by that name"),
        ({"tests": []}, r"\(add\) has no tests"),
        ({"tests": "[1, 2]"}, "tests must be a list such as"),
        ({"tests": [{"input": [1, 2], "expected": "3"}]}, r'input must be the JSON as text: write "\[1, 2\]"'),
        ({"tests": [{"input": "[1]", "expected": 3}]}, 'expected must be the JSON as text: write "3", not 3'),
        ({"tests": [*ADD["tests"], {"input": "1 2", "expected": "3"}]}, "test 2: input '1 2' is not valid JSON:"),
        ({"tests": [{"input": "5", "expected": "5"}]}, r"'5' is no list; it must be .*; of one argument: \[5\]"),
        ({"tests": [{"input": "[5]"}]}, "test 1: expected '' is not valid JSON.*the JSON value to be returned"),
        ({"tests": [{"inputs": "[5]"}]}, "test 1: lacks input and has unknown inputs; .*did you mean input?"),
        ({"limits": {"cpu_s": 0}}, "limits.cpu_s must be a number above 0, found 0; left out, it is 2.0"),
        ({"limits": {"memory_mb": 0.5}}, "limits.memory_mb must be a whole number above 0, found 0.5"),
        ({"limits": {"cpu": 1}}, "limits: has unknown cpu; .*did you mean cpu_s?"),
        ({"limits": 2}, "limits must be an object"),
    ],
)  # fmt: skip
def test_mistakes_in_a_problem_are_named_with_their_line(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    row = {name: value for name, value in {**ADD, **change}.items() if value is not None}
    with pytest.raises(UserError, match=rf"problems\.jsonl, {message}" if message.startswith("line") else message):
        read_problems(lines(tmp_path / "problems.jsonl", ECHO, row))


def test_the_judge_refuses_what_the_reader_refuses() -> None:
    """Of problems that were made in Python."""
    with Judge() as judge:
        for change, message in (
            ({"tests": (Test("5", "5"),)}, "problem test/function, test 1: input '5' is no list"),
            ({"entry_point": ""}, "lacks entry_point"),
            ({"limits": Limits(wall_s=0)}, "limits.wall_s must be a number above 0"),
        ):
            with pytest.raises(UserError, match=message):
                judge.run([(problem(**change), CODE)])  # type: ignore[arg-type]


def test_a_candidate_needs_a_problem_and_a_text_or_a_program(tmp_path: Path) -> None:
    problems = {p.id: p for p in read_problems(lines(tmp_path / "problems.jsonl", ADD, ECHO))}
    text = f"Sure:\n```python\n{CODE}```\nDone."
    path = lines(
        tmp_path / "made.jsonl",
        {"problem_id": "add", "text": text},
        {"problem_id": "add", "code": CODE.replace("\n", "\r\n"), "source": "human", "language": "py"},
        {"problem_id": "add", "text": text, "code": None},
        {"problem_id": "echo", "text": text, "code": "class A {}\n"},
    )
    assert read_candidates(str(path), problems) == [
        Candidate("add", "python", text, CODE, "made.jsonl"),
        Candidate("add", "python", CODE.replace("\n", "\r\n"), CODE, "human"),
        Candidate("add", "python", text, CODE, "made.jsonl"),
        Candidate("echo", "java", text, "class A {}\n", "made.jsonl"),
    ]
    _, pool = load_pool(tmp_path / "problems.jsonl", path)
    write_pool(tmp_path / "pool.parquet", pool)
    assert read_candidates(tmp_path / "pool.parquet", problems) == pool


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": CODE}, "lacks problem_id; a candidate is one line like"),
        ({"problem_id": 1, "text": CODE}, "problem_id must be text, found 1"),
        ({"problem_id": "ad", "text": CODE}, "no problem 'ad' among the 1 that were given; .*; did you mean add?"),
        ({"problem_id": "zzzz", "text": CODE}, "no problem 'zzzz' .*; give the problems that the pool was made for"),
        ({"problem_id": "add"}, "neither text nor code; a candidate is one line like"),
        ({"problem_id": "add", "text": ["a"]}, "text must be text, found"),
        ({"problem_id": "add", "text": CODE, "language": "java"}, "language 'java', but problem add is in python"),
        ({"problem_id": "add", "solution": CODE, "text": ""}, "has unknown solution"),
        ('{"problem_id": "add",}', "is not JSON: .*; a line has to be one whole JSON object"),
    ],
)
def test_mistakes_in_a_candidate_are_named_with_their_line(row: Any, message: str, tmp_path: Path) -> None:
    problems = {p.id: p for p in read_problems(lines(tmp_path / "problems.jsonl", ADD))}
    with pytest.raises(UserError, match=rf"pool\.jsonl, line 2:? .*{message}"):
        read_candidates(lines(tmp_path / "pool.jsonl", {"problem_id": "add", "code": CODE}, row), problems)
