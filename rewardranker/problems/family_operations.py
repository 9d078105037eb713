"""The tables of the built-in problem family: what can be asked, and how authors write it, right and wrong.

Every operation takes a list of integers ``xs`` and makes another; every result is the value returned at the
end. The first implementation is correct, the others are mistakes that people make (for ``the list`` both
are correct). The tables and the test inputs are part of the data's revision: change them, raise
``VERSION``.
"""

from __future__ import annotations

from dataclasses import dataclass

VERSION = "1"


@dataclass(frozen=True)
class Step:
    """One phrase of a statement and the expressions that authors write for it, the correct one first."""

    words: str
    implementations: tuple[str, ...]


def _step(words: str, *implementations: str) -> Step:
    return Step(words, implementations)


OPERATIONS: tuple[Step, ...] = (
    _step("keep values of at least zero", "[x for x in xs if x >= 0]", "[x for x in xs if x > 0]"),
    _step("keep negative values", "[x for x in xs if x < 0]", "[x for x in xs if x <= 0]"),
    _step(
        "keep multiples of three",
        "[x for x in xs if x % 3 == 0]",
        "[x for x in xs if x % 3]",
        "[x for x in xs if x // 3 == 0]",
    ),
    _step(
        "keep odd values",
        "[x for x in xs if x % 2]",
        "[x for x in xs if x % 2 == 0]",
        "[x for x in xs if x // 2]",
    ),
    _step(
        "keep values of at most ten",
        "[x for x in xs if x <= 10]",
        "[x for x in xs if x < 10]",
        "[x for x in xs if x >= 10]",
    ),
    _step("double each value", "[x * 2 for x in xs]", "[x + 2 for x in xs]", "[x ** 2 for x in xs]"),
    _step("square each value", "[x ** 2 for x in xs]", "[x * 2 for x in xs]"),
    _step(
        "halve each value rounding down",
        "[x // 2 for x in xs]",
        "[int(x / 2) for x in xs]",
        "[x / 2 for x in xs]",
    ),
    _step("take the absolute values", "[abs(x) for x in xs]", "[-x for x in xs]"),
    _step("negate each value", "[-x for x in xs]", "[abs(x) for x in xs]", "[~x for x in xs]"),
    _step("take each value modulo three", "[x % 3 for x in xs]", "[x // 3 for x in xs]"),
    _step("cap each value at ten", "[min(x, 10) for x in xs]", "[max(x, 10) for x in xs]"),
    _step(
        "raise each value to at least zero",
        "[max(x, 0) for x in xs]",
        "[min(x, 0) for x in xs]",
        "[abs(x) for x in xs]",
    ),
    _step("take the first two", "xs[:2]", "xs[:3]", "xs[2:]"),
    _step("take the last two", "xs[-2:]", "xs[:-2]", "xs[2:]"),
    _step("drop the first", "xs[1:]", "xs[:-1]", "xs[:1]"),
    _step("drop the last", "xs[:-1]", "xs[1:]", "xs[-1:]"),
    _step("take every second item", "xs[::2]", "xs[1::2]", "xs[:2]"),
    _step("reverse the list", "xs[::-1]", "sorted(xs, reverse=True)", "xs[:-1]"),
    _step("sort the list", "sorted(xs)", "sorted(xs, reverse=True)", "sorted(set(xs))"),
    _step("sort in descending order", "sorted(xs, reverse=True)", "xs[::-1]", "sorted(xs)"),
    _step("remove duplicates keeping order", "list(dict.fromkeys(xs))", "sorted(set(xs))", "list(set(xs))"),
    _step("rotate left by one", "xs[1:] + xs[:1]", "xs[-1:] + xs[:-1]"),
    _step("rotate right by one", "xs[-1:] + xs[:-1]", "xs[1:] + xs[:1]"),
    _step("append the length", "xs + [len(xs)]", "xs + [len(xs) - 1]", "xs + xs"),
    _step("repeat the list twice", "xs * 2", "[x * 2 for x in xs]", "xs + [2]"),
    _step(
        "add the position to each value",
        "[x + i for i, x in enumerate(xs)]",
        "[x + i for i, x in enumerate(xs, 1)]",
        "[x * i for i, x in enumerate(xs)]",
    ),
    _step(
        "subtract the smallest from each",
        "[x - min(xs) for x in xs]",
        "[x - max(xs) for x in xs]",
        "[x - xs[0] for x in xs]",
    ),
)

RESULTS: tuple[Step, ...] = (
    _step("the sum", "sum(xs)", "len(xs)"),
    _step("the list", "xs", "xs[:]"),
    _step("the largest or zero if empty", "max(xs, default=0)", "max(xs)", "max(xs or [1])"),
    _step("the smallest or zero if empty", "min(xs, default=0)", "min(xs)", "min(xs or [1])"),
    _step("the number of items", "len(xs)", "len(set(xs))"),
    _step("the number of distinct items", "len(set(xs))", "len(xs)"),
    _step("the first or zero if empty", "xs[0] if xs else 0", "xs[0]", "xs[-1] if xs else 0"),
    _step("the last or zero if empty", "xs[-1] if xs else 0", "xs[-1]", "xs[0] if xs else 0"),
)

#: Index in ``RESULTS`` of the one whose implementations are both correct, and how often each is written.
EITHER_IS_CORRECT, EITHER_WEIGHTS = 1, (0.8, 0.2)

#: What every program is tried on: mixed lists, then the edges (empty, one value, duplicates, zeros, bounds).
INPUTS: tuple[tuple[int, ...], ...] = (
    (11, 5, -4, -1, -12, 9),
    (17, -7, 9, -10, 12, -2, 16),
    (15, -2, -2, 3, -9, -5, -4, 20),
    (-8, 12, -6, 6, 1, 2, 14, -7, 5),
    (13, 5, 9, -10),
    (-12, 14, -9, 12),
    (19, -4, -11, 3, 15, -5, -12, -5, 0),
    (0, 9, -12, -7, -4, -11, 20, -7, 19),
    (),
    (5,),
    (-3,),
    (3, 3, 0, 3),
    (10, 0, 10, -4),
    (2, 2, -2, 12, 11),
)
