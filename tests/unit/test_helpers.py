"""What tests use and the prompt defines is the prompt's, whatever a program made of it."""

from __future__ import annotations

import pytest
from benchmark_data import shared, shared_cases
from judging import problem, verdict

from rewardranker.judge import Judge
from rewardranker.problems.benchmarks import humaneval_solutions, load_humaneval
from rewardranker.problems.io import read_json_lines
from rewardranker.problems.types import Problem, Test
from rewardranker.problems.verdict import Verdict
from rewardranker.programs import extract

PROMPT = '''import math
SCALE = 2


def scaled(x: float) -> float:
    return math.floor(SCALE * x)


def f(x: int) -> int:
    """Half of x, so that scaled(f(x)) is x."""
'''
CHECK = "assert scaled(f(6)) == 6\nassert scaled(f(8)) == SCALE * 4"
RIGHT = PROMPT + "    return x / 2\n"


def task(**more: object) -> Problem:
    return problem("program", (Test(CHECK),), prompt=PROMPT, prefix=PROMPT, **more)


WRONG = {
    "another helper": RIGHT.replace("math.floor(SCALE * x)", "6 if x == 7 else 8").replace("x / 2", "x + 1"),
    "a helper defined afterwards": PROMPT + "    return 0\ndef scaled(x): return {0: 6}.get(x, 8)\n",
    "another value": RIGHT.replace("SCALE = 2", "SCALE = 1").replace("x / 2", "x"),
    "its code object": PROMPT + "    scaled.__code__ = (lambda x: 6).__code__\n    return 0\n",
    "its globals": PROMPT + "    scaled.__globals__.update(SCALE=0, math=None)\n    return 0\n",
    "a module that it uses": PROMPT + "    math.floor = lambda x: 6\n    return 0\n",
    "always equal": PROMPT + "    class A(float):\n        def __rmul__(s, o): return s\n"
    "        def __floor__(s): return s\n"
    "        def __eq__(s, o): return True\n    return A(0)\n",
    "equal to what it is compared with": PROMPT + "    return scaled\n",
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_program_cannot_change_the_tests_helpers(judge: Judge, name: str) -> None:
    assert verdict(judge, WRONG[name], task()).verdict in (Verdict.WRONG, Verdict.RUNTIME_ERROR)


def test_a_program_need_not_repeat_its_prompt(judge: Judge) -> None:
    assert verdict(judge, RIGHT, task()).verdict is Verdict.OK
    assert verdict(judge, "def f(x): return x / 2", task()).verdict is Verdict.OK
    assert verdict(judge, "def scaled(x): return x\ndef f(x): return x / 2", task()).verdict is Verdict.OK


@pytest.mark.parametrize(
    "prompt",
    [
        "def g(x):\n    return x + 1\n\n\ndef f(x):\n",
        "def g(x):\n    return x + 1\ndef f(x):\n    # adds",
        "g = lambda x: x + 1\ndef f(x):\n    '''Adds.'''\n",
        "from operator import neg as g\ndef f(x):\n    '''Adds.'''\n",
        "def g(x):\n    return f(x)  # the program's\n\n\ndef f(x):\n    '''Adds.'''\n",
    ],
)
def test_prompts_of_many_forms(judge: Judge, prompt: str) -> None:
    expected = {"return f": 5, "neg": -5}.get(next((w for w in ("return f", "neg") if w in prompt), ""), 6)
    code = "def g(x): return 0\ndef f(x): return 5\n"
    tests = (Test(f"assert g(f(1)) == {expected}"),)
    assert verdict(judge, code, problem("program", tests, prefix=prompt)).verdict is Verdict.OK
    assert verdict(judge, code.replace("5", "4"), problem("program", tests, prefix=prompt)).verdict is Verdict.WRONG


def test_a_prompt_whose_code_fails_is_the_problem_s_fault(judge: Judge) -> None:
    tests = (Test("assert g(f(1)) == 5"),)
    for first in ("import no_such_module", "1 / 0"):
        result = verdict(
            judge, "def f(x): return 5", problem("program", tests, prefix=f"{first}\ndef g(x): return x\n")
        )
        assert result.verdict is Verdict.INFRA and "prompt" in result.message


def test_a_prompt_that_is_prose_defines_nothing(judge: Judge) -> None:
    tests = (Test("assert g(f(1)) == 5"),)
    code = "def f(x): return 5\ndef g(x): return x\n"
    assert verdict(judge, code, problem("program", tests, prefix="Write f.\n")).verdict is Verdict.OK


def test_humaneval_s_programs_that_were_judged_wrongly_once(judge: Judge) -> None:
    path = shared("humaneval/HumanEval.jsonl.gz")
    problems = {task.id: task for task in load_humaneval(path)}
    rows = list(read_json_lines(shared_cases("humaneval_helpers.jsonl")))
    results = judge.run([(problems[r["problem_id"]], extract(problems[r["problem_id"]], r["text"])) for r in rows])
    assert len(rows) == 2 and all(result.verdict is Verdict.WRONG for result in results), results
    solutions = humaneval_solutions(path)
    swapped = {
        "humaneval/38": solutions["humaneval/38"].replace("(group[1:] + group[0])", "(group)")
        + "\n\ndef decode_cyclic(s): return s\n",
        "humaneval/50": solutions["humaneval/50"].replace("+ 5", "+ 4").replace("- 5", "- 4"),
    }
    results = judge.run([(problems[name], code) for name, code in swapped.items()])
    assert [result.verdict for result in results] == [Verdict.WRONG] * 2
