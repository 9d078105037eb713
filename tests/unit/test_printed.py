"""What a main program printed: which output is the expected one, by each comparator."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewardranker.judge.printed import asks_for_reals, published_equal, stdout_equal

BIG = "500000000500000000"
RIGHT = [
    ("1 2\n3", "1  2 3\n"),
    ("1\t2\r\n3 \n\n", "1 2 3"),
    ("YES", "yes"),
    ("0.333333333", "0.33333"),
    ("-0", "0"),
    ("0", "-0"),
    ("-0.0", "0"),
    ("1e2", "100.0"),
    ("+5.5", "5.5"),
    ("007.50", "7.5"),
    (".5", "0.5"),
    ("5.", "5.0"),
    ("3", "3.000001"),
    ("3.000", "3"),
    ("-12.0", "-12"),
    ("9" * 5000, "9" * 5000),
    (BIG, BIG),
    ("nan", "NaN"),
    ("1_000", "1_000"),
    ("٣", "٣"),
    ("007", "007"),
    ("", " \n"),
]
WRONG = [
    ("1 2", "1 2 3"),
    ("0.3334", "0.3333"),
    ("1000000", "1000001"),
    ("12345678901234567890", "12345678901234567891"),
    ("-1", "1"),
    ("nan", "1"),
    ("nan", "1.0"),
    ("inf", "1e999"),
    ("1e999", "1e998"),
    ("inf", "infinity"),
    ("", "0"),
    ("12", "1 2"),
    ("5.000000005e+17", BIG),
    ("5.00000000500000000e+17", BIG),
    (BIG + ".0", BIG),
    ("9007199254740992.0", "9007199254740993"),
    ("1e2", "100"),
    ("1E2", "100"),
    ("4.999999999", "5"),
    ("5.000001", "5"),
    ("007", "7"),
    ("10", "010"),
    ("+5", "5"),
    ("--5", "5"),
    ("1_000", "1000"),
    ("1,000", "1000"),
    ("0x10", "16"),
    ("0x1p4", "16.0"),
    ("１２", "12"),
    ("٣", "3"),
    ("٣.٥", "3.5"),
    ("²", "2"),
    ("1\xa02", "1 2"),
    ("1\v2", "1 2"),
    ("1\f2", "1 2"),
    ("1\x1c2", "1 2"),
    ("1\x852", "1 2"),
    ("1\u20282", "1 2"),
    ("1\u200b 2", "1 2"),
    ("\ufeff5", "5"),
    ("5\0", "5"),
    ("ſ", "s"),
    ("\u212a", "k"),
    ("É", "é"),
    ("\udcff", "\ufffd"),
    ("9" * 5000 + "8", "9" * 5001),
]


@pytest.mark.parametrize(("actual", "expected"), RIGHT)
def test_tokens_equal(actual: str, expected: str) -> None:
    assert stdout_equal(actual, expected)


@pytest.mark.parametrize(("actual", "expected"), WRONG)
def test_tokens_not_equal(actual: str, expected: str) -> None:
    assert not stdout_equal(actual, expected)


def test_an_integer_among_real_numbers_may_be_one_by_chance() -> None:
    assert asks_for_reals(["2", "0.5"]) and asks_for_reals(["1e5"])
    assert not asks_for_reals(["2", "a.b", "1.2.3", "007"])
    for near in ("2.0000000001", "1.9999999", "2e0", "2"):
        assert stdout_equal(near, "2", reals=True)
    for far in ("2.1", "3", "02", "2x"):
        assert not stdout_equal(far, "2", reals=True)
    assert not stdout_equal("500000000500000001.0", BIG, reals=True)
    assert not stdout_equal("5.000000005e+17", BIG, reals=True)


#: Published output, expected output, whether CodeContests' own program calls them equal.
PUBLISHED = [
    ("YES", "yes", True),
    ("5.000000005e+17", BIG, True),
    ("9007199254740992", "9007199254740993", True),
    ("5.000001", "5", True),
    ("+5", "5", True),
    ("007", "7", True),
    ("1\v2", "1 2", True),
    ("\f5", "5", True),
    ("inf", "inf", True),
    ("inf 1.0", "inf 1", False),  # infinity minus infinity is not a number
    ("nan 1.0", "nan 1", False),
    ("a 1.0", "a 1", True),
    ("1\xa02", "1 2", False),
    ("１２", "12", False),
    ("1_000", "1000", False),
    ("0x10", "16", False),
    ("1e", "1", False),
    ("+-5", "-5", False),
    ("1 2", "1 2 3", False),
    ("5.00002", "5", False),
]


@pytest.mark.parametrize(("actual", "expected", "equal"), PUBLISHED)
def test_the_published_rule(actual: str, expected: str, equal: bool) -> None:
    assert published_equal(actual, expected) is equal


tokens = st.text(st.sampled_from("019.eE+-xXnNaAiIfF_ \t\v\f\n\r\0\xa0\u2028\u0663\uff11\ud800\udcff"), max_size=30)


@given(tokens, tokens)
def test_any_text_is_compared_and_equals_itself(actual: str, expected: str) -> None:
    for reals in (False, True):
        assert stdout_equal(actual, actual, reals)
        assert type(stdout_equal(actual, expected, reals)) is bool
    assert published_equal(actual, actual) and type(published_equal(actual, expected)) is bool
    assert type(asks_for_reals([actual])) is bool


LONG = 100_000
GROWN = ("1", "0", "1.", "1e", "-", "+1", ".", "1e+", "e1", " ", "1 ", "\v", "x", "0.", "\n1\n", "1.1", "\xa0", "\0")


@pytest.mark.parametrize("piece", GROWN)
def test_a_long_output_is_compared_in_linear_time(piece: str) -> None:
    text = piece * (LONG // len(piece))
    for actual in (text, text + "x", "1" + text, "1." + text, "1e" + text):
        for expected in ("1", "1.5", "1" * LONG + "0", "0." + "3" * LONG, "1e999999999"):
            start = time.process_time()
            stdout_equal(actual, expected, reals=True)
            published_equal(actual, expected)
            assert time.process_time() - start < 5  # quadratic time would be a minute
