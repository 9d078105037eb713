"""What a model may have evaluated beside our own code, and what it may not."""

from __future__ import annotations

import ast
import builtins

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardranker.judge.child.probing import CALLABLE, TYPES
from rewardranker.judge.expressions import Refused, canonical, checked, parsed

ALLOWED = [
    "f([1, 2], 3)",
    "f(x=1) == -2",
    "set(f((3, 4))) == {1, 2}",
    "abs(f(0.5) - 0.25) < 1e-06",
    "round(f(2), 2) == 1.41",
    "isinstance(f(1), int) and type(f(1)) == int",
    "not f('a') or f('b') is None",
    "1 < f(3) <= 10 ** 9",
    "f([0] * 1000) == list(range(10))",
    "f(f(3))[0][1:] in [[1], (2,)]",
    "f({'a': 1}, b'x', 2j, {1, 2}) != sorted([3, 1], reverse=True)",
    "len(f(3)) == 2 * 3 * 4",
    "f(1) * 2 == 4",
    "f(7) % 2 == 0",
]
REFUSED = {
    "no expression": ["f(", "x = f(1)", "import os", "f(1); f(2)", "", "(" * 500 + "f(1)", "f(1)\x00"],
    "too long": ["f(" + "1, " * 1000 + ")"],
    "no call of the entry point": ["1 == 1", "g(1)", "f", "f == f", "len([1])"],
    "Attribute": ["f(1).x == 2", "f(1).__class__", "f((1).real)", "f(1) == math.pi"],
    "a call of what is no name": ["f(1).lower() == 'a'", "f(1)(2)", "f([].copy())"],
    "a call of another function": [
        "g(f(1))",
        "open('x') == f(1)",
        "eval('1') == f(1)",
        "f(__import__('os'))",
        "getattr(f(1), 'x')",
        "print(f(1))",
        "bytes(10 ** 9) == f(1)",
        "map(int, f(1))",
    ],
    "a name": ["f(x)", "f(f) == 1", "f(len)", "____ == f(1)", "f(__builtins__)", "sorted(f(1), key=len)"],
    "Lambda": ["f(lambda: 1)"],
    "ListComp": ["[f(1) for _ in [1]]"],
    "GeneratorExp": ["all(f(i) for i in [1])"],
    "NamedExpr": ["(y := f(1)) == 1"],
    "JoinedStr": ["f(f'{1}')"],
    "Starred": ["f(*[1])", "f(**{'a': 1})", "f({**{}})", "len(*[f(1)])"],
    "IfExp": ["f(1) if 1 else 2"],
    "ellipsis": ["f(...)"],
    "a new type": ["type('X', (), {}) == f(1)"],
    "a range of unknown size": ["list(range(10 ** 9)) == f(1)", "range(1000000) == f(1)", "range(f(1))"],
    "a power of unknown size": ["9 ** 9 ** 9 == f(1)", "f(2) ** 2 == 4", "2 ** 100 == f(1)", "10 ** 9 ** 2 == f(1)"],
    "a product of unknown size": [
        "f('a' * 10 ** 9)",
        "f([0] * 100000)",
        "f('a' * 10000 * 10000)",
        "f('a' * True * 10000)",
        "f(1) * f(2) == 2",
        "f([1] * (2 * 3))",
    ],
    "a format": ["f('%1000000000d' % 3)"],
    "LShift": ["f(1 << 1000000)"],
}


@pytest.mark.parametrize("source", ALLOWED)
def test_allowed(source: str) -> None:
    assert ast.dump(parsed(checked(source, "f"))) == ast.dump(parsed(source))


@pytest.mark.parametrize(
    ("reason", "source"), [(reason, source) for reason, all_ in REFUSED.items() for source in all_]
)
def test_refused(reason: str, source: str) -> None:
    with pytest.raises(Refused, match=f"^{reason}$"):
        checked(source, "f")


def test_an_entry_point_named_like_a_builtin_is_the_program_s() -> None:
    assert checked("sum([1, 2]) == 3", "sum") and checked("open(1) == 2", "open")
    with pytest.raises(Refused, match="a name"):
        checked("isinstance(list(1), list)", "list")


def test_one_text_for_one_expression() -> None:
    forms = ["f([1,2],\n 'a')==True", 'f([1, 2], "a") == True', "(f([1, 2], 'a')) == (True)"]
    assert {checked(form, "f") for form in forms} == {"f([1, 2], 'a') == True"}


def test_a_chain_that_is_too_deep_is_refused_and_no_crash() -> None:
    for source in ("f(1)" + "+1" * 990, "-" * 1900 + "f(1)", "not " * 400 + "f(1)"):
        try:
            assert "f(1)" in checked(source, "f")
        except Refused:
            continue


def test_what_may_be_called_exists_and_reaches_nothing() -> None:
    """None of the functions that give access to files, code, names, attributes or the interpreter."""
    assert all(callable(getattr(builtins, name)) for name in CALLABLE | TYPES)
    reaching = (
        "open eval exec compile __import__ getattr setattr delattr vars dir globals locals input print breakpoint"
    )
    assert not (CALLABLE | TYPES) & {*reaching.split(), "object", "super", "memoryview", "help", "exit", "quit", "id"}


sources = st.recursive(
    st.sampled_from(["f(1)", "1", "'a'", "x", "[]", "int", "len", "f", "9999999", "{1: 2}"]),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["f", "len", "open", "sorted", "range", "x.y"]), inner).map(
            lambda p: f"{p[0]}({p[1]})"
        ),
        st.tuples(inner, st.sampled_from(["+", "*", "**", "==", "and", "%", "<<"]), inner).map(
            lambda p: f"({p[0]}) {p[1]} ({p[2]})"
        ),
        inner.map(lambda one: f"({one}).__class__"),
        inner.map(lambda one: f"[x for x in ({one})]"),
        inner.map(lambda one: f"({one})[0]"),
        inner.map(lambda one: f"lambda: ({one})"),
    ),
    max_leaves=8,
)


@given(sources)
def test_whatever_passes_has_no_attribute_no_definition_and_no_foreign_name(source: str) -> None:
    try:
        text = checked(source, "f")
    except Refused:
        return
    tree = ast.parse(text, mode="eval")
    forbidden = (ast.Attribute, ast.Lambda, ast.comprehension, ast.NamedExpr, ast.Starred, ast.JoinedStr)
    assert not any(isinstance(node, forbidden) for node in ast.walk(tree))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert "f" in names and names <= {"f"} | CALLABLE | TYPES
    assert canonical(parsed(text)) == text
