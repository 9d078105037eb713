"""Comparators: which returned value is the expected one."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardranker.judge.comparators import values_equal

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(plain)
def test_every_json_value_equals_itself(value: object) -> None:
    assert values_equal(value, json.loads(json.dumps(value)))


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        ((1, (2,)), [1, [2]]),
        (2, 2.0),
        (0.1 + 0.2, 0.3),
        (1e-12, 0.0),
        (math.nan, math.nan),
        (math.inf, math.inf),
        ({1: "a", "b": [2]}, {"1": "a", "b": [2]}),
        (500000000500000000, 500000000500000000),
    ],
)
def test_equal(actual: object, expected: object) -> None:
    assert values_equal(actual, expected)


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (True, 1),
        (1, True),
        (True, 1.0),
        (2.0, 2),
        (0.3001, 0.3),
        (math.nan, 0.0),
        (0.0, math.nan),
        (math.inf, -math.inf),
        (10**400, 1e300),
        (500000000500000000.0, 500000000500000000),
        (9007199254740992.0, 9007199254740993),
        ({10**5000: "a"}, {"1": "a"}),
        ({1, 2}, [1, 2]),
        ([1], [1, 2]),
        ("1", 1),
        (None, False),
        ({1: "a", "1": "a"}, {"1": "a"}),
        ({True: "a"}, {"True": "a"}),
        ({"a": 1}, {"b": 1}),
        ([[1, True]], [[1, 1]]),
    ],
)
def test_not_equal(actual: object, expected: object) -> None:
    assert not values_equal(actual, expected)


class AlwaysEqual(int):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = int.__hash__


def test_a_subclass_with_its_own_equality_is_refused() -> None:
    assert not values_equal(AlwaysEqual(1), 2)
    assert not values_equal([AlwaysEqual(2)], [2])


def nested(depth: int) -> list[object]:
    value: list[object] = []
    for _ in range(depth):
        value = [value]
    return value


def test_what_is_nested_too_deeply_is_not_equal() -> None:
    assert values_equal(nested(100), nested(100))
    assert not values_equal(nested(100_000), nested(100_000))
