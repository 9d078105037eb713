"""The tester that stays: what it ran before is not there for what it runs next, and no end of it costs a verdict."""

from __future__ import annotations

import os
import signal

import pytest
from judging import problem, verdict
from processes import command_line, descendants

from rewardranker.judge import Judge
from rewardranker.judge.sandbox.tiers import strongest
from rewardranker.judge.strict.plain import leaves_nothing
from rewardranker.problems.types import Limits, Problem, Test
from rewardranker.problems.verdict import Verdict

RIGHT = "def f(a, b):\n    return a + b\n"
PLAIN = {
    "assert f(1, 2) == 3": True,
    "import math\nassert math.isclose(f(1, 2), 3)": True,
    "from collections import Counter\ndef check(g):\n    assert Counter(g(1)) == {}\ncheck(f)": True,
    "METADATA = {'a': 1}\nfor x in range(3):\n    assert f(x) == x": True,
    "class A:\n    x = 1\nassert f(A.x)": True,
    "import random\nassert f(random.random())": False,
    "import math\nmath.floor = None\nassert f(1)": False,
    "import math\ndel math.floor\nassert f(1)": False,
    "import math\nsetattr(math, 'floor', None)\nassert f(1)": False,
    "from math import *\nassert f(1)": False,
    "import os.path\nassert f(1)": False,
    "assert f.__name__": False,
    "__builtins__['len'] = None\nassert f(1)": False,
    "assert f(open('x').read())": False,
    "exec('import math')\nassert f(1)": False,
    "print(1)\nassert f(1)": True,
}


@pytest.mark.parametrize("source", PLAIN)
def test_what_leaves_nothing_behind(source: str) -> None:
    assert leaves_nothing((source,), ("f",)) is PLAIN[source]


def test_modules_that_the_tests_do_not_import_count_too() -> None:
    assert leaves_nothing(("assert f(math.pi)",), ("f", "math"))
    assert not leaves_nothing(("assert f(sys.maxsize)",), ("f", "sys"))


def asserting(source: str, **more: object) -> Problem:
    return problem("program", (Test(source),), **more)


def test_names_of_one_problem_s_tests_are_not_the_next_one_s(judge: Judge) -> None:
    first = asserting("left = 5\ndef helper(x): return 3\nlen = 7\nassert f(1, 2) == 3")
    assert verdict(judge, RIGHT, first).verdict is Verdict.OK
    for source in ("assert f(1, 2) == helper(1)", "assert f(2, 3) == left"):
        result = verdict(judge, RIGHT, asserting(source))
        assert result.verdict is Verdict.RUNTIME_ERROR and "NameError" in result.message
    assert verdict(judge, RIGHT, asserting("assert f(1, 2) == len('abc')")).verdict is Verdict.OK


@pytest.mark.parametrize(
    "source",
    [
        "import math\nmath.floor = lambda x: 7",
        "import builtins\nbuiltins.oct = lambda x: 7",
        "import sys\nsys.setrecursionlimit(60)",
        "import os\nos.environ['PATH'] = ''",
    ],
)
def test_what_tests_change_is_as_it_was_for_the_next(judge: Judge, source: str) -> None:
    assert verdict(judge, RIGHT, asserting(f"{source}\nassert f(1, 2) == 3")).verdict is Verdict.OK
    deep = "def d(n): return n and 1 + d(n - 1)\nassert f(1, 99) == d(100)"
    assert verdict(judge, RIGHT, asserting(f"assert f(1, 2) == math.floor(3.5)\n{deep}")).verdict is Verdict.OK
    assert (
        verdict(judge, RIGHT, asserting("assert f(1, 2) == len([1, 2, 3]) and oct(8) == '0o10'")).verdict
        is Verdict.OK
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("while f(1, 2): pass", Verdict.TIMEOUT),
        ("x = []\nwhile f(1, 2): x.append('x' * (1 << 24) + str(len(x)))\nassert x", Verdict.MEMORY),
        ("raise SystemExit", Verdict.WRONG),
        ("raise KeyboardInterrupt", Verdict.WRONG),
        ("def d(n): return d(n + 1)\nd(0)", Verdict.WRONG),
        ("return 5", Verdict.INFRA),
    ],
)
def test_tests_that_end_badly_end_alone(judge: Judge, source: str, expected: Verdict) -> None:
    task = asserting(source, limits=Limits(cpu_s=0.7, wall_s=10.0, memory_mb=256))
    found = verdict(judge, RIGHT, task).verdict
    assert found in (expected, Verdict.WRONG) if expected is Verdict.MEMORY else found is expected
    assert verdict(judge, RIGHT, asserting("assert f(1, 2) == 3\nassert f(1, 3) == 4")).verdict is Verdict.OK


def test_programs_that_end_badly_end_alone(judge: Judge) -> None:
    bad = {
        "def f(a, b):\n    while True: pass": Verdict.TIMEOUT,
        "def f(a, b): return 'x' * (6 << 20)": Verdict.OUTPUT_LIMIT,
        "import os\ndef f(a, b): os._exit(0)": Verdict.RUNTIME_ERROR,
        "import os\ndef f(a, b):\n    os.write(4, b'x' * 70000)\n    return a + b": Verdict.TAMPERED,
        "def f(a, b: pass": Verdict.COMPILE_ERROR,
    }
    for code, expected in bad.items():
        assert verdict(judge, code, problem("program")).verdict is expected, code
        assert verdict(judge, f"{RIGHT}# after {expected}\n", problem("program")).verdict is Verdict.OK


def test_it_stays_and_is_replaced_when_it_dies() -> None:
    if strongest().tier not in ("A", "A+") and os.geteuid() != 0:
        pytest.skip("only where it is out of a program's sight does it stay")
    before = set(descendants())
    with Judge() as judge:
        assert verdict(judge, RIGHT).verdict is Verdict.OK
        without = set(descendants())
        assert verdict(judge, RIGHT, problem("program")).verdict is Verdict.OK
        (tester,) = set(descendants()) - without
        assert verdict(judge, RIGHT + "# again\n", problem("program")).verdict is Verdict.OK
        assert tester in descendants() and "server.py" in command_line(tester)
        os.kill(tester, signal.SIGKILL)
        assert verdict(judge, RIGHT + "# once more\n", problem("program")).verdict is Verdict.OK
        assert tester not in descendants()
        other = problem("program", limits=Limits(cpu_s=1.0, wall_s=10.0, memory_mb=300))
        now = set(descendants())
        assert verdict(judge, RIGHT, other).verdict is Verdict.OK
        assert len(set(descendants()) - without) == 1 and set(descendants()) != now
    assert set(descendants()) <= before


def test_a_program_does_not_find_it(judge: Judge) -> None:
    """Neither by /proc, nor by a signal to all, nor among its descriptors."""
    code = (
        "import os\nseen = sorted(p for p in os.listdir('/proc') if p.isdigit())\n"
        "def f(a, b):\n    fds = set(os.listdir('/proc/self/fd'))\n"
        "    return a + b if len([d for d in fds if int(d) < 200]) <= 6 else seen\n"
    )
    for number in range(2):
        assert verdict(judge, f"{code}# {number}\n", problem("program")).verdict is Verdict.OK
    killer = "import os\ndef f(a, b):\n    try: os.kill(-1, 9)\n    except OSError: pass\n    return a + b\n"
    assert verdict(judge, killer, problem("program")).verdict is not Verdict.INFRA
    assert verdict(judge, RIGHT, problem("program")).verdict is Verdict.OK
