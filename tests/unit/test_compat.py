"""Other harnesses' rules: what they run, what they count as passed, and their peculiarities."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rewardranker.errors import UserError
from rewardranker.judge import Judge, compat
from rewardranker.judge.compat import COMPAT_RULES, CompatRules, judge_compat
from rewardranker.judge.compat.rules import JAVATUPLES
from rewardranker.judge.sandbox import Outcome, Sandbox, Step, StepLimits
from rewardranker.problems.types import Problem, Test
from rewardranker.problems.verdict import Judgement, Verdict
from rewardranker.programs.published import deepseek, multipl_e, published_program

OK, WRONG, RUNTIME, COMPILE, TIMEOUT = (
    Verdict.OK,
    Verdict.WRONG,
    Verdict.RUNTIME_ERROR,
    Verdict.COMPILE_ERROR,
    Verdict.TIMEOUT,
)
LANGUAGES = {"python", "cpp", "java", "php", "typescript", "csharp", "bash", "javascript"}
FINE, FAILED, SLOW = Outcome(), Outcome(status=1, errors=b"x"), Outcome(limit="wall")
PATIENCE = 20.0
STOPS = {"cpp": ("\n}",), "php": ("\nfunction", "\n?>", "\n//", "\n#")}


class Scripted(Sandbox):
    """Answers with given outcomes, and remembers what it was asked."""

    def __init__(self, *outcomes: Outcome) -> None:
        self._outcomes = list(outcomes)
        self.asked: list[tuple[Step, StepLimits]] = []

    def execute(self, step: Step, limits: StepLimits, stdin: bytes = b"", token: bytes = b"") -> Outcome:
        self.asked.append((step, limits))
        return self._outcomes[len(self.asked) - 1]


def task(language: str, prompt: str = "PROMPT\n", tests: str = "TESTS", source: str = "multipl_e") -> Problem:
    return Problem(
        id=f"test/{language}",
        source=source,
        language=language,
        prompt=prompt,
        prefix=prompt,
        entry_point="f",
        style="program",
        tests=(Test(tests),),
        split="test",
        group_id="test",
        licence="MIT",
        revision="1",
        stop_tokens=STOPS.get(language, ()),
    )


def judged_as(sandbox: Sandbox, problem: Problem, text: str, rules: CompatRules, patience: float = 1.0) -> Judgement:
    """What a harness says of what it makes of a text."""
    return judge_compat(sandbox, problem, published_program(problem, text, rules), rules, patience)


@pytest.fixture(autouse=True)
def _javatuples(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "sandbox" not in request.fixturenames:
        monkeypatch.setattr(Path, "exists", lambda path: True)


def test_both_know_all_eight_languages() -> None:
    assert set(compat.multipl_e.RULES) == set(compat.deepseek.RULES) == LANGUAGES


STATUS = [
    ("multipl_e", "python", [FINE], OK),
    ("multipl_e", "python", [Outcome(status=1, errors=b"AssertionError")], WRONG),
    ("multipl_e", "python", [Outcome(status=1, errors=b"SyntaxError: bad")], COMPILE),
    ("multipl_e", "python", [Outcome(status=1, errors=b"." * 2048 + b"SyntaxError")], RUNTIME),
    ("multipl_e", "python", [SLOW], TIMEOUT),
    ("multipl_e", "python", [Outcome(limit="output")], TIMEOUT),
    ("multipl_e", "cpp", [FINE, FINE], OK),
    ("multipl_e", "cpp", [FAILED], COMPILE),
    ("multipl_e", "cpp", [SLOW], COMPILE),
    ("multipl_e", "cpp", [FINE, SLOW], TIMEOUT),
    ("multipl_e", "cpp", [FINE, Outcome(signal=6, errors=b"f: Assertion `x' failed.")], WRONG),
    ("multipl_e", "cpp", [FINE, Outcome(signal=11)], RUNTIME),
    ("multipl_e", "java", [FINE, Outcome(status=1, errors=b"java.lang.AssertionError")], WRONG),
    ("multipl_e", "php", [SLOW], RUNTIME),
    ("multipl_e", "php", [Outcome(output=b"PHP Parse error: x")], COMPILE),
    ("multipl_e", "php", [Outcome(status=255, errors=b"Uncaught Exception: Test failed!")], WRONG),
    ("multipl_e", "typescript", [FAILED], COMPILE),
    ("multipl_e", "typescript", [FINE, Outcome(status=1, errors=b"code: 'ERR_ASSERTION'")], WRONG),
    ("multipl_e", "javascript", [Outcome(output=b"printed")], OK),
    ("multipl_e", "javascript", [Outcome(status=1, errors=b"SyntaxError: x")], COMPILE),
    ("multipl_e", "csharp", [FINE, Outcome(status=3)], OK),
    ("multipl_e", "csharp", [FINE, Outcome(errors=b"at System.Diagnostics.DefaultTraceListener.Fail")], WRONG),
    ("multipl_e", "csharp", [FINE, Outcome(errors=b"Unhandled Exception:")], RUNTIME),
    ("multipl_e", "bash", [Outcome(status=1)], WRONG),
    ("multipl_e", "bash", [Outcome(status=2, errors=b"line 1: syntax error near")], COMPILE),
    ("deepseek", "python", [Outcome(results=b'{"error": "", "message": ""}')], OK),
    ("deepseek", "python", [Outcome(results=b'{"error": "AssertionError", "message": "m"}')], WRONG),
    ("deepseek", "python", [Outcome(results=b'{"error": "SystemExit", "message": "0"}')], RUNTIME),
    ("deepseek", "python", [FINE], TIMEOUT),
    ("deepseek", "cpp", [SLOW], TIMEOUT),
    ("deepseek", "cpp", [FAILED], COMPILE),
    ("deepseek", "java", [FINE, Outcome(status=2)], RUNTIME),
    ("deepseek", "php", [Outcome(output=b"printed")], OK),
    ("deepseek", "javascript", [Outcome(status=1)], OK),
    ("deepseek", "javascript", [Outcome(output=b"printed")], WRONG),
    ("deepseek", "javascript", [Outcome(errors=b"warning")], RUNTIME),
    ("deepseek", "csharp", [FINE, Outcome(status=1, errors=b"Unhandled Exception:")], OK),
    (
        "deepseek",
        "csharp",
        [FINE, Outcome(errors=b"Fail:\n  at System.Diagnostics.DefaultTraceListener.Fail")],
        WRONG,
    ),
    ("deepseek", "typescript", [FINE, FINE], OK),
    ("deepseek", "typescript", [FAILED, FINE, FINE], OK),
    ("deepseek", "typescript", [FINE, FAILED, FINE, FINE], OK),
    ("deepseek", "typescript", [FINE, FAILED, SLOW], RUNTIME),
    ("deepseek", "typescript", [SLOW], TIMEOUT),
    ("deepseek", "typescript", [FINE, SLOW, FAILED], COMPILE),
]


@pytest.mark.parametrize(("rules", "language", "outcomes", "verdict"), STATUS)
def test_what_counts_as_passed(rules: CompatRules, language: str, outcomes: list[Outcome], verdict: Verdict) -> None:
    sandbox = Scripted(*outcomes)
    judgement = judged_as(sandbox, task(language), "text", rules)
    assert judgement.verdict == verdict, judgement
    assert len(sandbox.asked) == len(outcomes)
    assert (judgement.tests_passed, judgement.tests_total, judgement.level) == (int(verdict is OK), 1, "")


@pytest.mark.parametrize(
    ("rules", "language", "seconds"),
    [
        ("multipl_e", "python", [15]),
        ("multipl_e", "cpp", [15, 15]),
        ("multipl_e", "javascript", [5]),
        ("multipl_e", "csharp", [600, 5]),
        ("deepseek", "cpp", [3, 3]),
        ("deepseek", "python", [4]),
        ("deepseek", "bash", [3]),
        ("deepseek", "csharp", [4, 3]),
    ],
)
def test_limits_by_the_clock(rules: CompatRules, language: str, seconds: list[float]) -> None:
    for patience in (1.0, 3.0):
        sandbox = Scripted(FINE, FINE)
        judged_as(sandbox, task(language), "text", rules, patience)
        assert [limits.wall_s for _, limits in sandbox.asked] == pytest.approx(
            [s * patience for s in seconds], abs=0.1
        )


def test_what_is_left_of_the_whole_time_limits_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 0.5, 2.5, 4.5])
    monkeypatch.setattr("rewardranker.judge.compat.rules.time.monotonic", lambda: next(times))
    sandbox = Scripted(FINE, FAILED)
    judgement = judged_as(sandbox, task("typescript"), "text", "deepseek")
    assert [limits.wall_s for _, limits in sandbox.asked] == [3.0, 1.5]
    assert judgement.verdict is RUNTIME  # of the first attempt: there was no time for the second


def test_readers_that_are_slow() -> None:
    """A full pipe of 64 KiB and 10 KiB more in each second."""
    sandbox = Scripted(FINE)
    judged_as(sandbox, task("bash"), "text", "multipl_e")
    assert sandbox.asked[0][1].output_kb == 214


PROGRAMS = [
    ("multipl_e", "python", "  return 1\n\ndef g():", "PROMPT\n  return 1\n\nTESTS"),
    ("multipl_e", "cpp", "  return 1;\n}\nint g() {}", "PROMPT\n  return 1;\nTESTS"),
    ("multipl_e", "php", "}\n// more", "PROMPT\n}\nTESTS"),
    ("multipl_e", "javascript", "}", "PROMPT\n}\nTESTS"),
    ("deepseek", "php", "x", "<?php\nPROMPT\n\nx\nTESTS?>"),
    ("deepseek", "bash", "x", "PROMPT\n\nx\nTESTS"),
]


@pytest.mark.parametrize(("rules", "language", "text", "program"), PROGRAMS)
def test_programs(rules: CompatRules, language: str, text: str, program: str) -> None:
    sandbox = Scripted(Outcome(limit="wall"))
    judged_as(sandbox, task(language), text, rules)
    (source,) = [content for name, content in sandbox.asked[0][0].files.items() if not name.startswith("guard")]
    assert source.decode() == program


def test_the_preludes_of_deepseek() -> None:
    python = deepseek.program(task("python"), "x").splitlines()
    assert python[0] == "import math" and python[10:15] == [
        *("import numpy", "import numpy as np", "import string"),
        *("from typing import *", "from collections import *"),
    ]
    cpp = deepseek.program(task("cpp", "#include<vector>\n"), "x")
    assert cpp.startswith("#include<stdlib.h>\n#include<algorithm>\n") and cpp.count("#include<vector>") == 1
    assert cpp.index("#include<cassert>\n\n") < cpp.index("#include<vector>")
    csharp = deepseek.program(task("csharp"), "x").splitlines()
    assert csharp[0] == "using System.Numerics;" and csharp.count("using System.Collections.Generic;") == 2
    assert deepseek.program(task("python", source="mbpp", prompt=""), "x").split("\n")[-2:] == [
        "x",
        "TESTS",
    ]


def test_tests_that_close_the_program_do_not_close_it_twice() -> None:
    assert multipl_e.joined("cpp", "int f() {\n}\n", "}\nint main() {}") == "int f() {\n}\n\n\nint main() {}"
    whole = multipl_e.joined("java", "class P {\n  void f() {\n  }\n}\n", "    }\n    void main() {}\n}\n")
    assert whole.count("{") == whole.count("}") == 3
    assert multipl_e.joined("php", "<?php\n", "test();") == "<?php\n\ntest();"


def test_an_answer_keeps_the_lines_that_the_tests_need() -> None:
    problem = task(
        "csharp", "using System;\nusing System.Diagnostics;\nclass Problem {\n", "    }\n    // tests\n}\n"
    )
    answer = "```csharp\nusing System;\nclass Problem {\n    static void F() {\n    }\n}\n```"
    program = multipl_e.program(problem, answer)
    assert program.count("using System;") == program.count("using System.Diagnostics;") == 1
    assert program.index("using System.Diagnostics;") < program.index("class Problem")


def test_what_no_other_harness_judges() -> None:
    with pytest.raises(UserError, match="use mode strict"):
        judged_as(Scripted(), task("cobol"), "", "multipl_e")


def test_a_missing_library_is_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "exists", lambda path: False)
    judgement = judged_as(Scripted(), task("java"), "", "deepseek")
    assert judgement.verdict is Verdict.NO_TOOLCHAIN and JAVATUPLES in judgement.message


# Below, programs are really run.


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Judge(workers=1) as judge, judge._sandbox() as sandbox:
        yield sandbox


def judged(sandbox: Sandbox, problem: Problem, text: str, rules: CompatRules, patience: float = PATIENCE) -> Verdict:
    return judged_as(sandbox, problem, text, rules, patience).verdict


TOOLS = {
    "cpp": ("g++",),
    "java": ("java", "javac"),
    "php": ("php",),
    "typescript": ("tsc", "node"),
    "csharp": ("mcs", "mono"),
    "javascript": ("node",),
}
JAVA = "import org.javatuples.*;\nclass Problem {\n    public static long f() {\n"
CSHARP = "using System.Diagnostics;\nclass Problem {\n    public static long F() {\n"
SCRIPT_TESTS = "const assert = require('node:assert');\nassert.deepEqual(f(), 1);"
REAL: dict[str, tuple[str, str, str, str]] = {  # prompt, right, wrong, tests
    "python": ("def f():\n", "    return 1\n", "    return 2\n", "def check(g):\n    assert g() == 1\ncheck(f)"),
    "cpp": ("#include <cassert>\nint f() {\n", "  return 1;", "  return 2;", "}\nint main() { assert(f() == 1); }"),
    "java": (
        *(JAVA, "        return 1L;", "        return 2L;"),
        "    }\n    public static void main(String[] a) { assert(f() == 1L); }\n    class Inner {}\n}\n",
    ),
    "php": (
        *("<?php\nfunction f() {\n", "  return 1;\n}", "  return 2;\n}"),
        "if (f() !== 1) { throw new Exception('Test failed!'); }",
    ),
    "typescript": (
        *("function f(): number {\n", "  return 1;\n}", "  return 2;\n}"),
        "declare var require: any;\n" + SCRIPT_TESTS,
    ),
    "csharp": (
        *(CSHARP, "        return 1L;", "        return 2L;"),
        "    }\n    public static void Main(string[] a) { Debug.Assert(F() == (1L)); }\n}\n",
    ),
    "bash": ("#!/bin/bash\nf() {\n", "  echo 1", "  echo 2", '}\nset -e\n[[ $(f) = "1" ]]'),
    "javascript": ("function f() {\n", "  return 1;\n}", "  return 2;\n}", SCRIPT_TESTS),
}


@pytest.mark.parametrize("rules", COMPAT_RULES)
@pytest.mark.parametrize(
    "language", [pytest.param(name, marks=[pytest.mark.slow] * (name == "typescript")) for name in REAL]
)
def test_real_programs(sandbox: Sandbox, language: str, rules: CompatRules) -> None:
    _need(language)
    prompt, right, wrong, tests = REAL[language]
    problem = task(language, prompt, tests)
    assert [judged(sandbox, problem, text, rules) for text in (right, wrong)] == [OK, WRONG]


def test_what_does_not_compile(sandbox: Sandbox) -> None:
    _need("cpp")
    problems = [task(name, *REAL[name][::3]) for name in ("cpp", "python", "bash")]
    assert [judged(sandbox, problem, "  ) fi", "multipl_e") for problem in problems] == [COMPILE, COMPILE, COMPILE]
    assert [judged(sandbox, problem, "  ) fi", "deepseek") for problem in problems] == [COMPILE, COMPILE, RUNTIME]


def test_real_peculiarities(sandbox: Sandbox) -> None:
    """Early exits pass nearly everywhere; DeepSeek fails what prints, and passes what crashes in C#."""
    _need("javascript")
    _need("csharp")
    problem = task("javascript", *REAL["javascript"][::3])
    for rules, text, verdict in (
        ("multipl_e", "  process.exit(0);\n}", OK),
        ("multipl_e", "  console.log(1);\n  return 1;\n}", OK),
        ("deepseek", "  console.log(1);\n  return 1;\n}", WRONG),
        ("deepseek", "  process.exit(7);\n}", OK),
    ):
        assert judged(sandbox, problem, text, rules) == verdict, (rules, text)
    crash = "        throw new System.Exception();"
    problem = task("csharp", *REAL["csharp"][::3])
    assert judged(sandbox, problem, crash, "multipl_e") is RUNTIME
    assert judged(sandbox, problem, crash, "deepseek") is OK


