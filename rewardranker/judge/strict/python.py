"""Python programs: forked from the sandbox's own interpreter, so that one costs milliseconds.

Nothing that a program's process says is taken on trust: what it sends is data, and whether it is right is
decided here, or, for tests that are code, in the tester's process.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from rewardranker.errors import UserError
from rewardranker.judge.child import tester, wire
from rewardranker.judge.comparators import values_equal
from rewardranker.judge.sandbox import Outcome, Sandbox
from rewardranker.judge.strict.answers import Answer, Frame, check_answer, error_answer, judgement_of_stream
from rewardranker.judge.strict.helpers import names_of
from rewardranker.judge.strict.jobs import job_of, run_tester
from rewardranker.judge.strict.outputs import output_answer
from rewardranker.judge.strict.probes import judge_probes
from rewardranker.judge.transcript import Tampered, read_transcript
from rewardranker.problems.given import json_value
from rewardranker.problems.types import Problem, Test
from rewardranker.problems.verdict import Judgement, Verdict

_MAX_ERRORS = 3  # of a main program: its own, at its end, at the flush


def count_tests(problem: Problem) -> int:
    """How many tests a problem has: for ``program``, how many checks its snippets hold.

    Raises:
        UserError: they are not what the problem's style asks for.
    """
    try:
        if problem.style == "program":
            names_of(problem)
            return sum(_checks(test.input) for test in problem.tests)
    except (SyntaxError, ValueError) as error:
        raise UserError(f"problem {problem.id}: a test is not valid Python: {error}; mend it") from None
    return len(problem.tests)


@lru_cache(maxsize=65536)
def _checks(source: str) -> int:
    return len(tester.checks_of(source))


def judge_python(sandbox: Sandbox, problem: Problem, code: str, all_tests: bool) -> tuple[Judgement, bool]:
    """The judgement, and whether a time limit had a part in it. Raises ``SandboxDied``."""
    if problem.style == "stdio":
        return _stdio(sandbox, problem, code, all_tests)
    ways = {"function": _function, "program": _program, "probe": judge_probes}
    return ways[problem.style](sandbox, problem, code)


def _function(sandbox: Sandbox, problem: Problem, code: str) -> tuple[Judgement, bool]:
    job = job_of(problem, code) | {"inputs": [test.input for test in problem.tests]}
    outcome = sandbox.run(job)
    frame = Frame(problem.limits, len(problem.tests), "L2")

    def answer(index: int, kind: str, rest: list[Any]) -> Answer:
        return value_answer(kind, rest, problem.tests[index].expected)

    return judgement_of_stream(frame, "values", outcome, job["nonce"], answer), outcome.limit in ("cpu", "wall")


def _program(sandbox: Sandbox, problem: Problem, code: str) -> tuple[Judgement, bool]:
    names = names_of(problem)
    job = job_of(problem, code) | {"names": names.asked, "resident": names.leaves_nothing}
    outcome = run_tester(sandbox, job, problem.setup, [test.input for test in problem.tests], names.source)
    frame = Frame(problem.limits, count_tests(problem), "L2")
    judgement = judgement_of_stream(frame, "tester", outcome, job["nonce"], lambda _, *line: check_answer(*line))
    return judgement, outcome.limit in ("cpu", "wall")


def _stdio(sandbox: Sandbox, problem: Problem, code: str, all_tests: bool) -> tuple[Judgement, bool]:
    """A process per test. After the first that hits a limit, the others are not run."""
    frame = Frame(problem.limits, len(problem.tests), "L3")
    answers: list[Answer] = []
    cpu_s, timed = 0.0, False
    for test in problem.tests:
        job = job_of(problem, code) | {"stdin": test.input}
        outcome = sandbox.run(job)
        cpu_s += outcome.cpu_s
        answers.append(_stdio_answer(sandbox, frame, problem, test, outcome, job["nonce"]))
        timed = outcome.limit in ("cpu", "wall")
        if answers[-1].ends_all(all_tests) or outcome.limit:
            break
    return frame.sum_up(answers, cpu_s), timed


def _stdio_answer(
    sandbox: Sandbox, frame: Frame, problem: Problem, test: Test, outcome: Outcome, nonce: str
) -> Answer:
    try:
        transcript = read_transcript(outcome, nonce, _MAX_ERRORS, "main")
    except Tampered as error:
        return Answer(Verdict.TAMPERED, f"the result stream holds {error}", "tampered")
    if outcome.limit:
        return frame.limited(outcome.limit)
    if not transcript.begun:
        return Answer(Verdict.INFRA, "the program's process did not begin")
    if transcript.opening == "compile":
        return Answer(Verdict.COMPILE_ERROR, ": ".join(transcript.opening_rest))
    if transcript.answers:
        return error_answer(*transcript.answers[0][1])
    if outcome.signal:
        return Answer(Verdict.RUNTIME_ERROR, f"killed by signal {outcome.signal}", "error signal")
    if outcome.status:
        return Answer(Verdict.RUNTIME_ERROR, f"ended with exit status {outcome.status}", "error status")
    return output_answer(sandbox, problem, test, outcome.output)


def value_answer(kind: str, rest: list[Any], expected: str) -> Answer:
    """One line of a driver, against an expected value that is JSON. Raises ``WireError``."""
    if kind == "error":
        return error_answer(*rest)
    if kind == "opaque":
        return Answer(Verdict.WRONG, f"opaque: {rest[0]}", "opaque")
    behaviour = f"value {wire.dumps(wire.canonical(rest[0]))}"
    wanted = json_value(expected)
    if values_equal(wire.decode(rest[0]), wanted):
        return Answer(Verdict.OK, "", behaviour)
    return Answer(Verdict.WRONG, f"returned {wire.dumps(rest[0]):.80}, not {wanted!r:.80}", behaviour)
