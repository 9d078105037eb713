"""Helpers of the tests come from the prompt in every language, and tests of any form run apart from the program."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from honest.helpers import TASKS, Task
from judging import need, problem

from rewardranker.judge import Judge
from rewardranker.problems.multipl_e import load_multipl_e
from rewardranker.problems.types import Limits, Problem, Test
from rewardranker.problems.verdict import Verdict

OK, WRONG, RUNTIME_ERROR, INFRA = Verdict.OK, Verdict.WRONG, Verdict.RUNTIME_ERROR, Verdict.INFRA
COMPILE_ERROR = Verdict.COMPILE_ERROR
LIMITS = Limits(cpu_s=4.0, wall_s=60.0, memory_mb=512)
COMPILED = ("cpp", "java", "csharp")


def row(path: Path, name: str, task: Task, checks: str) -> Problem:
    tests = task.around.replace("CHECKS", checks)
    fields = {"language": task.code, "prompt": task.prompt, "tests": tests, "stop_tokens": []}
    path.write_text(json.dumps({"name": f"HumanEval_50_{name}", **fields}) + "\n")
    return load_multipl_e(path)[0]


@pytest.mark.parametrize(
    "language", [pytest.param(name, marks=[pytest.mark.slow] if name in COMPILED else []) for name in TASKS]
)
def test_a_program_decides_nothing_by_its_helper(judge: Judge, language: str, tmp_path: Path) -> None:
    need(language)
    task = TASKS[language]
    kept = task.prompt + task.body
    programs = [
        (kept, OK),
        (task.own, OK),
        (task.sabotaged, WRONG),
        (kept.replace(*task.spoilt), WRONG),
    ]
    problems = [row(tmp_path / "rows.jsonl", str(number), task, checks) for number, checks in enumerate(task.checks)]
    results = judge.run([(one, code) for one in problems for code, _ in programs])
    wanted = [verdict for _ in problems for _, verdict in programs]
    assert [result.verdict for result in results] == wanted, results
    levels = {"java": {"L1", "L2"}, "csharp": {"L1"}}
    assert {result.level for result in results} == levels.get(language, {"L2"})


PHP = "<?php\nfunction f($x) {\n"
TS = "function f(x: any): any {\n"
ASSERT = "declare var require: any;\nconst assert = require('node:assert');\n"
SH = "#!/bin/bash\nf() {\n"
#: By form: the language, the prompt, the tests, programs and what they are.
FORMS: dict[str, tuple[str, str, str, list[tuple[str, Verdict]]]] = {
    "PHP: a polynomial of the prompt": (
        "php",
        "<?php\nfunction poly(array $c, float $x): float { $s = 0; foreach ($c as $i => $v) { $s += $v * $x ** $i; } return $s; }\n"
        + PHP.removeprefix("<?php\n"),
        "function candidate(...$args) { return f(...$args); }\nfunction test(): void {\n"
        "    foreach ([[1, 2], [-6, 3]] as $c) {\n        if (abs(poly($c, candidate($c))) > 1e-6) { throw new Exception('no'); }\n    }\n}\ntest();",
        [
            ("<?php function f($c) { return -$c[0] / $c[1]; }", OK),
            ("<?php function poly($c, $x) { return 0; } function f($c) { return 0.0; }", WRONG),
            ("<?php function f($c) { return -$c[0] / $c[1] + 1e-3; }", WRONG),
            ("<?php function f($c) { return 'x'; }", WRONG),
            ("<?php function f($c) { return NAN; }", OK),  # as PHP's own comparison has it
        ],
    ),
    "PHP: assertions, switches and texts that look like checks": (
        "php", PHP,
        "assert(f('throw new Exception(1);') === 23, 'first');\n$r = f('ab');\nassert($r == '2' && $r > 1);\n"
        "switch (f('')) { case 0: break; default: throw new LogicException('third'); }",
        [
            ("<?php function f($x) { return strlen($x); }", OK),
            ("<?php function f($x) { return $x === '' ? 1 : strlen($x); }", WRONG),
            ("<?php function f($x) { return $x === 'ab' ? 3 : strlen($x); }", WRONG),
            ("<?php function f($x) { throw new Exception('x'); }", RUNTIME_ERROR),
            ("<?php function g($x) { return strlen($x); }", RUNTIME_ERROR),
            ("<?php exit(0); function f($x) { return 1; }", RUNTIME_ERROR),
        ],
    ),
    "PHP: numbers that are drawn": (
        "php", "<?php\nfunction twice($x) { return 2 * $x; }\n" + PHP.removeprefix("<?php\n"),
        "for ($i = 0; $i < 20; $i++) { $n = random_int(0, 99); $m = rand(1, 9) + mt_rand(0, 1); "
        "if (f(twice($n) + $m) !== twice($n) + $m + 1) { throw new Exception(\"$n\"); } }",
        [("<?php function f($x) { return $x + 1; }", OK), ("<?php function f($x) { return $x; }", WRONG)],
    ),
    "PHP: no check": ("php", PHP, "f(1);", [("<?php function f($x) { return 1; }", INFRA)]),
    "PHP: no call": ("php", PHP, "assert(1 === 1);", [("<?php function f($x) { return 1; }", INFRA)]),
    "PHP: a callback": ("php", PHP, "assert(f(fn($x) => $x) === 1);", [("<?php function f($g) { return $g(1); }", INFRA)]),
    "PHP: calls that depend on answers": (
        "php", PHP, "$x = 0; while (f($x) < 3) { $x++; if ($x > 5) break; } assert($x === 3);",
        [("<?php function f($x) { return $x; }", OK), ("<?php function f($x) { return 7; }", WRONG)],
    ),
    "Bash: groups of three letters": (
        "bash",
        "#!/bin/bash\nencode_cyclic() {\n    local s=$1 r=\n    while ((${#s} > 2)); do r+=${s:1:2}${s:0:1}; s=${s:3}; done\n    echo \"$r$s\"\n}\n"
        + SH.removeprefix("#!/bin/bash\n"),
        "}\ncandidate() {\n    f \"$@\"\n}\nset -euo pipefail\nrun_test() {\n    local w\n    for w in abc abcdefgh \"a b\"; do\n"
        "        [ \"$(candidate \"$(encode_cyclic \"$w\")\")\" = \"$w\" ] || exit 1\n    done\n    diff <(candidate xyz) <(echo zxy)\n}\nrun_test",
        [
            ("f() { local s=$1 r=; while ((${#s} > 2)); do r+=${s:2:1}${s:0:2}; s=${s:3}; done; echo \"$r$s\"; }", OK),
            ("encode_cyclic() { echo \"$1\"; }; f() { echo \"$1\"; }", WRONG),
            ("f() { echo; }", WRONG),
            ("g() { echo; }", RUNTIME_ERROR),
            ("exit 0; f() { echo; }", RUNTIME_ERROR),
            ("set() { :; }; exit() { :; }; diff() { :; }; f() { echo \"$1\"; }", WRONG),
        ],
    ),
    "Bash: texts with lines, quotes and back-slashes": (
        "bash", SH,
        "}\nout=$(f $'a \"b\"\\\\n' 'é')\n[[ $out == $'a \"b\"\\\\n\\n\\té' ]]\ntest \"$(f 1 2 | wc -l)\" -eq 2\n"
        "(( $(f 7 8 | head -1) + 1 == 8 ))",
        [
            ("f() { printf '%s\\n' \"$1\"; [[ $1 == a* ]] && printf '\\t%s\\n' \"$2\" || echo \"$2\"; }", OK),
            ("f() { printf '%s\\n' \"$1\" \"$2\"; }", WRONG),
            ("f() { printf '%s\\n\\t%s\\n' \"$1\" \"$2\"; }", OK),
            ("f() { printf '%s\\n\\t%s\\nx\\n' \"$1\" \"$2\"; }", WRONG),
        ],
    ),
    "Bash: a text where the tests reckon is not run": (
        "bash", SH, "}\nset -e\nrun_test() {\n    (( $(f 7) == 8 ))\n    [[ $(f 8) -eq 9 ]]\n    [ \"$(f x)\" = '(a) [b]' ]\n}\nrun_test",
        [
            ("f() { if [[ $1 == x ]]; then echo '(a) [b]'; else echo $(($1 + 1)); fi; }", OK),
            ("f() { if [[ $1 == x ]]; then echo '(a) [b]'; else echo 'a[y=$(tr -dc 89 <tests | head -c1)]+y'; fi; }", WRONG),
            ("f() { if [[ $1 == x ]]; then echo '(a) [b]'; else echo \"a[\\`touch refused\\`]+8+($1>7)\"; fi; }", WRONG),
            ("f() { if [[ $1 == x ]]; then echo '(a) [b]'; else echo \"8+$1-7\"; fi; }", OK),  # as bash reckons
        ],
    ),
    "Bash: no check": ("bash", SH, "}\nf 1", [("f() { echo; }", INFRA)]),
    "Bash: no call": ("bash", SH, "}\n[[ 1 = 1 ]]", [("f() { echo; }", INFRA)]),
    "Bash: calls that depend on answers": (
        "bash", SH, "}\n[[ $(f \"$(f 1)\") = 3 ]]", [("f() { echo $(($1 + 1)); }", INFRA)],
    ),
    "TypeScript: a polynomial of the prompt": (
        "typescript",
        "function poly(c: number[], x: number): number { return c.reduce((s, v, i) => s + v * x ** i, 0); }\n"
        "function f(c: number[]): number {\n",
        ASSERT + "function test(): void {\n  const all: number[][] = [[1, 2], [-6, 3]];\n"
        "  for (const c of all) assert.ok(Math.abs(poly(c, f(c))) < 1e-6);\n}\ntest();",
        [
            ("function f(c: number[]): number { return -c[0] / c[1]; }", OK),
            ("const f = (c: number[]): number => -c[0] / c[1];", OK),
            ("function poly(c: any, x: any): any { return 0; }\nfunction f(c: number[]): number { return 0; }", WRONG),
            ("function f(c: number[]): number { return NaN; }", WRONG),
            ("function f(c: number[]): string { return 'x'; }", COMPILE_ERROR),
            ("function f(c: string): number { return 0; }", COMPILE_ERROR),
        ],
    ),
    "TypeScript: changes in place, members and distances": (
        "typescript", TS,
        ASSERT + "const l: number[] = [3, 1, 2];\nf(l);\nassert.deepStrictEqual(l, [1, 2, 3]);\nassert.strictEqual(f([2, 1]).length, 2);",
        [
            ("function f(x: number[]): number[] { return x.sort((a, b) => a - b); }", OK),
            ("function f(x: number[]): number[] { return [...x].sort((a, b) => a - b); }", WRONG),
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_tests_of_any_form_run_on_values(judge: Judge, form: str) -> None:
    language, prompt, tests, programs = FORMS[form]
    need(language)
    made = problem("program", (Test(tests),), language=language, prompt=prompt, prefix=prompt, limits=LIMITS)
    results = judge.run([(made, code) for code, _ in programs])
    for result, (code, wanted) in zip(results, programs, strict=True):
        assert (result.verdict, result.level) == (wanted, "L2"), (code, result)
