"""The judge: every verdict, and what it promises its callers."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from judging import QUICK, RIGHT, in_brief, problem, verdict

from rewardranker.errors import UserError
from rewardranker.judge import Judge, VerdictCache, judge_fingerprint
from rewardranker.judge.sandbox import Sandbox
from rewardranker.judge.strict.dispatch import judge_once
from rewardranker.judge.strict.recordings import Recordings
from rewardranker.problems.types import Limits, Problem, Style, Test
from rewardranker.problems.verdict import Judgement, Verdict

BOTH: list[Style] = ["function", "program"]
CALLS = [
    (RIGHT, Verdict.OK),
    ("def f(a, b):\n    return a - b\n", Verdict.WRONG),
    ("def f(a, b):\n    return float(a + b) + 0.5\n", Verdict.WRONG),
    ("def f(a, b):\n    return 1 / 0\n", Verdict.RUNTIME_ERROR),
    ("def g(a, b):\n    return a + b\n", Verdict.RUNTIME_ERROR),
    ("import no_such_module\n" + RIGHT, Verdict.RUNTIME_ERROR),
    ("", Verdict.RUNTIME_ERROR),
    ("def f(a, b:\n", Verdict.COMPILE_ERROR),
    ("x = '\\0'\x00", Verdict.COMPILE_ERROR),
    ("def f(a, b):\n    while True: pass\n", Verdict.TIMEOUT),
    ("while True: pass\n", Verdict.TIMEOUT),
    ("def f(a, b):\n    return len(bytearray(2 << 30))\n", Verdict.MEMORY),
    ("x = bytearray(2 << 30)\n" + RIGHT, Verdict.MEMORY),
    ("def f(a, b):\n    return 'x' * (6 << 20)\n", Verdict.OUTPUT_LIMIT),
    ("def f(a, b):\n    return lambda: 3\n", Verdict.WRONG),
    ("def f(a, b):\n    x = []\n    x.append(x)\n    return x\n", Verdict.WRONG),
    ("import xml.dom.minidom, concurrent.futures, csv\n" + RIGHT, Verdict.OK),
    ("from dataclasses import dataclass\n@dataclass\nclass P:\n    x: 'int'\n" + RIGHT, Verdict.OK),
]


@pytest.mark.parametrize("style", BOTH)
@pytest.mark.parametrize(("code", "expected"), CALLS)
def test_verdicts_of_called_programs(judge: Judge, style: Style, code: str, expected: Verdict) -> None:
    result = verdict(judge, code, in_brief(problem(style), expected))
    assert result.verdict is expected, result
    assert (result.tests_total, result.level) == (3, "L2")
    assert result.tests_passed == (3 if expected is Verdict.OK else result.tests_passed)
    assert bool(result.message) == (expected is not Verdict.OK)
    assert bool(result.signature) == (expected is not Verdict.COMPILE_ERROR)


READ = "a, b = map(int, input().split())\n"
STDIO = [
    (READ + "print(a + b)", Verdict.OK),
    (READ + "print(a - b)", Verdict.WRONG),
    (READ + "print(a + b)\nraise SystemExit", Verdict.OK),
    (READ + "print(a + b)\nimport sys; sys.exit(1)", Verdict.RUNTIME_ERROR),
    (READ + "print(a + b)\n1 / 0", Verdict.RUNTIME_ERROR),
    (READ + "print(a + b", Verdict.COMPILE_ERROR),
    (READ + "while True: pass", Verdict.TIMEOUT),
    (READ + "x = bytearray(2 << 30)", Verdict.MEMORY),
    (READ + "print(a + b, ' ' * (5 << 20))", Verdict.OK),
    (READ + "print('x' * (20 << 20))", Verdict.OUTPUT_LIMIT),
    (READ + "while True: print('x' * 65536)", Verdict.OUTPUT_LIMIT),
    ("import os; os._exit(0)", Verdict.WRONG),
    ("import os; os.kill(os.getpid(), 9)", Verdict.RUNTIME_ERROR),
    (
        "import sys\na, b = map(int, sys.stdin.buffer.read().split())\nsys.stdout.write(str(a + b))",
        Verdict.OK,
    ),
    (
        f"def main():\n    {READ}    print(a + b)\nimport threading\nthreading.Thread(target=main).start()",
        Verdict.OK,
    ),
    (f"if __name__ == '__main__':\n    {READ}    import atexit; atexit.register(print, a + b)", Verdict.OK),
]


@pytest.mark.parametrize(("code", "expected"), STDIO)
def test_verdicts_of_main_programs(judge: Judge, code: str, expected: Verdict) -> None:
    result = verdict(judge, code, in_brief(problem("stdio"), expected))
    assert result.verdict is expected, result
    assert (result.tests_total, result.level) == (3, "L3")


CHECKER = """
def check(input, output, expected):
    a, b = map(int, output.split())
    return a * b == int(input)
