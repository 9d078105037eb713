"""JavaScript, run by node as a CommonJS module."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

from rewardranker.judge.languages.language import Language, Recipe, Replay, asking
from rewardranker.judge.languages.libraries import LIBRARIES, NODE_MODULES
from rewardranker.judge.languages.replay import LINE, ReplayRequest
from rewardranker.judge.sandbox.step import Step
from rewardranker.linear import lexer

_HARNESS = Path(__file__).with_name("harness")
DRIVER = {name: (_HARNESS / name).read_bytes() for name in ("calls.js", "values.js")}
RECORDER = {name: (_HARNESS / name).read_bytes() for name in ("record.js", "values.js", "compiler.js")}
REPLAYER = {name: (_HARNESS / name).read_bytes() for name in ("replay.js", "values.js")}
REPLAY = Step(("node", "replay.js", "check"), REPLAYER)
[_MD5] = [library for library in LIBRARIES if library.language == "javascript"]
OUT_OF_MEMORY = lexer(
    r"heap out of memory|Reached heap limit|process out of memory|Array buffer allocation failed|"
    r"Cannot allocate memory"
)
# A program that node could not even compile: at run time, a SyntaxError has other lines below it.
DOES_NOT_COMPILE = lexer(r"(?m:^)SyntaxError: [^\n]*+\n    at (?:internalCompileFunction|wrapSafe|compileSourceText)")
_BASES = {"0x": (16, lexer("[0-9a-fA-F]++")), "0o": (8, lexer("[0-7]++")), "0b": (2, lexer("[01]++"))}
_INTEGER = lexer("[+-]?[0-9]++")
_DECIMAL = lexer(r"[+-]?(?:Infinity|(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][+-]?[0-9]++)?)")
_WHITE = " \t\n\v\f\r\u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200B)))


def _whole(code: str) -> Recipe:
    return Recipe(None, Step(("node", "program.js"), {"program.js": code.encode()}))


def _calls(code: str, entry: str, whole_text: str) -> Recipe:
    environment = {"NODE_PATH": ":".join(NODE_MODULES)} if _MD5.asked.search(code) else {}
    return Recipe(None, Step(("node", "calls.js"), {**DRIVER, "program.js": code.encode()}, environment=environment))


def _record(tests: str, entry: str) -> Step:
    return Step(("node", "record.js", "tests.js", entry), {**RECORDER, "tests.js": tests.encode()})


def _replayed(prompt: str, tests: str, entry: str) -> Step:
    job = json.dumps({"prompt": prompt, "tests": tests, "entry": entry})
    return Step(("node", "replay.js"), {**REPLAYER, "tests": job.encode()}, ("tests",))


def _program(code: str, request: ReplayRequest) -> Recipe:
    return asking(_calls(code, request.entry, ""), request.job)


def loosely_equal(actual: Any, expected: Any) -> bool:
    """Node's legacy ``assert.deepEqual`` (``lib/internal/util/comparisons.js``, loose) on wire values.

    Primitives by ``==``, save that NaN equals NaN; an object never equals a primitive; objects by their own
    enumerable keys, whatever their order and prototype.
    """
    if not _is_object(actual) or not _is_object(expected):
        return not _is_object(actual) and not _is_object(expected) and _primitives_equal(actual, expected)
    if type(actual) is list or type(expected) is list:
        return (
            type(actual) is type(expected)
            and len(actual) == len(expected)
            and all(map(loosely_equal, actual, expected))
        )
    ((kind, ours),), ((other, theirs),) = actual.items(), expected.items()
    if kind != other or len(ours) != len(theirs):
        return False
    return _sets_equal(ours, theirs) if kind == "set" else _entries_equal(ours, theirs)


def _is_object(value: Any) -> bool:
    return type(value) is list or (type(value) is dict and ("dict" in value or "set" in value))


def _entries_equal(ours: list[list[Any]], theirs: list[list[Any]]) -> bool:
    by_key = {key: value for key, value in ours}
    return all(key in by_key and loosely_equal(by_key[key], value) for key, value in theirs)


def _sets_equal(ours: list[Any], theirs: list[Any]) -> bool:
    """Each value of one set has an equal of its own in the other."""
    left = list(theirs)
    for value in ours:
        match = next((i for i, other in enumerate(left) if loosely_equal(value, other)), None)
        if match is None:
            return False
        del left[match]
    return True


def _primitives_equal(left: Any, right: Any) -> bool:
    """ECMAScript's ``==`` (7.2.14) on primitives, and NaN equals NaN."""
    left, right = _primitive(left), _primitive(right)
    if left is None or right is None or (type(left) is str and type(right) is str):
        return bool(left == right)
    numbers = [_number(side, other) for side, other in ((left, right), (right, left))]
    both_nan = all(type(side) is float and math.isnan(side) for side in (left, right))
    return bool(numbers[0] == numbers[1]) or both_nan


def _primitive(value: Any) -> Any:
    """A wire value as ``None`` (undefined too), bool, str, float (a number) or int (a BigInt)."""
    if type(value) is int:
        return _double(value)
    if type(value) is not dict:
        return value
    ((tag, body),) = value.items()
    if tag == "undefined":
        return None
    return int(body, 16) if tag == "int" else float(body)


def _double(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _number(value: Any, other: Any) -> int | float:
    """What ``==`` makes of one side when the other is no string, or this one is none."""
    if type(value) is not str:
        return int(value) if type(value) is bool else value
    text = value.strip(_WHITE)
    base, digits = _BASES.get(text[:2].lower(), (10, _INTEGER))
    exact = type(other) is int
    if not text:
        return 0
    if base != 10 or exact:
        written = text[2:] if base != 10 else text
        whole = _integer(written, base) if digits.fullmatch(written) else math.nan
        return whole if exact or type(whole) is float else _double(int(whole))
    return float(text) if _DECIMAL.fullmatch(text) else math.nan


def _integer(digits: str, base: int) -> int | float:
    """The number; NaN, which no integer equals, where Python would not read that many decimal digits."""
    readable = base != 10 or len(digits.lstrip("+-0")) <= sys.int_info.default_max_str_digits
    return int(digits[:1].strip("0123456789") + (digits.lstrip("+-0") or "0"), base) if readable else math.nan


LANGUAGE = Language(
    name="javascript",
    comment="//",
    tools=("node",),
    version=("node", "--version"),
    whole=_whole,
    calls=_calls,
    record=_record,
    replay=Replay(_replayed, _program, REPLAY, LINE),
    equal=loosely_equal,
    out_of_memory=OUT_OF_MEMORY,
    does_not_compile=DOES_NOT_COMPILE,
    canary='process.stdout.write(require("fs").readFileSync(0));\n',
    memory_kind="data",
    memory_floor_mb=256,
    cpu_floor_s=0.5,
)
