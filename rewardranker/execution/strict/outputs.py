"""Whether what a main program printed is right."""

from __future__ import annotations

import secrets
from typing import Any

from rewardranker.execution.comparators import stdout_equal
from rewardranker.execution.sandbox import Sandbox
from rewardranker.execution.strict.answers import Answer, Frame, check_answer, judgement_of_stream
from rewardranker.execution.strict.jobs import job_of, run_tester
from rewardranker.execution.verdict import Verdict
from rewardranker.problems.types import Problem, Test

_CHECK = "outcome = check({input!r}, {output!r}, {expected!r})\nassert outcome\n"
_FALSE = "wrong: assert outcome"


def output_answer(sandbox: Sandbox, problem: Problem, test: Test, output: bytes) -> Answer:
    """The answer of a test at which a program ended by itself. Raises ``SandboxDied``."""
    text = output.decode(errors="replace")
    behaviour = " ".join(text.split())
    if problem.comparator == "checker":
        return _checked(sandbox, problem, test, text, behaviour)
    right = text == test.expected if problem.comparator == "exact" else stdout_equal(text, test.expected)
    if right:
        return Answer(Verdict.OK, "", behaviour)
    return Answer(Verdict.WRONG, f"printed {text[:200]!r:.80}, not {test.expected[:200]!r:.80}", behaviour)


def _checked(sandbox: Sandbox, problem: Problem, test: Test, text: str, behaviour: str) -> Answer:
    """The problem's checker runs as a tester does: in a process of its own, which no program is forked from."""
    check = _CHECK.format(input=test.input, output=text, expected=test.expected)
    job = job_of(problem, "") | {"style": "program", "names": [], "entry": "check", "nonce": secrets.token_hex(8)}
    outcome = run_tester(sandbox, job, problem.checker, [check])

    def answer(_: int, kind: str, rest: list[Any]) -> Answer:
        return check_answer(kind, rest)

    found = judgement_of_stream(Frame(problem.limits, 1, "L3"), "tester", outcome, job["nonce"], answer)
    if found.verdict is Verdict.OK:
        return Answer(Verdict.OK, "", behaviour)
    if found.verdict is Verdict.WRONG and found.message == f"test 1: {_FALSE}":
        return Answer(Verdict.WRONG, f"printed {text[:200]!r:.80}, which the checker refuses", behaviour)
    return Answer(Verdict.INFRA, f"the checker of problem {problem.id} failed: {found.message}")