"""


@pytest.mark.parametrize("tier", ["", "D"])
def test_a_checker_decides_where_several_outputs_are_right(tier: str) -> None:
    task = problem("stdio", (Test("12\n"), Test("35\n")), comparator="checker", checker=CHECKER)
    factors = "n = int(input())\nd = next(d for d in range(2, n) if n % d == 0)\nprint({})\n"
    programs = {"d, n // d": "OK", "n // d, d": "OK", "d, n": "WRONG", "'x', d": "WRONG"}
    with Judge(tier=tier) as judge:
        results = judge.run([(task, factors.format(printed)) for printed in programs])
    assert [str(result.verdict) for result in results] == list(programs.values()), results
    assert [result.tests_passed for result in results] == [2, 2, 0, 0]
    assert "checker" in results[2].message and "ValueError" in results[3].message


def test_exact_output(judge: Judge) -> None:
    task = problem("stdio", (Test("", "1 2\n"),), comparator="exact")
    assert verdict(judge, "print('1 2')", task).verdict is Verdict.OK
    assert verdict(judge, "print('1  2')", task).verdict is Verdict.WRONG
    assert verdict(judge, "print('1  2')", replace(task, comparator="tokens")).verdict is Verdict.OK


def test_a_comparator_that_is_none_and_a_checker_that_checks_nothing(judge: Judge) -> None:
    for more in (
        {"comparator": "fuzzy"},
        {"comparator": "checker", "checker": "x = 1"},
        {"comparator": "checker", "checker": "("},
        {"comparator": "checker", "checker": "def check(input, output, expected):\n    return yes\nreturn 1\n"},
        {"comparator": "checker", "checker": "def check(output, expected): return True"},
        {"comparator": "checker", "checker": "def check(a, b, c, d): return True"},
        {"comparator": "checker", "checker": "def check(a, b, c, *, d): return True"},
        {"comparator": "checker", "checker": "\0"},
    ):
        with pytest.raises(UserError, match="test/stdio"):
            verdict(judge, "print(1)", problem("stdio", **more))


def test_output_that_is_no_text_equals_none(judge: Judge) -> None:
    bytes_of = "import sys\nsys.stdout.buffer.write(bytes({}))\n"
    for comparator in ("tokens", "exact", "codecontests"):
        task = problem("stdio", (Test("", "5 \ufffd"),), comparator=comparator)
        assert verdict(judge, bytes_of.format([0x35, 0x20, 0xFF]), task).verdict is Verdict.WRONG
        assert verdict(judge, bytes_of.format([0x35, 0x20, 0, 0xEF, 0xBF, 0xBD]), task).verdict is Verdict.WRONG
        assert verdict(judge, bytes_of.format([0x35, 0x20, 0xEF, 0xBF, 0xBD]), task).verdict is Verdict.OK


def test_integers_are_told_from_real_numbers_by_all_expected_outputs(judge: Judge) -> None:
    half = "print(int(input()) / 2 + 1e-9)"
    reals = problem("stdio", (Test("4", "2"), Test("1", "0.5")))
    assert verdict(judge, half, reals).verdict is Verdict.OK
    assert verdict(judge, half, replace(reals, tests=reals.tests[:1])).verdict is Verdict.WRONG
    published = replace(reals, tests=reals.tests[:1], comparator="codecontests")
    assert verdict(judge, half, published).verdict is Verdict.OK


def test_a_label_needs_no_more_than_the_first_failure() -> None:
    count = READ + "print(a + b if a == 2 else 7)"
    with Judge() as judge, Judge(all_tests=False) as quick:
        assert verdict(judge, count, problem("stdio")).tests_passed == 1
        assert verdict(quick, count, problem("stdio")).tests_passed == 0
        assert verdict(quick, READ + "print(a + b)", problem("stdio")).tests_passed == 3


def test_every_input_is_answered_and_counted(judge: Judge) -> None:
    code = "def f(a, b):\n    if a == 1: raise ValueError('no')\n    return a + b\n"
    for style in BOTH:
        result = verdict(judge, code, problem(style))
        assert (result.verdict, result.tests_passed, result.tests_total) == (Verdict.RUNTIME_ERROR, 2, 3)
        assert result.message == "test 1: ValueError: no"
    mutating = "def f(xs):\n    xs.append(1)\n    return len(xs)\n"
    assert verdict(judge, mutating, problem(tests=(Test("[[]]", "1"), Test("[[]]", "1")))).tests_passed == 2


def test_the_first_failing_test_decides(judge: Judge) -> None:
    code = "def f(a, b):\n    if a == -1:\n        while True: pass\n    return {}\n"
    assert verdict(judge, code.format("a + b")).verdict is Verdict.TIMEOUT
    assert verdict(judge, code.format("0")).verdict is Verdict.WRONG
    assert verdict(judge, code.format("a + b")).tests_passed == 2


@pytest.mark.parametrize("style", BOTH)
def test_signatures_tell_behaviour_not_correctness(judge: Judge, style: Style) -> None:
    def signature(code: str, task: Problem) -> str:
        return verdict(judge, code, task).signature

    task = problem(style)
    other = problem(style, tuple(Test(t.input.replace("== 3", "== 5"), t.expected and "7") for t in task.tests))
    same = ["def f(a, b):\n    return b + a\n", "def f(*ab):\n    print('hello')\n    return sum(ab)\n"]
    different = [
        "def f(a, b):\n    return a - b\n",
        "def f(a, b):\n    raise ValueError\n",
        "def f(a, b):\n    1 / 0\n",
    ]
    assert {signature(code, task) for code in [RIGHT, *same]} == {signature(RIGHT, other)}
    assert len({signature(code, task) for code in [RIGHT, *different]}) == 4


def test_sets_have_one_signature_in_every_server() -> None:
    code = "def f():\n    return {'a', 'b', 'c'}, {str(i): i for i in range(3)}, list({'x', 'y', 'z'})\n"
    signatures = set()
    for _ in range(2):
        with Judge() as judge:
            signatures.add(verdict(judge, code, problem(tests=(Test("[]", "0"),))).signature)
    assert len(signatures) == 1


PAIR = "class Pair:\n    def __init__(self, a, b):\n        self.a, self.b = a, b\n"
TREE = "class Node:\n    def __init__(self, v):\n        self.v, self.left, self.right = v, None, None\n"


@pytest.mark.parametrize(
    ("test", "code"),
    [
        ("assert f([Pair(1, 2), Pair(3, 4)]) == 10", PAIR + "def f(ps): return sum(p.a + p.b for p in ps)"),
        ("assert f(Pair(1, 2)).b == 1", PAIR + "def f(p): return Pair(p.b, p.a)"),
        ("xs = [3, 1]\nassert f(xs) is None and xs == [1, 3]", "def f(xs): xs.sort()"),
        ("assert f(int, [1, 'a']) == [1]", "def f(t, xs): return [x for x in xs if type(x) is t]"),
        ("assert list(f(3)) == [0, 1, 2]", "def f(n): yield from range(n)"),
        ("assert f(4) == {2: 2}", "from collections import Counter\ndef f(n): return Counter([2, 2])"),
        ("assert f(1) == (1, {2}, 1.5, None, b'x', 1j)", "def f(n): return (n, {2}, 1.5, None, b'x', 1j)"),
        ("assert f(9) == sys.maxsize", "import sys\ndef f(n): return sys.maxsize"),
        ("try:\n    f(-1)\n    assert False\nexcept ValueError: pass", "def f(n): raise ValueError"),
        ("def check(g):\n    assert g(1) == 2\ncheck(f)", "def f(n): return n + 1"),
        ("assert f(2 ** 5000) == 2 ** 5000 + 1", "def f(n): return n + 1"),
        ("assert math.isinf(f(float('inf')))", "def f(x): return x"),
    ],
)
def test_what_tests_may_exchange_with_a_program(judge: Judge, test: str, code: str) -> None:
    result = verdict(judge, code, problem("program", (Test(test),)))
    assert result.verdict is Verdict.OK, result


def test_setup_may_build_the_program_s_own_objects(judge: Judge) -> None:
    task = problem("program", (Test("assert f(root) == 2"),), setup="root = Node(1)\nroot.left = Node(2)")
    code = TREE + "def f(t): return 1 + max(f(t.left), f(t.right)) if t else 0\n"
    assert verdict(judge, code, task).verdict is Verdict.OK


def test_an_entry_point_named_like_a_builtin(judge: Judge) -> None:
    task = problem("program", (Test("assert sum(10, 15) == 6"),), entry_point="sum")
    assert verdict(judge, "def sum(a, b): return 6", task).verdict is Verdict.OK
    assert verdict(judge, "def total(a, b): return 6", task).verdict is Verdict.RUNTIME_ERROR


def test_a_test_that_passes_a_function_is_our_limit_not_the_program_s_fault(judge: Judge) -> None:
    task = problem("program", (Test("assert f(lambda x: x) == 1"),))
    assert verdict(judge, "def f(g): return g(1)", task).verdict is Verdict.INFRA


def test_results_in_order_equal_items_once_and_every_index_reported() -> None:
    seen: list[int] = []
    stamp = "import time\ndef f(): return time.time_ns()\n"
    task = problem(tests=(Test("[]", "0"),))
    items = [(task, stamp), (problem(), RIGHT), (task, stamp), (replace(problem(), language="cobol"), RIGHT)]
    with Judge(workers=2) as judge:
        results = judge.run(items, seen.append)
        again = judge.run([(task, stamp)])
    verdicts = [result.verdict for result in results]
    assert verdicts == [Verdict.WRONG, Verdict.OK, Verdict.WRONG, Verdict.NO_TOOLCHAIN]
    assert results[0].signature == results[2].signature != again[0].signature
    assert sorted(seen) == [0, 1, 2, 3]


def test_a_problem_that_cannot_be_judged_is_named(judge: Judge) -> None:
    for tests in ((), (Test("[1]", "not json"),)):
        with pytest.raises(UserError, match="test/function"):
            verdict(judge, RIGHT, problem(tests=tests))
    with pytest.raises(UserError, match="test/program"):
        verdict(judge, RIGHT, problem("program", (Test("assert ("),)))


def test_a_server_that_dies_is_replaced_and_its_job_run_again() -> None:
    with Judge() as judge:
        verdict(judge, RIGHT)
        process = judge._sandboxes[0].start()._process
        assert process is not None
        process.kill()
        process.wait()
        assert verdict(judge, "def f(a, b): return b + a").verdict is Verdict.OK


def test_a_killed_judge_leaves_nothing_behind(tmp_path: Path) -> None:
    """Its fork server sees the pipe close, even in the middle of a job."""
    script = (
        "import os, sys, threading\nfrom rewardranker.judge.sandbox import LocalSandbox\n"
        "server = LocalSandbox('D')\nprint(server.start().home, flush=True)\n"
        "job = dict(style='function', code='while True: pass', entry='f', nonce='', inputs=[], cpu_s=60.0,\n"
        "           wall_s=60.0, memory=1 << 28, output=1 << 16, memory_kind='address_space', processes=32,\n"
        "           file_bytes=1 << 20)\n"
        "threading.Timer(0.5, lambda: os.kill(os.getpid(), 9)).start()\nserver.run(job)\n"
    )
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root), "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    home = Path(done.stdout.strip())
    assert home.parent == tmp_path, done.stderr
    deadline = time.monotonic() + 10
    while home.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not home.exists()


def test_a_judge_whose_directory_is_removed_recovers() -> None:
    with Judge(tier="D") as judge:
        verdict(judge, RIGHT)
        shutil.rmtree(judge._sandboxes[0].start().home)
        assert verdict(judge, "def f(a, b): return b + a").verdict is Verdict.OK


def test_an_interpreter_that_does_not_start_gives_infra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rewardranker.judge.sandbox.process.interpreter", lambda: ("/usr", "/bin/false"))
    with Judge(tier="D") as judge:
        result = verdict(judge, RIGHT)
    assert (result.verdict, result.tests_total) == (Verdict.INFRA, 3)


def test_a_fractional_cpu_limit_holds(judge: Judge) -> None:
    code = "import time\ndef f(a, b):\n    while time.process_time() < 0.5: pass\n    return a + b\n"
    limits = replace(QUICK, cpu_s=0.2)
    assert verdict(judge, code).verdict is Verdict.OK
    assert verdict(judge, code, problem(limits=limits)).verdict is Verdict.TIMEOUT


def test_a_time_limit_is_believed_only_after_a_second_run(monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[str] = []

    def counted(sandbox: Sandbox, known: Recordings, task: Problem, code: str, _: bool) -> tuple[Judgement, bool]:
        if task.source == "canary":
            return judge_once(sandbox, known, task, code)
        runs.append(code)
        result = judge_once(sandbox, known, task, code)
        return (result[0], len(runs) == 1) if code == RIGHT else result

    monkeypatch.setattr("rewardranker.judge.judge.judge_once", counted)
    with Judge() as judge:
        assert verdict(judge, "while True: pass\n").verdict is Verdict.TIMEOUT
        assert len(runs) == 2
        runs.clear()
        assert verdict(judge, RIGHT).verdict is Verdict.OK  # the first run is said to have hit a limit
        assert len(runs) == 2


def test_cache(tmp_path: Path) -> None:
    items = [(problem(), RIGHT), (problem(), "def f(a, b): return 0"), (problem("program"), RIGHT)]
    unjudged = (problem("program", (Test("assert f(lambda: 1)"),)), RIGHT)
    with Judge(cache=VerdictCache(tmp_path)) as judge:
        first = judge.run(items)
        assert judge.run([unjudged])[0].verdict is Verdict.INFRA
    with (tmp_path / "torn.jsonl").open("w") as file:
        file.write('{"key": "x", "verd')
    with Judge(cache=VerdictCache(tmp_path)) as judge:
        assert judge.run(items) == first
        assert judge._sandboxes[0].server is None  # nothing was run
        changed = replace(problem(), limits=replace(QUICK, memory_mb=300))
        judge.run([(changed, RIGHT)])
        assert judge._sandboxes[0].server is not None
    lines = [json.loads(line) for path in tmp_path.glob("[0-9]*.jsonl") for line in path.open()]
    assert len(lines) == 4 and not {line["verdict"] for line in lines} & {"INFRA", "NO_TOOLCHAIN"}


def test_the_fingerprint_is_stable() -> None:
    assert judge_fingerprint() == judge_fingerprint() and len(judge_fingerprint()) == 16


def mbpp_rows() -> list[dict[str, object]]:
    root = os.environ.get("REWARDRANKER_SHARED_DATA")
    here = Path(__file__).resolve().parents[3] / "shared" / "data"
    path = (Path(root) if root else here) / "mbpp" / "mbpp.jsonl"
    if not path.exists():
        pytest.skip(f"no MBPP at {path}; set REWARDRANKER_SHARED_DATA")
    return [json.loads(line) for line in path.open(encoding="utf-8")]


def mbpp_problem(row: dict[str, object]) -> Problem:
    tests = [str(test) for test in row["test_list"]]  # type: ignore[attr-defined]
    defined = set(re.findall(r"^def +(\w+)", str(row["code"]), re.MULTILINE))
    calls = [node.func for node in ast.walk(ast.parse(tests[0])) if isinstance(node, ast.Call)]
    entry = next(call.id for call in calls if isinstance(call, ast.Name) and call.id in defined)
    return problem(
        "program",
        tuple(Test(test) for test in tests),
        id=f"mbpp/{row['task_id']}",
        entry_point=entry,
        setup=str(row["test_setup_code"]),
        limits=Limits(cpu_s=15.0, wall_s=120.0),
    )


@pytest.mark.slow
def test_mbpp_s_own_solutions_pass_and_their_mutants_do_not() -> None:
    rows = mbpp_rows()
    items = [(mbpp_problem(row), str(row["code"])) for row in rows]
    mutants = [(task, re.sub(r"\breturn\b.*", "return None", code)) for task, code in items]
    with Judge(workers=2) as judge:
        results, mutated = judge.run(items), judge.run(mutants)
    failing = [(task.id, result) for (task, _), result in zip(items, results, strict=True) if result.verdict != "OK"]
    assert failing == [] and len(items) == 974
    passing = [task.id for (task, _), result in zip(mutants, mutated, strict=True) if result.verdict == "OK"]
    assert passing == []
