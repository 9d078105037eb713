"""Style ``probe``: what programs return, one word for each expression, whatever happens on the others."""

from __future__ import annotations

import collections
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judging import FUNCTION_TESTS, RIGHT, problem, verdict

from rewardranker.errors import UserError
from rewardranker.judge import Judge, VerdictCache
from rewardranker.judge.child.probing import MAX_LITERAL, written
from rewardranker.judge.observations import has_values, is_value, verdict_of
from rewardranker.problems.types import Limits, Problem, Test
from rewardranker.problems.verdict import Judgement, Verdict

LIMITS = Limits(cpu_s=0.3, wall_s=5.0, memory_mb=256, output_kb=64)


def probes(*expressions: str, **more: object) -> Problem:
    return problem("probe", tuple(map(Test, expressions)), **{"limits": LIMITS, **more})


def seen(judge: Judge, code: str, *expressions: str) -> tuple[str, ...]:
    return verdict(judge, code, probes(*expressions)).returns


VALUES = {
    "3": "int 3",
    "3.0": "float 3.0",
    "True": "bool True",
    "None": "NoneType None",
    "'a\\n'": r"str 'a\n'",
    "b'x'": "bytes b'x'",
    "1j": "complex 1j",
    "float('nan')": "float nan",
    "[1, [2.5, 'b'], ()]": "list [1, [2.5, 'b'], ()]",
    "(1,)": "tuple (1,)",
    "{'b': 1, 'a': {2: 3}}": "dict {'a': {2: 3}, 'b': 1}",
    "{3, 1, 2}": "set {1, 2, 3}",
    "set()": "set set()",
    "frozenset([2, 1])": "frozenset frozenset({1, 2})",
    "range(3)": "range range(0, 3)",
    "int": "type int",
    "iter([1, 2])": "iterator [1, 2]",
    "(x for x in 'ab')": "iterator ['a', 'b']",
    "__import__('collections').deque([1])": "deque deque([1])",
    "__import__('collections').Counter('aa')": "dict {'a': 2}",
    "10 ** 5000": f"int {hex(10**5000)[: MAX_LITERAL - 17]}... #",
    "object()": "opaque",
    "[lambda: 1]": "opaque",
    "1 / 0": "error ZeroDivisionError",
    "undefined": "error NameError",
    "__import__('sys').exit(1)": "error SystemExit",
    "bytearray(1 << 30)": "error MemoryError",
    "'x' * (5 << 20)": "output",
    "__import__('os')._exit(0)": "ended",
}


def test_every_kind_of_value_and_of_failure(judge: Judge) -> None:
    """All in one program: what comes after a process that ended is observed as if nothing had been."""
    code = "def f(i):\n    return [" + ", ".join(f"lambda: {value}" for value in VALUES) + "][i]()\n"
    found = seen(judge, code, *(f"f({i})" for i in range(len(VALUES))))
    for word, wanted in zip(found, VALUES.values(), strict=True):
        assert word.startswith(wanted) if wanted.endswith("#") else word == wanted
    assert [is_value(word) for word in found].count(False) == 8


def test_the_outer_part_of_an_expression_is_evaluated_beside_the_tests(judge: Judge) -> None:
    """The program replaces what it can reach; what is called here is not among it."""
    code = (
        "import builtins\nbuiltins.sorted = builtins.abs = lambda *a: 99\n"
        "class A(list):\n    __eq__ = lambda s, o: True\n    __len__ = lambda s: 99\n"
        "def f(n): return [A([3, 1]), [3, 1], -2, A][n]\n"
    )
    assert seen(judge, code, "len(f(1))", "sorted(f(1))", "abs(f(2))", "f(1) == [3, 1]") == (
        "int 2",
        "list [1, 3]",
        "int 2",
        "bool True",
    )
    assert seen(judge, code, "f(0) == [5]", "len(f(0))", "str(f(0))", "f(3) == f(3)") == (
        "bool False",
        "error TypeError",
        "str '<object of the program>'",
        "bool True",
    )


def test_an_endless_loop_hides_nothing_else(judge: Judge) -> None:
    code = "def f(n):\n    while n in (1, 3): pass\n    return n\n"
    result = verdict(judge, code, probes(*(f"f({i})" for i in range(6))))
    assert result.returns == ("int 0", "timeout", "int 2", "timeout", "int 4", "int 5")
    assert (result.verdict, result.tests_passed, result.outcomes) == (Verdict.TIMEOUT, 4, "PTPTPP")
    assert result.level == "L2" and result.signature


