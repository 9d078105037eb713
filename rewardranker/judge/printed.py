"""Whether what a main program printed is the expected output. Linear in both texts; nothing printed makes it raise.

Only space, tab, newline and carriage return separate tokens, only the letters A to Z lose their case, only the ten
ASCII digits are digits.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

_TOLERANCE = 1e-5
_WHOLE_DIGITS = 15  # a double holds every whole number of so many digits, so that its print has lost none
_WORD = re.compile(rb"[^ \t\r\n]++")
_PUBLISHED_WORD = re.compile(rb"[^ \t\r\n\v]++")
_INTEGER = re.compile(rb"-?(?:0|[1-9][0-9]*+)")
_NUMBER = re.compile(rb"[+-]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++)(?:e[+-]?[0-9]++)?")
_NO_FINITE_NUMBER = re.compile(rb"[+-]?(?:inf(?:inity)?|nan)")


def stdout_equal(actual: str, expected: str, reals: bool = False) -> bool:
    """The comparator ``tokens``: as many tokens, each the expected one, letters' case ignored.

    - Where an integer is expected, that integer: its own digits (no leading zero and no ``+``, since ``010`` may be
      text; of a zero the sign does not count), or these with a fraction of nothing but zeros where a double that
      prints so has lost nothing (up to 15 digits). ``5e+2`` and ``499.9999999`` are not 500.
    - Where a decimal number is expected, a number less than 1e-5 apart, as CodeContests has it.
    - All else, ``nan`` and ``inf`` among it, as text.

    Args:
        reals: the problem asks for real numbers (:func:`asks_for_reals`), so that an integer may be one by chance:
            a decimal number near it will do, again up to 15 digits.
    """
    ours, theirs = _words(actual), _words(expected)
    return len(ours) == len(theirs) and all(
        a == e or _number_equal(a, e, reals) for a, e in zip(ours, theirs, strict=True)
    )


def asks_for_reals(expected: Sequence[str]) -> bool:
    """Whether any of a problem's expected outputs holds a decimal number."""
    return any(map(_has_decimal, expected))


def published_equal(actual: str, expected: str) -> bool:
    """The comparator ``codecontests``: that data set's own rule, to the letter (``execution/tester_sandboxer.cc``).

    Tokens between white space (vertical tab included), ASCII case ignored; two numbers, integers too, are equal
    as doubles less than 1e-5 apart, so that ``5.000001`` is 5 and 2**53 + 1 is 2**53.
    """
    ours, theirs = (_PUBLISHED_WORD.findall(_bytes(text)) for text in (actual, expected))
    if ours == theirs:
        return True
    return len(ours) == len(theirs) and all(map(_published_token_equal, ours, theirs))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass").lower()  # of bytes: ASCII's letters alone


def _words(text: str) -> list[bytes]:
    return _WORD.findall(_bytes(text))


@lru_cache(maxsize=8192)
def _has_decimal(text: str) -> bool:
    return any(_NUMBER.fullmatch(word) and not word.lstrip(b"+-").isdigit() for word in _words(text))


def _number_equal(actual: bytes, expected: bytes, reals: bool) -> bool:
    """Of two tokens that differ as text."""
    if not (_NUMBER.fullmatch(actual) and _NUMBER.fullmatch(expected)):
        return False
    if not _is_whole(expected):
        return _near(actual, expected)
    if not _INTEGER.fullmatch(expected) or len(expected.lstrip(b"-")) > _WHOLE_DIGITS:
        return False
    if reals and not _is_whole(actual):
        return _near(actual, expected)
    whole, _, fraction = actual.partition(b".")
    return not fraction.strip(b"0") and (whole == expected or {whole, expected} == {b"0", b"-0"})


def _is_whole(token: bytes) -> bool:
    return token.lstrip(b"+-").isdigit()


def _near(actual: bytes, expected: bytes) -> bool:
    return abs(float(actual) - float(expected)) < _TOLERANCE  # of two infinities, this is nan


def _published_token_equal(actual: bytes, expected: bytes) -> bool:
    numbers = [_published_number(token.strip(b"\f")) for token in (actual, expected)]
    if None in numbers:
        return actual == expected
    ours, theirs = numbers
    assert ours is not None and theirs is not None
    return abs(ours - theirs) < _TOLERANCE


def _published_number(token: bytes) -> float | None:
    return float(token) if _NUMBER.fullmatch(token) or _NO_FINITE_NUMBER.fullmatch(token) else None
