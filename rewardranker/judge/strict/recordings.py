"""Trusted tests as data: the calls that they make and the values that they expect, recorded once per problem."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, replace
from typing import Any

from rewardranker.judge.child import wire
from rewardranker.judge.languages.constants import NotConstant
from rewardranker.judge.languages.language import Language, within
from rewardranker.judge.languages.splitting import Split
from rewardranker.judge.sandbox import Sandbox, StepLimits
from rewardranker.judge.strict.replays import NotRecordable, Replays, trusted_tests
from rewardranker.judge.transcript import Tampered, read_transcript
from rewardranker.problems.types import Problem

__all__ = ["NotRecordable", "Recording", "Recordings", "trusted_tests"]

_MEMORY_MB = 512
_LIMITS = StepLimits(cpu_s=20.0, wall_s=120.0, memory_mb=1024, memory_kind="data", reserved_mb=512, processes=64)


@dataclass(frozen=True)
class Recording:
    """``calls[i]`` are the arguments of the i-th call, ``expected[i]`` what its check compares with, in the
    form that the language's driver uses."""

    calls: tuple[Any, ...]
    expected: tuple[Any, ...]


class Recordings:
    """Every problem's recording, made when it is first needed. Threads may make one twice; it is the same.

    Attributes:
        replays: of the languages whose tests run apart from the program.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str], Recording | NotRecordable] = {}
        self._sides: dict[tuple[str, Split], list[list[Any]]] = {}
        self.replays = Replays()

    def of(self, sandbox: Sandbox, language: Language, problem: Problem) -> Recording:
        """The problem's recording.

        Raises:
            NotRecordable: its tests are of another form, or are no program themselves.
            SandboxDied: the sandbox did.
        """
        tests = trusted_tests(problem)
        key = (language.name, problem.entry_point, tests)
        if key not in self._known:
            self._known[key] = _record(sandbox, language, problem, tests)
        known = self._known[key]
        if isinstance(known, NotRecordable):
            raise known
        return known

    def sides(self, sandbox: Sandbox, language: Language, problem: Problem, tests: Split) -> list[list[Any]]:
        """By check, the values of the sides that need no program. Raises as :meth:`of` does."""
        key = (language.name, tests)
        if key not in self._sides:
            self._sides[key] = constants(language, tests) or evaluate(sandbox, language, problem, tests)
        return self._sides[key]


def constants(language: Language, tests: Split) -> list[list[Any]]:
    """What all checks compare with, where that is plain to see; else nothing."""
    assert language.compiled is not None
    if tests.members.strip() or tests.beyond.strip():  # which may give a name another meaning
        return []
    try:
        return [
            [language.compiled.constant(side.text) for side in demand.sides if not side.program]
            for demand in tests.demands
        ]
    except NotConstant:
        return []


def evaluate(sandbox: Sandbox, language: Language, problem: Problem, tests: Split) -> list[list[Any]]:
    """The same by the language itself. Raises :class:`NotRecordable`, ``SandboxDied``."""
    assert language.compiled is not None
    nonce = secrets.token_hex(8)
    recipe = language.compiled.evaluated(None, tests, nonce)
    step, errors = recipe.run, b""
    if recipe.build is not None:
        built = sandbox.execute(recipe.build, _LIMITS, language=language.name)
        step, errors = replace(step, files={**step.files, **built.files}), built.errors
    step = replace(step, argv=within(step.argv, language, _MEMORY_MB))
    outcome = sandbox.execute(step, _LIMITS, language=language.name)
    try:
        answers = read_transcript(outcome, nonce, len(tests.demands), "values").answers
    except Tampered:
        answers = []
    values = [rest[0] for kind, rest in answers if kind == "value"]
    if outcome.limit or len(values) < len(tests.demands) or '{"opaque":' in wire.dumps(values):
        failed = [": ".join(rest) for kind, rest in answers if kind == "error"]
        reason = (errors or outcome.errors).decode(errors="replace").strip()[:300] or "; ".join(failed)[:300]
        raise NotRecordable(
            f"what the {language.name} tests of problem {problem.id} expect could not be evaluated: "
            f"{reason or outcome.limit or 'values of a type that is not plain data'}; each check has to compare what "
            "the program returns with a value of the language's own types"
        )
    return values


def _record(sandbox: Sandbox, language: Language, problem: Problem, tests: str) -> Recording | NotRecordable:
    """The recording, or why there is none."""
    assert language.record is not None
    outcome = sandbox.execute(language.record(tests, problem.entry_point), _LIMITS, language=language.name)
    try:
        data = json.loads(outcome.results)
        recording = Recording(tuple(data["calls"]), tuple(data["expected"]))
    except (ValueError, KeyError, TypeError):
        recording = Recording((), ())
    if outcome.status or outcome.signal or outcome.limit or not recording.calls:
        reason = outcome.errors.decode(errors="replace").strip()[:300] or outcome.limit or "they make no call"
        return NotRecordable(
            f"the {language.name} tests of problem {problem.id} could not be recorded: {reason}; they have to be a "
            f"list of checks, each comparing one call of {problem.entry_point!r} with a value"
        )
    return recording