def test_slow_calls_share_no_limit(judge: Judge) -> None:
    """Eight calls of 0.1 CPU seconds each, 0.3 for a process: none of them is too slow."""
    code = (
        "import time\ndef f(n):\n    end = time.process_time() + 0.1\n"
        "    while time.process_time() < end: pass\n    return n\n"
    )
    assert seen(judge, code, *(f"f({i})" for i in range(8))) == tuple(f"int {i}" for i in range(8))


def test_after_three_loops_the_rest_is_put_down_as_one(judge: Judge) -> None:
    code = "def f(n):\n    while n > 2: pass\n    return n\n"
    result = verdict(judge, code, probes(*(f"f({i})" for i in range(30))))
    assert result.returns == ("int 0", "int 1", "int 2") + ("timeout",) * 27
    assert result.cpu_s < 4 * (LIMITS.cpu_s + 0.2)


def test_sleeping_and_printing_hit_their_limits(judge: Judge) -> None:
    code = (
        "import time\ndef f(n):\n    if n == 1: time.sleep(60)\n    if n == 2: print('x' * 1_000_000)\n    return n\n"
    )
    task = probes("f(0)", "f(1)", "f(2)", "f(3)", limits=replace(LIMITS, wall_s=1.0))
    assert verdict(judge, code, task).returns == ("int 0", "timeout", "output", "int 3")


@pytest.mark.parametrize(
    ("code", "word", "expected"),
    [
        ("def f(:", "error SyntaxError", Verdict.COMPILE_ERROR),
        ("raise KeyError(1)", "error KeyError", Verdict.RUNTIME_ERROR),
        ("x = 1", "error NameError", Verdict.RUNTIME_ERROR),
        ("f = 3", "error TypeError", Verdict.RUNTIME_ERROR),
        ("while True: pass", "timeout", Verdict.TIMEOUT),
        ("import os; os._exit(0)", "ended", Verdict.RUNTIME_ERROR),
    ],
)
def test_a_program_that_does_not_load(judge: Judge, code: str, word: str, expected: Verdict) -> None:
    result = verdict(judge, code, probes("f(1)", "f(2)"))
    assert (result.returns, result.verdict, result.tests_passed) == ((word, word), expected, 0)
    assert not has_values(result.returns)


def test_a_builtin_does_not_stand_in_for_the_entry_point(judge: Judge) -> None:
    task = probes("sum([1, 2])", entry_point="sum")
    assert verdict(judge, "def total(xs): return 3", task).returns == ("error NameError",)
    assert verdict(judge, "def sum(xs): return 7", task).returns == ("int 7",)


def test_names_of_exceptions_are_only_words(judge: Judge) -> None:
    code = "def f(n): raise type('int 3\\n\\u00e9' + 'x' * n, (Exception,), {})\n"
    assert seen(judge, code, "f(0)", "f(900)") == (r"error int_3_\xe9", r"error int_3_\xe9" + "x" * 50)


def test_writing_into_the_channel_is_tampering(judge: Judge) -> None:
    """The program finds the nonce above it and answers with the tester's own word, and then with an honest look."""
    code = (
        "import sys, os, json\n"
        "def f(n):\n"
        "    frame = sys._getframe()\n"
        "    while 'channel' not in frame.f_locals: frame = frame.f_back\n"
        "    channel = frame.f_locals['channel']\n"
        "    os.write(4, (json.dumps([channel._nonce, channel._number, {!r}, 'bool True'{}]) + '\\n').encode())\n"
        "    os._exit(0)\n"
    )
    result = verdict(judge, code.format("seen", ""), probes("f(1) == 2", "f(2) == 3"))
    assert (result.verdict, result.returns) == (Verdict.TAMPERED, ("tampered", "tampered"))
    answered = verdict(judge, code.format("value", ", []"), probes("f(1) == 2", "f(2) == 3"))
    assert answered.returns == ("bool False", "ended")  # it may choose what to return, and nothing else


SEARCH = """
import gc
mark = chr(88) + 'q7'
def f():
    gc.unfreeze()
    for x in gc.get_objects():
        for text in (x if type(x) in (list, tuple) else [*x, *x.values()] if type(x) is dict else ()):
            if type(text) is str and text.count(mark) == 5: return 'found'
"""


def test_expressions_are_nowhere_in_the_program_s_memory(judge: Judge) -> None:
    """Twice on one server; the search itself is shown to work on what the program planted."""
    task = probes(f"f() == {'Xq7' * 5!r}", "f()")
    for run in range(2):
        assert verdict(judge, SEARCH + f"run = {run}", task).returns == ("bool False", "NoneType None")
    assert verdict(judge, SEARCH + "planted = [mark * 5]", task).returns[1] == "str 'found'"


