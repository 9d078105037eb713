"""Values of the standard library, as a program returns, takes, changes and raises them: judged as CPython would."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from judging import problem, verdict

from rewardranker.judge import Judge
from rewardranker.judge.child import wire
from rewardranker.judge.comparators import values_equal
from rewardranker.problems.types import Test
from rewardranker.problems.verdict import Verdict

#: Tests, program, verdict.
CASES = [
    ("assert f(1) == 0.5", "from fractions import Fraction\ndef f(n): return Fraction(1,2)", "OK"),
    ("assert f(1) == 1", "from decimal import Decimal\ndef f(n): return Decimal(1)", "OK"),
    ("assert abs(f(1) - 0.5) < 1e-9", "from fractions import Fraction\ndef f(n): return Fraction(1,2)", "OK"),
    (
        "from fractions import Fraction\nassert f(1) == Fraction(1, 2)",
        "from fractions import Fraction\ndef f(n): return Fraction(1,2)",
        "OK",
    ),
    ("assert list(f({1: 2})) == [2]", "def f(d): return d.values()", "OK"),
    ("assert f({1: 2}) == [2]", "def f(d): return d.values()", "WRONG"),
    ("assert sorted(f({1: 2, 0: 3})) == [0, 1]", "def f(d): return d.keys()", "OK"),
    ("assert f({1: 2}) == {1}", "def f(d): return d.keys()", "OK"),
    ("assert list(f({1: 2, 0: 1})) == [(1, 2), (0, 1)]", "def f(d): return d.items()", "OK"),
    ("assert len(f({1: 2})) == 1", "def f(d): return d.values()", "OK"),
    ("assert 2 in f({1: 2})", "def f(d): return d.values()", "OK"),
    ("assert list(f({3: 2, 1: 2, 2: 2})) == [3, 1, 2]", "def f(d): return d.keys()", "OK"),
    ("assert list(f([1])) == ['1']", "def f(x): return map(str, x)", "OK"),
    ("assert f([1]) == ['1']", "def f(x): return map(str, x)", "WRONG"),
    ("assert list(f([1])) == [(1, 1)]", "def f(x): return zip(x, x)", "OK"),
    ("assert sum(f(3)) == 3", "def f(n): return (i for i in range(n))", "OK"),
    ("assert list(f(3)) == [2, 1, 0]", "def f(n): return reversed(range(n))", "OK"),
    ("assert list(f(3)) == [0, 1, 2] and f(3)[1] == 1 and f(3) == range(3)", "def f(n): return range(n)", "OK"),
    ("assert f(3) == [0, 1, 2]", "def f(n): return range(n)", "WRONG"),
    ("assert f('aab') == {'a': 2, 'b': 1}", "from collections import Counter\ndef f(s): return Counter(s)", "OK"),
    (
        "assert f('aab').most_common(1) == [('a', 2)]",
        "from collections import Counter\ndef f(s): return Counter(s)",
        "OK",
    ),
    ("assert f('aab')['z'] == 0", "from collections import Counter\ndef f(s): return Counter(s)", "OK"),
    ("assert f(1)['z'] == []", "from collections import defaultdict\ndef f(s): return defaultdict(list)", "OK"),
    (
        "assert list(f(1).items()) == [(2, 1), (1, 2)]",
        "from collections import OrderedDict\ndef f(s): return OrderedDict([(2,1),(1,2)])",
        "OK",
    ),
    (
        "from collections import OrderedDict\nassert f(1) == OrderedDict([(1, 2), (2, 1)])",
        "from collections import OrderedDict\ndef f(s): return OrderedDict([(2,1),(1,2)])",
        "WRONG",
    ),
    (
        "assert f(1) == (1, 2)",
        "from collections import namedtuple\nP = namedtuple('P', 'x y')\ndef f(n): return P(1, 2)",
        "OK",
    ),
    (
        "assert f(1).x == 1 and f(1).y == 2",
        "from collections import namedtuple\nP = namedtuple('P', 'x y')\ndef f(n): return P(1, 2)",
        "OK",
    ),
    (
        "assert f(1).x == 1",
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\ndef f(n): return P(n)",
        "OK",
    ),
    ("assert f(1) == 1", "from enum import IntEnum\nclass E(IntEnum):\n    A = 1\ndef f(n): return E.A", "OK"),
    ("assert f(1).name == 'A'", "from enum import Enum\nclass E(Enum):\n    A = 1\ndef f(n): return E.A", "OK"),
    ("assert f(1) == 'a'", "from enum import StrEnum\nclass E(StrEnum):\n    A = 'a'\ndef f(n): return E.A", "OK"),
    ("assert f(1) == {1}", "def f(n): return frozenset([n])", "OK"),
    ("assert f(1) == b'ab'", "def f(n): return bytearray(b'ab')", "OK"),
    ("assert f(1) == b'ab'", "def f(n): return memoryview(b'ab')", "OK"),
    (
        "assert f(1) == b'ab' and bytes(f(1)) == b'ab' and f(1).tobytes() == b'ab'",
        "def f(n): return memoryview(b'ab')",
        "OK",
    ),
    (
        "import datetime\nassert f(1) == datetime.date(2020, 1, 2)",
        "import datetime\ndef f(n): return datetime.date(2020, 1, 2)",
        "OK",
    ),
    (
        "import datetime\nassert f(datetime.datetime(2020, 1, 2)) == datetime.datetime(2020, 1, 3)",
        "import datetime\ndef f(d): return d + datetime.timedelta(days=1)",
        "OK",
    ),
    (
        "import datetime\nassert f(1) == datetime.timedelta(days=1)",
        "import datetime\ndef f(d): return datetime.timedelta(days=1)",
        "OK",
    ),
    (
        "import array\nassert f(1) == array.array('i', [1, 2])",
        "import array\ndef f(d): return array.array('i', [1, 2])",
        "OK",
    ),
    ("assert list(f(1)) == [1, 2]", "import array\ndef f(d): return array.array('i', [1, 2])", "OK"),
    ("from decimal import Decimal\nassert f(Decimal('1.10')) == Decimal('2.20')", "def f(d): return d * 2", "OK"),
    ("x = [[1], [2]]\nf(x)\nassert x == [[1, 9], [2]]", "def f(x): x[0].append(9)", "OK"),
    ("x = ([1], [2])\nf(x)\nassert x == ([1, 9], [2])", "def f(x): x[0].append(9)", "OK"),
    ("x = [1]\nf(x, x)\nassert x == [1, 9]", "def f(x, y): y.append(9)", "OK"),
    ("x = [1]\nassert f(x) is not x and f(x) == x", "def f(x): return list(x)", "OK"),
    ("x = {'a': [1]}\nf(x)\nassert x == {'a': [1, 2]}", "def f(x): x['a'].append(2)", "OK"),
    ("x = [3, 1]\nf(x=x)\nassert x == [1, 3]", "def f(x): x.sort()", "OK"),
    (
        "try:\n    f(1)\n    assert False\nexcept LookupError as e:\n"
        "    assert isinstance(e, KeyError) and e.args == ('a', 2)",
        "def f(n): raise KeyError('a', 2)",
        "OK",
    ),
    (
        "try:\n    f(1)\n    assert False\nexcept ValueError as e: assert str(e) == 'no'",
        "class E(ValueError): pass\ndef f(n): raise E('no')",
        "OK",
    ),
    ("try:\n    f(1)\n    assert False\nexcept ZeroDivisionError: pass", "def f(n): return 1 / 0", "OK"),
    ("try:\n    f(1)\n    assert False\nexcept UnicodeDecodeError: pass", "def f(n): return b'\\xff'.decode()", "OK"),
    ("assert math.isnan(f(1))", "def f(n): return float('nan')", "OK"),
    (
        "assert f(1) == float('inf') and math.copysign(1, f(0)) == -1",
        "def f(n): return float('inf') if n else -0.0",
        "OK",
    ),
    ("assert f(1) == 10 ** 400", "def f(n): return 10 ** 400", "OK"),
    ("assert f(1)(2) == 3", "def f(a): return lambda b: a + b", "OK"),
    ("g = f(3)\nassert next(g) == 0 and next(g) == 1", "def f(n): yield from range(n)", "OK"),
    ("assert f({1, 2}) == 3 and f(frozenset([1])) == 1", "def f(s): return sum(s)", "OK"),
    (
        "from collections import deque\nassert f(deque([1, 2])) == deque([2, 1])",
        "def f(d):\n    d.rotate(1)\n    return d",
        "OK",
    ),
    (
        "from collections import Counter\nassert f(Counter('aab')) == 2",
        "def f(c): return c.most_common(1)[0][1]",
        "OK",
    ),
    ("from collections import defaultdict\nassert f(defaultdict(int)) == 0", "def f(c): return c['z']", "OK"),
    ("assert f(1) == 1", "class A:\n    def __eq__(s, o): return True\ndef f(n): return A()", "WRONG"),
    (
        "assert f(1) == 1",
        "from fractions import Fraction\nclass A(Fraction):\n"
        "    def __eq__(s, o): return True\ndef f(n): return A(7)",
        "WRONG",
    ),
]  # fmt: skip
#: One container in several places, and within itself: in what is given, changed, returned and left by an exception.
SHARED = [
    ("x = [1]\nassert f(x) is x", "def f(x): return x", "OK"),
    ("x = [1]\nassert f(x) is x", "def f(x): return list(x)", "WRONG"),
    ("x = [[1], [2]]\nrow = x[0]\nf(x)\nassert row == [1, 9] and x[0] is row", "def f(x): x[0].append(9)", "OK"),
    ("x = [[1], [2]]\nrow = x[0]\nf(x)\nassert row == [1] and x == [[9], [2]]", "def f(x): x[0] = [9]", "OK"),
    ("x = [[1], [2]]\nrow = x[0]\nf(x)\nassert x[1] is row and x == [[2], [1]]", "def f(x): x.reverse()", "OK"),
    ("x = [[1], [1]]\na, b = x\nf(x)\nassert x[0] is b and x[1] is a", "def f(x): x[0], x[1] = x[1], x[0]", "OK"),
    ("row = [0]\nx = [row, row]\nf(x)\nassert x == [[5], [5]]", "def f(x): x[0][0] = 5", "OK"),
    ("row = [0]\nx = [row, row]\nf(x)\nassert x == [[5], [0]]", "def f(x): x[0][0] = 5", "WRONG"),
    ("x = [1]\nf(x, {'k': x})\nassert x == [1, 2]", "def f(x, d): d['k'].append(2)", "OK"),
    ("x = [1]\nf(x, y=x)\nassert x == [1, 2, 3]", "def f(x, y):\n    y.append(2)\n    x.append(3)", "OK"),
    ("x = {'a': {'b': 1}}\ny = x['a']\nf(x)\nassert y == {'b': 2, 'c': 3}",
     "def f(x): x['a'].update(b=2, c=3)", "OK"),
    ("x = ({1}, [2])\ns = x[0]\nf(x)\nassert s == {1, 7}", "def f(x): x[0].add(7)", "OK"),
    ("x = []\nx.append(x)\nassert f(x) == 1", "def f(x): return len(x)", "OK"),
    ("x = []\nx.append(x)\nassert f(x)", "def f(x): return x[0][0] is x", "OK"),
    ("x = {}\nx['me'] = x\nf(x)\nassert x['n'] == 1 and x['me'] is x", "def f(x): x['me']['n'] = 1", "OK"),
    ("a, b = ['a'], ['b']\na.append(b)\nb.append(a)\nassert f(a) == 'ab'", "def f(a): return a[0] + a[1][0]", "OK"),
    ("r = f(2)\nassert r[0] is r and len(r) == 1", "def f(n):\n    x = []\n    x.append(x)\n    return x", "OK"),
    ("r = f(3)\nr[0][0] = 1\nassert r == [[1, 0], [1, 0], [1, 0]]", "def f(n): return [[0] * 2] * n", "OK"),
    ("r = f(3)\nr[0][0] = 1\nassert r == [[1, 0], [0, 0], [0, 0]]", "def f(n): return [[0] * 2] * n", "WRONG"),
    ("r = f(3)\nr[0][0] = 1\nassert r == [[1, 0], [0, 0]]", "def f(n): return [[0] * 2 for _ in range(2)]", "OK"),
    ("x = [[1]]\ny = f(x)\ny.append(2)\nassert x == [[1, 2]]", "def f(x): return x[0]", "OK"),
    ("x = [1]\nf(x).append(2)\nassert x == [1, 2, 2]", "def f(x):\n    x += [2]\n    return x", "OK"),
    ("x = [2, 1]\ntry: f(x)\nexcept ValueError: pass\nassert x == [1, 2]",
     "def f(x):\n    x.sort()\n    raise ValueError", "OK"),
    ("x = [1]\nf(x)\nassert x == [True] and x[0] is True", "def f(x): x[0] = True", "OK"),
    ("x = {'b': 1, 'a': 2}\nf(x)\nassert list(x) == ['a', 'b']", "def f(x): x['b'] = x.pop('b')", "OK"),
    ("x = bytearray(b'ab')\ny = [x, x]\nf(y)\nassert x == b'abc'", "def f(y): y[1].append(99)", "OK"),
    ("x = deque([1])\ny = [x]\nf(y)\nassert list(x) == [0, 1] and y[0] is x", "def f(y): y[0].appendleft(0)", "OK"),
    ("x = Counter('a')\ny = [x, x]\nf(y)\nassert x == {'a': 2} and y[1] is x", "def f(y): y[0]['a'] += 1", "OK"),
    ("x = defaultdict(list)\nf([x])\nassert x == {1: [2]} and x[5] == []", "def f(y): y[0][1].append(2)", "OK"),
    ("x = OrderedDict(a=1, b=2)\nf(x)\nassert list(x) == ['b', 'a']", "def f(x): x.move_to_end('a')", "OK"),
    ("class L(list): pass\nx = L([2, 1])\nf(x)\nassert x == [1, 2] and type(x) is L", "def f(x): x.sort()", "OK"),
    ("x = [3]\nf(x)\nassert x == []", "def f(x): del x[:]", "OK"),
    ("x = [1, 2]\ny = [x, (x, x)]\nassert f(y)", "def f(y): return y[0] is y[1][0] is y[1][1]", "OK"),
    ("x = [1, 2]\nassert f([x, x], [list(x), list(x)])",
     "def f(a, b): return a == b and a[0] is a[1] and b[0] is not b[1]", "OK"),
    ("from uuid import UUID\nassert f(UUID(int=5)) == UUID(int=6)",
     "import uuid\ndef f(u): return uuid.UUID(int=u.int + 1)", "OK"),
    ("import uuid\nassert f('a') == uuid.uuid5(uuid.NAMESPACE_DNS, 'a')",
     "import uuid\ndef f(s): return uuid.uuid5(uuid.NAMESPACE_DNS, s)", "OK"),
    ("import uuid\nassert f('a').version == 4 and isinstance(f('a'), uuid.UUID)",
     "import uuid\ndef f(s): return uuid.uuid4()", "OK"),
    ("import datetime\nassert f(datetime.timezone.utc) == datetime.timezone.utc", "def f(z): return z", "OK"),
    ("assert f(slice(1, 3)) == [1, 2] and f(slice(None, None, 2)) == [0, 2]",
     "def f(s): return [0, 1, 2, 3][s]", "OK"),
    ("assert f(1) == slice(1, 2)", "def f(n): return slice(n, n + 1)", "OK"),
    ("assert f(...) is ...", "def f(e): return e", "OK"),
]  # fmt: skip
#: What cannot cross the pipe, as docs/judging.md says; never a verdict that a program could do something about.
BEYOND = [
    ("x = [1]\ng = f(x)\ng(2)\nassert x == [1, 2]", "def f(x): return lambda v: x.append(v)", "WRONG"),
    ("assert f(lambda x: x + 1) == 6", "def f(g): return g(5)", "INFRA"),
    ("class A:\n    x = 5\nassert f(A()) == 5", "def f(a): return a.x", "INFRA"),
]  # fmt: skip


def test_each_is_judged_as_cpython_would(judge: Judge) -> None:
    results = judge.run([(problem("program", (Test(test),)), code) for test, code, _ in CASES])
    wrong = [
        (test, code, wanted, result.verdict, result.message)
        for (test, code, wanted), result in zip(CASES, results, strict=True)
        if str(result.verdict) != wanted
    ]
    assert wrong == [] and len(CASES) >= 60


def test_what_is_one_thing_on_one_side_is_one_on_the_other(judge: Judge) -> None:
    names = "from collections import *\n"
    results = judge.run([(problem("program", (Test(names + test),)), code) for test, code, _ in SHARED])
    wrong = [
        (test, code, wanted, result.verdict, result.message)
        for (test, code, wanted), result in zip(SHARED, results, strict=True)
        if str(result.verdict) != wanted
    ]
    assert wrong == [] and len(SHARED) >= 40


@pytest.mark.parametrize(("source", "code", "expected"), BEYOND)
def test_what_cannot_cross(judge: Judge, source: str, code: str, expected: str) -> None:
    assert str(verdict(judge, code, problem("program", (Test(source),))).verdict) == expected


EQUAL = "    def __eq__(s, o): return True\n    def __ne__(s, o): return False\n    __hash__ = None\n"
FORGED = {
    "a fraction": f"from fractions import Fraction\nclass A(Fraction):\n{EQUAL}def f(a, b): return A(7)",
    "a decimal": f"from decimal import Decimal\nclass A(Decimal):\n{EQUAL}def f(a, b): return A(7)",
    "a date": f"from datetime import date\nclass A(date):\n{EQUAL}def f(a, b): return A(1, 1, 1)",
    "a counter": f"from collections import Counter\nclass A(Counter):\n{EQUAL}def f(a, b): return A()",
    "a named tuple": f"from collections import namedtuple\nclass A(namedtuple('P', 'x')):\n{EQUAL}"
    "def f(a, b): return A(7)",
    "a fraction of lies": "from fractions import Fraction\nclass I(int):\n" + EQUAL + "def f(a, b):\n"
    "    x = Fraction(1, 2)\n    x._numerator = I(7)\n    return x",
    "no fields": "class A(tuple):\n    _fields = ('__eq__',)\ndef f(a, b): return A((lambda s, o: True,))",
    "fields that are methods": "class A(tuple):\n    _fields = ('count',)\ndef f(a, b): return A((lambda *a: True,))",
    "fields of lies": "class S(str):\n    def isidentifier(s): return True\nclass A(tuple):\n"
    "    _fields = (S('__eq__'),)\ndef f(a, b): return A((7,))",
    "a factory": "from collections import defaultdict\nclass A(int):\n" + EQUAL
    + "def f(a, b): return defaultdict(A)",
    "not a decimal": "from decimal import Decimal\ndef f(a, b): return Decimal('NaN')",
    "a signalling one": "from decimal import Decimal\ndef f(a, b): return Decimal('sNaN')",
    "an exception of every kind": "class M(type):\n    __mro__ = (AssertionError,)\n"
    "class E(Exception, metaclass=M): pass\nE.__name__ = 'AssertionError'\ndef f(a, b): raise E",
    "an exception that ends all": "class E(BaseException): pass\nE.__name__ = 'GeneratorExit'\ndef f(a, b): raise E",
    "a stop": "def f(a, b): raise StopIteration(3)",
    "a group": "def f(a, b): raise ExceptionGroup('x', [ValueError()])",
    "a zone of its own": "import datetime\nclass Z(datetime.tzinfo):\n    def utcoffset(s, d): return None\n"
    "def f(a, b): return datetime.datetime(1, 1, 1, tzinfo=Z())",
    "arguments of lies": "def f(a, b):\n    class A:\n        def __eq__(s, o): return True\n"
    "    raise ValueError(A())",
}  # fmt: skip


ENDS = (Verdict.WRONG, Verdict.RUNTIME_ERROR, Verdict.TAMPERED)


@pytest.mark.parametrize("name", FORGED)
def test_no_forged_value_is_right(judge: Judge, name: str) -> None:
    result = verdict(judge, FORGED[name], problem("program"))
    assert result.verdict in ENDS and result.tests_passed == 0, result
    assert verdict(judge, FORGED[name], problem()).verdict in ENDS


BAD: list[Any] = [
    {"fraction": [1, 0]}, {"fraction": ["1", 2]}, {"fraction": "1/2"}, {"fraction": [1.5, 2]},
    {"fraction": [True, 1]},
    {"decimal": 5}, {"decimal": "x"}, {"decimal": ["1"]}, {"date": 5}, {"date": "2020-13-01"}, {"datetime": None},
    {"timedelta": [1, 2, "3"]}, {"timedelta": [10**12]}, {"array": ["i", ["x"]]}, {"array": ["i", [1 << 80]]},
    {"array": ["q"]}, {"array": [5, []]}, {"memoryview": "00"}, {"memoryview": {"bytearray": "00"}},
    {"counter": 5}, {"counter": [[1]]}, {"ordered": [5]}, {"defaultdict": ["eval", []]},
    {"defaultdict": [{"type": "int"}, []]},
    {"keys": {"dict": []}}, {"values": 5}, {"items": [[1]]}, {"items": [[[1], 2]]}, {"named": [[], []]},
    {"named": [["__eq__"], [1]]}, {"named": [["x y"], [1]]}, {"named": [["x", "x"], [1, 2]]},
    {"named": [["class"], [1]]},
    {"same": 0}, [{"same": 1}], {"slice": [1, 2]}, {"slice": [1, "2", 3]}, {"uuid": 5}, {"uuid": "x"}, {"zone": "x"},
    {"named": [["x"], 5]}, {"named": [5, [1]]}, {"named": [[["x"]], [1]]}, {"named": [["x"] * 99, [1] * 99]},
]  # fmt: skip


@pytest.mark.parametrize("data", BAD, ids=repr)
def test_data_that_no_value_encodes_to_is_refused(data: Any) -> None:
    with pytest.raises(wire.WireError):
        wire.decode(data)


@pytest.mark.parametrize(
    ("actual", "expected", "equal"),
    [
        (Fraction(5), 5, True),
        (Fraction(1, 2), 0.5, True),
        (Decimal("0.1"), 0.1, True),
        (Decimal(5), 5, True),
        (Fraction(11, 2), 5, False),
        (Decimal("5.0000000001"), 5, False),
        (Decimal("NaN"), 5, False),
        (Decimal("Infinity"), 5, False),
        (Decimal("sNaN"), 0.5, False),
        (Decimal("1e400"), 0.5, False),
        (Fraction(1), True, False),
        (Fraction(1), "1", False),
    ],
)
def test_numbers_of_the_library_where_json_expects_a_number(actual: Any, expected: Any, equal: bool) -> None:
    assert values_equal(wire.decode(wire.encode(actual)), expected) is equal
    assert values_equal([actual], [expected]) is equal
