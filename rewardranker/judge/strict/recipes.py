"""Languages other than Python: a build, then runs of what it left, each in a process of its own.

Three levels, by the problem's style: ``stdio`` compares what a main program prints (L3); ``function``, and
``program`` where the tests can be recorded, compare what calls return, or have the tests do so in a process of their
own (L2); other ``program`` tests run as trusted checks beside the program (L1).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
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
    check_answer,
    error_answer,
    how_ended,
    judgement_of_stream,
)
from rewardranker.judge.strict.building import build, execute, first_error, last_line, run_limits
from rewardranker.judge.strict.outputs import output_answer
from rewardranker.judge.strict.python import parsed, value_answer
from rewardranker.judge.strict.recordings import NotRecordable, Recording, Recordings, trusted_tests
from rewardranker.judge.strict.replays import Replayable, Replays, values_of
from rewardranker.problems.types import Problem
from rewardranker.problems.verdict import Judgement, Verdict

Execution = tuple[Judgement, bool]
# Each runs the program once more; what branches more often has no verdict.
_MOST_PATHS = 20


def judge_recipe(
    sandbox: Sandbox, language: Language, recordings: Recordings, problem: Problem, code: str, all_tests: bool
) -> Execution:
    """The judgement, and whether a time limit had a part in it. Raises ``SandboxDied``, ``UserError``."""
    if problem.style == "stdio":
        return _stdio(sandbox, language, problem, code, all_tests)
    if problem.style == "function":
        return _function(sandbox, language, problem, code)
    if language.record is not None:
        try:
            recording = recordings.of(sandbox, language, problem)
        except NotRecordable as error:
            if language.replay is None:
                frame = Frame(problem.limits, len(problem.tests), "L2")
                return frame.alone(Verdict.INFRA, str(error), 0.0), False
        else:
            return _recorded(sandbox, language, recording, problem, code)
    tests = split_tests(language, problem)
    if tests is not None:
        return _compiled(sandbox, language, recordings, tests, problem, code)
    if language.replay is not None and not _has_checks(language, problem):
        return _replayed(sandbox, language, recordings.replays, problem, code)
    return _checks(sandbox, language, problem, code)


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


def _stdio(sandbox: Sandbox, language: Language, problem: Problem, code: str, all_tests: bool) -> Execution:
    frame = Frame(problem.limits, len(problem.tests), "L3")
    recipe = language.whole(code)
    built, cpu_s = build(sandbox, language, recipe, frame)
    if isinstance(built, Judgement):
        return built, False
    limits = replace(run_limits(language, problem), keep_output=True)
    answers: list[Answer] = []
    timed = False
    for test in problem.tests:
        outcome = execute(sandbox, language, problem, recipe, built, limits, test.input.encode())
        cpu_s += outcome.cpu_s
        failed = _not_printed(frame, language, recipe, outcome)
        answers.append(failed or output_answer(sandbox, problem, test, outcome.output))
        timed = outcome.limit in ("cpu", "wall")
        if answers[-1].ends_all(all_tests) or outcome.limit:
            break
    return frame.sum_up(answers, cpu_s), timed


def _not_printed(frame: Frame, language: Language, recipe: Recipe, outcome: Outcome) -> Answer | None:
    """What a run came to whose output does not count; ``None`` where it does."""
    failed = _failed(frame, language, recipe, outcome)
    if failed is not None:
        return failed
    if outcome.signal or outcome.status:
        message = last_line(outcome.errors) + how_ended(outcome)
        return Answer(Verdict.RUNTIME_ERROR, message, f"error {outcome.status} {outcome.signal}")
    return None


def _function(sandbox: Sandbox, language: Language, problem: Problem, code: str) -> Execution:
    arguments = [wire.encode(parsed(test.input)) for test in problem.tests]

    def answer(index: int, kind: str, rest: list[Any]) -> Answer:
        plain = [_without_undefined(rest[0])] if kind == "value" else rest
        return value_answer(kind, plain, problem.tests[index].expected)

    return _calls(sandbox, language, problem, code, code, arguments, answer)


def _recorded(sandbox: Sandbox, language: Language, recording: Recording, problem: Problem, code: str) -> Execution:
    equal = language.equal
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

    whole = code + "\n" + trusted_tests(problem)
    return _calls(sandbox, language, problem, code, whole, recording.calls, answer)


def _calls(
    sandbox: Sandbox,
    language: Language,
    problem: Problem,
    code: str,
    whole: str,
    arguments: Sequence[Any],
    answer: Callable[[int, str, list[Any]], Answer],
) -> Execution:
    assert language.calls is not None
    frame = Frame(problem.limits, len(arguments), "L2")
    nonce = secrets.token_hex(8)
    job = wire.dumps({"nonce": nonce, "entry": problem.entry_point, "calls": list(arguments)}).encode()
    recipe = asking(language.calls(code, problem.entry_point, whole), job)
    built, cpu_s = build(sandbox, language, recipe, frame)
    if isinstance(built, Judgement):
        return built, False
    judgement, timed = _answers(sandbox, language, problem, replace(recipe, run=built), frame, nonce, answer)
    return replace(judgement, cpu_s=cpu_s + judgement.cpu_s), timed


def _compiled(
    sandbox: Sandbox, language: Language, recordings: Recordings, tests: Split, problem: Problem, code: str
) -> Execution:
    compiled, nonce = language.compiled, secrets.token_hex(8)
    assert compiled is not None
    frame = Frame(problem.limits, len(tests.demands), "L2")
    try:
        expected = recordings.sides(sandbox, language, problem, tests)
    except NotRecordable as error:
        return frame.alone(Verdict.INFRA, str(error), 0.0), False
    recipe = compiled.evaluated(code, tests, nonce)
    built, cpu_s = build(sandbox, language, recipe, frame)
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

    judgement, timed = _answers(sandbox, language, problem, replace(recipe, run=built), frame, nonce, answer)
    return replace(judgement, cpu_s=cpu_s + judgement.cpu_s), timed


def _replayed(sandbox: Sandbox, language: Language, replays: Replays, problem: Problem, code: str) -> Execution:
    """Tests whose calls depend on what others return are run again with the calls that they made on these answers.

    Every program begins with the calls that were recorded without one, so that which were judged before it says
    nothing of it.
    """
    try:
        tests = replays.of(sandbox, language, problem)
        for _ in range(_MOST_PATHS):
            found = _replayed_on(sandbox, language, tests, problem, code)
            if not isinstance(found, Replayable):
                return found
            tests = found
        reason = f"problem {problem.id}: its tests make other calls each time that they are given answers"
    except NotRecordable as error:
        reason = str(error) if problem.id in str(error) else f"problem {problem.id}: {error}"
    frame = Frame(problem.limits, len(problem.tests), "L2")
    return frame.alone(Verdict.INFRA, reason, 0.0), False


def _replayed_on(
    sandbox: Sandbox, language: Language, tests: Replayable, problem: Problem, code: str
) -> Execution | Replayable:
    """The judgement by tests that make these calls, or the tests with the calls that they make in their place."""
    replay, nonce = language.replay, secrets.token_hex(8)
    assert replay is not None
    frame = Frame(problem.limits, len(tests.calls), "L2")
    recipe = replay.program(code, tests.request(problem, nonce))
    built, cpu_s = build(sandbox, language, recipe, frame)
    if isinstance(built, Judgement):
        return built, False
    limits = run_limits(language, problem)
    outcome = execute(sandbox, language, problem, recipe, built, limits)
    checked = tests.check(sandbox, language, limits, values_of(outcome, nonce, tests.calls, replay.value))
    if isinstance(checked, Replayable):
        return checked

    def answer(index: int, kind: str, rest: list[Any]) -> Answer:
        if kind != "value":
            return error_answer(*rest) if kind == "error" else Answer(Verdict.WRONG, f"opaque: {rest[0]}", "opaque")
        behaviour = f"value {wire.dumps(rest[0])}"
        failed = checked.failed.get(index)
        return Answer(Verdict.WRONG, f"{failed:.200}", behaviour) if failed else Answer(Verdict.OK, "", behaviour)

    judgement, timed = _judged(language, recipe, frame, nonce, outcome, answer)
    return replace(judgement, cpu_s=cpu_s + judgement.cpu_s + checked.cpu_s), timed


def _answers(
    sandbox: Sandbox,
    language: Language,
    problem: Problem,
    recipe: Recipe,
    frame: Frame,
    nonce: str,
    answer: Callable[[int, str, list[Any]], Answer],
) -> Execution:
    """Runs what has been built, which answers with values."""
    outcome = execute(sandbox, language, problem, recipe, recipe.run, run_limits(language, problem))
    return _judged(language, recipe, frame, nonce, outcome, answer)


def _judged(
    language: Language,
    recipe: Recipe,
    frame: Frame,
    nonce: str,
    outcome: Outcome,
    answer: Callable[[int, str, list[Any]], Answer],
) -> Execution:
    """The judgement on a program that has answered with values."""
    failed = _failed(frame, language, recipe, outcome)
    if failed is not None and failed.verdict in (Verdict.COMPILE_ERROR, Verdict.INFRA):
        return frame.alone(failed.verdict, failed.message, outcome.cpu_s), False
    ended = replace(outcome, limit="memory") if failed is not None and failed.verdict is Verdict.MEMORY else outcome
    answer = _with_memory(language, answer)

    def answer_under_limit(index: int, kind: str, rest: list[Any]) -> Answer:
        """Where a limit ended a part of the program, a failing answer may be the limit's doing."""
        found = answer(index, kind, rest)
        return frame.limited(ended.limit) if ended.limit and found.verdict is not Verdict.OK else found

    judgement = judgement_of_stream(frame, "values", ended, nonce, answer_under_limit, program_first=True)
    return judgement, outcome.limit in ("cpu", "wall")


