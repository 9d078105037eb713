"""Values as data: the only form in which anything leaves a candidate's process.

A value becomes JSON in which lists, strings, numbers, booleans and null stand for themselves and every
other builtin type is an object with one tag. Decoding builds exact builtin types and nothing else, so an
object with a forged ``__eq__`` arrives as the plain value it holds, or not at all. Nothing is evaluated.
"""

from __future__ import annotations

import builtins
import collections
import contextlib
import hashlib
import json
import math
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from . import standard

MAX_ITEMS_OF_ITERATOR = 100_000
_BIG_INT_BITS = 256
_TYPES = {name: value for name, value in vars(builtins).items() if isinstance(value, type)}
_TYPE_NAMES = {value: name for name, value in _TYPES.items()}


class WireError(Exception):
    """A value has no form as data, or data is not the form of a value."""


def _reject_constant(text: str) -> float:
    raise WireError(f"bare {text}")


dumps: Callable[[Any], str] = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode
_loads: Callable[[str], Any] = json.JSONDecoder(parse_constant=_reject_constant).decode


def loads(text: str) -> Any:
    """Parses one JSON text; :class:`WireError` for anything that is not plain JSON."""
    try:
        return _loads(text)
    except (ValueError, RecursionError) as error:
        raise WireError(str(error)[:100]) from None


def sealed(data: bytes, key: bytes, number: int) -> bytes:
    """``data`` under a key stream of its own for each ``number``; the same call opens it again."""
    stream = hashlib.shake_256(key + number.to_bytes(8, "big")).digest(len(data))
    return (int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(data), "big")


def encode(value: object, handle: Callable[[object], int] | None = None) -> Any:
    """``value`` as JSON-able data.

    Args:
        handle: gives the number under which an object that is not data can be referred to; without it
            such objects are refused.

    Raises:
        WireError: for what cannot cross, self-containing values included.
    """
    try:
        return _encode(value, handle)
    except RecursionError:
        raise WireError("a value that contains itself, or is nested too deeply") from None


def _encode(value: Any, handle: Callable[[object], int] | None) -> Any:
    kind = type(value)
    if kind is int:
        return value if value.bit_length() <= _BIG_INT_BITS else {"int": hex(value)}
    if value is None or kind is bool or kind is str:
        return value
    if kind is float:
        return value if math.isfinite(value) else {"float": repr(value)}
    if kind is list:
        return [_encode(item, handle) for item in value]
    if kind is tuple:
        return {"tuple": [_encode(item, handle) for item in value]}
    if kind is dict:
        return {"dict": [[_encode(k, handle), _encode(v, handle)] for k, v in value.items()]}
    if kind is set or kind is frozenset:
        return {kind.__name__: sorted((_encode(item, handle) for item in value), key=dumps)}
    if kind is complex:
        return {"complex": [_encode(value.real, None), _encode(value.imag, None)]}
    if kind is bytes or kind is bytearray:
        return {kind.__name__: value.hex()}
    if kind is range:
        return {"range": [value.start, value.stop, value.step]}
    if kind is collections.deque:
        return {"deque": [_encode(item, handle) for item in value]}
    if issubclass(kind, Iterator):
        return {"iterator": _encode(_items(value), handle)}
    if isinstance(value, type) and value in _TYPE_NAMES:
        return {"type": _TYPE_NAMES[value]}
    if kind in standard.ENCODE:
        tag, parts_of = standard.ENCODE[kind]
        with contextlib.suppress(ValueError):  # a time in a zone of its own, memory that was given back
            return {tag: _encode(parts_of(value), handle)}
    return _encode_other(value, kind, handle)


