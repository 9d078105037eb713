"""MultiPL-E's rows as problems."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from rewardranker.errors import UserError
from rewardranker.execution.languages import LANGUAGES
from rewardranker.problems.multipl_e import known_unsolvable, load_multipl_e
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


def test_rows_that_cannot_be_solved_are_rows(shared: Path) -> None:
    names = {
        p.language: {p.id for p in load_multipl_e(shared / f"humaneval-{code}.jsonl")} for code, p in _first(shared)
    }
    for row in known_unsolvable():
        assert row.language in LANGUAGES and row.reason
        assert row.name in names[row.language], row


@pytest.mark.parametrize("code", ROWS)
def test_every_row_of_the_data_has_an_entry_point_that_its_prompt_names(shared: Path, code: str) -> None:
    problems = load_multipl_e(shared / f"humaneval-{code}.jsonl")
    assert len(problems) == ROWS[code]
    assert all(problem.entry_point in problem.prompt for problem in problems)


@pytest.fixture(scope="module")
def shared() -> Path:
    root = os.environ.get("REWARDRANKER_SHARED_DATA")
    path = (Path(root) if root else Path(__file__).resolve().parents[3] / "shared" / "data") / "multipl_e"
    if not path.exists():
        pytest.skip(f"{path} is absent: set REWARDRANKER_SHARED_DATA to a folder with multipl_e")
    return path


def _first(shared: Path) -> list[tuple[str, Problem]]:
    return [(code, load_multipl_e(shared / f"humaneval-{code}.jsonl")[0]) for code in ROWS]
