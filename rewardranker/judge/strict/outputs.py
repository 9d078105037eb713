"""Whether what a main program printed is right."""

from __future__ import annotations

from rewardranker.judge.printed import asks_for_reals, published_equal, stdout_equal
from rewardranker.judge.sandbox import Sandbox
from rewardranker.judge.strict.answers import Answer
from rewardranker.judge.strict.checking import NOT_BOOL, ask_checker
from rewardranker.problems.types import CHECKED, Problem, Test
from rewardranker.problems.verdict import Verdict


def output_answer(sandbox: Sandbox, problem: Problem, test: Test, output: bytes) -> Answer:
    """The answer of a test at which a program ended by itself. Raises ``SandboxDied``."""
    text = output.decode(errors="surrogateescape")  # bytes that are no text equal no text
    behaviour = " ".join(text.split())
    if problem.comparator in CHECKED:
        return _checked(sandbox, problem, test, text, behaviour)
    if _equal(problem, text, test.expected):
        return Answer(Verdict.OK, "", behaviour)
    return Answer(Verdict.WRONG, f"printed {text[:200]!r:.80}, not {test.expected[:200]!r:.80}", behaviour)


def _equal(problem: Problem, text: str, expected: str) -> bool:
    if problem.comparator == "exact":
        return text == expected
    if problem.comparator == "codecontests":
        return published_equal(text, expected)
    return stdout_equal(text, expected, asks_for_reals([test.expected for test in problem.tests]))


def _checked(sandbox: Sandbox, problem: Problem, test: Test, text: str, behaviour: str) -> Answer:
    """The checker's answer. Where it has none, the expected output tells whose fault that is; a test without one
    (several outputs may be right, and none is given) leaves the checker the benefit of the doubt."""
    opinion = ask_checker(sandbox, problem, test, text)
    if opinion.right:
        return Answer(Verdict.OK, "", behaviour)
    fault = opinion.trouble if opinion.own_fault else ""
    if not fault and test.expected:
        reference = ask_checker(sandbox, problem, test, test.expected)
        fault = "" if reference.right else reference.trouble or "refused it"
        fault = fault and f"{fault}, given the expected output {test.expected[:200]!r:.80}"
    elif opinion.trouble == NOT_BOOL:
        fault = opinion.trouble
    if fault:
        return Answer(Verdict.INFRA, f"the checker of problem {problem.id} {fault}: mend it")
    why = f"on which the checker {opinion.trouble}" if opinion.trouble else "which the checker refuses"
    return Answer(Verdict.WRONG, f"printed {text[:200]!r:.80}, {why}", behaviour)
