"""Problems whose every program fails at the call that the tests make: said, and no labels."""

from __future__ import annotations

from dataclasses import replace

import pytest
from judging import RIGHT, need, problem
from test_language_compiled import task as compiled_task

from rewardranker.judge import Judge, judge_candidates
from rewardranker.problems.suspects import call_error, describe_suspected, labelled, suspected_in
from rewardranker.problems.types import Candidate, Problem, Test
from rewardranker.problems.verdict import Verdict

ONE, LIST = "def f(a):\n    return a\n", "def f(xs, *, key=None):\n    return sum(xs)\n"
OTHER = "def g(a, b):\n    return a + b\n"
INSIDE = "def f(a, b):\n    return g(a)\ndef g():\n    return 1\n"
NAMES, ARGUMENTS, MAIN = "nothing of that name", "another number of arguments", "no main program"


def pool_of(name: str, *programs: str) -> list[Candidate]:
    return [Candidate(name, "python", code, code, "human") for code in programs]


def test_what_is_suspected(judge: Judge) -> None:
    """Several programs, all of them, the same kind of error, at the tests' own call; in two styles."""
    cases = {
        "arguments": (ONE, LIST),
        "names": (OTHER, "x = 1\n", OTHER),
        "one right": (ONE, LIST, RIGHT),
        "one program": (ONE, ONE),
        "two kinds": (ONE, OTHER),
        "elsewhere": (INSIDE, INSIDE + "\n# again\n"),
    }
    styles = ("function", "program")
    problems = {f"{s} {name}": replace(problem(s), id=f"{s} {name}") for name in cases for s in styles}
    pool = [c for name, codes in cases.items() for s in styles for c in pool_of(f"{s} {name}", *codes)]
    assert suspected_in(problems, pool) == {}  # not judged
    judge_candidates(pool, problems, judge.run)
    found = suspected_in(problems, pool)
    assert set(found) == {f"{s} {name}" for name in ("arguments", "names") for s in styles}
    assert "f() takes 1 positional argument but 2 were given" in found["function arguments"]
    assert set(labelled(problems, pool, label_suspected=False)) == set(problems) - set(found)
    assert set(labelled(problems, pool, label_suspected=True)) == set(problems)
    line = describe_suspected(found)
    assert line.startswith(
        "suspected problems: function arguments, program arguments, function names, program names."
    )
    assert "\n" not in line
    lost = [replace(c, verdict=Verdict.INFRA, message="gone") if c.code == RIGHT else c for c in pool]
    assert "program one right" in suspected_in(problems, lost)  # a program that could not be judged says nothing


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "style", "program", "kind"),
    [
        ("php", "function", "<?php\nfunction f($a, $b, $c) { return $a; }\n", ARGUMENTS),
        ("php", "function", "<?php\nfunction g($a, $b) { return $a + $b; }\n", NAMES),
        ("javascript", "function", "const g = (a, b) => a + b;\n", NAMES),
        ("typescript", "function", "function g(a: number, b: number): number { return a + b; }\n", NAMES),
        ("java", "stdio", "class A { static int f(int a, int b) { return a + b; } }\n", MAIN),
        ("cpp", "stdio", "int f(int a, int b) { return a + b; }\n", MAIN),
        ("csharp", "stdio", "class A { static int F(int a, int b) { return a + b; } }\n", MAIN),
    ],
)
def test_the_call_errors_of_other_languages(language: str, style: str, program: str, kind: str, judge: Judge) -> None:
    task = replace(problem(style), language=need(language))  # type: ignore[arg-type]
    (found,) = judge.run([(task, program)])
    assert call_error(task, found.message) == kind, found.message


@pytest.mark.slow
def test_a_java_class_of_another_name_is_told_by_the_name_that_tests_call(judge: Judge) -> None:
    need("java")
    task = compiled_task("java")
    (found,) = judge.run([(task, "class Solution { public static long add(long a, long b) { return a + b; } }\n")])
    assert found.message.endswith("error: cannot find symbol: symbol: variable Problem"), found.message
    assert call_error(task, found.message) == NAMES


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Calls_8b.java:7: error: method f in class Problem cannot be applied to given types;", ARGUMENTS),
        ("Calls_75.java:7: error: cannot find symbol", NAMES),
        ("Main.java:7: error: cannot find symbol", ""),
        ("calls.cpp:3:83: error: too many arguments to function", ARGUMENTS),
        ("calls.cpp:2:24: error: ‘f’ was not declared in this scope", NAMES),
        ("calls.cs(14,93): error CS1501: No overload for method `f' takes `2' arguments", ARGUMENTS),
        ("calls.cs(14,93): error CS0117: `Problem' does not contain a definition for `f'", NAMES),
        ("whole.ts(8,33): error TS2554: Expected 1 arguments, but got 2.", ARGUMENTS),
        ("whole.ts(7,19): error TS2304: Cannot find name 'f'.", NAMES),
        ("whole.ts(7,19): error TS2304: Cannot find name 'helper'.", ""),
        ("test 1: NameError: the program does not define the function f", NAMES),
        ("test 1: TypeError: f() missing 1 required positional argument: 'b'", ARGUMENTS),
        ("test 1: TypeError: half() takes 1 positional argument but 2 were given", ""),  # a function of its own
        ("test 1: TypeError: half.f() takes 1 positional argument but 2 were given", ""),
        ("test 1: returned 1, not 3", ""),
        ("", ""),
    ],
)
def test_messages_of_the_judge_s_own_calls(message: str, kind: str) -> None:
    """As tests of MultiPL-E's form call: seen of programs for HumanEval 53 in each language."""
    task = Problem(id="p", language="java", prompt="", entry_point="f", style="program", tests=(Test("x"),))
    assert call_error(task, message) == kind
    if "main" not in message:  # tests that call nothing have no error at their call
        assert call_error(replace(task, entry_point="", style="stdio"), message) == ""
