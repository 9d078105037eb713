"""The trusted side of style ``probe``: what a program returns, written down.

An expression is evaluated here, over the same pipe as tests are; the program's process only ever sees the calls.
"""

from __future__ import annotations

import builtins
import collections
import hashlib
from collections.abc import ItemsView, KeysView, ValuesView
from typing import Any

from . import tester
from .channel import Channel

#: The builtins that an expression may call, beside the entry point. None of them gives access to anything.
CALLABLE = frozenset((
    "abs", "all", "any", "bool", "dict", "divmod", "enumerate", "float", "frozenset", "int", "isinstance", "len",
    "list", "max", "min", "range", "repr", "reversed", "round", "set", "sorted", "str", "sum", "tuple", "type", "zip",
))  # fmt: skip
#: Types that an expression may name without calling them, as in ``isinstance(f(1), int)``.
TYPES = frozenset(("bool", "bytes", "complex", "dict", "float", "frozenset", "int", "list", "set", "str", "tuple"))

MAX_LITERAL = 200
_DIGEST = 12  # hexadecimal digits
_BIG_INT_BITS = 4096  # beyond, decimal digits are slow, and refused from some size on


class Opaque(Exception):
    """A value that is not data all through."""


def body_of(job: dict[str, Any]) -> tester.Body:
    """What a tester's job asks for: checks, or probes."""
    return run_probes if "probes" in job else tester.run_checks


def run_probes(job: dict[str, Any], names: dict[str, Any], report: Channel) -> None:
    """Sends one line per expression: what :func:`observed` says of it."""
    safe = {name: getattr(builtins, name) for name in CALLABLE | TYPES}
    entry = job["entry"]
    for source in job["probes"]:
        space = {"__builtins__": safe, entry: names[entry] if entry in names else tester.missing(entry)}
        report.send("seen", observed(source, space))


def observed(source: str, space: dict[str, Any]) -> str:
    """``<type> <literal>``; ``error <Name>`` of what was raised; ``opaque`` for a value that is not data."""
    try:
        return written(eval(compile(source, "<probe>", "eval"), space))
    except (tester.Tampered, tester.Gone, tester.TooMuch):
        raise
    except tester.ProgramError as error:
        return f"error {one_word(error.kind)}" if error.kind else "opaque"
    except Opaque:
        return "opaque"
    except BaseException as error:
        return f"error {type(error).__name__}"


def written(value: Any) -> str:
    """``<type> <literal>``: equal for values of equal types and contents, in whatever order a dict or set has them.

    A literal of more than :data:`MAX_LITERAL` characters is cut, and ends in ``... #`` and the first 12 digits of
    the SHA-256 of the whole. Raises :class:`Opaque`.
    """
    text = literal(value)
    if len(text) > MAX_LITERAL:
        digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:_DIGEST]
        text = f"{text[: MAX_LITERAL - _DIGEST - 5]}... #{digest}"
    return f"{_kind(value)} {text}"


def literal(value: Any) -> str:
    """A decoded value as Python would write it, but for iterators (their items) and integers of thousands of digits
    (in hexadecimal). Raises :class:`Opaque`, ``RecursionError``."""
    kind = type(value)
    if kind is tester.Remote or kind is memoryview or isinstance(value, ValuesView):
        raise Opaque
    if isinstance(value, (KeysView, ItemsView)):
        return literal(set(value))
    if kind is list or _is_iterator(value):
        return f"[{_joined(value)}]"
    if isinstance(value, tuple):
        return f"({_joined(value)}{',' if len(value) == 1 else ''})"
    if isinstance(value, dict):
        return "{" + ", ".join(sorted(f"{literal(key)}: {literal(item)}" for key, item in value.items())) + "}"
    if kind is set or kind is frozenset:
        inside = "{" + ", ".join(sorted(map(literal, value))) + "}" if value else ""
        return (inside or "set()") if kind is set else f"frozenset({inside})"
    if kind is collections.deque:
        return f"deque([{_joined(value)}])"
    if kind is int and value.bit_length() > _BIG_INT_BITS:
        return hex(value)
    return str(value.__name__) if isinstance(value, type) else repr(value)


def _joined(items: Any) -> str:
    return ", ".join(map(literal, items))


def _is_iterator(value: Any) -> bool:
    return hasattr(type(value), "__next__")


def _kind(value: Any) -> str:
    """Of what compares as a builtin type does, that type."""
    if isinstance(value, (KeysView, ItemsView)):
        return "set"
    base = next((base for base in (tuple, dict) if isinstance(value, base)), type(value))
    return "iterator" if _is_iterator(value) else base.__name__


def one_word(kind: str) -> str:
    """The name that a program gave its exception, of which only the look is vouched for: one word of ASCII."""
    return "_".join(kind.encode("ascii", "backslashreplace").decode().split())[:60]
