"""MultiPL-E (Cassano et al. 2022): what its evaluators run, per language, and what they count as passed.

The program is prompt + completion + newline + tests; every command has 15 seconds by the clock (JavaScript and
C# programs 5), status 0 passes. Its reader takes 1 KiB in 0.1 s, so that a program that prints more than fits
in the pipe is stopped as too slow. What differs here: C# is compiled by ``mcs`` (``csc`` is in no Debian
package), and a flood on standard error is not slowed down.
"""

from __future__ import annotations

from collections.abc import Callable

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

_WALL_S, _SHORT_S = 15.0, 5.0
_UNLIMITED_S = 600.0  # where it sets no limit, as for compiling C#
_KEPT = 2048  # bytes of each stream that its evaluators look at
_READ_KB = 64 + 10 * int(_WALL_S)  # a full pipe, and what is read of it within the limit
_READ_SHORT_KB = 64 + 10 * int(_SHORT_S)

# A compiler that is too slow leaves exit status -1, which counts like any other failure to compile.
_SLOW_COMPILER = Finding(Verdict.COMPILE_ERROR)
_CSHARP_FAILURES = ("System.Diagnostics.DefaultTraceListener.Fail", "Unhandled Exception")


def _syntax_error_is(words: str) -> Callable[[Outcome], Finding]:
    """Status 0 passes; of other programs, those that left ``words`` on standard error do not compile."""

    def decide(outcome: Outcome) -> Finding:
        errors = text_of(outcome.errors[:_KEPT])
        if not ended_well(outcome) and words in errors and "ERR_ASSERTION" not in errors:
            return Finding(Verdict.COMPILE_ERROR, telling_line(errors))
        return exit_zero(outcome)

    return decide


def _php(outcome: Outcome) -> Finding:
    output = text_of(outcome.output[:_KEPT])
    if "PHP Parse error" in output:
        return Finding(Verdict.COMPILE_ERROR, telling_line(output))
    return exit_zero(outcome)


def _csharp(outcome: Outcome) -> Finding:
    """mono ends with status 0 after a failed assertion, so the status is not looked at."""
    errors = text_of(outcome.errors)
    return passed_if(not any(words in errors for words in _CSHARP_FAILURES), outcome)


def _run(*argv: str, wall_s: float = _WALL_S) -> Attempt:
    return Attempt(Command(argv, wall_s))


RULES = {
    "python": Rule(
        "program.py", (_run("python3", "program.py"),), _syntax_error_is("SyntaxError"), output_kb=_READ_KB
    ),
    "cpp": Rule(
        "program.cpp",
        (
            Attempt(
                Command(("./program",), _WALL_S),
                Command(("g++", "program.cpp", "-o", "program", "-std=c++17"), _WALL_S, _SLOW_COMPILER),
                ("program",),
            ),
        ),
        exit_zero,
        output_kb=_READ_KB,
    ),
    "java": Rule(
        "program.java",
        (
            Attempt(
                Command(("sh", "-c", f"tar -xf classes.tar && exec java -ea -cp .:{JAVATUPLES} Problem"), _WALL_S),
                Command(
                    (
                        "sh",
                        "-c",
                        f"mkdir out && javac -encoding UTF8 -cp {JAVATUPLES} -d out program.java "
                        "&& tar -cf classes.tar -C out .",
                    ),
                    _WALL_S,
                    _SLOW_COMPILER,
                ),
                ("classes.tar",),
            ),
        ),
        exit_zero,
        output_kb=_READ_KB,
        needs=(JAVATUPLES,),
    ),
    "php": Rule(
        "program.php",
        # Its evaluator does not ask whether the time was up: such a program counts as one that failed.
        (Attempt(Command(("php", "program.php"), _WALL_S, Finding(Verdict.RUNTIME_ERROR))),),
        _php,
        output_kb=_READ_KB,
    ),
    "typescript": Rule(
        "program.ts",
        (
            Attempt(
                Command(("node", "program.js"), _WALL_S),
                Command(("tsc", "--target", "esnext", "program.ts"), _WALL_S, _SLOW_COMPILER),
                ("program.js",),
            ),
        ),
        _syntax_error_is("SyntaxError"),
        output_kb=_READ_KB,
    ),
    "csharp": Rule(
        "program.cs",
        (
            Attempt(
                Command(("mono", "program.exe"), _SHORT_S),
                Command(
                    ("mcs", "-d:DEBUG", "-r:System.Numerics.dll", "program.cs", "-out:program.exe"), _UNLIMITED_S
                ),
                ("program.exe",),
            ),
        ),
        _csharp,
        environment=(("MONO_TRACE_LISTENER", "Console.Error"),),
    ),
    "bash": Rule("program.sh", (_run("bash", "program.sh"),), _syntax_error_is("syntax error"), output_kb=_READ_KB),
    "javascript": Rule(
        "program.js",
        (_run("node", "program.js", wall_s=_SHORT_S),),
        _syntax_error_is("SyntaxError"),
        output_kb=_READ_SHORT_KB,
    ),
}
