"""A program that is known to be right: when it is not found right, the fault is ours and no program's."""

from __future__ import annotations

from rewardranker.problems.types import Limits, Problem, Test


def canary_problem(language: str) -> Problem:
    """Copy standard input to standard output; ``Language.canary`` solves it."""
    return Problem(
        id=f"canary/{language}",
        source="canary",
        language=language,
        prompt="",
        style="stdio",
        tests=(Test("canary 42\n", "canary 42\n"),),
        limits=Limits(cpu_s=10.0, wall_s=120.0),
    )