def _checks(sandbox: Sandbox, language: Language, problem: Problem, code: str) -> Execution:
    assert language.checks is not None
    nonce, token = secrets.token_hex(8), secrets.token_hex(16)
    try:
        recipe = language.checks(code, _own_tests(problem), nonce)
    except UserError as error:
        frame = Frame(problem.limits, len(problem.tests), "L1")
        return frame.alone(Verdict.INFRA, f"problem {problem.id}: {error}", 0.0), False
    frame = Frame(problem.limits, recipe.checks, "L1")
    built, cpu_s = build(sandbox, language, recipe, frame)
    if isinstance(built, Judgement):
        return built, False
    limits = run_limits(language, problem)
    outcome = execute(sandbox, language, problem, recipe, built, limits, token=token.encode())
    failed = _failed(frame, language, recipe, outcome)
    if failed is not None and failed.verdict is Verdict.MEMORY:
        outcome = replace(outcome, limit="memory")

    def answer(index: int, kind: str, rest: list[Any]) -> Answer:
        return check_answer(kind, rest)

    judgement = judgement_of_stream(frame, "checks", outcome, nonce, _with_memory(language, answer), token, True)
    # Without values there is nothing to compare behaviours by.
    return replace(judgement, cpu_s=cpu_s + judgement.cpu_s, signature=""), outcome.limit in ("cpu", "wall")


def _failed(frame: Frame, language: Language, recipe: Recipe, outcome: Outcome) -> Answer | None:
    """What standard error and the limits say of a run; ``None`` where it ended by itself."""
    errors = outcome.errors.decode(errors="replace")
    died = bool(outcome.signal or outcome.status)
    if outcome.limit:
        return frame.limited(outcome.limit)
    if died and language.out_of_memory.search(errors):
        return frame.limited("memory")
    if died and recipe.build is None and language.does_not_compile.search(errors):
        return Answer(Verdict.COMPILE_ERROR, first_error(outcome.errors))
    return None


def _with_memory(
    language: Language, answer: Callable[[int, str, list[Any]], Answer]
) -> Callable[[int, str, list[Any]], Answer]:
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
