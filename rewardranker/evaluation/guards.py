"""Rows that every table should have: programs whose verdicts are known beforehand.

References must reach the ceiling, and programs that return a constant must solve next to nothing; where they do not,
the table is wrong, whatever its other rows say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rewardranker.evaluation.pools import Submission
from rewardranker.judge import JudgeFunction, judge_candidates
from rewardranker.problems.types import Candidate, Problem

CHEAT, GOLD = "cheat", "gold"
_SILENT = {
    "python": "pass\n",
    "cpp": "int main() {}\n",
    "java": "public class Main {\n    public static void main(String[] args) {}\n}\n",
    "csharp": "class Program {\n    static void Main() {}\n}\n",
    "php": "<?php\n",
    "typescript": "export {};\n",
    "javascript": ";\n",
    "bash": ":\n",
}


def cheats(problems: Sequence[Problem]) -> list[Candidate]:
    """For every problem a program that compiles and returns nothing of worth, whatever it is asked."""
    return [_candidate(problem, constant_program(problem), CHEAT) for problem in problems]


def references(problems: Sequence[Problem], solutions: Mapping[str, str]) -> list[Candidate]:
    """The known solutions, of those problems that have one."""
    return [_candidate(p, solutions[p.id], GOLD) for p in problems if p.id in solutions]


def judged_guards(problems: Sequence[Problem], solutions: Mapping[str, str], run: JudgeFunction) -> list[Candidate]:
    """Both, judged."""
    guards = cheats(problems) + references(problems, solutions)
    judge_candidates(guards, {problem.id: problem for problem in problems}, run)
    return guards


def guard_submissions(guards: Sequence[Candidate], language: str) -> list[Submission]:
    """As tables take them; none of a guard without programs."""
    rows = {row: [candidate for candidate in guards if candidate.source == row] for row in (CHEAT, GOLD)}
    return [Submission(row, language, programs) for row, programs in rows.items() if programs]


def constant_program(problem: Problem) -> str:
    """The problem's function with a body that returns null, zero, false or an empty value of its type; of a problem
    whose programs print, one that prints nothing."""
    if problem.style == "stdio":
        return _SILENT[problem.language]
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
        numbers = dict.fromkeys(("byte", "short", "char", "int", "long", "float", "double"), "return 0;")
        return {"boolean": "return false;", **numbers}.get(kind, "return null;")
    known = {"cpp": "return {};", "typescript": "return null as any;", "bash": ":"}
    return known.get(language, "return null;")


def _candidate(problem: Problem, code: str, source: str) -> Candidate:
    return Candidate(problem.id, problem.language, code, code, source)
