"""Tests as text: those that a model wrote, and the examples that a prompt shows.

Single asserts are taken from a model's text as CodeT does (Chen et al. 2022, `CodeT: Code Generation with Generated
Tests`, and its code), but only those whose condition may be evaluated beside our own code
(:mod:`rewardranker.judge.expressions`); the others are counted by the reason.
"""

from __future__ import annotations

import ast
import doctest
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rewardranker.judge.expressions import MAX_LENGTH, Refused, calls_in, canonical, check, parsed
from rewardranker.linear import lexer
from rewardranker.problems.types import Problem

PER_SAMPLE, KEPT = 5, 30
_QUOTES = lexer(r"\"{3}|'{3}|(?m:^)[ \t]*+`{3}[^\n]*+")  # what ends a docstring is not expected by it
_LONGEST = 4 * MAX_LENGTH  # no test, however it is laid out
#: A base model's text that goes on after an assert ends before the first of these.
_STOPS = ("\nclass", "\ndef", "\n#", "\nif", "\nprint")


@dataclass(frozen=True)
class GeneratedTest:
    """A condition on the entry point, as one expression, and how many samples' texts hold it."""

    condition: str
    count: int = 1


@dataclass(frozen=True)
class GeneratedTests:
    """One problem's model-written tests, the most frequent first; what was refused, and why."""

    tests: tuple[GeneratedTest, ...] = ()
    refused: Counter[str] = field(default_factory=Counter)

    @property
    def conditions(self) -> tuple[str, ...]:
        return tuple(test.condition for test in self.tests)

    @property
    def counts(self) -> tuple[int, ...]:
        return tuple(test.count for test in self.tests)


def ask_for_tests(problem: Problem) -> str:
    """What a model continues with tests (Chen et al. 2022, figure 2): the function without its body, then asserts."""
    head = f"{problem.prefix.rstrip()}\n    pass" if problem.prefix else f'"""\n{problem.prompt.strip()}\n"""'
    return f"{head}\n\n# check the correctness of {problem.entry_point}\nassert "


def generated_tests(
    texts: Iterable[str], entry_point: str, per_sample: int = PER_SAMPLE, kept: int = KEPT
) -> GeneratedTests:
    """The model-written tests of one problem.

    Args:
        texts: one per sample, each going on after ``assert `` or holding whole asserts.
        per_sample: how many asserts of a sample count, from its beginning (CodeT: 5).
        kept: how many different conditions are kept, the most frequent ones; of equally frequent ones the first.
    """
    counts: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for text in texts:
        for condition in asserted(text, entry_point)[:per_sample]:
            try:
                check(condition, entry_point)
                counts[canonical(condition)] += 1
            except Refused as reason:
                refused[str(reason)] += 1
    return GeneratedTests(tuple(GeneratedTest(*item) for item in counts.most_common(kept)), refused)


def asserted(text: str, entry_point: str) -> list[ast.expr]:
    """The conditions of the asserts of a text that name the entry point and are valid Python, in order.

    The text is split at ``assert ``, and each part ends at the first line that begins something else: what CodeT
    does, and robust to a text that breaks off. Messages are dropped.
    """
    conditions = []
    for part in text.split("assert "):
        if entry_point in part:
            for stop in _STOPS:
                part = part.split(stop)[0]
            condition = _condition(f"assert {part.strip()}")
            if condition is not None:
                conditions.append(condition)
    return conditions


def _condition(statement: str) -> ast.expr | None:
    if len(statement) > _LONGEST:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            first = ast.parse(statement).body[0]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return first.test if isinstance(first, ast.Assert) else None


def calls_of(conditions: Sequence[str], entry_point: str, kept: int = KEPT) -> tuple[str, ...]:
    """What to observe: the calls that the conditions make, without what they expect; the first ``kept`` that differ.

    Of ``f(3) == 2`` that is ``f(3)``; of ``sorted(f(3)) == [1]``, ``sorted(f(3))``; of ``abs(f(3) - 0.5) < 1e-6`` it
    is ``f(3)``, since the difference would give away what is expected.
    """
    calls: dict[str, None] = {}
    for condition in conditions:
        for call in _observable(parsed(condition), entry_point):
            calls.setdefault(canonical(call), None)
    return tuple(calls)[:kept]


def _observable(condition: ast.expr, entry: str) -> Sequence[ast.expr]:
    if isinstance(condition, ast.Compare) and len(condition.ops) == 1:
        sides = [side for side in (condition.left, condition.comparators[0]) if calls_in(side, entry)]
        if len(sides) == 1 and _only_wraps(sides[0], entry):
            return sides
    return calls_in(condition, entry)


def _only_wraps(side: ast.expr, entry: str) -> bool:
    """Whether a side is a call of the entry point, or calls of builtins around one and nothing else but numbers (as
    in ``round(f(3), 2)``)."""
    if not isinstance(side, ast.Call):
        return False
    if isinstance(side.func, ast.Name) and side.func.id == entry:
        return True
    first, *others = side.args or [side]
    return (
        first is not side and _only_wraps(first, entry) and all(isinstance(other, ast.Constant) for other in others)
    )


def examples_of(problem: Problem) -> tuple[str, ...]:
    """The examples that a prompt shows, as conditions: its doctests, and its asserts (MBPP's prompts hold those).

    An example that is no plain call with a literal for its value is left out.
    """
    conditions = [*_doctests(problem.prompt), *asserted(problem.prompt, problem.entry_point)]
    found: dict[str, None] = {}
    for condition in conditions:
        try:
            check(condition, problem.entry_point)
            found.setdefault(canonical(condition), None)
        except Refused:
            continue
    return tuple(found)


def _doctests(prompt: str) -> list[ast.expr]:
    """Sessions as conditions. One that shows no output means ``None``, but for a comparison, which means itself."""
    try:
        examples = doctest.DocTestParser().get_examples(_QUOTES.sub("", prompt))
    except ValueError:  # indented in a way that the standard library finds inconsistent
        return []
    conditions: list[ast.expr] = []
    for example in examples:
        try:
            call, value = parsed(example.source), parsed(example.want or "None")
        except Refused:
            continue
        alone = isinstance(call, ast.Compare) and not example.want
        conditions.append(call if alone else ast.Compare(call, [ast.Eq()], [value]))
    return conditions
