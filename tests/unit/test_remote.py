"""Programs on a SandboxFusion server: one with its contract in these tests, and a real one where there is one."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from fusion import Fusion, serving
from hypothesis import given, settings
from hypothesis import strategies as st
from judging import RIGHT, need, problem

from rewardranker.judge import Judge
from rewardranker.judge.canary import canary_problem
from rewardranker.judge.languages import LANGUAGES
from rewardranker.judge.remote.machine import machine
from rewardranker.judge.remote.sandbox import RemoteSandbox
from rewardranker.judge.remote.script import Bounds, request
from rewardranker.judge.sandbox import Outcome, Step, StepLimits
from rewardranker.problems.types import Limits, Problem, Style, Test
from rewardranker.problems.verdict import Verdict

REAL = "REWARDRANKER_SANDBOX_FUSION_URL"
LIMITS = StepLimits(cpu_s=1.0, wall_s=20.0, memory_mb=256, keep_output=True)
BODIES = {
    "right": "return a + b",
    "wrong at a test": "return 3",
    "raises": "raise ValueError('no')",
    "ends early": "import os; os._exit(0)",
    "does not compile": "return (",
    "returns what is no data": "return object()",
    "prints": "print('x' * 10000); return a + b",
    "too much output": "print('x' * (20 << 20)); return a + b",
    "never ends": "while True: pass",
    "takes memory": "return len(bytearray(1 << 30))",
}
COSTLY = ("never ends", "takes memory", "too much output")
MAINS = {
    "right": "a, b = map(int, input().split())\nprint(a + b)",
    "wrong": "print(3)",
    "fails": "raise SystemExit(3)",
    "does not compile": "print(",
    "killed": "import os\nos.abort()",
}
LEVELS: dict[Style, str] = {"function": "L2", "program": "L1", "stdio": "L3"}


@pytest.fixture(scope="module")
def fusion() -> Iterator[Fusion]:
    with serving() as fusion:
        yield fusion


@pytest.fixture(scope="module", params=["contract", "real"])
def url(request: pytest.FixtureRequest, fusion: Fusion) -> str:
    if request.param == "contract":
        return fusion.url
    if not os.environ.get(REAL):
        pytest.skip(f"no real server: start SandboxFusion and set {REAL} to its address")
    return os.environ[REAL]


@pytest.fixture(scope="module")
def box(url: str) -> RemoteSandbox:
    return machine(url).sandbox()


@pytest.fixture(scope="module")
def remote(url: str) -> Iterator[Judge]:
    with Judge(workers=2, remote=url) as judge:
        yield judge


def bash(box: RemoteSandbox, script: str, limits: StepLimits = LIMITS, stdin: bytes = b"", **more: object) -> Outcome:
    return box.execute(Step(("bash", "-c", script), **more), limits, stdin)  # type: ignore[arg-type]


def in_language(name: str, style: Style) -> Problem:
    """Addition, in the forms that MultiPL-E has."""
    need(name)
    from attacks.tasks import problem as task

    limits = Limits(cpu_s=5.0, wall_s=60.0)
    return task(name, "stdio", limits) if style == "stdio" else task(name, "add", limits)


def test_a_command_has_its_files_input_results_and_token(box: RemoteSandbox) -> None:
    script = 'cat; cat a/b "$WORD"; echo results >&3; echo errors >&2; cat <&4; echo "$(cat <&4)."; printf x >made'
    step = Step(("bash", "-c", script), {"a/b": b"\0\xff", "c d": b"2"}, ("made", "not"), environment={"WORD": "c d"})
    found = box.execute(step, LIMITS, b"in\0put", b"to'k\"en")
    assert (found.output, found.results, found.errors) == (b"in\0put\0\xff2to'k\"en.\n", b"results\n", b"errors\n")
    assert (found.files, found.limit, found.signal, found.status) == ({"made": b"x"}, "", 0, 0)
    assert 0 < found.cpu_s < 1


def test_descriptors_can_be_opened_again_by_name(box: RemoteSandbox) -> None:
    script = "echo 3 >/dev/fd/3; echo out >/dev/stdout; cat /dev/fd/4; cat /dev/stdin"
    found = box.execute(Step(("bash", "-c", script)), LIMITS, b"in", b"token")
    assert (found.results, found.output) == (b"3\n", b"out\ntokenin")


def test_nothing_else_is_open_or_in_the_environment(
    box: RemoteSandbox, fusion: Fusion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(fusion.environment, "SECRET", "of the server")
    found = bash(box, "ls /proc/self/fd | tr '\\n' ' '; env | cut -d= -f1 | sort | tr '\\n' ' '; ls -A")
    # ls has its own directory open, and bash adds what it keeps.
    names = "HOME LC_ALL OMP_NUM_THREADS PATH PWD PYTHONHASHSEED SHLVL TMPDIR TZ _"
    assert found.output.decode() == f"0 1 2 3 4 5 {names} "


def test_programs_are_not_root_and_see_nothing_of_ours(box: RemoteSandbox) -> None:
    found = bash(box, "id -u; ls ../in; ls ../out; cat ../*.sh; ls -d ..; touch ../x ../setup/x")
    own, *rest = found.output.decode().splitlines()
    assert own != "0"
    if os.geteuid() == 0:
        assert int(own) >= 65534 and rest == [".."]


@pytest.mark.parametrize(
    ("script", "limits", "limit"),
    [
        ("while :; do :; done", LIMITS, "cpu"),
        ("for i in 1 2 3; do python3 -c 'for _ in range(3_000_000): pass'; done", replace(LIMITS, cpu_s=0.1), "cpu"),
        ("sleep 60", replace(LIMITS, wall_s=1.0), "wall"),
        ("kill -STOP $$", replace(LIMITS, wall_s=1.0), "wall"),
        ("sleep 60 & disown; setsid sleep 60 & wait", replace(LIMITS, wall_s=1.0), "wall"),
        ("yes", replace(LIMITS, output_kb=64), "output"),
        ("yes >&3", replace(LIMITS, output_kb=64), "output"),
        ("head -c 65536 /dev/zero", replace(LIMITS, output_kb=64), ""),
        ("yes >&2 & sleep 0.2; kill %1", LIMITS, ""),
        ("ulimit -v unlimited || ulimit -d unlimited || exit 7", LIMITS, ""),
    ],
)
def test_limits(box: RemoteSandbox, script: str, limits: StepLimits, limit: str) -> None:
    found = bash(box, script, limits)
    assert found.limit == limit, found
    assert not limit or not found.output
    assert len(found.errors) <= 64 << 10 and len(found.results) <= limits.output_kb << 10


def test_how_a_command_ends_is_told(box: RemoteSandbox) -> None:
    ends = [("exit 3", 3, 0), ("kill -SEGV $$", 0, 11), ("exec nothing-of-that-name", 127, 0)]
    for script, status, signal in ends:
        found = bash(box, script)
        assert (found.status, found.signal) == (status, signal)
    assert box.execute(Step(("nothing-of-that-name",)), LIMITS).status in (126, 127)  # or it may not look everywhere


def test_memory_files_and_tasks_are_limited(box: RemoteSandbox) -> None:
    script = "import sys\nx = bytearray(1 << 29)"
    for kind in ("address_space", "data"):
        found = box.execute(Step(("python3", "-c", script)), replace(LIMITS, memory_kind=kind))
        assert found.status == 1 and b"MemoryError" in found.errors
    found = bash(box, "head -c 100000000 /dev/zero >f; wc -c <f")
    assert int(found.output) <= 64 << 20
    script = "import os, time\nfor _ in range(100):\n    if os.fork() == 0: time.sleep(60)"
    if os.geteuid() == 0:  # else all that the server's user runs is counted, and there may be more or less of that
        found = box.execute(Step(("python3", "-c", script)), replace(LIMITS, processes=8))
        assert b"BlockingIOError" in found.errors


def test_a_link_is_not_followed_and_a_pipe_not_waited_for(box: RemoteSandbox) -> None:
    found = bash(box, "ln -s /etc/passwd link; mkfifo pipe; mkdir folder", collect=("link", "pipe", "folder"))
    assert found.files == {}


def test_what_is_left_is_ended_and_removed(box: RemoteSandbox) -> None:
    word = f"20.{time.time_ns()}"
    found = bash(box, f"setsid sleep {word} >/dev/null 2>&1 3>&1 & disown; (cd ..; pwd)")
    place = found.output.decode().strip()
    deadline = time.monotonic() + 5.0
    while os.geteuid() == 0 and word.encode() in b"".join(
        _command_lines()
    ):  # as another user, it is up to the server
        assert time.monotonic() < deadline
        time.sleep(0.05)
    script = "import os\nfor _ in range(1500):\n    os.mkdir('d')\n    os.chdir('d')"
    assert box.execute(Step(("python3", "-c", script)), LIMITS).status == 0
    assert not os.path.exists(place)


def _command_lines() -> Iterator[bytes]:
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                yield file.read()
        except OSError:
            continue


@pytest.mark.parametrize("style", ["function", "program"])
def test_functions_get_the_verdicts_of_this_machine(remote: Judge, judge: Judge, style: Style) -> None:
    bodies = {name: body for name, body in BODIES.items() if style == "function" or name not in COSTLY}
    items = [(problem(style), f"def f(a, b):\n    {body}\n") for body in bodies.values()]
    for name, here, there in zip(bodies, judge.run(items), remote.run(items), strict=True):
        assert (there.verdict, there.tests_passed, there.tests_total, there.message) == (
            *(here.verdict, here.tests_passed, here.tests_total, here.message),
        ), name
        assert (there.level, there.tier) == (LEVELS[style], "remote")
        assert here.verdict is not Verdict.OK or there.signature == here.signature


def test_main_programs_get_the_verdicts_of_this_machine(remote: Judge, judge: Judge) -> None:
    items = [(problem("stdio"), code) for code in MAINS.values()]
    for name, here, there in zip(MAINS, judge.run(items), remote.run(items), strict=True):
        assert (there.verdict, there.tests_passed, there.level) == (here.verdict, here.tests_passed, "L3"), name


_SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("cpp", "java", "csharp", "typescript")]


@pytest.mark.parametrize("name", ["php", "javascript", "bash", *_SLOW])
def test_other_languages_get_the_verdicts_of_this_machine(remote: Judge, judge: Judge, name: str) -> None:
    from attacks.tasks import RIGHT as RIGHTS

    right = RIGHTS[name]
    wrong = right.replace("$x + $y", "$x * $y").replace("$1 + $2", "$1 * $2").replace("x + y", "x * y")
    broken = right.replace("(", "((", 1).replace("add()", "add((")
    assert len({right, wrong, broken}) == 3
    items = [(in_language(name, "program"), code) for code in (right, wrong, broken)]
    items.append((canary_problem(name), LANGUAGES[name].canary))
    here, there = judge.run(items), remote.run(items)
    wanted = [Verdict.OK, Verdict.WRONG, Verdict.COMPILE_ERROR, Verdict.OK]
    assert [result.verdict for result in here] == [result.verdict for result in there] == wanted, there
    assert [result.tests_passed for result in here] == [result.tests_passed for result in there]
    assert [result.level for result in here] == [result.level for result in there]


@pytest.mark.slow
def test_no_attack_on_the_verdict_is_ok(remote: Judge) -> None:
    """Those on the machine are up to the server. An attack that ends its own tester is INFRA, never a label."""
    from attacks.python_verdict import ATTACKS
    from attacks.tasks import problem as task

    mine = [attack for attack in ATTACKS if not attack.slow]
    results = remote.run([(task(attack.language, attack.task), attack.code) for attack in mine])
    assert len(mine) > 50
    assert [attack.name for attack, result in zip(mine, results, strict=True) if result.verdict == "OK"] == []


def test_probes_see_what_they_see_on_this_machine(remote: Judge, judge: Judge) -> None:
    calls = ("f(1)", "f([2])", "f('a')", "f(0)", "sorted(f([2, 1]))")
    task = problem("probe", tuple(Test(call) for call in calls))
    code = "def f(n):\n    while n == 0: pass\n    return n + n if n != 'a' else {}[n]\n"
    there, here = remote.run([(task, code)])[0], judge.run([(task, code)])[0]
    assert there.returns == here.returns == ("int 2", "list [2, 2]", "error KeyError", "timeout", "list [1, 1, 2, 2]")


def test_expected_values_stay_here(fusion: Fusion) -> None:
    """Of styles ``function`` and ``stdio``: nowhere in what the server gets, for right and wrong programs."""
    fusion.requests.clear()
    word = "k3pt-h3r3"
    by_style: dict[Style, tuple[Test, str]] = {
        "function": (Test("[1]", f'"{word}"'), f"def f(x):\n    return '{word[:4]}' + '{word[4:]}'"),
        "stdio": (Test("1\n", word), f"print('{word[:4]}' + '{word[4:]}')"),
    }
    items = [(problem(style, (test,)), code) for style, (test, code) in by_style.items()]
    items += [(task, code.replace("3", "4")) for task, code in items]
    with Judge(remote=fusion.url) as judge:
        results = judge.run(items)
    assert [result.verdict for result in results] == [Verdict.OK] * 2 + [Verdict.WRONG] * 2
    assert b"k3pt" in fusion.sent() and word.encode() not in fusion.sent()


def test_nothing_large_travels(fusion: Fusion) -> None:
    """What a program prints beyond the limit, or where it is not asked for."""
    fusion.largest = 0
    box = machine(fusion.url).sandbox()
    assert bash(box, "yes | head -c 50000000", replace(LIMITS, output_kb=10240)).limit == "output"
    found = bash(box, "head -c 5000000 /dev/zero; head -c 5000000 /dev/zero >&2", replace(LIMITS, keep_output=False))
    assert (found.limit, found.output, len(found.errors)) == ("", b"", 64 << 10)
    assert 0 < fusion.largest < 100_000


def test_both_processes_of_a_python_test_count(remote: Judge) -> None:
    """The program's own time is part of what is reported, though it is not the process that is waited for."""
    code = "def f(a, b):\n    for _ in range(20_000_000): pass\n    return a + b\n"
    task = problem("program", (Test("assert f(1, 2) == 3"),), limits=Limits(cpu_s=20.0, wall_s=60.0))
    slow, quick = remote.run([(task, code), (task, RIGHT)])
    assert slow.verdict is quick.verdict is Verdict.OK
    assert slow.cpu_s > quick.cpu_s + 0.1


