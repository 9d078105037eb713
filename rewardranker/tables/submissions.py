"""Programs that no ranker chose, in any table: what they solve, and what a guard among them gives away."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from rewardranker.evaluation.guards import CHEAT, GOLD
from rewardranker.evaluation.pools import Submission
from rewardranker.problems.pool import group_by_problem
from rewardranker.problems.verdict import NEVER_LABELS, Verdict
from rewardranker.tables.ranked import judged

CHEAT_MAY_SOLVE = 0.02  # a few problems are solved by a constant in earnest
GUARDS = {GOLD: "reference solutions", CHEAT: "constant-returning programs"}


def solved_by_problem(submission: Submission) -> dict[str, float]:
    """The share of every problem's judged programs that is correct; problems without a judged one are left out.

    Raises:
        UserError: a program without a verdict.
    """
    if all(candidate.verdict in NEVER_LABELS for candidate in submission.candidates):
        return {}
    groups = judged(f"{submission.row}, {submission.language}", group_by_problem(submission.candidates))
    return {key: float(np.mean([c.verdict == Verdict.OK for c in group])) for key, group in groups.items()}


def guard_alarm(
    row: str, where: str, solved: float, problems: int, ceiling: tuple[int, int] | None = None
) -> str | None:
    """What a guard's row says is wrong with a table; ``None`` where all is well, or the row is no guard.

    Args:
        where: what the row is over, for people.
        solved: its share of ``problems``.
        ceiling: (solvable, total) problems; ``None`` where all are meant to be solvable.
    """
    if row == CHEAT and solved > CHEAT_MAY_SOLVE:
        return f"programs that return a constant solve {100 * solved:.1f} % in {where}"
    failing = round((1 - solved) * problems)
    allowed = ceiling[1] - ceiling[0] if ceiling else 0
    if row == GOLD and failing > allowed:
        return (
            f"reference solutions fail {failing} of {problems} problems in {where}, "
            f"where {allowed} are known to be unsolvable"
        )
    return None


def unguarded(rows: Collection[str]) -> str:
    """Which guards a table with these ``rows`` lacks, for people; empty where it has both."""
    return " and ".join(name for row, name in GUARDS.items() if row not in rows)
