"""Asserts, calls and examples out of texts that models and people wrote."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from judging import problem
from test_benchmarks import shared

from rewardranker.judge.expressions import checked
from rewardranker.problems.benchmarks import load_humaneval
from rewardranker.reranking.generated_tests import asserted, calls_of, examples_of, generated_tests

TEXT = """f(1) == 1
assert f(2) == 4, 'message'
assert   f( 3 )==9
assert g(3) == 1
assert f(4) == (
    16)
# f(5)
assert f(6) == 36
def test():
    assert f(7) == 49
assert f(8) =="""


def conditions(text: str, per_sample: int = 99) -> list[str]:
    return list(generated_tests([text], "f", per_sample).conditions)


def test_single_asserts_of_a_text_that_goes_on_after_assert() -> None:
    """The assert in a function is one too, as it is for CodeT; the last one breaks off."""
    assert conditions(TEXT) == ["f(1) == 1", "f(2) == 4", "f(3) == 9", "f(4) == 16", "f(6) == 36", "f(7) == 49"]


def test_whole_asserts_and_text_around_them() -> None:
    text = "Here are tests:\nassert f(1) == 1\nprint(f(2))\nassert f(2) == 2\n\nimport os\n"
    assert conditions(text) == ["f(1) == 1", "f(2) == 2"]
    assert conditions("") == conditions("no test here") == []


def test_counts_order_and_limits() -> None:
    """Two of each sample count: f(2) in all three, f(1) and f(9) in one each; f(3) comes third in its own."""
    texts = ["f(1) == 1\nassert f(2) == 2\nassert f(3) == 3", "f(2)==2\nassert f(9) == 9", "f(2) == (2)"]
    found = generated_tests(texts, "f", per_sample=2)
    assert [(test.condition, test.count) for test in found.tests] == [
        ("f(2) == 2", 3),
        ("f(1) == 1", 1),
        ("f(9) == 9", 1),
    ]
    assert found.counts == (3, 1, 1) and not found.refused
    assert generated_tests(texts, "f", kept=1).conditions == ("f(2) == 2",)


def test_what_may_not_be_evaluated_is_counted_and_takes_its_place_among_a_sample_s_first() -> None:
    text = "f(open('x')) == 1\nassert f(1).x == 2\nassert f(2) == 2\nassert f(3) == 3"
    found = generated_tests([text, "f(x) == 1"], "f", per_sample=3)
    assert found.conditions == ("f(2) == 2",)
    assert found.refused == {"a call of another function": 1, "Attribute": 1, "a name": 1}


def test_a_text_that_hides_a_statement_behind_an_assert_is_not_run() -> None:
    """Only the condition of the first statement is kept."""
    assert conditions("f(1) == 1; import os; os.remove('x')") == ["f(1) == 1"]
    assert conditions("f(1) == 1, __import__('os').remove('x')") == ["f(1) == 1"]
    assert conditions("(f(1), __import__('os'))") == []


@pytest.mark.parametrize(
    ("condition", "calls"),
    [
        ("f(3) == 2", ["f(3)"]),
        ("2 == f(3)", ["f(3)"]),
        ("set(f((3, 4))) == {3}", ["set(f((3, 4)))"]),
        ("round(f(2), 2) == 1.41", ["round(f(2), 2)"]),
        ("sorted(list(f(2))) == [1]", ["sorted(list(f(2)))"]),
        ("abs(f(3) - 0.5) < 1e-06", ["f(3)"]),
        ("f(3)[0] == 1", ["f(3)"]),
        ("not f(3)", ["f(3)"]),
        ("f(3) == f(4)", ["f(3)", "f(4)"]),
        ("f(f(3)) == 1", ["f(f(3))"]),
        ("1 < f(3) < 5", ["f(3)"]),
        ("f(1) == 1 and f(2) == 2", ["f(1)", "f(2)"]),
        ("isinstance(f(1), int)", ["f(1)"]),
        ("max(f(1), f(2)) == 2", ["f(1)", "f(2)"]),
        ("max(2, f(1)) == 2", ["f(1)"]),
    ],
)
def test_calls_without_what_is_expected(condition: str, calls: list[str]) -> None:
    assert list(calls_of([condition], "f")) == calls


def test_calls_are_told_once_and_limited() -> None:
    assert calls_of(["f(1) == 1", "f(1) == 2", "f(2) == 1"], "f") == ("f(1)", "f(2)")
    assert calls_of(["f(1) == 1", "f(2) == 1"], "f", kept=1) == ("f(1)",)


def test_examples_of_a_prompt() -> None:
    prompt = (
        'def f(x):\n    """Doubles.\n    >>> f(2)\n    4\n    >>> f("a")\n    \'aa\'\n    >>> y = f(3)\n'
        "    >>> f(y)\n    12\n    >>> f(0) == 0\n    True\n    >>> f(9)\n    >>> f(5) == 10\n    >>> f(None)\n"
        '    Traceback (most recent call last):\n    TypeError: no\n    """\n'
    )
    assert examples_of(replace(problem(), prompt=prompt)) == (
        "f(2) == 4",
        "f('a') == 'aa'",
        "(f(0) == 0) == True",
        "f(9) == None",
        "f(5) == 10",
    )
    mbpp = (
        "Write f.\nYour code should pass these tests:\nassert f(1) == 2\nassert f(2) == 4\nassert f(Pair(1)) == 1\n"
    )
    assert examples_of(replace(problem(), prompt=mbpp)) == ("f(1) == 2", "f(2) == 4")
    assert examples_of(problem()) == examples_of(replace(problem(), prompt=">>> f(1)\n1\n  >>> f(2)\n 2\n")) == ()


def test_humaneval_s_doctests() -> None:
    """76 of its prompts hold ``>>>``; the docstring's closing quotes are no part of the last example."""
    problems = {p.id: p for p in load_humaneval(shared("humaneval/HumanEval.jsonl.gz"))}
    examples = {name: examples_of(p) for name, p in problems.items()}
    assert examples["humaneval/0"] == (
        "has_close_elements([1.0, 2.0, 3.0], 0.5) == False",
        "has_close_elements([1.0, 2.8, 3.0, 4.0, 5.0, 2.0], 0.3) == True",
    )
    assert sum(map(bool, examples.values())) >= 76


def test_codet_s_generated_tests() -> None:
    """All that is kept passes the gate again; a text of real samples."""
    prompts = [json.loads(line) for line in shared("codet_pool/prompts.jsonl").open()]
    rows = [json.loads(line) for line in shared("codet_pool/generated_tests.jsonl").open()]
    total = 0
    for row in rows:
        (entry,) = [p["entry_point"] for p in prompts if row["prompt"].startswith(p["prompt"])]
        found = generated_tests(row["samples"], entry)
        assert all(checked(condition, entry) == condition for condition in found.conditions)
        assert list(found.counts) == sorted(found.counts, reverse=True) and len(found.tests) <= 30
        assert len(asserted(row["samples"][0], entry)) <= row["samples"][0].count("assert ") + 1
        total += len(found.tests)
    assert total == 3580
