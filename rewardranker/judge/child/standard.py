"""Types of the standard library that cross as data: taken apart on one side, built again on the other.

Only exact types are: a subclass may compare as it likes. What is built is of the standard library's own types,
whatever the other side says, and from lists, texts and numbers alone.
"""

from __future__ import annotations

import array
import collections
import datetime
import decimal
import fractions
import uuid
from collections.abc import Callable
from functools import lru_cache
from typing import Any

_VIEWS = (dict.fromkeys, collections.OrderedDict.fromkeys)
_FACTORIES: dict[str, type] = {
    factory.__name__: factory for factory in (int, float, str, list, dict, set, tuple, bool, collections.Counter)
}
_MAX_FIELDS = 64


def _pairs(value: Any) -> list[tuple[Any, Any]]:
    return list(dict.items(value))


def _factory(value: Any) -> list[Any]:
    """A factory of another kind stays where it is: the dictionary arrives as one without."""
    factory = value.default_factory
    return [factory.__name__ if factory in _FACTORIES.values() else None, _pairs(value)]


def _instant(value: Any) -> str:
    zone = value.tzinfo
    if zone is not None and type(zone) is not datetime.timezone:
        raise ValueError(f"a time zone of type {type(zone).__name__}")
    return str(value.isoformat())


def _ends(value: Any) -> list[int | None]:
    ends = [value.start, value.stop, value.step]
    if any(end is not None and type(end) is not int for end in ends):
        raise ValueError("a slice of what is no integer")
    return ends


#: By type: the tag, and what the value is made of.
ENCODE: dict[type, tuple[str, Callable[[Any], Any]]] = {
    fractions.Fraction: ("fraction", lambda value: [value.numerator, value.denominator]),
    decimal.Decimal: ("decimal", str),
    datetime.date: ("date", lambda value: value.isoformat()),
    datetime.datetime: ("datetime", _instant),
    datetime.time: ("time", _instant),
    datetime.timedelta: ("timedelta", lambda value: [value.days, value.seconds, value.microseconds]),
    datetime.timezone: ("zone", lambda value: value.utcoffset(None)),
    uuid.UUID: ("uuid", str),
    slice: ("slice", _ends),
    type(...): ("ellipsis", lambda value: None),
    array.array: ("array", lambda value: [value.typecode, value.tolist()]),
    memoryview: ("memoryview", lambda value: value.tobytes()),
    collections.Counter: ("counter", _pairs),
    collections.OrderedDict: ("ordered", lambda value: list(value.items())),
    collections.defaultdict: ("defaultdict", _factory),
    **{type(make(()).keys()): ("keys", list) for make in _VIEWS},
    **{type(make(()).values()): ("values", list) for make in _VIEWS},
    **{type(make(()).items()): ("items", list) for make in _VIEWS},
}


def _list_of(data: Any) -> list[Any]:
    if type(data) is not list:
        raise TypeError("parts that are no list")
    return data


def _text(data: Any) -> str:
    if type(data) is not str:
        raise TypeError("no text")
    return data


def _integers(data: Any) -> list[int]:
    if any(type(part) is not int for part in _list_of(data)):
        raise TypeError("parts that are no integers")
    return list(data)


def _array(data: Any) -> array.array[Any]:
    code, items = _list_of(data)
    return array.array(_text(code), _list_of(items))


def _defaultdict(data: Any) -> Any:
    factory, pairs = _list_of(data)
    return collections.defaultdict(None if factory is None else _FACTORIES[_text(factory)], _list_of(pairs))


def _bytes(data: Any) -> memoryview:
    if type(data) is not bytes:
        raise TypeError("no bytes")
    return memoryview(data)


def _zone(data: Any) -> datetime.timezone:
    if type(data) is not datetime.timedelta:
        raise TypeError("no time between zones")
    return datetime.timezone(data) if data else datetime.UTC


def _slice(data: Any) -> slice:
    start, stop, step = _list_of(data)
    made = slice(start, stop, step)
    _ends(made)
    return made


DECODE: dict[str, Callable[[Any], Any]] = {
    "fraction": lambda data: fractions.Fraction(*_integers(data)),
    "decimal": lambda data: decimal.Decimal(_text(data)),
    "date": lambda data: datetime.date.fromisoformat(_text(data)),
    "datetime": lambda data: datetime.datetime.fromisoformat(_text(data)),
    "time": lambda data: datetime.time.fromisoformat(_text(data)),
    "timedelta": lambda data: datetime.timedelta(*_integers(data)),
    "zone": _zone,
    "uuid": lambda data: uuid.UUID(_text(data)),
    "slice": _slice,
    "ellipsis": lambda data: ...,
    "array": _array,
    "memoryview": _bytes,
    "counter": lambda data: collections.Counter(dict(_list_of(data))),
    "ordered": lambda data: collections.OrderedDict(_list_of(data)),
    "defaultdict": _defaultdict,
    "keys": lambda data: dict.fromkeys(_list_of(data)).keys(),
    "values": lambda data: dict(enumerate(_list_of(data))).values(),
    "items": lambda data: dict(_list_of(data)).items(),
}


def fields_of(kind: type, count: int) -> tuple[str, ...]:
    """The names of a named tuple's items; none for another tuple."""
    names = kind.__dict__.get("_fields")
    if type(names) is not tuple or not len(names) == count <= _MAX_FIELDS or not all(map(_is_field, names)):
        return ()
    return names


def _is_field(name: Any) -> bool:
    return type(name) is str and name.isidentifier() and not name.startswith("_")


@lru_cache(maxsize=64)
def _type_of(names: tuple[str, ...]) -> Any:
    return collections.namedtuple("Record", names)  # noqa: PYI024 - its names come as data


def named(names: tuple[Any, ...], items: list[Any]) -> Any:
    """A named tuple of these items. Raises ``TypeError``, ``ValueError``."""
    if not names or len(names) != len(items) or len(names) > _MAX_FIELDS or not all(map(_is_field, names)):
        raise ValueError("a named tuple that is none")
    return _type_of(names)(*items)
