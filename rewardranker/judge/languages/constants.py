"""Plain values as Java and C# write them, read without a virtual machine.

What trusted tests expect is nearly always a number, a text or a collection of such. Reading that here saves a
compiler's and a runtime's start for every problem. Nothing is guessed: what is not understood whole raises
``NotConstant``, and the language itself evaluates it then. Values have the form of ``languages/typed_values.py``.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Any

from rewardranker.linear import lexer

_TOKEN = lexer(
    r"""\s*+(?:(?P<number>\d++(?:\.\d++)?(?:[eE][-+]?\d++)?[lLfFdD]?\b)|(?P<text>"(?:[^"\\\n]++|\\.)*+")|(?P<char>'(?:[^'\\\n]|\\.)')"""
    r"""|(?P<name>[A-Za-z_]\w*+(?:\.[A-Za-z_]\w*+)*+)|(?P<mark>[-(){}<>,\[\]]))"""
)
_ESCAPE = lexer(r"\\(?:u([0-9a-fA-F]{4})|(.))")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
_WORDS: dict[str, Any] = {"true": {"bool": True}, "false": {"bool": False}, "null": None}
_NUMBERS = ("int", "long", "float", "double", "bool", "boolean", "char")
_BOXES = {
    "int": "Integer",
    "long": "Long",
    "float": "Float",
    "double": "Double",
    "bool": "Boolean",
    "char": "Character",
}
_INTEGER_BITS = {"int": 31, "long": 63}
_HALF, _LOW_BITS = 1 << 28, (1 << 29) - 1
Call = Callable[[str, list[Any]], Any]


class NotConstant(Exception):
    """An expression that only the language itself can evaluate."""


def constant(text: str, call: Call, new: Callable[[str, list[Any], list[Any] | None], Any]) -> Any:
    """The value of an expression.

    Args:
        call: ``(name, arguments)``: what a known function gives.
        new: ``(type, arguments, items)``: a new object; ``items`` from braces behind it, ``None`` without these.

    Raises:
        NotConstant: it is not of so simple a form.
    """
    reader = _Reader(_tokens(text), call, new)
    try:
        value = reader.value()
    except (RecursionError, ValueError):  # nested too deeply, or of more digits than Python converts
        raise NotConstant(text[:80]) from None
    if reader.left:
        raise NotConstant(text)
    return value


def converted(value: Any, kind: str) -> Any:
    """A value where one of a type is wanted: an ``int`` may become a ``long``, and all else has to be it already."""
    if kind in ("string", "String"):
        fits = value is None or type(value) is str
    elif kind in _NUMBERS:
        tag, body = next(iter(value.items())) if type(value) is dict else ("", None)
        fits = tag == kind or (tag, kind) == ("int", "long")
        value = {kind: body}
    else:
        tag = next(iter(value)) if type(value) is dict else ""
        fits = tag not in _NUMBERS or kind in ("Object", "object", _BOXES.get(tag), f"Nullable<{tag}>")
    if not fits:
        raise NotConstant(kind)
    return value


def _tokens(text: str) -> list[tuple[str, str]]:
    found, place, text = [], 0, text.strip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise NotConstant(text)
        found.append((match.lastgroup, match[match.lastgroup]))
        place = match.end()
    return found


class _Reader:
    def __init__(self, tokens: list[tuple[str, str]], call: Call, new: Callable[..., Any]) -> None:
        self._tokens, self._place, self._call, self._new = tokens, 0, call, new

    @property
    def left(self) -> int:
        return len(self._tokens) - self._place

    def value(self) -> Any:
        kind, text = self._next()
        if kind == "number":
            return _number(text)
        if kind == "text":
            return _text(text)
        if kind == "char":
            return {"char": ord(_text(text))}
        if text == "-":
            return _negative(self._next())
        if text == "(":
            return self._bracketed()
        if text == "new":
            return self._object()
        if text in _WORDS:
            return _WORDS[text]
        if kind == "name" and self._takes("("):
            return self._call(text, self._list(")"))
        raise NotConstant(text)

    def _bracketed(self) -> Any:
        """A cast, or an expression in brackets."""
        begin = self._place
        if (
            self._tokens[begin : begin + 1]
            and self._tokens[begin][0] == "name"
            and self._tokens[begin][1] not in _WORDS
        ):
            try:
                kind = self._type()
            except NotConstant:
                kind = ""
            if kind and self._takes(")"):
                return converted(self.value(), kind)
            self._place = begin
        value = self.value()
        self._expect(")")
        return value

    def _object(self) -> Any:
        kind = self._type()
        arguments = self._list(")") if self._takes("(") else []
        return self._new(kind, arguments, self._list("}") if self._takes("{") else None)

    def _type(self) -> str:
        kind, text = self._next()
        if kind != "name":
            raise NotConstant(text)
        if self._takes("<"):
            parts = []
            while not self._takes(">"):
                parts.append(self._type())
                self._takes(",")
            text += f"<{','.join(parts)}>"
        while self._takes("["):
            self._expect("]")
            text += "[]"
        return text

    def _list(self, end: str) -> list[Any]:
        """What stands between commas; braces within braces are pairs."""
        items: list[Any] = []
        while not self._takes(end):
            if items:
                self._expect(",")
            items.append(tuple(self._list("}")) if self._takes("{") else self.value())
        return items

    def _next(self) -> tuple[str, str]:
        if not self.left:
            raise NotConstant("an end too early")
        self._place += 1
        return self._tokens[self._place - 1]

    def _takes(self, mark: str) -> bool:
        found = self.left > 0 and self._tokens[self._place] == ("mark", mark)
        self._place += found
        return found

    def _expect(self, mark: str) -> None:
        if not self._takes(mark):
            raise NotConstant(mark)


def _negative(token: tuple[str, str]) -> Any:
    if token[0] != "number":
        raise NotConstant(token[1])
    return _number(token[1], -1)


def _number(text: str, sign: int = 1) -> Any:
    digits, suffix = text.rstrip("lLfFdD"), text[-1].lower()
    if suffix in "fd" or "." in digits or "e" in digits.lower():
        value = sign * float(digits) if suffix != "f" else sign * _single(float(digits))
        return {"float" if suffix == "f" else "double": repr(value)}
    kind = "long" if suffix == "l" else "int"
    if int(digits) >= (1 << _INTEGER_BITS[kind]) + (sign < 0) or (len(digits) > 1 and digits[0] == "0"):
        raise NotConstant(text)  # octal, in one of the languages
    return {kind: sign * int(digits)}


def _single(value: float) -> float:
    """As a ``float``; refused where rounding the double again may differ from rounding the digits once."""
    (bits,) = struct.unpack("q", struct.pack("d", value))
    try:
        (rounded,) = struct.unpack("f", struct.pack("f", value))
    except OverflowError:
        raise NotConstant(repr(value)) from None
    if bits & _LOW_BITS == _HALF or (value and abs(value) < 1e-37):
        raise NotConstant(repr(value))
    return float(rounded)


def _text(quoted: str) -> str:
    def plain(match: re.Match[str]) -> str:
        if match[1]:
            return chr(int(match[1], 16))
        if match[2] not in _ESCAPED:
            raise NotConstant(quoted)
        return _ESCAPED[match[2]]

    return _ESCAPE.sub(plain, quoted[1:-1])
