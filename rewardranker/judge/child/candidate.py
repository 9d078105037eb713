"""The untrusted side: loads a program and answers calls. Knows inputs, never expected values.

Everything here shares a process with the program, which may take it over. All that buys is the choice of
what to answer: answers are data, compared elsewhere.
"""

from __future__ import annotations

import operator
import os
import sys
import types
from collections.abc import Callable
from typing import Any

from . import surroundings, wire
from .channel import COMPILE_ERRORS, Channel, describe

_read = os.read
_encode, _decode, _loads, _contents = wire.encode, wire.decode, wire.loads, wire.contents
_WireError, _Shared = wire.WireError, wire.Shared
_all, _map, _is = all, map, operator.is_


def load_or_report(code: str, channel: Channel) -> types.ModuleType | None:
    """The program as the module ``program``, or ``None`` after telling the reader why there is none."""
    try:
        program = compile(surroundings.source_of(code), surroundings.UNNAMED, "exec", dont_inherit=True)
    except COMPILE_ERRORS as error:
        channel.send("compile", *describe(error))
        return None
    except MemoryError as error:
        channel.send("load", *describe(error))
        return None
    surroundings.hide_judge()
    surroundings.show_source(code)
    module = types.ModuleType("program")
    sys.modules["program"] = sys.modules["__main__"] = module
    try:
        exec(program, module.__dict__)
    except BaseException as error:
        channel.send("load", *describe(error))
        return None
    return module


def run_function(job: dict[str, Any], fd: int) -> None:
    """Style ``function``: calls the entry point on every input and sends each value or kind of error."""
    channel = Channel(fd, job["nonce"])
    module = load_or_report(job["code"], channel)
    if module is None:
        return
    channel.send("ready")
    function = module.__dict__.get(job["entry"])
    for text in job["inputs"]:
        _answer(channel, function, text, job["entry"])
    channel.send("done")


def _answer(channel: Channel, function: Any, text: str, name: str) -> None:
    try:
        if function is None:
            raise NameError(f"the program does not define {name}")
        value = function(*_loads(text))
    except BaseException as error:
        channel.send("error", *describe(error))
        return
    try:
        line = _encode(value)
    except _WireError as error:
        channel.send("opaque", str(error))
    except BaseException as error:
        channel.send("error", *describe(error))
    else:
        channel.send("value", line)


def run_server(job: dict[str, Any], requests: int, replies: int) -> None:
    """Style ``program``: answers the tester's requests until it hangs up.

    The first line says what the program's names (only those that the trusted tests use) stand for.
    """
    channel = Channel(replies, job["nonce"])
    module = load_or_report(job["code"], channel)
    if module is None:
        return
    objects = Handles()
    names = {name: module.__dict__[name] for name in job["names"] if name in module.__dict__}
    channel.send("ready", {name: _encode_name(value, objects) for name, value in names.items()})
    buffer = b""
    while True:
        chunk = _read(requests, 65536)
        if not chunk:
            return
        buffer += chunk
        while b"\n" in buffer:
            line, buffer = buffer.split(b"\n", 1)
            _serve(channel, _loads(line.decode()), objects)


def _encode_name(value: Any, objects: Handles) -> Any:
    """Iterators and functions stay here and are called from afar; plain data is handed over."""
    return {"handle": objects.number(value)} if callable(value) else _encode(value, objects.number)


class Handles:
    """Objects of the program that the tester may refer to, by number."""

    def __init__(self) -> None:
        self._objects: list[Any] = []
        self._numbers: dict[int, int] = {}

    def number(self, value: object) -> int:
        if id(value) not in self._numbers:
            self._numbers[id(value)] = len(self._objects)
            self._objects.append(value)
        return self._numbers[id(value)]

    def object(self, number: int) -> Any:
        return self._objects[number]


def _serve(channel: Channel, request: list[Any], objects: Handles) -> None:
    operation, target, encoded = request
    given = _Shared()
    before: list[Any] = []
    try:
        arguments = [_decode(data, objects.object, given) for data in encoded]
        before = list(_map(_state, given.objects))
        value = _OPERATIONS[operation](objects.object(target), *arguments)
        shared = _Shared(given.objects)
        channel.send("value", _encode(value, objects.number, shared), _changed(before, objects, shared))
    except _WireError as error:
        channel.send("opaque", str(error))
    except BaseException as error:
        channel.send("error", *describe(error), *_ancestry(error), _changed_by_failure(before, objects, given))


def _ancestry(error: BaseException) -> tuple[str, Any]:
    """The builtin exception that it is one of, and its arguments (``None`` where they are not data)."""
    base = next((kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "builtins"), "Exception")
    try:
        return base, _encode(list(error.args))
    except BaseException:
        return base, None


def _state(value: Any) -> Any:
    """What a mutable container holds, itself and not its equals."""
    if isinstance(value, dict):
        return (*value, *value.values())
    return bytes(value) if isinstance(value, bytearray) else tuple(value)


def _changed(before: list[Any], objects: Handles, shared: wire.Shared) -> list[list[Any]]:
    """``[number, contents]`` of the given containers that do not hold what they held."""
    changes = []
    for number, was in enumerate(before):
        value = shared.objects[number]
        now = _state(value)
        if now != was if isinstance(now, bytes) else len(now) != len(was) or not _all(_map(_is, now, was)):
            changes.append([number, _contents(value, objects.number, shared)])
    return changes


def _changed_by_failure(before: list[Any], objects: Handles, given: wire.Shared) -> list[list[Any]]:
    try:
        return _changed(before, objects, _Shared(given.objects))
    except BaseException:
        return []


_OPERATIONS: dict[str, Callable[..., Any]] = {
    "call": lambda target, arguments, keywords: target(*arguments, **keywords),
    "get": getattr,
    "set": setattr,
}
