"""Python at stdio runs as ``python3 program.py`` does: every program here is run by both, on the same input."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from benchmark_data import shared_cases
from honest.python_main import FAILING, PROCESSES, PROGRAMS
from judging import problem, verdict

from rewardranker.judge import Judge
from rewardranker.judge.sandbox.tiers import strongest
from rewardranker.problems.io import read_json_lines, read_problems
from rewardranker.problems.types import Limits, Test
from rewardranker.problems.verdict import Verdict

INPUT = "3 4\nthe second line\n\n7"
LIMITS = Limits(cpu_s=5.0, wall_s=30.0, memory_mb=512)
ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0", "TZ": "UTC"}


def alone(code: str, folder: Path) -> tuple[str, int]:
    """What ``python3 program.py`` prints, and its exit status."""
    (folder / "program.py").write_bytes(encoded(code))
    (folder.parent / "input").write_text(INPUT)
    with open(folder.parent / "input", "rb") as file:
        done = subprocess.run([sys.executable, "program.py"], stdin=file, capture_output=True, cwd=folder, env=ENV)
    return done.stdout.decode("utf-8", "surrogateescape"), done.returncode


def made(parent: Path) -> Path:
    """An empty folder, but for the program."""
    (parent / "job").mkdir()
    return parent / "job"


def encoded(code: str) -> bytes:
    return code.encode("latin-1" if "latin-1 -*-" in code else "utf-8")


def compared(judge: Judge, code: str, folder: Path, fails: bool = False) -> None:
    printed, status = alone(code, folder)
    assert bool(status) is fails, printed
    task = problem("stdio", (Test(INPUT, printed),), comparator="exact", limits=LIMITS)
    result = verdict(judge, code, task)
    if status:
        assert result.verdict in (Verdict.RUNTIME_ERROR, Verdict.COMPILE_ERROR), (result, printed)
    else:
        assert result.verdict is Verdict.OK, (result, printed)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_main_program_does_here_what_it_does_alone(judge: Judge, tmp_path: Path, name: str) -> None:
    compared(judge, PROGRAMS[name], made(tmp_path), name in FAILING)


@pytest.mark.parametrize("name", PROCESSES)
def test_programs_of_several_processes(judge: Judge, tmp_path: Path, name: str) -> None:
    if strongest().tier not in ("A", "A+"):
        pytest.skip(f"tier {strongest().tier} has no /dev/shm of a program's own")
    compared(judge, PROCESSES[name], made(tmp_path))


def test_programs_that_were_judged_wrongly_once(judge: Judge) -> None:
    problems = {task.id: task for task in read_problems(shared_cases("stdio_problems.jsonl"))}
    rows = list(read_json_lines(shared_cases("stdio_pool.jsonl")))
    wanted = {row["line"]: row["want"] for row in read_json_lines(shared_cases("stdio_want.jsonl"))}
    mine = {line: row for line, row in enumerate(rows, 1) if row["language"] == "python"}
    results = judge.run([(problems[row["problem_id"]], row["code"]) for row in mine.values()])
    assert {line: str(result.verdict) for line, result in zip(mine, results, strict=True)} == {
        line: wanted[line] for line in mine
    }
