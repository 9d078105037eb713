"""Languages other than Python: a build, then runs of what it left, each in a process of its own.

Three levels, by the problem's style: ``stdio`` compares what a main program prints (L3); ``function``, and
``program`` where the tests can be recorded, compare what calls return, or have the tests do so in a process of their
own (L2); other ``program`` tests run as trusted checks beside the program (L1).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rewardranker.errors import UserError
from rewardranker.judge.child import wire
from rewardranker.judge.languages.language import Language, Level, Recipe, asking
from rewardranker.judge.languages.prompt_members import with_prompt_members
from rewardranker.judge.languages.splitting import Split, together
from rewardranker.judge.languages.typed_values import shown
from rewardranker.judge.sandbox import Outcome, Sandbox
from rewardranker.judge.strict.answers import (
    Answer,
    Frame,
    ToAnswer,
    check_answer,
    error_answer,
    how_ended,
    judgement_of_stream,
)
from rewardranker.judge.strict.building import Bench, last_line
from rewardranker.judge.strict.outputs import output_answer
from rewardranker.judge.strict.python import value_answer
from rewardranker.judge.strict.recordings import NotRecordable, Recording, Recordings, trusted_tests
from rewardranker.judge.strict.replays import Replayable, Replays, values_of
from rewardranker.problems.given import json_value
from rewardranker.problems.types import Problem
from rewardranker.problems.verdict import Judgement, Verdict

Execution = tuple[Judgement, bool]
# Each runs the program once more; what branches more often has no verdict.
_MOST_PATHS = 20


def judge_recipe(
    sandbox: Sandbox, language: Language, recordings: Recordings, problem: Problem, code: str, all_tests: bool
) -> Execution:
    """The judgement, and whether a time limit had a part in it. Raises ``SandboxDied``, ``UserError``."""
    bench = Bench(sandbox, language, problem)
    if problem.style == "stdio":
        return _stdio(bench, code, all_tests)
    if problem.style == "function":
        return _function(bench, code)
    if language.record is not None:
        try:
            recording = recordings.of(sandbox, language, problem)
        except NotRecordable as error:
            if language.replay is None:
                frame = bench.frame(len(problem.tests), "L2")
                return frame.alone(Verdict.INFRA, str(error), 0.0), False
        else:
            return _recorded(bench, recording, code)
    tests = split_tests(language, problem)
    if tests is not None:
        return _compiled(bench, recordings, tests, code)
    if language.replay is not None and not _has_checks(language, problem):
        return _replayed(bench, recordings.replays, code)
    return _checks(bench, code)


def recipe_level(language: Language, problem: Problem) -> Level:
    """How far verdicts on this problem can be trusted.

    Raises:
        UserError: the language has no way to judge this style.
    """
    if problem.style == "stdio":
        return "L3"
    if language.calls is not None and (
        language.typed if problem.style == "function" else language.record is not None
    ):
        return "L2"
    if problem.style == "program" and _compared_outside(language, problem):
        return "L2"
    if problem.style == "program" and language.checks is not None:
        return "L1"
    raise UserError(
        f"problem {problem.id} asks for style {problem.style!r} in {language.name}, which this language cannot be "
        "judged in; give the problem stdio tests (every language takes those)"
    )


def split_tests(language: Language, problem: Problem) -> Split | None:
    """The problem's tests taken apart, where they can be compared outside of the program's process."""
    if language.compiled is None or _own_tests(problem) != trusted_tests(problem):
        return None  # a helper that is given what the program returned decides: it has to run beside the program
    try:
        return language.compiled.split(trusted_tests(problem))
    except UserError:
        return None


def _compared_outside(language: Language, problem: Problem) -> bool:
    replayed = language.replay is not None and not _has_checks(language, problem)
    return replayed or split_tests(language, problem) is not None


def _has_checks(language: Language, problem: Problem) -> bool:
    """Whether the tests are checks that can stand beside the program."""
    try:
        return language.checks is not None and language.checks("", _own_tests(problem), "").checks > 0
    except UserError:
        return False


def _own_tests(problem: Problem) -> str:
    return with_prompt_members(trusted_tests(problem), problem.begun, problem.entry_point)


def _stdio(bench: Bench, code: str, all_tests: bool) -> Execution:
    problem = bench.problem
    frame = bench.frame(len(problem.tests), "L3")
    recipe = bench.language.whole(code)
    built, cpu_s = bench.build(recipe, frame)
    if isinstance(built, Judgement):
        return built, False
    limits = replace(bench.limits, keep_output=True)
    answers: list[Answer] = []
    timed = False
    for test in problem.tests:
        outcome = bench.execute(recipe, built, limits, test.input.encode())
        cpu_s += outcome.cpu_s
        failed = _not_printed(bench, frame, recipe, outcome)
        answers.append(failed or output_answer(bench.sandbox, problem, test, outcome.output))
        timed = outcome.limit in ("cpu", "wall")
        if answers[-1].ends_all(all_tests) or outcome.limit:
            break
    return frame.sum_up(answers, cpu_s), timed


def _not_printed(bench: Bench, frame: Frame, recipe: Recipe, outcome: Outcome) -> Answer | None:
    """What a run came to whose output does not count; ``None`` where it does."""
    failed = bench.failure(frame, recipe, outcome)
    if failed is not None:
        return failed
    if outcome.signal or outcome.status:
        message = last_line(outcome.errors) + how_ended(outcome)
        return Answer(Verdict.RUNTIME_ERROR, message, f"error {outcome.status} {outcome.signal}")
    return None


def _function(bench: Bench, code: str) -> Execution:
    tests = bench.problem.tests
    arguments = [wire.encode(json_value(test.input)) for test in tests]

    def answer(index: int, kind: str, rest: list[Any]) -> Answer:
        plain = [_without_undefined(rest[0])] if kind == "value" else rest
        return value_answer(kind, plain, tests[index].expected)

    return _calls(bench, code, code, arguments, answer)


def _recorded(bench: Bench, recording: Recording, code: str) -> Execution:
    equal = bench.language.equal
    assert equal is not None

    def answer(index: int, kind: str, rest: list[Any]) -> Answer:
        if kind == "error":
            return error_answer(*rest)
        if kind == "opaque":
            return Answer(Verdict.WRONG, f"opaque: {rest[0]}", "opaque")
        behaviour = f"value {wire.dumps(rest[0])}"
        if equal(rest[0], recording.expected[index]):
            return Answer(Verdict.OK, "", behaviour)
        wanted = wire.dumps(recording.expected[index])
        return Answer(Verdict.WRONG, f"returned {wire.dumps(rest[0]):.80}, not {wanted:.80}", behaviour)

    whole = code + "\n" + trusted_tests(bench.problem)
    return _calls(bench, code, whole, recording.calls, answer)


def _calls(bench: Bench, code: str, whole: str, arguments: Sequence[Any], answer: ToAnswer) -> Execution:
    language, problem, nonce = bench.language, bench.problem, secrets.token_hex(8)
    assert language.calls is not None
    frame = bench.frame(len(arguments), "L2")
    job = wire.dumps({"nonce": nonce, "entry": problem.entry_point, "calls": list(arguments)}).encode()
    recipe = asking(language.calls(code, problem.entry_point, whole), job)
    built, cpu_s = bench.build(recipe, frame)
    if isinstance(built, Judgement):
        return built, False
    judgement, timed = _answers(bench, replace(recipe, run=built), frame, nonce, answer)
    return replace(judgement, cpu_s=cpu_s + judgement.cpu_s), timed


def _compiled(bench: Bench, recordings: Recordings, tests: Split, code: str) -> Execution:
    compiled, nonce = bench.language.compiled, secrets.token_hex(8)
    assert compiled is not None
    frame = bench.frame(len(tests.demands), "L2")
    try:
        expected = recordings.sides(bench.sandbox, bench.language, bench.problem, tests)
    except NotRecordable as error:
        return frame.alone(Verdict.INFRA, str(error), 0.0), False
    recipe = compiled.evaluated(code, tests, nonce)
    built, cpu_s = bench.build(recipe, frame)
    if isinstance(built, Judgement):
        return built, False

    def answer(index: int, kind: str, rest: list[Any]) -> Answer:
        if kind != "value":
            return error_answer(*rest) if kind == "error" else Answer(Verdict.WRONG, f"opaque: {rest[0]}", "opaque")
        demand = tests.demands[index]
        sides = together(demand, rest[0], expected[index])
        behaviour = f"value {wire.dumps(rest[0])}"
        if compiled.holds(demand.form, sides):
            return Answer(Verdict.OK, "", behaviour)
        return Answer(Verdict.WRONG, f"{' '.join(demand.text.split()):.80}: {shown(rest[0]):.80}", behaviour)

    judgement, timed = _answers(bench, replace(recipe, run=built), frame, nonce, answer)
    return replace(judgement, cpu_s=cpu_s + judgement.cpu_s), timed


def _replayed(bench: Bench, replays: Replays, code: str) -> Execution:
    """Tests whose calls depend on what others return are run again with the calls that they made on these answers.

    Every program begins with the calls that were recorded without one, so that which were judged before it says
    nothing of it.
    """
    problem = bench.problem
    try:
        tests = replays.of(bench.sandbox, bench.language, problem)
        for _ in range(_MOST_PATHS):
            found = _replayed_on(bench, tests, code)
            if not isinstance(found, Replayable):
                return found
            tests = found
        reason = f"problem {problem.id}: its tests make other calls each time that they are given answers"
    except NotRecordable as error:
        reason = str(error) if problem.id in str(error) else f"problem {problem.id}: {error}"
    frame = bench.frame(len(problem.tests), "L2")
    return frame.alone(Verdict.INFRA, reason, 0.0), False


def _replayed_on(bench: Bench, tests: Replayable, code: str) -> Execution | Replayable:
    """The judgement by tests that make these calls, or the tests with the calls that they make in their place."""
    replay, nonce = bench.language.replay, secrets.token_hex(8)
    assert replay is not None
    frame = bench.frame(len(tests.calls), "L2")
    recipe = replay.program(code, tests.request(bench.problem, nonce))
    built, cpu_s = bench.build(recipe, frame)
    if isinstance(built, Judgement):
        return built, False
    limits = bench.limits
    outcome = bench.execute(recipe, built, limits)
    checked = tests.check(bench.sandbox, bench.language, limits, values_of(outcome, nonce, tests.calls, replay.value))
    if isinstance(checked, Replayable):
        return checked

    def answer(index: int, kind: str, rest: list[Any]) -> Answer:
        if kind != "value":
            return error_answer(*rest) if kind == "error" else Answer(Verdict.WRONG, f"opaque: {rest[0]}", "opaque")
        behaviour = f"value {wire.dumps(rest[0])}"
        failed = checked.failed.get(index)
        return Answer(Verdict.WRONG, f"{failed:.200}", behaviour) if failed else Answer(Verdict.OK, "", behaviour)

    judgement, timed = _judged(bench, recipe, frame, nonce, outcome, answer)
    return replace(judgement, cpu_s=cpu_s + judgement.cpu_s + checked.cpu_s), timed


def _answers(bench: Bench, recipe: Recipe, frame: Frame, nonce: str, answer: ToAnswer) -> Execution:
    """Runs what has been built, which answers with values."""
    outcome = bench.execute(recipe, recipe.run, bench.limits)
    return _judged(bench, recipe, frame, nonce, outcome, answer)


def _judged(bench: Bench, recipe: Recipe, frame: Frame, nonce: str, outcome: Outcome, answer: ToAnswer) -> Execution:
    """The judgement on a program that has answered with values."""
    failed = bench.failure(frame, recipe, outcome)
    if failed is not None and failed.verdict in (Verdict.COMPILE_ERROR, Verdict.INFRA):
        return frame.alone(failed.verdict, failed.message, outcome.cpu_s), False
    ended = replace(outcome, limit="memory") if failed is not None and failed.verdict is Verdict.MEMORY else outcome
    answer = _with_memory(bench.language, answer)

    def answer_under_limit(index: int, kind: str, rest: list[Any]) -> Answer:
        """Where a limit ended a part of the program, a failing answer may be the limit's doing."""
        found = answer(index, kind, rest)
        return frame.limited(ended.limit) if ended.limit and found.verdict is not Verdict.OK else found

    judgement = judgement_of_stream(frame, "values", ended, nonce, answer_under_limit)
    return judgement, outcome.limit in ("cpu", "wall")


