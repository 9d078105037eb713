"""The languages beside Python: every verdict, in every style that they have."""

from __future__ import annotations

from dataclasses import replace

import pytest
from judging import in_brief, need, problem

from rewardranker.errors import UserError
from rewardranker.judge import Judge
from rewardranker.problems.types import Limits, Problem, Style, Test
from rewardranker.problems.verdict import Verdict

LIMITS = Limits(cpu_s=1.0, wall_s=20.0, memory_mb=256)
TESTS = {
    "javascript": "const assert = require('node:assert');\nfunction test() {\n  let candidate = add;\n"
    "  assert.deepEqual(candidate(1, 2),3);\n  assert.deepEqual(candidate(-1, 1),0);\n}\n\ntest();\n",
    "php": "function candidate(...$args) {\n    return add(...$args);\n}\n\nfunction test(): void {\n"
    '    if (candidate(1, 2) !== 3) { throw new Exception("Test failed!"); }\n'
    '    if (candidate(-1, 1) !== 0) { throw new Exception("Test failed!"); }\n}\n\ntest();\n',
    "bash": '}\n\ncandidate() {\n    add "$@"\n}\n\nset -e\nrun_test() {\n    [[ $(candidate "1" "2") = "3" ]]\n'
    '    [[ $(candidate "-1" "1") = "0" ]]\n}\n\nrun_test\n',
}
FUNCTIONS = {
    "javascript": ("function add(a, b) {{ {} }}\n", "return a + b;"),
    "php": ("<?php\nfunction add($a, $b) {{ {} }}\n", "return $a + $b;"),
    "bash": ("add() {{\n{}\n}}\n", 'echo "$(($1 + $2))"'),
}
BODIES = [
    ("javascript", "return a - b;", Verdict.WRONG),
    ("javascript", "return {valueOf: () => 3, toJSON: () => 3};", Verdict.WRONG),
    ("javascript", "throw new Error('no');", Verdict.RUNTIME_ERROR),
    ("javascript", "process.exit(0);", Verdict.RUNTIME_ERROR),
    ("javascript", "while (true) {}", Verdict.TIMEOUT),
    ("javascript", "return (;", Verdict.COMPILE_ERROR),
    ("php", "return $a - $b;", Verdict.WRONG),
    ("php", "return (float) ($a + $b);", Verdict.WRONG),
    ("php", "throw new Exception('no');", Verdict.RUNTIME_ERROR),
    ("php", "exit(0);", Verdict.RUNTIME_ERROR),
    ("php", "while (true) {}", Verdict.TIMEOUT),
    ("php", "return (;", Verdict.COMPILE_ERROR),
    ("bash", 'echo "$(($1 - $2))"', Verdict.WRONG),
    ("bash", "exit 0", Verdict.WRONG),
    ("bash", "while :; do :; done", Verdict.TIMEOUT),
    ("bash", "if then", Verdict.COMPILE_ERROR),
]
ECHO = {
    "javascript": "const n = require('fs').readFileSync(0, 'utf8').trim();\nconsole.log({} * n);\n",
    "php": '<?php\necho {} * (int) fgets(STDIN), "\\n";\n',
    "bash": "read n\necho $(({} * n))\n",
}


def task(language: str, style: Style) -> Problem:
    need(language)
    tests = {
        "program": (Test(TESTS[language]),),
        "function": (Test("[1, 2]", "3"), Test("[-1, 1]", "0")),
        "stdio": (Test("4\n", "8\n"), Test("-1\n", "-2\n")),
    }[style]
    return problem(style, tests, language=language, entry_point="add", limits=LIMITS)


@pytest.mark.parametrize("language", TESTS)
def test_a_right_program(judge: Judge, language: str) -> None:
    form, body = FUNCTIONS[language]
    items = [(task(language, "program"), form.format(body)), (task(language, "stdio"), ECHO[language].format(2))]
    if language != "bash":
        items.append((task(language, "function"), form.format(body)))
    for (item, _), result in zip(items, judge.run(items), strict=True):
        level = "L3" if item.style == "stdio" else "L2"
        assert (result.verdict, result.tests_passed, result.tests_total) == (Verdict.OK, 2, 2), result
        assert (result.level, len(result.signature)) == (level, 32)


@pytest.mark.parametrize(("language", "body", "expected"), BODIES)
def test_other_verdicts_on_recorded_tests(judge: Judge, language: str, body: str, expected: Verdict) -> None:
    form, _ = FUNCTIONS[language]
    result = judge.run([(in_brief(task(language, "program"), expected), form.format(body))])[0]
    assert result.verdict is expected, result
    assert result.tests_passed == 0 and result.message


@pytest.mark.parametrize("language", TESTS)
def test_main_programs_that_print_something_else_or_fail(judge: Judge, language: str) -> None:
    item = task(language, "stdio")
    exits = {"javascript": "process.exit(3)", "php": "<?php exit(3);", "bash": "exit 3"}[language]
    wrong, failed = judge.run([(item, ECHO[language].format(3)), (item, exits)])
    assert (wrong.verdict, wrong.tests_passed) == (Verdict.WRONG, 0)
    assert failed.verdict is Verdict.RUNTIME_ERROR and "exit status 3" in failed.message


def test_a_style_that_a_language_lacks_is_refused_by_name(judge: Judge) -> None:
    with pytest.raises(UserError, match="test/function asks for style 'function' in bash"):
        judge.run([(task("bash", "function"), "add() { :; }\n")])


def test_tests_that_cannot_be_recorded_are_named(judge: Judge) -> None:
    item = replace(task("javascript", "program"), tests=(Test("assert.ok(add(1) > 2);"),))
    result = judge.run([(item, "function add(a) { return a; }")])[0]
    assert result.verdict is Verdict.INFRA
    assert "the javascript tests of problem test/program could not be recorded" in result.message
