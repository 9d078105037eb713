"""Values of statically typed languages as they left a process, and what the languages' comparisons say of them.

A value is JSON: null; a text; or an object with one tag, its type's name, and what it holds. Those that came out of a
program's process may be anything that it cared to write: what the harness would not write equals nothing that it did.
"""

from __future__ import annotations

import json
import operator
import struct
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

_INTEGERS = ("sbyte", "byte", "short", "ushort", "int", "uint", "long", "ulong", "char")
_FLOATS = ("float", "double")
_UNORDERED = ("set", "map")
_OPERATORS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
Number = tuple[str, Any]


def holds(form: str, sides: Sequence[Any], zeros_differ: bool) -> bool:
    """Whether a check's demand is met, see :class:`rewardranker.judge.languages.splitting.Demand`.

    Args:
        zeros_differ: whether -0.0 is another value than 0.0 where values of one type are compared.
    """
    if form == "true":
        return _same(sides[0], {"bool": True}, zeros_differ)
    numbers = [found for side in sides if (found := _number(side)) is not None]
    if form.startswith("near"):
        return len(numbers) == 3 and _near(form.removeprefix("near"), *numbers)
    if form in _OPERATORS and len(numbers) == 2:
        return bool(_OPERATORS[form](*_promoted(*numbers)))
    left, right = sides
    equal = _same(left, right, zeros_differ)
    return equal if form in ("==", "same") else not equal and form in ("!=", "other")


def shown(value: Any) -> str:
    """A value for a reader."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _same(left: Any, right: Any, zeros_differ: bool) -> bool:
    try:
        one, two = (_canonical(side, zeros_differ) for side in (left, right))
    except RecursionError:
        return False
    return one == two and '{"opaque"' not in one


def _canonical(value: Any, zeros_differ: bool) -> str:
    """A text that two values share if and only if they are equal."""
    if type(value) is dict and len(value) == 1:
        ((tag, body),) = value.items()
        number = _number(value) if tag in _FLOATS else None
        if number is not None:  # which every language prints in its own way
            body = repr(number[1] if zeros_differ or number[1] else 0.0)
        if type(body) is list:
            parts = [_canonical(item, zeros_differ) for item in body]
            return f"{{{json.dumps(tag)}:[{','.join(sorted(parts) if tag in _UNORDERED else parts)}]}}"
        return f"{{{json.dumps(tag)}:{json.dumps(body)}}}"
    return json.dumps(value)


def _number(value: Any) -> Number | None:
    """The type and value of a number; ``None`` for all else."""
    if type(value) is not dict or len(value) != 1:
        return None
    ((tag, body),) = value.items()
    try:
        if tag in _INTEGERS and type(body) is int:
            return tag, body
        if tag in _FLOATS and type(body) is str:
            return tag, float(body)
        if tag == "BigInteger" and type(body) is str:
            return tag, int(body)
        if tag == "decimal" and type(body) is str:
            return tag, Decimal(body)
    except (ValueError, InvalidOperation):
        pass
    return None


def _promoted(*numbers: Number) -> list[Any]:
    """As the languages convert what they compare: to double, else float, else exactly."""
    kinds = {kind for kind, _ in numbers}
    if "double" in kinds:
        return [_double(value) for _, value in numbers]
    if "float" in kinds:
        return [_single(value) for _, value in numbers]
    return [value for _, value in numbers]


def _near(relation: str, left: Number, right: Number, bound: Number) -> bool:
    kinds = {left[0], right[0]}
    one, two = _promoted(left, right)
    distance = abs(one - two)
    kind = "double" if "double" in kinds else "float" if "float" in kinds else "long"
    distance = _single(distance) if kind == "float" else distance
    return bool(_OPERATORS[relation](*_promoted((kind, distance), bound)))


def _double(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _single(value: Any) -> float:
    """Rounded once to 24 bits, whatever it was."""
    if type(value) is int and (more := value.bit_length() - 53) > 0:
        # The last bit kept says whether any below it was set, so that rounding twice is rounding once.
        value = (value >> more | ((value & ((1 << more) - 1)) != 0)) << more
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
