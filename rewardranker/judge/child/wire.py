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
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from . import standard

MAX_ITEMS_OF_ITERATOR = MAX_CONTAINERS = 100_000
_BIG_INT_BITS = 256
_TYPES = {name: value for name, value in vars(builtins).items() if isinstance(value, type)}
_TYPE_NAMES = {value: name for name, value in _TYPES.items()}
_MUTABLE = (list, dict, set, bytearray, collections.deque)


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


class Shared:
    """The mutable containers of one exchange, numbered as both sides meet them: what occurs twice, or within itself,
    crosses once, and by its number after that."""

    def __init__(self, objects: Iterable[Any] = ()) -> None:
        self.objects = list(objects)
        self.numbers = {id(value): number for number, value in enumerate(self.objects)}
        #: Whether something has arrived by its number.
        self.repeated = False

    def add(self, value: Any) -> None:
        self.numbers[id(value)] = len(self.objects)
        self.objects.append(value)

    def at(self, number: Any) -> Any:
        """Raises :class:`WireError`."""
        if type(number) is not int or not 0 <= number < len(self.objects):
            raise WireError("a container that never came")
        self.repeated = True
        return self.objects[number]


class _Counted(Shared):
    """Numbers nothing: everything crosses as often as it occurs, up to a limit."""

    def add(self, value: Any) -> None:
        self.objects.append(None)
        if len(self.objects) > MAX_CONTAINERS:
            raise WireError(f"more than {MAX_CONTAINERS} containers")


def encode(value: object, handle: Callable[[object], int] | None = None, shared: Shared | None = None) -> Any:
    """``value`` as JSON-able data.

    Args:
        handle: gives the number under which an object that is not data can be referred to; without it
            such objects are refused.
        shared: what has crossed already; without it, a container crosses as often as it occurs.

    Raises:
        WireError: for what cannot cross, without ``shared`` self-containing values included.
    """
    try:
        return _encode(value, handle, shared)
    except RecursionError:
        raise WireError("a value that contains itself, or is nested too deeply") from None


def encode_tree(value: object, handle: Callable[[object], int]) -> Any:
    """``value`` as the same data, whatever in it is one container in two places. Raises :class:`WireError`, also
    where that is too large."""
    return encode(value, handle, _Counted())


def _encode(value: Any, handle: Callable[[object], int] | None, shared: Shared | None) -> Any:
    kind = type(value)
    if kind is int:
        return value if value.bit_length() <= _BIG_INT_BITS else {"int": hex(value)}
    if value is None or kind is bool or kind is str:
        return value
    if kind is float:
        return value if math.isfinite(value) else {"float": repr(value)}
    if shared is not None and id(value) in shared.numbers:
        return {"same": shared.numbers[id(value)]}
    if kind in _MUTABLE:
        if shared is not None:
            shared.add(value)
        return contents(value, handle, shared)
    if kind is tuple:
        return {"tuple": [_encode(item, handle, shared) for item in value]}
    if kind is frozenset:
        return {"frozenset": _unordered(value, handle)}
    if kind is complex:
        return {"complex": [_encode(value.real, None, None), _encode(value.imag, None, None)]}
    if kind is bytes:
        return {"bytes": value.hex()}
    if kind is range:
        return {"range": [value.start, value.stop, value.step]}
    if issubclass(kind, Iterator):
        return {"iterator": [_encode(item, handle, shared) for item in _items(value)]}
    if isinstance(value, type) and value in _TYPE_NAMES:
        return {"type": _TYPE_NAMES[value]}
    if kind in standard.ENCODE:
        tag, parts_of = standard.ENCODE[kind]
        with contextlib.suppress(ValueError):  # a time in a zone of its own, memory that was given back
            body = _encode(parts_of(value), handle, shared)
            if shared is not None and issubclass(kind, dict):
                shared.add(value)
            return {tag: body}
    return _encode_other(value, kind, handle, shared)


def contents(value: Any, handle: Callable[[object], int] | None, shared: Shared | None) -> Any:
    """What a mutable container holds now, of whatever subclass it is, as that of its builtin base."""
    if isinstance(value, list):
        return [_encode(item, handle, shared) for item in list.__iter__(value)]
    if isinstance(value, dict):
        items = (collections.OrderedDict if isinstance(value, collections.OrderedDict) else dict).items(value)
        return {"dict": [[_encode(k, handle, None), _encode(v, handle, shared)] for k, v in items]}
    if isinstance(value, set):
        return {"set": _unordered(value, handle)}
    if isinstance(value, bytearray):
        return {"bytearray": value.hex()}
    return {"deque": [_encode(item, handle, shared) for item in value]}


def _unordered(items: Any, handle: Callable[[object], int] | None) -> list[Any]:
    return sorted((_encode(item, handle, None) for item in items), key=dumps)


