"""DeepSeek-Coder's HumanEval harness (Guo et al. 2024, instruct settings): what it runs and counts as passed.

Each command has 3 seconds by the clock and everything together 4, compiling included. Its peculiarities are
kept: a JavaScript program that prints anything fails, whatever its exit status; a C# program passes unless it
writes "Fail" to standard error, so one that crashes passes; TypeScript is tried a second time with other
compiler options; MBPP's set-up code is left out.

What differs here: Java is compiled once, as its five tries of a minute never fit into 4 seconds, and the C++
programs of task 162 are not linked with OpenSSL. Python's prelude imports numpy; where the sandbox has none, those
two lines are left out: a program that uses numpy without importing it fails here and passes there.
"""

from __future__ import annotations

import json
from importlib import resources

from rewardranker.judge.compat.rules import (
    JAVATUPLES,
    Attempt,
    Command,
    Finding,
    Rule,
    ended_well,
    exit_zero,
    passed_if,
    telling_line,
    text_of,
)
from rewardranker.judge.sandbox import Outcome
from rewardranker.problems.verdict import Verdict

_WALL_S, _TOTAL_S = 3.0, 4.0
_GUARD = "guard.py"
# Raised outside its ``try``: its process dies, and what was said before, if anything, stands.
_SLOW_COMPILER = Finding(Verdict.TIMEOUT, final=True)


def _python(outcome: Outcome) -> Finding:
    if not outcome.results:
        return Finding(Verdict.TIMEOUT, "ended without a word, which counts as timed out")
    said = json.loads(outcome.results)
    verdicts = {"": Verdict.OK, "TimeoutException": Verdict.TIMEOUT, "AssertionError": Verdict.WRONG}
    syntax = dict.fromkeys(("SyntaxError", "IndentationError", "TabError"), Verdict.COMPILE_ERROR)
    return Finding((verdicts | syntax).get(said["error"], Verdict.RUNTIME_ERROR), said["message"])


def _javascript(outcome: Outcome) -> Finding:
    """Only a program that prints nothing passes; the exit status is not looked at."""
    if outcome.errors:
        return passed_if(False, outcome)
    if outcome.output:
        return Finding(Verdict.WRONG, f"prints something, which fails it: {telling_line(text_of(outcome.output))}")
    return Finding(Verdict.OK)


def _csharp(outcome: Outcome) -> Finding:
    """Without "Fail" on standard error it passes, an unhandled exception included."""
    return passed_if("Fail" not in text_of(outcome.errors), outcome)


def _java(outcome: Outcome) -> Finding:
    if outcome.status not in (0, 1) or outcome.signal:
        return Finding(Verdict.RUNTIME_ERROR, "unknown error: " + telling_line(text_of(outcome.errors)))
    return passed_if(ended_well(outcome), outcome)


def _compiled(run: tuple[str, ...], compiler: tuple[str, ...], left: str, slow: Finding = _SLOW_COMPILER) -> Attempt:
    return Attempt(Command(run, _WALL_S), Command(compiler, _WALL_S, slow), (left,))


def _rule(file: str, *run: str) -> Rule:
    return Rule(file, (Attempt(Command(run, _WALL_S)),), exit_zero, _TOTAL_S)


RULES = {
    "python": Rule(
        "program.py",
        (Attempt(Command(("python3", "-s", _GUARD, "{inner_s}"), _TOTAL_S, inner_s=_WALL_S)),),
        _python,
        _TOTAL_S,
        files=((_GUARD, resources.files(__package__).joinpath("deepseek_guard.py").read_bytes()),),
    ),
    "cpp": Rule(
        "test.cpp",
        (_compiled(("./a.out",), ("g++", "-std=c++17", "test.cpp"), "a.out"),),
        exit_zero,
        _TOTAL_S,
    ),
    "java": Rule(
        "Problem.java",
        (
            Attempt(
                Command(("sh", "-c", f"tar -xf classes.tar && exec java -ea -cp .:{JAVATUPLES} Problem"), _WALL_S),
                Command(
                    ("sh", "-c", f"javac -cp {JAVATUPLES} Problem.java && tar -cf classes.tar *.class"),
                    _TOTAL_S,
                    _SLOW_COMPILER,
                ),
                ("classes.tar",),
            ),
        ),
        _java,
        _TOTAL_S,
        needs=(JAVATUPLES,),
    ),
    "php": _rule("test.php", "php", "-f", "test.php"),
    "typescript": Rule(
        "test.ts",
        (
            _compiled(
                ("node", "test.js"), ("tsc", "test.ts", "--target", "ES2015", "--lib", "ES2015,DOM"), "test.js"
            ),
            _compiled(("node", "test.js"), ("tsc", "test.ts"), "test.js"),
        ),
        exit_zero,
        _TOTAL_S,
    ),
    "csharp": Rule(
        "Program.cs",
        (
            Attempt(
                Command(("mono", "Program.exe"), _WALL_S),
                Command(("mcs", "-d:DEBUG", "Program.cs"), _TOTAL_S, _SLOW_COMPILER),
                ("Program.exe",),
            ),
        ),
        _csharp,
        _TOTAL_S,
        environment=(("MONO_TRACE_LISTENER", "Console.Error"),),
    ),
    "bash": _rule("test.sh", "bash", "test.sh"),
    "javascript": Rule("test.js", (Attempt(Command(("node", "test.js"), _WALL_S)),), _javascript, _TOTAL_S),
}