def _encode_other(value: Any, kind: type, handle: Callable[[object], int] | None) -> Any:
    """Subclasses that compare as their builtin base travel as that base; named tuples keep their names."""
    if issubclass(kind, tuple) and kind.__eq__ is tuple.__eq__ and standard.fields_of(kind, len(value)):
        names = standard.fields_of(kind, len(value))
        return {"named": [list(names), [_encode(item, handle) for item in tuple.__iter__(value)]]}
    for base in (int, float, str, tuple, list, dict, set):
        if issubclass(kind, base) and kind.__eq__ is base.__eq__:
            return _encode(_as_base(value, base), handle)
    if handle is None:
        raise WireError(f"a value of type {str(kind.__name__)[:60]}")
    return {"handle": handle(value)}


def _as_base(value: Any, base: type) -> Any:
    if base is int:
        return int.__add__(value, 0)
    if base is float:
        return float.__add__(value, 0.0)
    if base is str:
        return "".join(str.__iter__(value))
    return base(value)


def _items(iterator: Iterator[Any]) -> list[Any]:
    items = list(islice(iterator, MAX_ITEMS_OF_ITERATOR + 1))
    if len(items) > MAX_ITEMS_OF_ITERATOR:
        raise WireError(f"an iterator of more than {MAX_ITEMS_OF_ITERATOR} items")
    return items


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """Within, what goes wrong is the fault of the data that are read: a :class:`WireError`."""
    try:
        yield
    except (TypeError, ValueError, LookupError, ArithmeticError, AttributeError, RecursionError) as error:
        raise WireError(f"{type(error).__name__}: {error}"[:200]) from None


def decode(data: Any, resolve: Callable[[int], object] | None = None) -> Any:
    """The value that ``data`` stands for, of exact builtin types.

    Args:
        resolve: turns a handle's number into the object that stands for it here.

    Raises:
        WireError: for data that no value encodes to.
    """
    with reading():
        return _decode(data, resolve)


def _decode(data: Any, resolve: Callable[[int], object] | None) -> Any:
    if type(data) is list:
        return [_decode(item, resolve) for item in data]
    if type(data) is not dict:
        return data
    if len(data) != 1:
        raise WireError("an object without one tag")
    ((tag, body),) = data.items()
    if tag == "tuple":
        return tuple(_decode_list(body, resolve))
    if tag == "dict":
        return {_decode(key, resolve): _decode(item, resolve) for key, item in body}
    if tag in _CONTAINERS:
        return _CONTAINERS[tag](_decode_list(body, resolve))
    if tag in _SCALARS:
        return _SCALARS[tag](body)
    if tag == "type":
        return _TYPES[body]
    if tag == "named":
        names, items = body
        return standard.named(tuple(names), _decode_list(items, resolve))
    if tag in standard.DECODE:
        return standard.DECODE[tag](_decode(body, resolve))
    if tag == "handle" and resolve is not None and type(body) is int:
        return resolve(body)
    raise WireError(f"unknown tag {tag[:20]!r}")


def _decode_list(body: Any, resolve: Callable[[int], object] | None) -> list[Any]:
    if type(body) is not list:
        raise WireError("a container that is not a list")
    return [_decode(item, resolve) for item in body]


def _non_finite(body: Any) -> float:
    if body not in ("nan", "inf", "-inf"):
        raise WireError("a float that is not one")
    return float(body)


_CONTAINERS: dict[str, Callable[[list[Any]], Any]] = {
    "set": set,
    "frozenset": frozenset,
    "deque": collections.deque,
    "iterator": iter,
}
_SCALARS: dict[str, Callable[[Any], Any]] = {
    "int": lambda body: int(body, 16),
    "float": _non_finite,
    "complex": lambda body: complex(*(_decode(part, None) for part in body)),
    "bytes": bytes.fromhex,
    "bytearray": bytearray.fromhex,
    "range": lambda body: range(*body),
}


_UNORDERED = ("dict", "counter", "keys", "items")


def canonical(data: Any) -> Any:
    """Encoded data with every dictionary's entries in one order, so that equal values have equal text."""
    if type(data) is list:
        return [canonical(item) for item in data]
    if type(data) is dict:
        ((tag, body),) = data.items()
        entries = canonical(body)
        return {tag: sorted(entries, key=dumps) if tag in _UNORDERED else entries}
    return data
