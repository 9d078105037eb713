"""Problems as people write them down: what a row has to hold, what is filled in, and what tests have to look like."""

from __future__ import annotations

import json
import math
from functools import lru_cache
from typing import Any, get_args, get_type_hints

from rewardranker.errors import UserError, did_you_mean
from rewardranker.problems.fields import Row, check_fields, without_nulls
from rewardranker.problems.languages import LANGUAGES, canonical_language
from rewardranker.problems.types import CHECKED, Comparator, Limits, Problem, Split, Style, Test

#: Of what a file can say; ``probe`` observes, and is made of other problems.
_CHOICES = {
    "style": tuple(style for style in get_args(Style) if style != "probe"),
    "split": get_args(Split),
    "comparator": get_args(Comparator),
}
#: Styles whose tests call a function by the problem's own ``entry_point``.
_CALLING = ("function", "probe")


def problem_of(row: Row, where: str) -> Problem:
    """A row of a problems file as a problem.

    Args:
        where: the row stands, for messages.

    Raises:
        UserError: a field is missing, unknown, not of its kind or none of its choices; tests or limits are not what
            they should be.
    """
    row = without_nulls(row)
    check_fields(row, Problem, where)
    where = f"{where} ({row['id']})"
    check_language(row["language"], where)
    for name, choices in _CHOICES.items():
        _check_choice(name, row.get(name, choices[0]), choices, where)
    parts = dict(row)
    numbered = [(without_nulls(test), f"{where}, test {n}") for n, test in _numbered(row, where)]
    parts["tests"] = tuple(_test(test, row["style"], place) for test, place in numbered)
    if row["style"] == "stdio" and row.get("comparator") not in CHECKED:
        for test, place in numbered:
            if "expected" not in test:
                raise UserError(f"{place}: lacks expected, what the program has to print; only a checker needs none")
    if "limits" in row:
        if not isinstance(row["limits"], dict):
            raise UserError(
                f'{where}: limits must be an object such as {{"cpu_s": 2.0}}, found {row["limits"]!r:.80}'
            )
        limits = without_nulls(row["limits"])
        check_fields(limits, Limits, f"{where}, limits")
        parts["limits"] = Limits(**limits)
    stops = row.get("stop_tokens", [])
    if not isinstance(stops, list) or not all(isinstance(stop, str) for stop in stops):
        raise UserError(f"{where}: stop_tokens must be a list of texts, found {stops!r:.80}")
    parts["stop_tokens"] = tuple(stops)
    problem = Problem(**parts)
    check_given(problem, where)
    return problem


def check_given(problem: Problem, where: str) -> None:
    """What no program could be judged by, whoever made the problem.

    Raises:
        UserError: no tests, a function's tests that are not JSON, no name of a function to call, a checker that would
            not be asked, limits of nothing.
    """
    if not problem.tests:
        raise UserError(f"{where} has no tests; a program can only be judged by tests")
    if problem.style in _CALLING and not problem.entry_point:
        raise UserError(f"{where} lacks entry_point: style {problem.style!r} calls a function by that name")
    if problem.style == "function":
        for number, test in enumerate(problem.tests, 1):
            _check_json(test, f"{where}, test {number}")
    if problem.checker and problem.comparator not in CHECKED:
        raise UserError(
            f'{where} has a checker, but comparator {problem.comparator!r}: write "comparator": "checker"'
        )
    _check_limits(problem.limits, where)


def check_language(name: str, where: str) -> None:
    """Raises :class:`UserError` for a language that is none of ours, or one of them by another name."""
    if name in LANGUAGES:
        return
    own = canonical_language(name)
    hint = f"; did you mean {own}?" if own in LANGUAGES else did_you_mean(name.lower(), LANGUAGES)
    raise UserError(f"{where}: language {name!r} must be one of {', '.join(LANGUAGES)}{hint}")


@lru_cache(maxsize=65536)
def json_value(text: str) -> Any:
    """A test's text as JSON. Raises ``ValueError``."""
    return json.loads(text)


def _check_choice(name: str, value: str, choices: tuple[str, ...], where: str) -> None:
    if value not in choices:
        hint = did_you_mean(value.lower(), choices)
        raise UserError(f"{where}: {name} {value!r} must be one of {', '.join(choices)}{hint}")


def _numbered(row: Row, where: str) -> enumerate[Any]:
    tests = row["tests"]
    if not isinstance(tests, list) or not all(isinstance(test, dict) for test in tests):
        raise UserError(f'{where}: tests must be a list such as [{{"input": "...", "expected": "..."}}]')
    return enumerate(tests, 1)


def _test(test: Row, style: str, where: str) -> Test:
    for name in ("input", "expected"):
        value = test.get(name)
        if style == "function" and value is not None and not isinstance(value, str):
            raise UserError(
                f"{where}: {name} must be the JSON as text: write {json.dumps(json.dumps(value)):.80}, not "
                f"{json.dumps(value):.60}"
            )
    check_fields(test, Test, where)
    return Test(**test)


def _check_json(test: Test, where: str) -> None:
    wanted = {"input": "the JSON list of the arguments, such as [1, 2]", "expected": "the JSON value to be returned"}
    for name, what in wanted.items():
        text = getattr(test, name)
        try:
            value = json_value(text)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{where}: {name} {text!r:.60} is not valid JSON: {error}; it must be {what}") from None
        if name == "input" and not isinstance(value, list):
            raise UserError(
                f"{where}: input {text!r:.60} is no list; it must be {what}; of one argument: [{text:.60}]"
            )


def _check_limits(limits: Limits, where: str) -> None:
    for name, kind in get_type_hints(Limits).items():
        value, whole = getattr(limits, name), kind is int
        number = value if type(value) is int or (type(value) is float and not whole) else math.nan
        if not 0 < number < math.inf:
            raise UserError(
                f"{where}: limits.{name} must be a {'whole ' if whole else ''}number above 0, found {value!r}; "
                f"left out, it is {getattr(Limits(), name)}"
            )
