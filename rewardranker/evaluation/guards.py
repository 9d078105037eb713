"""Rows that every table should have: programs whose verdicts are known beforehand.

References must reach the ceiling, and programs that return a constant must solve next to nothing; where they do not,
the table is wrong, whatever its other rows say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from rewardranker.execution.extraction import normalise
from rewardranker.problems.benchmarks import mbpp_config, mbpp_solutions
from rewardranker.problems.humaneval import HUMANEVAL_HUB
from rewardranker.problems.io import Row
from rewardranker.problems.sources import is_file, read_source
from rewardranker.problems.types import Candidate, Problem

CHEAT, GOLD = "cheat", "gold"


def cheats(problems: Sequence[Problem]) -> list[Candidate]:
    """For every problem a program that compiles and returns nothing of worth, whatever it is asked."""
    return [_candidate(problem, constant_program(problem), CHEAT) for problem in problems]


def references(problems: Sequence[Problem], solutions: Mapping[str, str]) -> list[Candidate]:
    """The known solutions, of those problems that have one."""
    return [_candidate(p, solutions[p.id], GOLD) for p in problems if p.id in solutions]


def reference_programs(benchmark: str, source: str, language: str = "python") -> dict[str, str]:
    """Whole programs by problem id, where the data hold solutions in this language: MBPP's and HumanEval's own, and
    files of MultiPL-E's rows (DeepSeek-Coder's Python file has HumanEval's).

    Raises:
        UserError: as the benchmark's loader does.
    """
    if language != "python":
        return {}
    if benchmark == "mbpp":
        return mbpp_solutions(mbpp_config(source))
    if benchmark == "humaneval":
        rows, _ = read_source(source or HUMANEVAL_HUB, "openai_humaneval", "test")
        return {f"humaneval/{str(row['task_id']).rpartition('/')[2]}": found for row, found in _solved(rows)}
    if not source or not is_file(source):
        return {}
    rows, _ = read_source(source, "", "")
    return {str(row.get("name") or row.get("task_id")): found for row, found in _solved(rows)}


def _solved(rows: Sequence[Row]) -> Iterator[tuple[Row, str]]:
    for row in rows:
        if row.get("canonical_solution"):
            yield row, normalise(f"{row['prompt']}{row['canonical_solution']}")


def constant_program(problem: Problem) -> str:
    """The problem's function with a body that returns null, zero, false or an empty value of its type."""
    if not problem.prefix:
        return f"def {problem.entry_point}(*args, **kwargs):\n    return None\n"
    if problem.language == "python":
        return f"{problem.prefix.rstrip()}\n    return None\n"
    closing = "\n    }\n}\n" if problem.language in ("java", "csharp") else "\n}\n"
    return f"{problem.prefix}{_return(problem.language, problem.prefix)}{closing}"


def _return(language: str, prefix: str) -> str:
    head = prefix.rstrip().splitlines()[-1]
    if language == "csharp":
        return f"return default({head.split('static ', 1)[1].rsplit('(')[0].rsplit(' ', 1)[0]});"
    if language == "java":
        kind = re.sub(r"\bpublic\b|\bstatic\b", "", head).split()[0]
        return {"boolean": "return false;", "long": "return 0;", "float": "return 0;"}.get(kind, "return null;")
    known = {"cpp": "return {};", "typescript": "return null as any;", "bash": ":"}
    return known.get(language, "return null;")


def _candidate(problem: Problem, code: str, source: str) -> Candidate:
    return Candidate(problem.id, problem.language, code, code, source)
