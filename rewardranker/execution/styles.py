"""How a problem becomes jobs for a fork server, and how their outcomes become a judgement.

Nothing that a program's process says is taken on trust: what it sends is data, and whether it is right is
decided here, or, for tests that are code, in the tester's process.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rewardranker.errors import UserError
from rewardranker.execution.child import tester, wire
from rewardranker.execution.comparators import stdout_equal, values_equal
from rewardranker.execution.fork_client import ForkServer, Outcome
from rewardranker.execution.transcript import Tampered, Transcript, read_transcript
from rewardranker.execution.verdict import Judgement, Verdict
from rewardranker.problems.types import Problem, Test

LEVELS = {"function": "L2", "program": "L2", "stdio": "L3"}
_LIMITS = {"cpu": Verdict.TIMEOUT, "wall": Verdict.TIMEOUT, "output": Verdict.OUTPUT_LIMIT}
_MESSAGES = {"cpu": "more than {cpu_s:g} CPU seconds", "wall": "more than {wall_s:g} seconds by the clock"}


@dataclass(frozen=True)
class Answer:
    """What one test came to, and what the program did there, for the signature."""

    verdict: Verdict
    message: str = ""
    behaviour: str = ""


def count_tests(problem: Problem) -> int:
    """How many tests a problem has: for ``program``, how many checks its snippets hold.

    Raises:
        UserError: there are none, or they are not what the problem's style asks for.
    """
    if not problem.tests:
        raise UserError(f"problem {problem.id} has no tests; a program can only be judged by tests")
    if problem.language != "python":
        return len(problem.tests)
    try:
        if problem.style == "program":
            _free_names(problem.setup, problem.tests, problem.entry_point)
            return sum(_checks(test.input) for test in problem.tests)
        if problem.style == "function":
            for test in problem.tests:
                _parsed(test.input), _parsed(test.expected)
    except (SyntaxError, ValueError) as error:
        wanted = "Python" if problem.style == "program" else "JSON"
        raise UserError(f"problem {problem.id}: a test is not valid {wanted}: {error}; mend it") from None
    return len(problem.tests)


@lru_cache(maxsize=65536)
def _checks(source: str) -> int:
    return len(tester.checks_of(source))


@lru_cache(maxsize=65536)
def _parsed(text: str) -> Any:
    return json.loads(text)


@lru_cache(maxsize=4096)
def _free_names(setup: str, tests: tuple[Test, ...], entry: str) -> list[str]:
    return tester.free_names([setup, *(test.input for test in tests)], entry)


def judge_once(server: ForkServer, problem: Problem, code: str) -> tuple[Judgement, bool]:
    """The judgement, and whether a time limit had a part in it. Raises ``ServerDied``."""
    return {"function": _function, "program": _program, "stdio": _stdio}[problem.style](server, problem, code)


def _job(problem: Problem, code: str) -> dict[str, Any]:
    limits = problem.limits
    return {
        "style": problem.style,
        "code": code,
        "entry": problem.entry_point,
        "nonce": secrets.token_hex(8),
        "cpu_s": limits.cpu_s,
        "wall_s": limits.wall_s,
        "memory": limits.memory_mb << 20,
        "output": limits.output_kb << 10,
    }


def _function(server: ForkServer, problem: Problem, code: str) -> tuple[Judgement, bool]:
    job = _job(problem, code) | {"inputs": [test.input for test in problem.tests]}
    outcome = server.run(job)
    return _judgement(problem, outcome, job["nonce"]), outcome.limit in ("cpu", "wall")


def _program(server: ForkServer, problem: Problem, code: str) -> tuple[Judgement, bool]:
    names = _free_names(problem.setup, problem.tests, problem.entry_point)
    job = _job(problem, code) | {"names": names}
    own = {key: job[key] for key in ("nonce", "names", "entry")}
    outcome = server.run(job, own | {"setup": problem.setup, "tests": [test.input for test in problem.tests]})
    return _judgement(problem, outcome, job["nonce"]), outcome.limit in ("cpu", "wall")


def _stdio(server: ForkServer, problem: Problem, code: str) -> tuple[Judgement, bool]:
    """A process per test. After the first that hits a limit, the others are not run."""
    answers: list[Answer] = []
    cpu_s, timed = 0.0, False
    for test in problem.tests:
        job = _job(problem, code) | {"stdin": test.input}
        outcome = server.run(job)
        cpu_s += outcome.cpu_s
        answers.append(_stdio_answer(problem, test, outcome, job["nonce"]))
        timed = outcome.limit in ("cpu", "wall")
        if answers[-1].verdict in (Verdict.COMPILE_ERROR, Verdict.INFRA) or outcome.limit:
            break
    return _sum_up(problem, answers, "", cpu_s), timed


def _stdio_answer(problem: Problem, test: Test, outcome: Outcome, nonce: str) -> Answer:
    try:
        transcript = read_transcript(outcome, nonce, 3, "stdio")
    except Tampered as error:
        return Answer(Verdict.TAMPERED, f"the result stream holds {error}", "tampered")
    if outcome.limit:
        return _limited(problem, outcome)
    if not transcript.begun:
        return Answer(Verdict.INFRA, "the program's process did not begin")
    if transcript.opening == "compile":
        return Answer(Verdict.COMPILE_ERROR, ": ".join(transcript.opening_rest))
    if transcript.answers:
        return _answer(test, *transcript.answers[0])
    if outcome.signal:
        return Answer(Verdict.RUNTIME_ERROR, f"killed by signal {outcome.signal}", "error signal")
    output = outcome.output.decode(errors="replace")
    behaviour = " ".join(output.split())
    if stdout_equal(output, test.expected):
        return Answer(Verdict.OK, "", behaviour)
    return Answer(Verdict.WRONG, f"printed {output!r:.80}, not {test.expected!r:.80}", behaviour)


def _limited(problem: Problem, outcome: Outcome) -> Answer:
    message = _MESSAGES.get(outcome.limit, "more than {output_kb} KiB of output")
    verdict = _LIMITS[outcome.limit]
    return Answer(verdict, message.format(**vars(problem.limits)), f"limit {verdict}")


def _judgement(problem: Problem, outcome: Outcome, nonce: str) -> Judgement:
    """The judgement on a program that answered all tests from one process."""
    total = count_tests(problem)
    try:
        transcript = read_transcript(outcome, nonce, total, problem.style)
        answers = [
            _answer(problem.tests[index] if problem.style == "function" else None, kind, rest)
            for index, (kind, rest) in enumerate(transcript.answers)
        ]
    except (Tampered, wire.WireError) as error:
        return _verdict_alone(problem, Verdict.TAMPERED, f"the result stream holds {error}", outcome.cpu_s)
    if transcript.opening == "compile":
        message = ": ".join(transcript.opening_rest)
        return _verdict_alone(problem, Verdict.COMPILE_ERROR, message, outcome.cpu_s)
    if transcript.ending in ("tampered", "unsupported"):
        verdict = Verdict.TAMPERED if transcript.ending == "tampered" else Verdict.INFRA
        return _verdict_alone(problem, verdict, transcript.detail, outcome.cpu_s)
    rest_of_them = _unanswered(problem, outcome, transcript)
    if rest_of_them.verdict is Verdict.INFRA and len(answers) < total:
        return _verdict_alone(problem, Verdict.INFRA, rest_of_them.message, outcome.cpu_s)
    answers += [rest_of_them] * (total - len(answers))
    if outcome.limit and all(answer.verdict is Verdict.OK for answer in answers):
        answers[-1] = _limited(problem, outcome)  # all answered, but with a fraction of a second too many
    calls = transcript.detail if problem.style == "program" else ""
    return _sum_up(problem, answers, calls, outcome.cpu_s)


def _unanswered(problem: Problem, outcome: Outcome, transcript: Transcript) -> Answer:
    """What holds for every test that has no answer."""
    if transcript.opening == "load":
        return _answer(None, "error", transcript.opening_rest)
    if outcome.limit:
        return _limited(problem, outcome)
    if transcript.ending == "output":
        return Answer(Verdict.OUTPUT_LIMIT, transcript.detail, "limit output")
    if not transcript.begun or (problem.style == "program" and not transcript.ending):
        return Answer(Verdict.INFRA, "the judge's own process ended early")
    return Answer(Verdict.RUNTIME_ERROR, "the process ended before it answered", "error ended")


def _answer(test: Test | None, kind: str, rest: list[Any]) -> Answer:
    """One line's meaning; ``test`` where a value is to be compared. Raises ``WireError``."""
    if kind == "error":
        name, message = rest
        verdict = Verdict.MEMORY if name == "MemoryError" else Verdict.RUNTIME_ERROR
        return Answer(verdict, f"{name}: {message}", f"error {name}")
    if kind == "pass":
        return Answer(Verdict.OK)
    if kind == "value" and test is not None:
        return _compared(rest[0], _parsed(test.expected))
    if kind in ("wrong", "opaque"):
        behaviour = "opaque" if kind == "opaque" else ""  # "wrong" comes of an expected value
        return Answer(Verdict.WRONG, f"{kind}: {rest[0]}", behaviour)
    raise wire.WireError(f"an answer of kind {kind}")


