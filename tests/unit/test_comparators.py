"""Comparators: what counts as the expected answer."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardranker.execution.comparators import stdout_equal, values_equal

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


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        ("1 2\n3", "1  2 3\n"),
        ("YES", "yes"),
        ("0.333333333", "0.33333"),
        ("007", "7"),
        ("-0", "0"),
        ("1e2", "100.0"),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_stdout_equal(actual: str, expected: str) -> None:
    assert stdout_equal(actual, expected)


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        ("1 2", "1 2 3"),
        ("0.3334", "0.3333"),
        ("1000000", "1000001"),
        ("12345678901234567890", "12345678901234567891"),
        ("-1", "1"),
        ("nan", "1"),
        ("", "0"),
        ("12", "1 2"),
    ],
)
def test_stdout_not_equal(actual: str, expected: str) -> None:
    assert not stdout_equal(actual, expected)
