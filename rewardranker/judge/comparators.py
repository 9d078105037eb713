"""Whether a returned value is the expected one. Runs in the judge's process, on exact builtin types only."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

_RELATIVE, _ABSOLUTE = 1e-6, 1e-9
_KEY_BITS = 4096


def values_equal(actual: Any, expected: Any) -> bool:
    """Typed equality with a value that was read from JSON.

    - ``True`` is not 1 and ``1.0`` is not 1. Where a float is expected, an int or float within a relative
      1e-6 (absolute 1e-9 around zero) will do; NaN equals NaN.
    - JSON has one kind of sequence and only text for keys, so at any depth a tuple counts as a list and an
      int key as its digits. A set never equals a list.

    What is nested too deeply to be compared is not equal.
    """
    try:
        return _equal(actual, expected)
    except RecursionError:
        return False


def _equal(actual: Any, expected: Any) -> bool:
    if type(expected) is list:
        return (
            isinstance(actual, (list, tuple))  # a tuple with names too
            and len(actual) == len(expected)
            and all(_equal(a, e) for a, e in zip(actual, expected, strict=True))
        )
    if type(expected) is dict:
        return isinstance(actual, dict) and _dicts_equal(actual, expected)
    if type(actual) in (Fraction, Decimal) and type(expected) in (int, float):
        actual = _number(actual)
    if type(expected) is float:
        return type(actual) in (int, float) and _close(actual, expected, _RELATIVE, _ABSOLUTE)
    return type(actual) is type(expected) and bool(actual == expected)


def _number(value: Fraction | Decimal) -> Any:
    """The int or float that it is; itself where it is neither."""
    try:
        return int(value) if value == int(value) else float(value)
    except (ArithmeticError, ValueError):  # not a number, without end, or beyond the floats
        return value


def _dicts_equal(actual: dict[Any, Any], expected: dict[str, Any]) -> bool:
    by_text = {_as_text(key): value for key, value in actual.items()}
    return (
        len(by_text) == len(actual)
        and by_text.keys() == expected.keys()
        and all(_equal(by_text[key], value) for key, value in expected.items())
    )


def _as_text(key: Any) -> Any:
    """An int key as JSON writes it; one of more digits than Python converts stays what it is."""
    return str(key) if type(key) is int and key.bit_length() <= _KEY_BITS else key


def _close(actual: float, expected: float, relative: float, absolute: float) -> bool:
    try:
        if math.isnan(expected):
            return math.isnan(actual)
        return math.isclose(actual, expected, rel_tol=relative, abs_tol=absolute)
    except OverflowError:  # an int beyond the floats
        return False
