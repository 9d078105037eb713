r"""Programs in plain tables, and the problems that judge them.

A table is text: ``=== NAME``, or ``=== NAME ! VERDICT`` for a program that has to be judged otherwise than OK; lines
``--- ARGUMENTS --> EXPECTED``; the program. A function, always ``f``, is called as MultiPL-E calls it, and both sides
are text of its language (in Bash, ``\n`` ends a line). A main program's sides are Python literals; ``@0..N`` stands for the numbers below N, a line
each.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from attacks.tasks import TESTS

from rewardranker.problems.types import Limits, Problem, Test

LIMITS = Limits(cpu_s=5.0, wall_s=30.0, memory_mb=512)
_NUMBERS = re.compile(r"@0\.\.(\d+)")
_CHECKS = {
    "javascript": "  assert.deepEqual(candidate({0}),{1});\n",
    "typescript": "  assert.deepEqual(candidate({0}),{1});\n",
    "php": '    if (candidate({0}) !== {1}) {{ throw new Exception("Test failed!"); }}\n',
    "bash": "    [[ $(candidate {0}) = {1} ]]\n",
}


@dataclass(frozen=True)
class Program:
    """A program, what it is asked, and what it has to be judged."""

    name: str
    code: str
    checks: tuple[tuple[str, str], ...]
    verdict: str


def programs(table: str, head: str = "") -> list[Program]:
    """The programs of a table, each after ``head``."""
    found = []
    for part in re.split(r"^=== ", table, flags=re.M)[1:]:
        title, *lines = part.split("\n")
        name, _, verdict = title.partition(" ! ")
        asked = [line.removeprefix("--- ") for line in lines if line.startswith("--- ")]
        code = "\n".join(line for line in lines if not line.startswith("--- "))
        checks = tuple((left, right) for left, _, right in (line.partition(" --> ") for line in asked))
        found.append(Program(name, head + code, checks, verdict or "OK"))
    return found


def function_problem(language: str, program: Program) -> Problem:
    checks = "".join(_CHECKS[language].format(*check) for check in program.checks)
    if language == "bash":  # whose strings have no sign for the end of a line
        checks = checks.replace("\\n", "\n")
    return _problem(language, "f", (Test(TESTS[language].format("f", checks)),))


def stdio_problem(language: str, program: Program) -> Problem:
    return _problem(language, "", tuple(Test(*map(_literal, check)) for check in program.checks))


def _literal(text: str) -> str:
    numbers = _NUMBERS.fullmatch(text)
    return "".join(f"{n}\n" for n in range(int(numbers[1]))) if numbers else str(ast.literal_eval(text))


def _problem(language: str, entry: str, tests: tuple[Test, ...]) -> Problem:
    return Problem(
        id=f"honest/{language}",
        source="honest",
        language=language,
        prompt="",
        entry_point=entry,
        style="program" if entry else "stdio",
        tests=tests,
        split="test",
        group_id="honest",
        licence="MIT",
        revision="1",
        limits=LIMITS,
        comparator="exact",
    )
