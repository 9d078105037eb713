"""Problems and programs for the judge's tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from rewardranker.judge import Judge
from rewardranker.judge.languages import LANGUAGES
from rewardranker.judge.languages.toolchain import toolchain
from rewardranker.judge.sandbox import LocalSandbox, SandboxDied
from rewardranker.problems.types import Limits, Problem, Style, Test
from rewardranker.problems.verdict import Judgement, Verdict

QUICK = Limits(cpu_s=1.0, wall_s=10.0, memory_mb=256)
FUNCTION_TESTS = (Test("[1, 2]", "3"), Test("[2, 2]", "4"), Test("[-1, 1]", "0"))
PROGRAM_TESTS = (Test("assert f(1, 2) == 3"), Test("assert f(2, 2) == 4\nassert f(-1, 1) == 0"))
STDIO_TESTS = (Test("1 2\n", "3\n"), Test("2 2\n", "4\n"), Test("-1 1\n", "0\n"))
RIGHT = "def f(a, b):\n    return a + b\n"


def problem(style: Style = "function", tests: tuple[Test, ...] | None = None, **more: object) -> Problem:
    by_style = {"function": FUNCTION_TESTS, "program": PROGRAM_TESTS, "stdio": STDIO_TESTS}
    task = Problem(
        id=f"test/{style}",
        source="test",
        language="python",
        prompt="",
        entry_point="" if style == "stdio" else "f",
        style=style,
        tests=by_style[style] if tests is None else tests,
        split="train",
        group_id="test",
        licence="Apache-2.0",
        revision="1",
        limits=QUICK,
    )
    return replace(task, **more)  # type: ignore[arg-type]


def in_brief(task: Problem, expected: Verdict) -> Problem:
    """With less time where a program never ends: it is run twice, to the end of its time."""
    return replace(task, limits=replace(task.limits, cpu_s=0.4)) if expected is Verdict.TIMEOUT else task


def verdict(judge: Judge, code: str, task: Problem | None = None) -> Judgement:
    return judge.run([(task or problem(), code)])[0]


def need(language: str) -> str:
    """The language; skips the test where this machine lacks its tools."""
    missing = toolchain(LANGUAGES[language]).missing
    if missing:
        pytest.skip(f"no tool-chain for {language}: lacks {', '.join(missing)}")
    return language


@contextmanager
def running(sandbox: LocalSandbox) -> Iterator[LocalSandbox]:
    """A sandbox, started and stopped; skips the test where this machine cannot have its tier."""
    try:
        sandbox.start()
    except SandboxDied as error:
        pytest.skip(str(error))
    yield sandbox
    sandbox.stop()