@pytest.mark.parametrize("name", ["mem", "fd/0", "environ", "maps"])
def test_a_program_cannot_look_into_its_tester(remote: Judge, name: str) -> None:
    code = f"import os\ntry:\n    open('/proc/%d/{name}' % os.getppid(), 'rb').read(1)\n    seen = True\n"
    code += "except PermissionError:\n    seen = False\ndef f(): return seen\n"
    assert remote.run([(problem("program", (Test("assert f() is False"),)), code)])[0].verdict is Verdict.OK


@given(st.lists(st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",))), max_size=5))
@settings(max_examples=25, deadline=None)
def test_words_arrive_as_they_are(words: list[str]) -> None:
    """Whatever a command's words hold, bash makes the same list of them."""
    bounds = Bounds(1.0, 1.0, 1, "data", 1, 1, 1, 1)
    code = request(Step(tuple(word.replace("{", "(") for word in words)), bounds, {}).code
    line = code[code.index("\ncommand=(") : code.index("\ncollect=(")]
    script = line + '\nprintf "%s\\0" "${#command[@]}" "${command[@]}"'
    printed = subprocess.run(
        ["bash", "-c", script], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"}
    ).stdout
    expected = [str(len(words)), *(word.replace("{", "(") for word in words)]
    assert printed == b"".join(word.encode() + b"\0" for word in expected)