def _checks(bench: Bench, code: str) -> Execution:
    language, problem = bench.language, bench.problem
    assert language.checks is not None
    nonce, token = secrets.token_hex(8), secrets.token_hex(16)
    try:
        recipe = language.checks(code, _own_tests(problem), nonce)
    except UserError as error:
        frame = bench.frame(len(problem.tests), "L1")
        return frame.alone(Verdict.INFRA, f"problem {problem.id}: {error}", 0.0), False
    frame = bench.frame(recipe.checks, "L1")
    built, cpu_s = bench.build(recipe, frame)
    if isinstance(built, Judgement):
        return built, False
    outcome = bench.execute(recipe, built, bench.limits, token=token.encode())
    failed = bench.failure(frame, recipe, outcome)
    if failed is not None and failed.verdict is Verdict.MEMORY:
        outcome = replace(outcome, limit="memory")

    def answer(index: int, kind: str, rest: list[Any]) -> Answer:
        return check_answer(kind, rest)

    judgement = judgement_of_stream(frame, "checks", outcome, nonce, _with_memory(bench.language, answer), token)
    # Without values there is nothing to compare behaviours by.
    return replace(judgement, cpu_s=cpu_s + judgement.cpu_s, signature=""), outcome.limit in ("cpu", "wall")


def _with_memory(language: Language, answer: ToAnswer) -> ToAnswer:
    """An error that is the language's own way to say that memory ran out counts as that."""

    def answer_or_memory(index: int, kind: str, rest: list[Any]) -> Answer:
        if kind == "error" and language.out_of_memory.search(": ".join(rest)):
            return error_answer("MemoryError", ": ".join(rest))
        return answer(index, kind, rest)

    return answer_or_memory


def _without_undefined(value: Any) -> Any:
    """JSON has no ``undefined``: it counts as null."""
    if type(value) is list:
        return [_without_undefined(item) for item in value]
    if type(value) is dict:
        ((tag, body),) = value.items()
        return None if tag == "undefined" else {tag: _without_undefined(body)}
    return value
