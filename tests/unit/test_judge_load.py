"""Verdicts do not depend on what else the machine does, and nothing piles up over many programs."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

import pytest
from attacks.tasks import COMMENT, QUICK, RIGHT, problem, right
from processes import descendants, open_files, resident_bytes, zombies

from rewardranker.judge import Judge
from rewardranker.judge.languages import LANGUAGES
from rewardranker.judge.languages.toolchain import toolchain
from rewardranker.problems.types import Limits, Problem
from rewardranker.problems.verdict import Verdict

AVAILABLE = [name for name in sorted(LANGUAGES) if not toolchain(LANGUAGES[name]).missing]
MIXED, TIMEOUTS = 500, 500
#: Of 500 programs, how many are of a language: more of those that cost little.
WEIGHT = {"python": 8, "bash": 6, "php": 6, "javascript": 3}
LIMITS = Limits(cpu_s=2.0, wall_s=120.0, memory_mb=256)


@dataclass(frozen=True)
class Kind:
    """A way to behave: what the function does instead of adding, per language."""

    name: str
    bodies: dict[str, str]
    verdict: Verdict


#: By user and system time together: nearly all that this loop takes is system time, which the judge counts too.
_NODE_WORK = "const t = () => { const c = process.cpuUsage(); return c.user + c.system; }; const e = t() + 6e4; while (t() < e); return x + y;"
_SAME = {"cpp": "return x - y - 1;", "java": "return x - y - 1;", "csharp": "return x - y - 1;"}
KINDS = [
    Kind(
        "wrong",
        {
            **_SAME,
            "python": "return x - y - 1",
            "javascript": "return x - y - 1;",
            "typescript": "return x - y - 1;",
            "php": "return $x - $y - 1;",
            "bash": "echo $(($1 - $2 - 1))",
        },
        Verdict.WRONG,
    ),
    Kind(
        "crashing",
        {
            "python": "return x // 0",
            "cpp": "abort();",
            "java": "return x / 0;",
            "csharp": "throw new Exception();",
            "javascript": "return x.y.z;",
            "typescript": "throw new Error('no');",
            "php": "throw new Exception('no');",
            "bash": "kill -9 $$",
        },
        Verdict.RUNTIME_ERROR,
    ),
    Kind(
        "slow",  # three tenths of a second by its own clock, of two that it may take
        {
            "python": "import time\n    e = time.process_time() + 0.06\n    while time.process_time() < e: pass\n    return x + y",
            "cpp": "long e = clock() + 60000; while (clock() < e); return x + y;",
            "java": "long e = System.nanoTime() + 60000000L; while (System.nanoTime() < e); return x + y;",
            "csharp": "var w = Stopwatch.StartNew(); while (w.ElapsedMilliseconds < 60); return x + y;",
            "javascript": _NODE_WORK,
            "typescript": _NODE_WORK.replace("process", "(globalThis as any).process"),
            "php": "for ($i = 0; $i < 2000000; $i++); return $x + $y;",
            "bash": "for ((i = 0; i < 10000; i++)); do :; done; echo $(($1 + $2))",
        },
        Verdict.OK,
    ),
    Kind(
        "endless",
        {
            "python": "while True: pass",
            "cpp": "for (volatile long i = 0;; i++);",
            "java": "while (true) ;",
            "csharp": "while (true) ;",
            "javascript": "while (true);",
            "typescript": "while (true);",
            "php": "while (true);",
            "bash": "while :; do :; done",
        },
        Verdict.TIMEOUT,
    ),
]
_BODY = {
    "python": "return x + y",
    "bash": "echo $(($1 + $2))",
    "php": "return $x + $y;",
}


def program(language: str, kind: Kind | None, number: int) -> str:
    """The right program, or one of another kind; each number gives another text."""
    if kind is None:
        return right(language, number)
    code = RIGHT[language].replace(_BODY.get(language, "return x + y;"), kind.bodies[language])
    return f"{code}{COMMENT.get(language, '//')} {number}\n"


def mixture(count: int) -> list[tuple[Problem, str, Verdict]]:
    """Programs of every language and kind in turn; endless ones, which cost most, only now and then."""
    names = [name for name in AVAILABLE for _ in range(WEIGHT.get(name, 2))]
    found = []
    for number in range(count):
        language = names[number * 7 % len(names)]
        endless = number % 61 == 60
        kind = KINDS[3] if endless else [None, KINDS[0], None, KINDS[1], None, KINDS[2]][number % 6]
        expected = Verdict.OK if kind is None else kind.verdict
        if language == "bash" and kind is KINDS[1]:
            expected = Verdict.RUNTIME_ERROR
        found.append((problem(language, limits=LIMITS), program(language, kind, number), expected))
    return found


@contextmanager
def competitors(count: int) -> Iterator[None]:
    """Processes that do nothing but use the processors."""
    with ExitStack() as stack:
        for _ in range(count):
            busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            stack.callback(busy.wait)
            stack.callback(busy.kill)
        yield


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_verdicts_are_the_same_idle_and_under_load_and_for_any_number_of_workers() -> None:
    programs = mixture(MIXED)
    items = [(task, code) for task, code, _ in programs]
    outcomes = {}
    for name, workers, busy in (("one worker", 1, 0), ("four workers", 4, 0), ("four workers, busy", 4, 4)):
        started = time.monotonic()
        with competitors(busy), Judge(workers=workers) as judge:
            results = judge.run(items)
        outcomes[name] = [(result.verdict, result.tests_passed, result.signature) for result in results]
        took = time.monotonic() - started
        print(f"{name}: {took:.0f} s, {Counter(str(result.verdict) for result in results)}, load {os.getloadavg()}")
        unexpected = [
            (task.language, code, result)
            for (task, code, expected), result in zip(programs, results, strict=True)
            if result.verdict is not expected
        ]
        assert unexpected == [], name
    assert outcomes["one worker"] == outcomes["four workers"] == outcomes["four workers, busy"]


def test_a_few_programs_of_every_kind_are_judged_as_expected_under_load(judge: Judge) -> None:
    """The small form of the test above. The load begins when the compilers have started: that takes longest."""
    kinds = [None, *KINDS[:3]]
    cases = [(language, kind) for language in AVAILABLE for kind in kinds]
    items = [(problem(language, limits=LIMITS), program(language, kind, 1)) for language, kind in cases]
    judge.run([(problem(language), right(language)) for language in AVAILABLE])
    with competitors(2):
        results = judge.run(items)
    found = {
        (language, kind and kind.name): result.verdict
        for (language, kind), result in zip(cases, results, strict=True)
    }
    assert found == {(language, kind and kind.name): kind.verdict if kind else Verdict.OK for language, kind in cases}


@pytest.mark.slow
def test_five_hundred_timeouts_leave_nothing() -> None:
    task = problem("python", limits=Limits(cpu_s=1.0, wall_s=0.05))
    sleepers = [f"import time\ndef add(x, y):\n    time.sleep(60 + {number})\n" for number in range(TIMEOUTS)]
    with Judge(workers=2) as judge:
        judge.run([(task, code) for code in sleepers[:20]])
        before = _state()
        results = judge.run([(task, code) for code in sleepers])
        assert Counter(result.verdict for result in results) == {Verdict.TIMEOUT: TIMEOUTS}
        after = _state()
    assert zombies([os.getpid(), *descendants()]) == []
    assert after.processes == before.processes and after.zombies == 0
    assert after.files == before.files
    assert after.memory - before.memory < 20 << 20, (before, after)


@dataclass(frozen=True)
class State:
    """This process and all below it: how many, how many dead ones, their open files, their memory in bytes."""

    processes: int
    zombies: int
    files: int
    memory: int


def _state() -> State:
    deadline = time.monotonic() + 5.0
    while zombies(descendants()) and time.monotonic() < deadline:
        time.sleep(0.02)
    pids = [os.getpid(), *descendants()]
    return State(len(pids), len(zombies(pids)), sum(map(open_files, pids)), sum(map(resident_bytes, pids)))


#: Statements that print a number of blocks of 64 KiB of blanks, then go on to be right.
PRINTS = {
    "python": "for _ in range({0}): print(' ' * 65535)\n    return x + y",
    "cpp": "std::string s(65536, ' '); for (int i = 0; i < {0}; i++) fwrite(s.data(), 1, 65536, stdout); fflush(stdout); return x + y;",
    "java": "byte[] b = new byte[65536]; for (int i = 0; i < {0}; i++) System.out.write(b, 0, 65536); System.out.flush(); return x + y;",
    "csharp": "var s = new string(' ', 65536); for (int i = 0; i < {0}; i++) Console.Write(s); return x + y;",
    "javascript": "const s = ' '.repeat(65536); for (let i = 0; i < {0}; i++) require('fs').writeSync(1, s); return x + y;",
    "typescript": "const s = ' '.repeat(65536); for (let i = 0; i < {0}; i++) (globalThis as any).process.stdout.write(s); return x + y;",
    "php": "$s = str_repeat(' ', 65536); for ($i = 0; $i < {0}; $i++) echo $s; return $x + $y;",
}
_MEGABYTE = 16  # blocks


@pytest.mark.parametrize("language", [name for name in AVAILABLE if name in PRINTS])
def test_a_program_may_print_five_megabytes(judge: Judge, language: str) -> None:
    """One in each of its five calls."""
    task = problem(language, limits=replace(LIMITS, cpu_s=5.0))
    code = program(language, Kind("prints", {language: PRINTS[language].format(_MEGABYTE)}, Verdict.OK), 0)
    assert judge.run([(task, code)])[0].verdict is Verdict.OK


@pytest.mark.parametrize("language", [name for name in AVAILABLE if name in ("python", "php", "cpp", "bash")])
def test_a_main_program_may_print_five_megabytes(judge: Judge, language: str) -> None:
    code = {
        "python": "x, y = map(int, input().split())\nprint(x + y)\nfor _ in range(80): print(' ' * 65535)\n",
        "php": "<?php\n[$x, $y] = explode(' ', fgets(STDIN));\necho $x + $y, str_repeat(' ', 5 << 20);\n",
        "cpp": "#include <bits/stdc++.h>\nint main() { long x, y; std::cin >> x >> y; std::cout << x + y << std::string(5 << 20, ' '); }\n",
        "bash": "read x y\nprintf '%d%5242880s' $((x + y)) ''\n",
    }[language]
    assert judge.run([(problem(language, "stdio", LIMITS), code)])[0].verdict is Verdict.OK


@pytest.mark.parametrize("style", ["add", "stdio"])
@pytest.mark.parametrize("language", [name for name in AVAILABLE if name in ("python", "php", "cpp")])
def test_a_program_that_prints_a_gigabyte_does_so_in_vain(language: str, style: str) -> None:
    """It is stopped at the limit, and the judge and its servers hold no more than what a limit allows."""
    blocks = 16384
    task = problem(language, "stdio" if style == "stdio" else "add", replace(LIMITS, cpu_s=10.0))
    if style == "stdio":
        code = {
            "python": f"for _ in range({blocks}): print(' ' * 65535)\n",
            "php": f"<?php\nfor ($i = 0; $i < {blocks}; $i++) echo str_repeat(' ', 65536);\n",
            "cpp": f"#include <bits/stdc++.h>\nint main() {{ for (int i = 0; i < {blocks}; i++) std::cout << std::string(65536, ' '); }}\n",
        }[language]
    else:
        code = program(language, Kind("prints", {language: PRINTS[language].format(blocks)}, Verdict.OK), 0)
    with Judge() as judge:
        judge.run([(problem(language), right(language))])
        with watched_memory() as memory:
            result = judge.run([(task, code)])[0]
    assert result.verdict is Verdict.OUTPUT_LIMIT, result
    # What is kept of a main program's output is held by the server, once more by the judge, and as text.
    allowed = 4 * task.limits.output_kb << 10 if style == "stdio" else 16 << 20
    assert max(memory) - memory[0] < allowed, (memory[0], max(memory))


@contextmanager
def watched_memory() -> Iterator[list[int]]:
    """Bytes that this process and those below it hold, many times a second; programs, which come later, are left out."""
    pids = [os.getpid(), *descendants()]
    seen, ended = [sum(map(resident_bytes, pids))], threading.Event()

    def watch() -> None:
        while not ended.wait(0.005):
            seen.append(sum(map(resident_bytes, pids)))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def test_there_is_more_than_one_language_to_mix() -> None:
    """A machine without any tool-chain would make the tests here say little."""
    if len(AVAILABLE) < len(LANGUAGES):
        pytest.skip(f"only these languages have a tool-chain here: {', '.join(AVAILABLE)}")
    assert len({language for task, _, _ in mixture(MIXED) for language in [task.language]}) == len(LANGUAGES)


def test_the_quick_limits_are_those_of_the_attacks() -> None:
    """Load tests give programs more time than attacks get."""
    assert LIMITS.cpu_s > QUICK.cpu_s