def _encode_other(value: Any, kind: type, handle: Callable[[object], int] | None, shared: Shared | None) -> Any:
    """Subclasses that compare as their builtin base travel as that base; named tuples keep their names."""
    if issubclass(kind, tuple) and kind.__eq__ is tuple.__eq__ and standard.fields_of(kind, len(value)):
        names = standard.fields_of(kind, len(value))
        return {"named": [list(names), [_encode(item, handle, shared) for item in tuple.__iter__(value)]]}
    for base in (list, dict, set):
        if issubclass(kind, base) and kind.__eq__ is base.__eq__:
            if shared is not None:
                shared.add(value)
            return contents(value, handle, shared)
    for plain in (int, float, str, tuple):
        if issubclass(kind, plain) and kind.__eq__ is plain.__eq__:
            return _encode(_as_base(value, plain), handle, shared)
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


def decode(data: Any, resolve: Callable[[int], object] | None = None, shared: Shared | None = None) -> Any:
    """The value that ``data`` stands for, of exact builtin types.

    Args:
        resolve: turns a handle's number into the object that stands for it here.
        shared: what has crossed already.

    Raises:
        WireError: for data that no value encodes to.
    """
    with reading():
        return _decode(data, resolve, shared)


def refill(container: Any, data: Any, resolve: Callable[[int], object], shared: Shared) -> None:
    """Makes a container hold what :func:`contents` gave as ``data``. Raises :class:`WireError`."""
    with reading():
        base = next(base for base in _MUTABLE if isinstance(container, base))
        body = data if base is list else data[base.__name__]
        if base is dict:
            items = [(_decode(key, resolve, None), _decode(item, resolve, shared)) for key, item in body]
            container.clear()
            for key, item in items:
                container[key] = item
        elif base is set:
            new = set(_decode_list(body, resolve, None))
            container.clear()
            container.update(new)
        elif base is bytearray:
            container[:] = bytes.fromhex(body)
        else:
            items = _decode_list(body, resolve, shared)
            container.clear()
            container.extend(items)


def _decode(data: Any, resolve: Callable[[int], object] | None, shared: Shared | None) -> Any:
    if type(data) is list:
        return _filled([], data, resolve, shared)
    if type(data) is not dict:
        return data
    if len(data) != 1:
        raise WireError("an object without one tag")
    ((tag, body),) = data.items()
    if tag == "tuple":
        return tuple(_decode_list(body, resolve, shared))
    if tag == "dict":
        return _decode_dict(body, resolve, shared)
    if tag == "deque":
        return _filled(collections.deque(), body, resolve, shared)
    if tag in _CONTAINERS:
        return _known(_CONTAINERS[tag](_decode_list(body, resolve, None)), shared)
    if tag == "iterator":
        return iter(_decode_list(body, resolve, shared))
    if tag in _SCALARS:
        return _known(_SCALARS[tag](body), shared)
    if tag == "type":
        return _TYPES[body]
    if tag == "named":
        names, items = body
        return standard.named(tuple(names), _decode_list(items, resolve, shared))
    if tag in standard.DECODE:
        value = standard.DECODE[tag](_decode(body, resolve, shared))
        return _known(value, shared) if isinstance(value, dict) else value
    if tag == "same" and shared is not None:
        return shared.at(body)
    if tag == "handle" and resolve is not None and type(body) is int:
        return resolve(body)
    raise WireError(f"unknown tag {tag[:20]!r}")


def _filled(new: Any, body: Any, resolve: Callable[[int], object] | None, shared: Shared | None) -> Any:
    """A list or deque, known before what it holds is, which may be itself."""
    if type(body) is not list:
        raise WireError("a container that is not a list")
    if shared is None:
        new.extend([_decode(item, resolve, None) for item in body])
        return new
    shared.objects.append(new)
    for item in body:
        new.append(_decode(item, resolve, shared))
    return new


def _decode_dict(body: Any, resolve: Callable[[int], object] | None, shared: Shared | None) -> dict[Any, Any]:
    new: dict[Any, Any] = {}
    if shared is not None:
        shared.objects.append(new)
    for key, item in body:
        new[_decode(key, resolve, None)] = _decode(item, resolve, shared)
    return new


def _decode_list(body: Any, resolve: Callable[[int], object] | None, shared: Shared | None) -> list[Any]:
    if type(body) is not list:
        raise WireError("a container that is not a list")
    return [_decode(item, resolve, shared) for item in body]


def _known(value: Any, shared: Shared | None) -> Any:
    if shared is not None and isinstance(value, (set, bytearray, dict)):
        shared.objects.append(value)
    return value


def _non_finite(body: Any) -> float:
    if body not in ("nan", "inf", "-inf"):
        raise WireError("a float that is not one")
    return float(body)


_CONTAINERS: dict[str, Callable[[list[Any]], Any]] = {
    "set": set,
    "frozenset": frozenset,
}
_SCALARS: dict[str, Callable[[Any], Any]] = {
    "int": lambda body: int(body, 16),
    "float": _non_finite,
    "complex": lambda body: complex(*(_decode(part, None, None) for part in body)),
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
