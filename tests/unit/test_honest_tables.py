"""Right programs in the interpreted languages, against the real interpreters, and their wrong siblings."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from honest import bash, cpp, csharp, java, javascript, php, python_main, typescript
from honest.tables import Program, function_problem, programs, stdio_problem
from judging import need
from test_python_idioms import CASES as PYTHON_CASES

from rewardranker.judge import Judge
from rewardranker.judge.languages.rewriting import without_first_brace
from rewardranker.problems.types import Problem

HEADS = {"php": "<?php\n"}
TABLES = {"javascript": javascript, "php": php, "bash": bash, "typescript": typescript}
COMMANDS = {
    "javascript": "node program.js",
    "php": "php program.php",
    "bash": "bash program.sh",
    "typescript": "tsc --target esnext program.ts && node program.js",
}
#: Every how many programs are run by the tool-chain alone: ``tsc`` takes seconds for each.
STEPS = {"typescript": 8}
LEVELS = {"program": "L2", "stdio": "L3"}


def items(language: str) -> list[tuple[Problem, Program]]:
    table, head = TABLES[language], HEADS.get(language, "")
    functions, mains = programs(table.FUNCTIONS, head), programs(table.STDIO, head)
    return [(function_problem(language, one), one) for one in functions] + [
        (stdio_problem(language, one), one) for one in mains
    ]


def judged(judge: Judge, mine: list[tuple[Problem, Program]]) -> None:
    results = judge.run([(problem, program.code) for problem, program in mine])
    other = {
        program.name: (program.verdict, str(result.verdict), result.message)
        for (_, program), result in zip(mine, results, strict=True)
        if str(result.verdict) != program.verdict
    }
    assert other == {}
    assert all(result.level == LEVELS[problem.style] for (problem, _), result in zip(mine, results, strict=True))


@pytest.mark.parametrize(
    ("language", "step"),
    [
        *((name, 4 if name == "typescript" else 1) for name in TABLES),
        pytest.param("typescript", 1, id="typescript-all", marks=pytest.mark.slow),
    ],
)
def test_each_program_is_judged_as_it_should_be(judge: Judge, language: str, step: int) -> None:
    need(language)
    judged(judge, items(language)[::step])


def test_php_programs_that_need_an_extension(judge: Judge) -> None:
    need("php")
    there = subprocess.run(["php", "-m"], capture_output=True, text=True).stdout.split()
    lacking = {"bcmath", "gmp", "mbstring"} - set(there)
    if lacking:
        pytest.skip(f"php lacks {', '.join(sorted(lacking))}: .ci/toolchains installs them")
    judged(judge, [(function_problem("php", one), one) for one in programs(php.EXTENSIONS, HEADS["php"])])


def test_there_are_five_hundred_right_programs() -> None:
    """The others of the lists are judged beside their own tests."""
    right = {name: sum(program.verdict == "OK" for _, program in items(name)) for name in TABLES}
    for name, module in (("cpp", cpp), ("java", java), ("csharp", csharp)):
        right[name] = sum(map(len, module.PROGRAMS.values()))
    right["python"] = len({code for _, code, verdict in PYTHON_CASES if verdict == "OK"})
    right["python"] += len(python_main.PROGRAMS) - len(python_main.FAILING) + len(python_main.PROCESSES)
    right["php"] += len(programs(php.EXTENSIONS))
    assert all(right[name] >= 50 for name in TABLES) and sum(right.values()) >= 500, right


@pytest.mark.slow
@pytest.mark.parametrize("language", TABLES)
def test_the_tool_chain_itself_says_the_same(language: str, tmp_path: Path) -> None:
    need(language)
    other = []
    for number, (problem, program) in enumerate(items(language)[:: STEPS.get(language, 1)]):
        reason = alone(language, problem, program, tmp_path / str(number))
        if (reason is None) != (program.verdict == "OK"):
            other.append((program.name, program.verdict, reason))
    assert other == []


def alone(language: str, problem: Problem, program: Program, folder: Path) -> str | None:
    """What goes wrong where program and tests are run as their harness would; ``None`` where nothing does."""
    folder.mkdir()
    suffix = {"javascript": "js", "php": "php", "bash": "sh", "typescript": "ts"}[language]
    file = folder / f"program.{suffix}"
    if problem.style == "program":
        file.write_text(f"{program.code}\n{without_first_brace(problem.tests[0].input)}\n")
        return ran(language, folder, "")[0]
    file.write_text(program.code)
    for test in problem.tests:
        reason, printed = ran(language, folder, test.input)
        if reason is not None or printed != test.expected:
            return reason or f"printed {printed!r:.200}"
    return None


def ran(language: str, folder: Path, given: str) -> tuple[str | None, str]:
    """Why it failed, and what it printed."""
    words = ["bash", "-c", COMMANDS[language]]
    done = subprocess.run(words, input=given.encode(), capture_output=True, cwd=folder, timeout=120)
    errors = (done.stderr or done.stdout).decode("utf-8", "replace")
    return (None if done.returncode == 0 else f"status {done.returncode}: {errors[-300:]}"), done.stdout.decode()
