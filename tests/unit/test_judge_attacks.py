"""Programs that try to get a better verdict than they deserve, or to outlive their judgement."""

from __future__ import annotations

import json
import os
import time

import pytest
from judging import RIGHT, problem, verdict
from processes import command_line, descendants

from rewardranker.judge import Judge, sandbox_description
from rewardranker.problems.types import Limits, Style, Test
from rewardranker.problems.verdict import Verdict

BOTH: list[Style] = ["function", "program"]

ATTACKS = {
    "exit at import": "exit(0)",
    "sys.exit in the function": "import sys\ndef f(a, b): sys.exit(0)",
    "os._exit at import": "import os\nos._exit(0)",
    "os._exit in the function": "import os\ndef f(a, b): os._exit(0)",
    "killed by itself": "import os\ndef f(a, b): os.kill(os.getpid(), 9)",
    "catches its own end": "def f(a, b):\n    try: raise SystemExit\n    except BaseException: return None",
    "prints results": "def f(a, b):\n    print('[\"value\", 3]', flush=True)\n    print('OK')",
    "always equal": "class A(int):\n    def __eq__(s, o): return True\n    __hash__ = int.__hash__\n"
    "def f(a, b): return A(7)",
    "always equal object": "class A:\n    def __eq__(s, o): return True\n    def __bool__(s): return True\n"
    "def f(a, b): return A()",
    "lying class": "class A:\n    __class__ = int\n    def __eq__(s, o): return True\ndef f(a, b): return A()",
    "builtins replaced": "import builtins\nfor n in ('all', 'any', 'bool', 'type', 'len', 'zip', 'AssertionError'):\n"
    "    setattr(builtins, n, lambda *a, **k: True)\ndef f(a, b): return 7",
    "json replaced": "import json\njson.dumps = json.loads = lambda *a, **k: 3\n"
    "json.JSONEncoder.encode = json.JSONEncoder.iterencode = lambda *a: '3'\ndef f(a, b): return 7",
    "forged lines on every descriptor": "import os\ndef f(a, b):\n    for i in range(256):\n"
    '        try: os.write(i, b\'["", 1, "value", 3]\\n["pass"]\\n\')\n        except OSError: pass\n    return 7',
    "garbage on every descriptor": "import os\ndef f(a, b):\n    for i in range(256):\n"
    "        try: os.write(i, b'\\xff' * 100)\n        except OSError: pass\n    return 7",
    "closes every descriptor": "import os\ndef f(a, b):\n    os.closerange(0, 256)\n    return 7",
    "forks and both answer": "import os\ndef f(a, b):\n    os.fork()\n    return 7",
    "settrace": "import sys\nsys.settrace(lambda *a: None)\ndef f(a, b): return 7",
    "deep nesting": "def f(a, b):\n    x = []\n    for _ in range(100000): x = [x]\n    return x",
    "kills everything it may": "import os\ndef f(a, b):\n    try: os.kill(-1, 9)\n"
    "    except OSError: pass\n    return 7",
    "kills its parent": "import os\ndef f(a, b):\n    try: os.kill(os.getppid(), 9)\n"
    "    except OSError: pass\n    return 7",
}


@pytest.mark.skipif(os.geteuid() != 0, reason="without root a program may signal its own user's processes")
@pytest.mark.parametrize("name", ["kills everything it may", "kills its parent"])
def test_a_program_cannot_end_its_judge(judge: Judge, name: str) -> None:
    assert verdict(judge, ATTACKS[name]).verdict is not Verdict.INFRA


@pytest.mark.parametrize("style", BOTH)
@pytest.mark.parametrize("name", [name for name in ATTACKS if "kills" not in name])
def test_an_attack_never_passes(judge: Judge, style: Style, name: str) -> None:
    result = verdict(judge, ATTACKS[name], problem(style))
    assert result.verdict in (Verdict.WRONG, Verdict.RUNTIME_ERROR, Verdict.TAMPERED), result
    assert result.tests_passed == 0
    assert verdict(judge, RIGHT).verdict is Verdict.OK  # and the judge is none the worse


def test_writing_into_the_result_stream_is_called_tampering(judge: Judge) -> None:
    for style in BOTH:
        assert verdict(judge, ATTACKS["garbage on every descriptor"], problem(style)).verdict is Verdict.TAMPERED


def test_the_program_takes_over_its_channel_and_still_needs_the_right_values(judge: Judge) -> None:
    """Finds the nonce in the frames above it and sends a complete, well-formed stream of its own."""
    code = (
        "import sys, os, json\nframe = sys._getframe()\n"
        "while 'channel' not in frame.f_locals: frame = frame.f_back\n"
        "nonce = frame.f_locals['channel']._nonce\n"
        "def send(n, *rest): os.write(3, (json.dumps([nonce, n, *rest]) + '\\n').encode())\n"
        "send(1, 'ready')\n"
        "for i in range(3): send(2 + i, 'value', 99)\n"
        "send(5, 'done')\nos._exit(0)\n"
    )
    result = verdict(judge, code)
    assert (result.verdict, result.tests_passed) == (Verdict.WRONG, 0)
    assert verdict(judge, code.replace("'value', 99", "'pass'")).verdict is Verdict.TAMPERED
    assert verdict(judge, code.replace("send(5, 'done')", "send(5, 'unsupported', '')")).verdict is Verdict.TAMPERED


