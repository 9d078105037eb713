"""What an evaluation asks: the same problems in every language, and what networks read of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rewardranker.config.schema import BenchmarkSet
from rewardranker.errors import UserError
from rewardranker.evaluation.asking import asked_for
from rewardranker.execution.extraction import completion_of, extract
from rewardranker.problems.benchmarks import benchmark_solutions

PROMPT = '\n\ndef add{0}(a):\n    """ Adds {0}.\n    """\n'


def humaneval(folder: Path, numbers: range) -> BenchmarkSet:
    path = folder / "humaneval.jsonl"
    rows = [
        {"task_id": f"HumanEval/{i}", "prompt": PROMPT.format(i), "entry_point": f"add{i}", "test": "def check(f): 1",
         "canonical_solution": f"    return a + {i}\n"}
        for i in numbers
    ]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return BenchmarkSet(name="humaneval", source=str(path), limit=3)


def php(folder: Path, numbers: range, limit: int) -> BenchmarkSet:
    path = folder / "php.jsonl"
    common = {"language": "php", "prompt": "<?php\nfunction add($a) {\n", "stop_tokens": ["\n}"]}
    common["tests"] = "function candidate(...$args) { return add(...$args); }\n\ntest();"
    rows = [{"name": f"HumanEval_{i}_add", **common} for i in numbers]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return BenchmarkSet(name="multipl_e", source=str(path), limit=limit)


def test_sets_of_one_benchmark_with_one_limit_ask_the_same_problems(tmp_path: Path) -> None:
    python, other = asked_for([humaneval(tmp_path, range(12)), php(tmp_path, range(6, 20), 3)], chat=False)
    # Both have 6 to 11; three of these, evenly spaced, are 6, 8 and 10.
    expected = [f"humaneval/{i}" for i in (6, 8, 10)]
    assert [p.group_id for p in python.problems] == [p.group_id for p in other.problems] == expected
    # Another limit is another choice, among that set's own problems.
    python, other = asked_for([humaneval(tmp_path, range(12)), php(tmp_path, range(6, 20), 2)], chat=False)
    assert [p.group_id for p in python.problems] == [f"humaneval/{i}" for i in (0, 4, 8)]
    assert [p.group_id for p in other.problems] == [f"humaneval/{i}" for i in (6, 13)]
    with pytest.raises(UserError, match="languages of humaneval share no problem"):
        asked_for([humaneval(tmp_path, range(3)), php(tmp_path, range(6, 9), 3)], chat=False)


def test_programs_extracted_in_any_style_continue_the_plain_prompt(tmp_path: Path) -> None:
    own = humaneval(tmp_path, range(1))
    for chat, text in ((False, "\n    return a + 0\n"), (True, "```python\ndef add0(a):\n    return a + 0\n```")):
        (asked,) = asked_for([own], chat)
        plain, code = asked.plain[0], extract(asked.problems[0], text)
        assert asked.problems[0].prompt != plain.prompt == PROMPT.format(0)
        assert extract(plain, completion_of(plain, code)) == code
        assert completion_of(plain, code).startswith("```") == chat  # the chat answer lacks the docstring


def test_the_benchmark_s_own_programs_are_read_as_its_problems_are(tmp_path: Path) -> None:
    own = humaneval(tmp_path, range(2))
    expected = 'def add1(a):\n    """ Adds 1.\n    """\n    return a + 1\n'
    assert benchmark_solutions("humaneval", own.source)["humaneval/1"] == expected
    assert benchmark_solutions("multipl_e", own.source) == {}
