"""Mutants of MBPP's programs: what is changed, by hand; and a few of them judged for real."""

from __future__ import annotations

from types import ModuleType

import pytest
from scripts import script
from test_benchmarks import shared

from rewardranker.judge import Judge, judge_candidates
from rewardranker.problems.statements import plain_mbpp_prompt
from rewardranker.problems.types import Problem, Test
from rewardranker.problems.verdict import Verdict

PROBLEM = Problem(
    id="mbpp/1",
    source="mbpp",
    language="python",
    prompt=plain_mbpp_prompt('Say "a\\n".', ["assert f([1], 2) == 3"]),
    entry_point="f",
    style="program",
    tests=(Test("assert f([1], 2) == 3"),),
    split="train",
    revision="r",
)
PROGRAM = 'import math\ndef f(xs, k):\n  """Old."""\n  if k < 1: return min(xs)\n  return k + xs[0]\n'


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    return script("mbpp_mutants")


def test_a_problem_is_put_as_humaneval_puts_its_own(benchmark: ModuleType) -> None:
    problem, function = benchmark.as_function(PROBLEM, PROGRAM)
    assert problem.prompt == problem.prefix == 'import math\ndef f(xs, k):\n    """ Say "a\\\\n".\n    """\n'
    assert benchmark.body(function) == "    if k < 1:\n        return min(xs)\n    return k + xs[0]\n"
    for other in (PROGRAM + "def g(): pass\n", "x = 1\n" + PROGRAM, PROGRAM.replace("def f", "def g")):
        assert benchmark.as_function(PROBLEM, other) is None


def test_every_mutant_differs_in_one_place(benchmark: ModuleType) -> None:
    _, function = benchmark.as_function(PROBLEM, PROGRAM)
    found = set(benchmark.mutants(function))
    shape = "    if {test}:\n        return {low}\n    return {high}\n"
    own = {"test": "k < 1", "low": "min(xs)", "high": "k + xs[0]"}
    changed = {
        "test": ("not k < 1", "k <= 1", "k > 1", "xs < 1", "k < 2", "k < 0"),
        "low": ("max(xs)", "min(k)"),
        "high": ("k - xs[0]", "k * xs[0]", "xs + xs[0]", "k + k[0]", "k + xs[1]", "k + xs[-1]"),
    }
    expected = {shape.format(**own | {part: text}) for part, texts in changed.items() for text in texts}
    expected |= {"    return k + xs[0]\n", "    if k < 1:\n        return min(xs)\n"}
    assert found == expected
    assert benchmark.body(function) == shape.format(**own)  # is itself unchanged


def test_candidates_are_drawn_by_seed_and_judged(benchmark: ModuleType, judge: Judge) -> None:
    problem, function = benchmark.as_function(PROBLEM, PROGRAM)
    pool = benchmark.candidates(problem, function, 6, seed=1)
    assert [c.source for c in pool] == ["human"] + ["mutant"] * 6
    assert len({c.code for c in pool}) == 7
    assert pool == benchmark.candidates(problem, function, 6, seed=1) != benchmark.candidates(problem, function, 6, 2)
    judge_candidates(pool, {problem.id: problem}, judge.run)
    assert pool[0].verdict is Verdict.OK
    assert {c.verdict for c in pool[1:]} > {Verdict.OK}  # k <= 1 and others are right on the tests
    assert benchmark.usable({problem.id: problem}, pool) == pool
    pool[0].verdict = Verdict.WRONG
    assert benchmark.usable({problem.id: problem}, pool) == []


def test_mbpp_itself(benchmark: ModuleType) -> None:
    data = shared("mbpp").parent
    problems, pool = benchmark.load(data, 2, seed=0)
    assert 300 < len(problems) <= 368
    assert all(c.code.startswith(problems[c.problem_id].prompt) for c in pool)