SEARCH = """
import gc
mark = chr(88) + 'q7'
def texts(x, depth):
    if type(x) in (str, bytes):
        yield x if type(x) is str else x.decode('latin-1')
    elif depth and type(x) in (list, tuple, dict):
        for y in x if type(x) is not dict else [*x, *x.values()]:
            yield from texts(y, depth - 1)
def f():
    gc.unfreeze()
    for x in gc.get_objects():
        for text in texts(x, 2):
            found = text[text.find(mark):][:15]
            if found.count(mark) == 5: return found
"""


@pytest.mark.parametrize("style", BOTH)
def test_expected_values_are_nowhere_in_the_program_s_memory(judge: Judge, style: Style) -> None:
    """Twice on one server: what the first job left behind would be in the second's memory. The search itself
    is shown to work on a value that the program put there."""
    secret = "Xq7" * 5
    test = Test("[]", json.dumps(secret)) if style == "function" else Test(f"assert f() == {secret!r}")
    task = problem(style, (test,))
    for run in range(2):
        result = verdict(judge, SEARCH + f"run = {run}", task)
        assert result.verdict is Verdict.WRONG, result
    assert verdict(judge, SEARCH + "planted = [mark * 5]", task).verdict is Verdict.OK


def more_than(before: list[int]) -> list[str]:
    """Processes below this one that were not there before, once what is ending has ended."""
    deadline = time.monotonic() + 5
    while (new := set(descendants()) - set(before)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return [command_line(pid) for pid in new]


@pytest.mark.parametrize(
    "escape",
    [
        "import os\ndef f(a, b):\n    while True:\n        try: os.fork()\n        except OSError: pass",
        "import os\ndef f(a, b):\n    for _ in range(9):\n        if os.fork() == 0:\n            os.setsid()\n"
        "            if os.fork(): os._exit(0)\n            os.closerange(0, 256)\n            while True: pass\n"
        "    return a + b",
        "import subprocess, sys\ndef f(a, b):\n    subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        "    return a + b",
        "import signal, time\nfor s in range(1, 64):\n    try: signal.signal(s, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\ndef f(a, b):\n    while True: pass",
    ],
    ids=["fork bomb", "daemons", "subprocess", "deaf"],
)
def test_nothing_of_a_program_outlives_its_judgement(judge: Judge, escape: str) -> None:
    task = problem(limits=Limits(cpu_s=1.0, wall_s=2.0))
    verdict(judge, RIGHT + f"# before {escape[:40]!r}\n")
    before = descendants()
    started = time.monotonic()
    verdict(judge, escape, task)
    assert time.monotonic() - started < 30
    assert more_than(before) == []
    assert verdict(judge, RIGHT).verdict is Verdict.OK


def test_nothing_is_left_after_fifty_timeouts() -> None:
    """By the clock, so that fifty of them take seconds."""
    task = problem(limits=Limits(cpu_s=1.0, wall_s=0.05))
    sleepers = [f"import time\ndef f(a, b):\n    time.sleep(60 + {i})\n" for i in range(50)]
    with Judge(workers=2) as judge:
        judge.run([(problem(), RIGHT + f"# {number}\n") for number in range(8)])
        before = descendants()
        results = judge.run([(task, code) for code in sleepers])
        assert [result.verdict for result in results] == [Verdict.TIMEOUT] * 50
        assert more_than(before) == []


def test_files_of_one_program_are_gone_for_the_next(judge: Judge) -> None:
    write = "import os\nos.makedirs('d/e')\nopen('d/e/x', 'w').write('x')\nimport tempfile\n"
    write += "open(tempfile.mkstemp()[1], 'w').write('x')\n" + RIGHT
    assert verdict(judge, write).verdict is Verdict.OK
    look = "import os\ndef f(a, b): return a + b if os.listdir('.') == [] else None\n"
    assert verdict(judge, look).verdict is Verdict.OK


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give up its user id")
def test_root_s_rights_are_given_up(judge: Judge) -> None:
    code = "import os\ndef f():\n    try: os.setuid(0)\n    except OSError: return min(os.getresuid()) > 0\n"
    assert verdict(judge, code, problem(tests=(Test("[]", "true"),))).verdict is Verdict.OK
    assert "of its own" in sandbox_description()


def test_the_environment_holds_nothing_of_ours(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "x")
    code = "import os\ndef f(): return sorted(os.environ)\n"
    expected = ["HOME", "LC_ALL", "OMP_NUM_THREADS", "PATH", "PYTHONHASHSEED", "TMPDIR", "TZ"]
    with Judge() as fresh:
        assert verdict(fresh, code, problem(tests=(Test("[]", json.dumps(expected)),))).verdict is Verdict.OK
