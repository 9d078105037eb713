"""Problems whose tests cannot say which program is right, found by running programs that their site calls right.

A problem that allows several answers, with no checker, fails programs that print another one. No column says so, but
a program labelled right that prints something else than expected does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from rewardranker.problems.contests.census import Census
from rewardranker.problems.types import CHECKED, Problem
from rewardranker.problems.verdict import NEVER_LABELS, Verdict

SEVERAL = "problems: a program labelled right prints another answer, and there is no checker"
BROKEN = "problems: a checker that cannot check"
REFUSED = "problems: the checker refuses every program labelled right"


def undecided(judged: Iterable[tuple[Problem, Verdict, str]], census: Census, allowed: float = 0.0) -> frozenset[str]:
    """Tasks that can give no labels, by the name that their problems in all languages share (:func:`task_name`).

    Programs that ran out of time or memory, or ended in an error, are no evidence: the machine may be another one.

    Args:
        judged: programs that are labelled right: their problem, our verdict and the judge's message.
        census: is told each task that is out, with the reason.
        allowed: the share of a task's programs that may print something else before it is out, for data whose labels
            are noisy. (Of CodeContests' right programs some 15 % fail.)
    """
    verdicts: dict[str, list[Verdict]] = defaultdict(list)
    reasons: dict[str, str] = {}
    checked: set[str] = set()
    for problem, verdict, message in judged:
        name = task_name(problem)
        if problem.comparator in CHECKED:
            checked.add(name)
        if verdict in NEVER_LABELS and "the checker of problem" in message:
            reasons[name] = BROKEN
        elif verdict in (Verdict.OK, Verdict.WRONG):
            verdicts[name].append(verdict)
    for name, found in verdicts.items():
        wrong = found.count(Verdict.WRONG)
        if name in checked and wrong == len(found):
            reasons.setdefault(name, REFUSED)
        elif name not in checked and wrong > allowed * len(found):
            reasons.setdefault(name, SEVERAL)
    for name, reason in reasons.items():
        census.leave_out(reason, name)
    return frozenset(reasons)


def task_name(problem: Problem) -> str:
    """What a contest's problem is called in all languages: the ``id`` without the language."""
    return problem.id.removesuffix(f"/{problem.language}")
