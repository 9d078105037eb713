"""What is known of a benchmark's data: problems that nobody can solve, ceilings, and what languages share."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal, get_args

from rich.table import Table

from rewardranker.problems.sources import SILENT_CHECKS
from rewardranker.problems.types import Problem

#: Who decides whether a program passes: our judge, or one of the harnesses that it can imitate.
Rules = Literal["strict", "multipl_e", "deepseek"]
RULES: tuple[Rules, ...] = get_args(Rules)


@dataclass(frozen=True)
class Flaw:
    """Why a correct program does not pass a problem's tests.

    Attributes:
        language: ours.
        names: ids of the problems that it may concern; empty for all.
        prompt, tests: regular expressions that must be found in the problem's; empty for none.
        passes_by: by whose rules a correct program passes all the same.
    """

    language: str
    reason: str
    names: frozenset[str]
    prompt: str
    tests: str
    passes_by: frozenset[str]

    def concerns(self, problem: Problem) -> bool:
        """Whether the problem, as it is in this revision, has the flaw."""
        return (
            problem.source == "multipl_e"
            and problem.language == self.language
            and (not self.names or problem.id in self.names)
            and re.search(self.prompt, problem.prefix) is not None
            and any(re.search(self.tests, test.input) for test in problem.tests)
        )


@cache
def known_flaws() -> tuple[Flaw, ...]:
    """What is listed in ``known_unsolvable.toml``."""
    text = resources.files(__package__).joinpath("known_unsolvable.toml").read_text(encoding="utf-8")
    return tuple(
        Flaw(
            language=group["language"],
            reason=group["reason"],
            names=frozenset(group.get("names", ())),
            prompt=group.get("prompt", ""),
            tests=group.get("tests", ""),
            passes_by=frozenset(group.get("passes_by", ())),
        )
        for group in tomllib.loads(text)["group"]
    )


def why_unsolvable(problem: Problem, rules: Rules) -> str:
    """Why a correct program fails by those rules; empty where it is not known to."""
    found = (flaw.reason for flaw in known_flaws() if rules not in flaw.passes_by and flaw.concerns(problem))
    return next(found, "")


def ceiling(problems: Iterable[Problem], rules: Rules) -> int:
    """How many of the problems a generator that is always right would be seen to solve, by those rules."""
    return sum(not why_unsolvable(problem, rules) for problem in problems)


def common_problems(problems: Iterable[Problem]) -> frozenset[str]:
    """The ``group_id`` of every problem that is there in all the languages given, Python aside.

    Of MultiPL-E's HumanEval in seven languages these are 154: rates on them can be compared between languages.
    """
    groups: dict[str, set[str]] = {}
    for problem in problems:
        if problem.language != "python":
            groups.setdefault(problem.language, set()).add(problem.group_id)
    return frozenset(set.intersection(*groups.values()) if groups else ())


@dataclass(frozen=True)
class Unsolvable:
    """A problem that a correct program does not pass by the rules in ``by``, and why."""

    problem: Problem
    reason: str
    by: tuple[Rules, ...]

    def row(self) -> tuple[str, ...]:
        """For a table: data set, language, revision, id, whose rules, reason."""
        by = "all" if self.by == RULES else ", ".join(self.by)
        return (*_part(self.problem), self.problem.id, by, self.reason)


def unsolvable(problems: Iterable[Problem]) -> list[Unsolvable]:
    """Every known flaw of every problem, in the problems' order; a problem may have several."""
    return [
        Unsolvable(problem, flaw.reason, tuple(rules for rules in RULES if rules not in flaw.passes_by))
        for problem in problems
        for flaw in known_flaws()
        if flaw.concerns(problem)
    ]


def card_rows(problems: Sequence[Problem]) -> list[tuple[str, ...]]:
    """One row for each data set, language and revision: source, language, revision, number of problems, how many
    of them all languages share, and the ceiling by each of :data:`RULES`."""
    common = common_problems(problems)
    parts: dict[tuple[str, str, str], list[Problem]] = {}
    for problem in problems:
        parts.setdefault(_part(problem), []).append(problem)
    return [
        (
            *part,
            str(len(found)),
            str(sum(problem.group_id in common for problem in found)),
            *(str(ceiling(found, rules)) if _has_rules(found[0], rules) else "–" for rules in RULES),
        )
        for part, found in parts.items()
    ]


def data_card(problems: Sequence[Problem]) -> Table:
    """:func:`card_rows` for a terminal; a caption says where the problems that nobody solves are listed."""
    table = Table(*_CARD)
    for column in table.columns[3:]:
        column.justify = "right"
    for row in card_rows(problems):
        table.add_row(*row)
    count = len({id(found.problem) for found in unsolvable(problems)})
    if count:
        table.caption = f"{count:,} with tests that a correct program fails: `rewardranker card` lists them"
    return table


def unsolvable_table(problems: Sequence[Problem]) -> Table:
    """:func:`unsolvable` for a terminal, the problems of a data set with the same reason together."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for *part, name, by, reason in (found.row() for found in unsolvable(problems)):
        groups.setdefault((" ".join(part), by, reason), []).append(name)
    table = Table("data", "fails by", "why", "problems", show_lines=True)
    for group, names in groups.items():
        table.add_row(*group, "\n".join(names))
    table.columns[3].no_wrap = True
    return table


def card_markdown(problems: Sequence[Problem]) -> str:
    """The card and the listing as a Markdown page."""
    rows = [found.row() for found in unsolvable(problems)]
    lines = ["# Data card", "", *_markdown(_CARD, ["---"] * 3 + ["---:"] * (len(_CARD) - 3), card_rows(problems))]
    lines += ["", "## Problems that a correct program does not pass", ""]
    lines += _markdown(_LISTING, ["---"] * len(_LISTING), rows) if rows else ["None is known."]
    return "\n".join(lines) + "\n"


_CARD = ("benchmark", "language", "revision", "problems", "common", *(f"ceiling, {rules}" for rules in RULES))
_LISTING = ("benchmark", "language", "revision", "problem", "fails by", "why")


def _markdown(header: Sequence[str], rule: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(header)} |", f"|{'|'.join(rule)}|", *(f"| {' | '.join(row)} |" for row in rows)]


def _has_rules(problem: Problem, rules: Rules) -> bool:
    """Other harnesses know the tests of HumanEval, MBPP and MultiPL-E."""
    return rules == "strict" or problem.source not in SILENT_CHECKS


def _part(problem: Problem) -> tuple[str, str, str]:
    kind = problem.group_id.partition("/")[0] if problem.source == "multipl_e" else problem.source
    return " ".join(dict.fromkeys((problem.source, kind))), problem.language, problem.revision