PYTHON_BODIES = [
    ("    import os\n    os._exit(0)\n", OK, TIMEOUT),
    ("    raise SystemExit\n", OK, RUNTIME),
    ("    exit()\n", OK, RUNTIME),
    ("    import os\n    os.getcwd()\n    return 1\n", OK, RUNTIME),
    ("    import subprocess\n    subprocess.Popen('true')\n    return 1\n", OK, RUNTIME),
    ("    input()\n    return 1\n", RUNTIME, RUNTIME),
    ("    print('x' * 1000)\n    return math.floor(1.5)\n", RUNTIME, OK),
    ("    class E:\n        def __eq__(self, other): return True\n    return E()\n", OK, OK),
]


@pytest.mark.parametrize(("body", "plain", "guarded"), PYTHON_BODIES)
def test_real_python(sandbox: Sandbox, body: str, plain: Verdict, guarded: Verdict) -> None:
    problem = task("python", *REAL["python"][::3])
    assert judged(sandbox, problem, body, "multipl_e") == plain
    assert judged(sandbox, problem, body, "deepseek") == guarded


def test_real_timeouts(sandbox: Sandbox) -> None:
    problem = task("python", *REAL["python"][::3])
    caught = "    while True:\n        try:\n            while True: pass\n        except Exception: pass\n"
    for text in ("    while True: pass\n", caught):
        assert judged(sandbox, problem, text, "deepseek", patience=0.25) is TIMEOUT


def _need(language: str) -> None:
    missing = [tool for tool in TOOLS.get(language, ()) if shutil.which(tool, path="/usr/bin:/bin") is None]
    missing += [JAVATUPLES] if language == "java" and not Path(JAVATUPLES).exists() else []
    if missing:
        pytest.skip(f"{language} needs {', '.join(missing)}: run `make toolchains`")
