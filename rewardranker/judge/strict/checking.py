"""A problem's own checker, run on what a program printed.

A checker is trusted code, but what it is given is not: whatever it does on a program's output, short of returning
``True``, says that the output is wrong, as long as it returns ``True`` for the expected output.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from functools import lru_cache

from rewardranker.judge.child.tester import free_names
from rewardranker.judge.sandbox import Sandbox
from rewardranker.judge.strict.checker_programs import PROGRAMS, ask_program
from rewardranker.judge.strict.jobs import job_of, run_tester
from rewardranker.judge.strict.opinion import Opinion
from rewardranker.judge.transcript import Tampered, read_transcript
from rewardranker.problems.types import Limits, Problem, Test

#: Of a checker's process at least: it may have more to do than a program.
_CPU_S, _WALL_S, _MEMORY_MB = 10.0, 60.0, 1024
_TYPE, _VALUE = "assert type(outcome) is bool", "assert outcome"
_CHECKS = "\n".join(("assert True", "outcome = check({input!r}, {output!r}, {expected!r})", _TYPE, _VALUE, ""))
_TOTAL = 3  # that the checker was loaded; that it returned a bool; that this is True
NOT_BOOL = "returned neither True nor False"
_OF_ITS_OWN = ("ImportError", "ModuleNotFoundError")


def ask_checker(sandbox: Sandbox, problem: Problem, test: Test, output: str) -> Opinion:
    """The checker's opinion, from a process of its own, under limits. Raises ``SandboxDied``."""
    if problem.comparator in PROGRAMS:
        return ask_program(sandbox, problem, test, output)
    checks = _CHECKS.format(input=test.input, output=output, expected=test.expected)
    job = job_of(replace(problem, limits=_limits(problem.limits)), "")
    job |= {"style": "program", "names": [], "entry": "check", "nonce": secrets.token_hex(8)}
    outcome = run_tester(sandbox, job, problem.checker, [checks])
    try:
        answers = read_transcript(outcome, job["nonce"], _TOTAL, "tester").answers
    except Tampered as error:
        return Opinion(False, f"its process sent {error}", own_fault=True)
    kinds = [kind for kind, _ in answers]
    if len(kinds) == _TOTAL and kinds[:2] == ["pass", "pass"]:
        return Opinion(kinds[2] == "pass")
    failing = next((rest for kind, rest in answers if kind != "pass"), [])
    trouble = f"hit the limit on {outcome.limit}" if outcome.limit else _trouble(failing)
    return Opinion(False, trouble, kinds[:1] != ["pass"] or (bool(failing) and _is_own(problem.checker, failing)))


def _limits(limits: Limits) -> Limits:
    return replace(
        limits,
        cpu_s=max(limits.cpu_s, _CPU_S),
        wall_s=max(limits.wall_s, _WALL_S),
        memory_mb=max(limits.memory_mb, _MEMORY_MB),
    )


def _trouble(failing: list[str]) -> str:
    if not failing:
        return "ended its process"
    if failing == [_TYPE]:
        return NOT_BOOL
    return f"raised {_error(failing)}"


def _error(failing: list[str]) -> str:
    """The kind of error, and what is known of it, of a tester's line ``wrong`` or ``error``."""
    return ": ".join(failing) if len(failing) > 1 else failing[0].rpartition(": ")[2]


def _is_own(checker: str, failing: list[str]) -> bool:
    """Whether an error is the checker's at any output: a module that is not there, a name that nothing defines."""
    if failing[0] == "NameError":
        return any(f"name {name!r} " in failing[1] for name in _undefined(checker))
    return _error(failing) in _OF_ITS_OWN


@lru_cache(maxsize=1024)
def _undefined(checker: str) -> list[str]:
    return free_names([checker], "check")
