"""Programs whose verdict is known, of public benchmarks: references are OK, stubs are not."""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from judging import need

from rewardranker.evaluation.guards import constant_program
from rewardranker.judge import Judge
from rewardranker.problems.benchmarks import load_humaneval
from rewardranker.problems.io import read_json_lines
from rewardranker.problems.multipl_e import load_multipl_e
from rewardranker.problems.types import Problem, Test
from rewardranker.problems.verdict import NEVER_LABELS

CODES = {
    "cpp": "cpp",
    "java": "java",
    "php": "php",
    "typescript": "ts",
    "csharp": "cs",
    "bash": "sh",
    "javascript": "js",
}
EXITS = {
    "cpp": "exit(0);",
    "java": "if (true) System.exit(0); throw new RuntimeException();",
    "php": "exit(0);",
    "typescript": "(globalThis as any).process.exit(0); throw 0;",
    "csharp": "Environment.Exit(0); throw new Exception();",
    "bash": "exit 0",
    "javascript": "process.exit(0);",
}


@pytest.mark.parametrize("language", ["python", *CODES])
def test_a_constant_program_that_prints_nothing_runs(judge: Judge, language: str) -> None:
    """It fails for what it prints, and for nothing else."""
    need(language)
    problem = Problem(id="p", language=language, prompt="Add.", style="stdio", tests=(Test("1 2\n", "3\n"),))
    (found,) = judge.run([(problem, constant_program(problem))])
    assert found.verdict == "WRONG", found


def shared(name: str) -> Path:
    root = os.environ.get("REWARDRANKER_SHARED_DATA")
    path = (Path(root) if root else Path(__file__).resolve().parents[3] / "shared" / "data") / name
    if not path.exists():
        pytest.skip(f"{path} is absent: set REWARDRANKER_SHARED_DATA to a folder with {name}")
    return path


def stub(problem: Problem, body: str) -> str:
    closing = "\n    }\n}\n" if problem.language in ("java", "csharp") else "\n}\n"
    return f"{problem.prefix}{body}{closing}"


def test_humaneval_s_own_solutions_pass(judge: Judge) -> None:
    path = shared("humaneval/HumanEval.jsonl.gz")
    solutions = {
        f"humaneval/{r['task_id'].rpartition('/')[2]}": r["canonical_solution"] for r in read_json_lines(path)
    }
    problems = load_humaneval(path)
    results = judge.run([(problem, problem.prefix + solutions[problem.id]) for problem in problems])
    assert Counter(str(result.verdict) for result in results) == {"OK": 164}
    assert {result.level for result in results} == {"L2"}


@pytest.mark.timeout(1800)  # some hundred compilations: minutes on an idle machine, more on a busy one
@pytest.mark.slow
@pytest.mark.parametrize("language", CODES)
def test_stubs_fail_on_every_row(language: str) -> None:
    """``return null``, an empty body, an early exit. A stub may be right by chance where a task asks for just
    that; that is at most one row in a hundred, and never by an exit."""
    path = shared(f"multipl_e/humaneval-{CODES[language]}.jsonl")
    need(language)
    rows = load_multipl_e(path, language)
    # What C++ returns from an empty body is what lies there, over which some tests would loop for ever.
    problems = [replace(row, limits=replace(row.limits, cpu_s=2.0)) for row in rows]
    kinds = {
        "null": [(problem, constant_program(problem)) for problem in problems],
        "empty": [(problem, stub(problem, ":" if language == "bash" else "")) for problem in problems],
        "exit": [(problem, stub(problem, EXITS[language])) for problem in problems],
    }
    with Judge(workers=2) as judge:
        results = judge.run([item for items in kinds.values() for item in items])
    by_kind = {kind: results[i * len(problems) : (i + 1) * len(problems)] for i, kind in enumerate(kinds)}
    counts = {kind: dict(Counter(str(r.verdict) for r in found)) for kind, found in by_kind.items()}
    print(language, json.dumps(counts))
    for kind, judged in by_kind.items():
        passing = [p.id for p, r in zip(problems, judged, strict=True) if r.verdict == "OK"]
        assert len(passing) <= (0 if kind == "exit" else len(problems) // 100), (kind, passing)
        lost = [(p.id, r.message) for p, r in zip(problems, judged, strict=True) if r.verdict in NEVER_LABELS]
        assert len(lost) <= 1, lost  # JavaScript's task 51 has tests that are no program
    if language not in ("bash", "javascript", "php"):
        compiled = Counter(str(r.verdict) for r in by_kind["exit"])
        assert compiled["COMPILE_ERROR"] <= 1, compiled  # C++'s task 137 cannot be compiled by anyone