def _compared(data: Any, expected: Any) -> Answer:
    actual = wire.decode(data)
    behaviour = f"value {wire.dumps(wire.canonical(data))}"
    if values_equal(actual, expected):
        return Answer(Verdict.OK, "", behaviour)
    return Answer(Verdict.WRONG, f"returned {wire.dumps(data):.80}, not {expected!r:.80}", behaviour)


def _verdict_alone(problem: Problem, verdict: Verdict, message: str, cpu_s: float) -> Judgement:
    """A judgement that no single test explains; such a program has no behaviour to compare."""
    return Judgement(verdict, 0, count_tests(problem), cpu_s, _one_line(message), "", LEVELS[problem.style])


def _sum_up(problem: Problem, answers: list[Answer], calls: str, cpu_s: float) -> Judgement:
    """The first failing test decides."""
    total = count_tests(problem)
    passed = sum(answer.verdict is Verdict.OK for answer in answers)
    number, first = next(
        ((i, answer) for i, answer in enumerate(answers, 1) if answer.verdict is not Verdict.OK),
        (0, answers[0]),
    )
    message = f"test {number}: {first.message}" if number else ""
    if first.verdict in (Verdict.COMPILE_ERROR, Verdict.INFRA, Verdict.TAMPERED):
        return _verdict_alone(problem, first.verdict, first.message, cpu_s)
    behaviours = [calls] + [answer.behaviour for answer in answers]
    signature = hashlib.sha256("\n".join(behaviours).encode(errors="surrogatepass")).hexdigest()[:32]
    return Judgement(first.verdict, passed, total, cpu_s, _one_line(message), signature, LEVELS[problem.style])


def _one_line(message: str) -> str:
    return " ".join(message.split())[:300]
