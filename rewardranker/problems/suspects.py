"""Problems whose tests seem to call what nobody wrote: the one rule for what that means, and for what comes of it.

Where every program of a problem, of several, ends in the same error at the call that the tests make (no function of
that name, another number of arguments), the tests are more likely to be at fault than all of the programs. Their
verdicts stand, and are no labels: hard negatives are mined in what :func:`labelled` leaves of a judged pool. Pairs
of a passing and a failing program need no such rule, since none passes there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rewardranker.problems.pool import group_by_problem
from rewardranker.problems.types import Candidate, Problem
from rewardranker.problems.verdict import NEVER_LABELS, Verdict

#: By kind of error, what the judge's message about one holds: all fragments of a row, ``{e}`` being the entry point.
#: ``Calls_*.java``, ``calls.cpp`` and ``calls.cs`` are the judge's own, and call the program.
_CALL_ERRORS: dict[str, tuple[tuple[str, ...], ...]] = {
    "nothing of that name": (
        ("the program does not define {e}",),
        ("the program does not define the function {e}",),
        ("NameError: name '{e}' is not defined",),
        ("Calls_", ".java:", "cannot find symbol"),
        ("calls.cpp:", "‘{e}’ was not declared"),
        ("calls.cs(", "CS0117", "`{e}'"),
        ("calls.cs(", "CS0400"),
        ("TS2304", "'{e}'"),
    ),
    "another number of arguments": (
        ("TypeError: {e}() takes ",),
        ("TypeError: {e}() missing ",),
        ("ArgumentCountError: ", "function {e}("),
        ("Calls_", ".java:", "cannot be applied to given types"),
        ("calls.cpp:", "arguments to function"),
        ("calls.cpp:", "no matching function for call"),
        ("calls.cs(", "CS1501"),
        ("TS2554",),
    ),
    "no main program": (
        ("no main manifest attribute",),
        ("undefined reference to", "main'"),
        ("CS5001",),
    ),
}
_SHOWN = 10

#: Of one program: its problem's id, its code, its verdict and the judge's message.
Judged = tuple[str, str, Verdict | None, str]


def suspected(problems: Mapping[str, Problem], judged: Iterable[Judged]) -> dict[str, str]:
    """The message of the first program by id of each problem that is suspected, in order of first appearance.

    Programs that could not be judged say nothing; one program alone, however often it was sampled, may be at fault
    itself.
    """
    kinds: dict[str, dict[str, str]] = {}
    first: dict[str, str] = {}
    for problem_id, code, verdict, message in judged:
        if verdict is not None and verdict not in NEVER_LABELS:
            kinds.setdefault(problem_id, {})[code] = call_error(problems[problem_id], message)
            first.setdefault(problem_id, message)
    return {
        problem_id: first[problem_id]
        for problem_id, of_codes in kinds.items()
        if len(of_codes) > 1 and len(found := set(of_codes.values())) == 1 and "" not in found
    }


def suspected_in(problems: Mapping[str, Problem], pool: Sequence[Candidate]) -> dict[str, str]:
    """:func:`suspected` of a pool."""
    return suspected(problems, ((c.problem_id, c.code, c.verdict, c.message) for c in pool))


def labelled(
    problems: Mapping[str, Problem], pool: Sequence[Candidate], label_suspected: bool
) -> dict[str, list[Candidate]]:
    """The candidates by problem (:func:`group_by_problem`) whose verdicts may become labels.

    Args:
        label_suspected: take the verdicts of suspected problems for labels too.
    """
    doubtful = {} if label_suspected else suspected_in(problems, pool)
    return {name: group for name, group in group_by_problem(pool).items() if name not in doubtful}


def call_error(problem: Problem, message: str) -> str:
    """The kind of error at the call that a test makes; empty for any other message."""
    for kind, rows in _CALL_ERRORS.items():
        if not problem.entry_point and any("{e}" in part for row in rows for part in row):
            continue  # tests that call nothing
        if any(all(part.format(e=problem.entry_point) in message for part in row) for row in rows):
            return kind
    return ""


def describe_suspected(found: Mapping[str, str]) -> str:
    """One line for a person, of one problem or more."""
    names = list(found)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return (
        f"suspected problems: {', '.join(names[:_SHOWN])}{more}. Every program ends in the same error at the call "
        f"that the tests make ({names[0]}: {found[names[0]]:.150}): look at tests, entry_point and prompt. Their "
        "verdicts become no labels (mining.label_suspected)"
    )
