"""A contest's problem with what people submitted, in no language yet; and the problem that it is in each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rewardranker.problems.languages import PROPER_NAMES
from rewardranker.problems.types import Comparator, Limits, Problem, Split, Test

#: How sites shorten a test that is too long to be shown. Codeforces does from some 250 characters on, mid-line.
_CUT, _LEAST_CUT = "...", 200
#: What CodeContests' own runner allows where a problem says nothing (``execution/tester_sandboxer.cc``).
_CPU_S, _MEMORY_MB = 10.0, 256
_WALL_PER_CPU = 10.0


@dataclass(frozen=True)
class Program:
    """Something that a person submitted, and what the site said of it.

    Attributes:
        language: one of ours, or what :func:`rewardranker.problems.contests.dialects.dialect` says of others.
        named: the language in the site's words.
        code: as it was submitted.
        right: the site's label.
        outcome: the site's verdict, or the column that it comes from.
        passed: how many tests it passed there; ``None`` where the data do not say.
    """

    language: str
    named: str
    code: str
    right: bool
    outcome: str
    passed: int | None = None


@dataclass(frozen=True, kw_only=True)
class Task:
    """A problem in the words of its site.

    Attributes:
        id: unique, and the same in every run: the data set's name and the problem's there.
        contest: the same for the same problem in another data set (``codeforces/76/B``); the ``id`` where unknown.
        aliases: other names of the same kind that its site has for it.
        statement: everything that a solver is told.
        tests: those that are whole.
        incomplete: why passing the tests does not make a program right; empty where it does. The tests of such a task
            are never run for a label.
        unusable: why nobody can be judged on it at all (it is interactive, it reads files); empty where one can.
        comparator, checker: see :class:`rewardranker.problems.types.Problem`.
        programs: what people submitted, where the data have it beside the problem.
    """

    id: str
    source: str
    contest: str
    statement: str
    tests: tuple[Test, ...]
    limits: Limits
    split: Split
    licence: str
    revision: str
    comparator: Comparator = "tokens"
    checker: str = ""
    incomplete: str = ""
    unusable: str = ""
    programs: tuple[Program, ...] = ()
    aliases: tuple[str, ...] = ()

    @property
    def trouble(self) -> str:
        """Why no label can come of it; empty where one can."""
        return self.unusable or self.incomplete or ("" if self.tests else "no tests")


def problem_in(task: Task, language: str) -> Problem:
    """The task as a problem whose programs are written in ``language``."""
    return Problem(
        id=f"{task.id}/{language}",
        source=task.source,
        language=language,
        prompt=f"{task.statement.rstrip()}\n\n{request_for(language)}\n",
        style="stdio",
        tests=task.tests,
        split=task.split,
        group_id=task.contest,
        licence=task.licence,
        revision=task.revision,
        limits=task.limits,
        comparator=task.comparator,
        checker=task.checker,
    )


def request_for(language: str) -> str:
    """The last line of every prompt."""
    named = PROPER_NAMES.get(language, language)
    return f"Write a program in {named} that reads standard input and writes standard output."


def whole_tests(*parts: Any) -> tuple[tuple[Test, ...], int]:
    """Tests of all parts without repetitions, and how many are cut off with ``...`` and were left out.

    A part is a list of ``{"input", "output"}`` or, in columns, ``{"input": [...], "output": [...]}``; ``None`` is an
    empty one.
    """
    tests: dict[tuple[str, str], Test] = {}
    cut = 0
    for given, printed in (pair for part in parts for pair in pairs(part, ("input", "output"))):
        if is_cut(given) or is_cut(printed):
            cut += 1
        else:
            tests[given, printed] = Test(given, printed)
    return tuple(tests.values()), cut


def is_cut(text: str) -> bool:
    """Whether a site shortened the text: it ends with ``...`` behind a number or a space, or is long and no grid.

    ``...`` may be a grid's last row. In doubt a test counts as cut: that costs a test, the other a wrong label.
    """
    shown = text.rstrip()
    if not shown.endswith(_CUT):
        return False
    rest = shown.removesuffix(_CUT)
    if rest[-1:].isdigit() or rest[-1:] in (" ", "\t"):
        return True
    rows = shown.splitlines()[-2:]
    return len(shown) >= _LEAST_CUT and (len(rows) < 2 or len(rows[0]) != len(rows[1]))


def pairs(part: Any, names: tuple[str, str]) -> Iterator[tuple[Any, Any]]:
    """The two fields of every entry of a nested column, which is a list of rows or, with one list a field, a row."""
    if part is None:
        return
    if isinstance(part, dict):
        yield from zip(part[names[0]] or (), part[names[1]] or (), strict=True)
        return
    yield from ((entry[names[0]], entry[names[1]]) for entry in part)


def limits_of(seconds: float | None, megabytes: float | None, factor: float) -> Limits:
    """A problem's limits; what is unknown is what CodeContests' runner allows.

    Args:
        factor: on the time, for a machine that is not the site's.
    """
    cpu_s = factor * (seconds or _CPU_S)
    memory_mb = math.ceil(megabytes or _MEMORY_MB)
    return Limits(cpu_s=cpu_s, wall_s=_WALL_PER_CPU * cpu_s, memory_mb=memory_mb)


def interactive(statement: str, tags: Sequence[str]) -> bool:
    """Whether a program talks to the judge in turns: by the problem's tags, its words, or a part on interaction."""
    words = statement.lower()
    return (
        "interactive" in tags
        or "interactive problem" in words
        or any(line.strip() == "interaction" for line in words.splitlines())
    )
