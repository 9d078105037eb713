"""Trusted tests that are compiled once per problem, without a program, and check what programs answer."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rewardranker.judge.languages.language import Language
from rewardranker.judge.languages.replay import Argument, RecordedCall, ReplayRequest
from rewardranker.judge.sandbox import Outcome, Sandbox, StepLimits
from rewardranker.judge.transcript import Tampered, read_transcript
from rewardranker.problems.types import Problem

_LIMITS = StepLimits(cpu_s=60.0, wall_s=300.0, memory_mb=2048, memory_kind="data", processes=128)
_TESTS = "tests"
_OTHER_CALL = 4  # the exit status of tests that made another call than the recorded one, and were recorded from there
_NOT_RECORDED = 3
Values = list[str]


class NotRecordable(Exception):
    """Tests that are not a plain list of checks, each of one call of the entry point: no program can be judged."""


@dataclass(frozen=True)
class Checked:
    """What the tests say of a program's answers.

    Attributes:
        failed: by a call's number, what is wrong with its answer; nothing where all checks that used it are met.
    """

    failed: dict[int, str] = field(default_factory=dict)
    cpu_s: float = 0.0


@dataclass(frozen=True)
class Replayable:
    """A problem's tests: the calls that they make, and the program that they were compiled to."""

    calls: tuple[RecordedCall, ...]
    program: bytes

    def request(self, problem: Problem, nonce: str) -> ReplayRequest:
        """What a program of the problem is asked in the run with this nonce."""
        return ReplayRequest(problem.entry_point, self.calls, nonce, problem.begun, trusted_tests(problem))

    def check(
        self, sandbox: Sandbox, language: Language, limits: StepLimits, answers: Sequence[Values | None]
    ) -> Checked | Replayable:
        """Runs the tests on a program's answers, in a process that holds no program.

        Args:
            answers: each call's values; ``None`` where there is no answer.

        Returns:
            What they say; or, where they make other calls on these answers, the tests with those calls.

        Raises:
            NotRecordable: they make other calls, and those cannot be recorded.
            SandboxDied: the sandbox did.
        """
        assert language.replay is not None
        unanswered = {number: "not answered with values" for number, values in enumerate(answers) if not values}
        if len(unanswered) == len(answers):
            return Checked(unanswered)
        checking = language.replay.check
        step = replace(checking, files={**checking.files, _TESTS: self.program})
        outcome = sandbox.execute(step, limits, self._answers(answers), language=language.name)
        if outcome.status == _OTHER_CALL:
            try:
                return replace(self, calls=_calls(outcome.results.splitlines()[-1]))
            except (ValueError, IndexError, KeyError, TypeError):
                raise NotRecordable("its tests make other calls when they are given answers") from None
        if outcome.status == _NOT_RECORDED and not unanswered:
            raise NotRecordable(outcome.errors.decode(errors="replace").strip()[:300])
        made, ended, failed = _findings(outcome.results)
        if ended and made < len(self.calls) and not failed and all(number >= made for number in unanswered):
            return replace(self, calls=self.calls[:made])
        if not ended or outcome.limit or outcome.signal or outcome.status:
            failed.setdefault(made - 1, "the tests come to no end with what was returned")
        failed |= {number: "the tests end before this call" for number in range(made, len(self.calls))}
        return Checked(unanswered | failed, outcome.cpu_s)

    def _answers(self, answers: Sequence[Values | None]) -> bytes:
        lines = []
        for call, values in zip(self.calls, answers, strict=True):
            lines += [call.key, str(len(values or ())), *(values or ())]
        return "".join(f"{line}\n" for line in lines).encode()


class Replays:
    """Every problem's tests, compiled when they are first needed. Threads may do that twice; it is the same."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], Replayable | NotRecordable] = {}

    def of(self, sandbox: Sandbox, language: Language, problem: Problem) -> Replayable:
        """The problem's tests.

        Raises:
            NotRecordable: they do not compile, make no call, hold no check, or pass what is not data.
            SandboxDied: the sandbox did.
        """
        assert language.replay is not None
        tests = trusted_tests(problem)
        key = (language.name, problem.entry_point, problem.begun, tests)
        if key not in self._known:
            step = language.replay.record(problem.begun, tests, problem.entry_point)
            self._known[key] = _replayable(problem, sandbox.execute(step, _LIMITS, language=language.name))
        known = self._known[key]
        if isinstance(known, NotRecordable):
            raise known
        return known


def trusted_tests(problem: Problem) -> str:
    """All of a problem's trusted code, as one text."""
    return "\n".join([*([problem.setup] if problem.setup else []), *(test.input for test in problem.tests)])


def values_of(
    outcome: Outcome, nonce: str, calls: Sequence[RecordedCall], form: re.Pattern[str]
) -> list[Values | None]:
    """Each call's values, where the program sent some of that form; none of a stream that is not the protocol's."""
    try:
        sent = read_transcript(outcome, nonce, len(calls), "values").answers
    except Tampered:
        sent = []
    answers: list[Values | None] = [None] * len(calls)
    for number, (kind, rest) in enumerate(sent):
        if kind == "value" and _are_values(rest[0], calls[number].values, form):
            answers[number] = rest[0]
    return answers


def _are_values(data: Any, count: int, form: re.Pattern[str]) -> bool:
    if type(data) is not list or len(data) != count:
        return False
    return all(type(value) is str and form.match(value) for value in data)


def _replayable(problem: Problem, outcome: Outcome) -> Replayable | NotRecordable:
    """The tests, or why they are none that can be run apart."""
    try:
        return Replayable(_calls(outcome.results), outcome.files[_TESTS])
    except (ValueError, KeyError, TypeError):
        reason = outcome.errors.decode(errors="replace").strip()[:300] or outcome.limit or "they end early"
        return NotRecordable(
            f"the {problem.language} tests of problem {problem.id} could not be recorded: {reason}; they have to "
            f"call {problem.entry_point!r} with plain data, and assert what it returns"
        )


def _calls(recording: bytes) -> tuple[RecordedCall, ...]:
    return tuple(_call(*call) for call in json.loads(recording)["calls"])


def _call(copied: bool, arguments: list[list[str]], uses: list[str], key: str) -> RecordedCall:
    return RecordedCall(copied, tuple(Argument(*argument) for argument in arguments), tuple(uses), key)


def _findings(results: bytes) -> tuple[int, bool, dict[int, str]]:
    """How many calls the tests made, whether they came to their end, and what is wrong with which call; the last line
    may have been cut."""
    made, ended = 0, False
    failed: dict[int, str] = {}
    for line in results.split(b"\n"):
        try:
            number, *texts = json.loads(line)
        except ValueError:
            continue
        made, ended = max(made, number + 1), ended or number < 0
        if texts:
            failed.setdefault(number, texts[0])
    return made, ended, failed
