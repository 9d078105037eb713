"""JavaScript's tests in any form: they run in a process of their own, on what a program has returned."""

from __future__ import annotations

import pytest
from judging import need, problem

from rewardranker.judge import Judge
from rewardranker.problems.types import Limits, Problem, Test
from rewardranker.problems.verdict import Judgement, Verdict

OK, WRONG, RUNTIME_ERROR, INFRA = Verdict.OK, Verdict.WRONG, Verdict.RUNTIME_ERROR, Verdict.INFRA
LIMITS = Limits(cpu_s=4.0, wall_s=60.0, memory_mb=512)
OPEN = "const f = (x) => {\n"
ASSERT = "const assert = require('node:assert');\n"

#: By form: the prompt, the tests, programs and what they are.
FORMS: dict[str, tuple[str, str, list[tuple[str, Verdict]]]] = {
    "console.assert, which ends nothing": (
        OPEN,
        "const testF = () => { console.assert(f(1) === 2); console.assert(f(2) === 3, 'two') }\ntestF()",
        [
            ("const f = (x) => x + 1", OK),
            ("const f = (x) => 3", WRONG),
            ("const f = (x) => 2", WRONG),
            ("const f = (x) => undefined", WRONG),
            ("const f = (x) => { throw new Error('no') }", RUNTIME_ERROR),
            ("const f = (x) => `${x + 1}`", WRONG),
            ("console.assert = () => {}; const f = (x) => 0", WRONG),
            ("process.exit(0); const f = (x) => x + 1", RUNTIME_ERROR),
            ("const f = (x) => process.exit(0)", RUNTIME_ERROR),
            ("const f = (x) => ({ valueOf: () => x + 1 })", WRONG),
            ("const g = (x) => x + 1", RUNTIME_ERROR),
        ],
    ),
    "texts of values": (
        OPEN,
        "console.assert(JSON.stringify(f([3, 1])) === JSON.stringify([1, 3]));\n"
        "console.assert(JSON.stringify(f([])) == '[]')",
        [
            ("const f = (x) => x.slice().sort()", OK),
            ("const f = (x) => x", WRONG),
            ("const f = (x) => ({ toJSON: () => [1, 3] })", WRONG),
            ("JSON.stringify = () => ''; const f = (x) => 1", WRONG),
            ("const f = (x) => null", WRONG),
        ],
    ),
    "loops, distances and numbers that are drawn": (
        OPEN,
        "for (let i = 0; i < 20; i++) {\n  const x = Math.floor(Math.random() * 1000)\n"
        "  console.assert(Math.abs(f(x) - Math.sqrt(x)) < 1e-6)\n}",
        [
            ("const f = (x) => Math.sqrt(x)", OK),
            ("const f = (x) => Math.sqrt(x) + 1e-3", WRONG),
            ("Math.abs = () => 0; const f = (x) => 0", WRONG),
            ("const f = (x) => NaN", WRONG),
        ],
    ),
    "helpers of the prompt": (
        "const twice = (x) => {\n  return 2 * x\n}\n\n" + OPEN,
        "for (let i = 0; i < 5; i++) { console.assert(f(twice(i)) === i) }",
        [
            ("const twice = (x) => 0; const f = (x) => x / 2", OK),
            ("const twice = (x) => 0; const f = (x) => 0", WRONG),
        ],
    ),
    "members of what is returned": (
        OPEN,
        "const r = f(2); console.assert(r.length === 2 && r[0].name === 'a')\n"
        "console.assert(f(3).map(o => o.n)[2] === 2)",
        [
            ("const f = (x) => Array.from({ length: x }, (_, n) => ({ name: 'abc'[n], n }))", OK),
            ("const f = (x) => Array.from({ length: x }, (_, n) => ({ name: 'abc'[n], n: 0 }))", WRONG),
            ("const f = (x) => []", WRONG),
            ("const f = (x) => null", WRONG),
        ],
    ),
    "an argument changed in place": (
        OPEN,
        "const a = [3, [1], { k: 2 }]; f(a); console.assert(a.length === 2 && a[0] === 3 && a[1].k === 2)\n"
        "const s = new Set([1]); f(s); console.assert(s.size === 0)",
        [
            ("const f = (x) => { if (x instanceof Set) x.clear(); else x.splice(1, 1) }", OK),
            ("const f = (x) => {}", WRONG),
            ("const f = (x) => { if (x instanceof Set) x.clear(); else x.pop() }", WRONG),
        ],
    ),
    "node's assertions": (
        OPEN,
        ASSERT + "assert(f(1)); assert.equal(f(2), 4); assert.ok(f(3) > 8); assert.deepStrictEqual(f(4), 16);\n"
        "assert.notStrictEqual(f(5), 5)",
        [
            ("const f = (x) => x * x", OK),
            ("const f = (x) => x == 4 ? 17 : x * x", WRONG),
            ("const f = (x) => x == 5 ? 5 : x * x", WRONG),
            ("const f = (x) => x == 4 ? 16n : x * x", WRONG),
        ],
    ),
    "values that JSON has not": (
        OPEN,
        "console.assert(f(0) === undefined); console.assert(Number.isNaN(f(1))); console.assert(f(2) === -Infinity);"
        "console.assert(f(3) === 2n ** 70n); console.assert(f(4).has('a')); console.assert(f([undefined]) === 1)",
        [
            (
                "const f = (x) => x === 0 ? undefined : x === 1 ? NaN : x === 2 ? -1 / 0 : x === 3 ? 2n ** 70n : "
                "x === 4 ? new Set('a') : x.length",
                OK,
            ),
            ("const f = (x) => x === 4 ? new Set('a') : x.length", WRONG),
        ],
    ),
    "a list of checks, each comparing one call": (
        OPEN,
        ASSERT + "const test = () => { let candidate = f; assert.deepEqual(candidate(1), [1]); }\ntest()",
        [("const f = (x) => [x]", OK), ("const f = (x) => x", WRONG)],
    ),
    "a callback": (OPEN, "console.assert(f((x) => x) === 1)", [("const f = (g) => g(1)", INFRA)]),
    "no check": (OPEN, "f(1)", [("const f = (x) => x", INFRA)]),
    "no call": (OPEN, "console.assert(1 === 1)", [("const f = (x) => x", INFRA)]),
    "tests that do not parse": (OPEN, "console.assert(f(1) === 1", [("const f = (x) => x", INFRA)]),
    "a helper that nobody defines": (OPEN, "console.assert(g(f(1)) === 1)", [("const f = (x) => x", INFRA)]),
    "conditions of which the first decides": (
        OPEN,
        "console.assert(f(1) === 1 && f(2) === 4 && f(3) === 9)\nconsole.assert(f(0) === 1 || f(4) === 16)\n"
        "if (f(5) !== 25) { throw new Error('no') }\nif (f(6) !== 36) throw 1",
        [
            ("const f = (x) => x * x", OK),
            ("const f = (x) => x", WRONG),
            ("const f = (x) => x === 3 ? 8 : x * x", WRONG),
            ("const f = (x) => x === 6 ? 8 : x * x", WRONG),
            ("const f = (x) => x ? x * x : 1", OK),
            ("const f = (x) => { if (x === 2) throw new Error('no'); return x * x }", RUNTIME_ERROR),
        ],
    ),
    "calls of what calls returned": (
        OPEN,
        "let x = 2; for (let i = 0; i < 4; i++) { x = f(x) } console.assert(x === 65536)",
        [("const f = (x) => x * x", OK), ("const f = (x) => x + 1", WRONG), ("const f = (x) => null", WRONG)],
    ),
    "a search": (
        OPEN,
        "let x = 0; while (f(x) < 3) { x += 1 } console.assert(x === 3); console.assert(f(x) === 3)",
        [("const f = (x) => x", INFRA)],
    ),
}


@pytest.fixture(scope="module")
def judge(judge: Judge) -> Judge:
    need("javascript")
    return judge


def task(prompt: str, tests: str) -> Problem:
    return problem(
        "program", (Test(tests),), language="javascript", entry_point="f", prompt=prompt, prefix=prompt, limits=LIMITS
    )


@pytest.mark.parametrize("form", FORMS)
def test_tests_of_any_form_are_run_on_values(judge: Judge, form: str) -> None:
    prompt, tests, programs = FORMS[form]
    results: list[Judgement] = judge.run([(task(prompt, tests), code) for code, _ in programs])
    for result, (code, wanted) in zip(results, programs, strict=True):
        assert (result.verdict, result.level) == (wanted, "L2"), (code, result)
        assert wanted is not INFRA or "test/program" in result.message


def test_what_failed_is_said_and_every_call_is_a_test(judge: Judge) -> None:
    prompt, tests, _ = FORMS["console.assert, which ends nothing"]
    [result] = judge.run([(task(prompt, tests), "const f = (x) => 2")])
    assert (result.outcomes, result.tests_passed, result.tests_total) == ("PW", 1, 2)
    assert result.message == "test 2: check 2 is not met: two"
