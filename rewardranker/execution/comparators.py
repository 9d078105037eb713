"""Whether an answer is the expected one. Runs in the judge's process, on exact builtin types only."""

from __future__ import annotations

import math
import re
from typing import Any

_RELATIVE, _ABSOLUTE = 1e-6, 1e-9
_STDOUT_TOLERANCE = 1e-5
_INTEGER = re.compile(r"[+-]?\d+")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?")


def values_equal(actual: Any, expected: Any) -> bool:
    """Typed equality with a value that was read from JSON.

    - ``True`` is not 1 and ``1.0`` is not 1. Where a float is expected, an int or float within a relative
      1e-6 (absolute 1e-9 around zero) will do; NaN equals NaN.
    - JSON has one kind of sequence and only text for keys, so at any depth a tuple counts as a list and an
      int key as its digits. A set never equals a list.
    """
    if type(expected) is list:
        return (
            type(actual) in (list, tuple)
            and len(actual) == len(expected)
            and all(values_equal(a, e) for a, e in zip(actual, expected, strict=True))
        )
    if type(expected) is dict:
        return type(actual) is dict and _dicts_equal(actual, expected)
    if type(expected) is float:
        return type(actual) in (int, float) and _close(actual, expected, _RELATIVE, _ABSOLUTE)
    return type(actual) is type(expected) and bool(actual == expected)


def _dicts_equal(actual: dict[Any, Any], expected: dict[str, Any]) -> bool:
    by_text = {str(key) if type(key) is int else key: value for key, value in actual.items()}
    return (
        len(by_text) == len(actual)
        and by_text.keys() == expected.keys()
        and all(values_equal(by_text[key], value) for key, value in expected.items())
    )


def _close(actual: float, expected: float, relative: float, absolute: float) -> bool:
    try:
        if math.isnan(expected):
            return math.isnan(actual)
        return math.isclose(actual, expected, rel_tol=relative, abs_tol=absolute)
    except OverflowError:  # an int beyond the floats
        return False


def stdout_equal(actual: str, expected: str) -> bool:
    """CodeContests' comparison (``execution/tester_sandboxer.cc``): tokens between white space, case
    ignored; two tokens are equal as text, or as numbers less than 1e-5 apart, integers exactly."""
    ours, theirs = actual.lower().split(), expected.lower().split()
    return len(ours) == len(theirs) and all(map(_tokens_equal, ours, theirs))


def _tokens_equal(actual: str, expected: str) -> bool:
    if actual == expected:
        return True
    if not (_NUMBER.fullmatch(actual) and _NUMBER.fullmatch(expected)):
        return False
    if _INTEGER.fullmatch(actual) and _INTEGER.fullmatch(expected):
        return _digits(actual) == _digits(expected)
    return abs(float(actual) - float(expected)) < _STDOUT_TOLERANCE


def _digits(text: str) -> tuple[bool, str]:
    """An integer's sign and digits: equal where the numbers are, without converting a million digits."""
    digits = text.lstrip("+-").lstrip("0")
    return text.startswith("-") and bool(digits), digits