@pytest.mark.parametrize("source", ["f(1).x", "open('/etc/passwd') == f(1)", "f(", "g(1)"])
def test_the_judge_itself_refuses_what_is_not_allowed(judge: Judge, source: str) -> None:
    with pytest.raises(UserError, match="problem test/probe: the probe"):
        verdict(judge, RIGHT, probes("f(1, 2)", source))


def test_other_languages_cannot_be_probed(judge: Judge) -> None:
    with pytest.raises(UserError, match="'probe' in javascript"):
        verdict(judge, "function f() {}", probes("f(1)", language="javascript"))


def test_probes_are_kept_and_read_again(tmp_path: Path) -> None:
    items = [(probes("f(1, 2)", "f(1)"), RIGHT), (problem(), RIGHT)]
    with Judge(cache=VerdictCache(tmp_path)) as judge:
        first = judge.run(items)
    with Judge(cache=VerdictCache(tmp_path)) as judge:
        assert judge.run(items) == first
        assert judge._sandboxes[0].server is None  # nothing was run
    assert first[0].returns == ("int 3", "error TypeError") and type(first[0].returns) is tuple


def test_entries_from_before_there_were_outcomes_are_read(tmp_path: Path) -> None:
    old = {"key": "k", "verdict": "OK", "tests_passed": 3, "tests_total": 3, "cpu_s": 0.1, "message": "", "tier": "A"}
    broken = [{**old, "key": "b", "returns": 3}, {**old, "key": "c", "unknown": 1}]
    (tmp_path / "old.jsonl").write_text("".join(json.dumps(line) + "\n" for line in [old, *broken]))
    cache = VerdictCache(tmp_path)
    assert cache.get("k") == Judgement(Verdict.OK, 3, 3, 0.1, tier="A")
    assert cache.get("b") is None and cache.get("c") is None


OUTCOMES = [
    ("function", "def f(a, b):\n    if a == 2: return 0\n    return a + b\n", "PWP"),
    ("program", "def f(a, b):\n    if a == 2: raise KeyError\n    return a + b\n", "PRP"),
    ("function", "def f(a, b):\n    while a == 2: pass\n    return a + b\n", "PTT"),
    ("stdio", "a, b = map(int, input().split())\nprint(a + b if a != 2 else 0)\n", "PWP"),
    ("stdio", "a, b = map(int, input().split())\nwhile a == 2: pass\nprint(a + b)\n", "PT-"),
    ("function", "def f(:", ""),
]


@pytest.mark.parametrize(("style", "code", "outcomes"), OUTCOMES)
def test_every_test_s_outcome_is_told(judge: Judge, style: Any, code: str, outcomes: str) -> None:
    result = verdict(judge, code, problem(style))
    assert result.outcomes == outcomes
    assert result.tests_passed == outcomes.count("P")


def test_tests_after_a_first_failure_are_not_run() -> None:
    with Judge(all_tests=False) as quick:
        assert verdict(quick, "print(0)", problem("stdio")).outcomes == "W--"
        assert verdict(quick, RIGHT, problem(tests=FUNCTION_TESTS)).outcomes == "PPP"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.integers() | st.text(max_size=3), inner, max_size=4)
        | st.lists(inner, max_size=3).map(collections.deque)
    ),
    max_leaves=12,
)


@given(values, values)
def test_words_are_equal_for_equal_values_of_equal_types(a: Any, b: Any) -> None:
    """``1 == True == 1.0`` and ``nan != nan`` in Python; a word tells the first apart, and takes nan for nan."""
    assert (written(a) == written(b)) == (repr_with_sorted_dicts(a) == repr_with_sorted_dicts(b))
    assert written(a).partition(" ")[0] == type(a).__name__
    assert len(written(a).partition(" ")[2]) <= MAX_LITERAL
    assert is_value(written(a)) and verdict_of(written(a)) is Verdict.OK


def repr_with_sorted_dicts(value: Any) -> Any:
    if isinstance(value, dict):
        return sorted((repr(key), repr_with_sorted_dicts(item)) for key, item in value.items())
    if isinstance(value, (list, tuple, collections.deque)):
        return [type(value).__name__, *map(repr_with_sorted_dicts, value)]
    return repr(value)


@given(st.lists(st.integers(), unique=True), st.randoms())
def test_a_set_or_dict_has_one_word_in_any_order(items: list[int], random: Any) -> None:
    shuffled = random.sample(items, len(items))
    assert written(set(items)) == written(set(shuffled))
    assert written(dict.fromkeys(items)) == written(dict.fromkeys(shuffled))
    assert written(items * 100) != written(items * 100 + [1])  # beyond the cut as well
