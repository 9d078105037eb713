"""JavaScript, PHP and Bash: tests recorded into data, programs behind drivers, and each language's own equality."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from judging import need

from rewardranker.judge import languages
from rewardranker.judge.languages import LANGUAGES
from rewardranker.judge.sandbox import LocalSandbox, Outcome, Sandbox, Step, StepLimits

SHARED = Path(os.environ.get("REWARDRANKER_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
LIMITS = StepLimits(cpu_s=10.0, wall_s=60.0, memory_mb=1024, memory_kind="data", keep_output=True)
NONCE = "0123456789abcdef"
JS, PHP, SH = "javascript", "php", "bash"
ENTRY = {
    JS: r"let candidate = (\w+);",
    PHP: r"return (\w+)\(\.\.\.\$args\)",
    SH: r'candidate\(\) \{\s*(\w+) "\$@"',
}
CHECKS = {JS: "assert.deepEqual(candidate(", PHP: "if (candidate(", SH: "[[ $(candidate"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    sandbox = LocalSandbox()
    yield sandbox
    sandbox.stop()


@pytest.fixture(params=[JS, PHP, SH])
def name(request: pytest.FixtureRequest) -> str:
    return need(request.param)


def record(sandbox: Sandbox, name: str, tests: str, entry: str) -> Outcome:
    step_of = LANGUAGES[name].record
    assert step_of is not None
    return sandbox.execute(step_of(tests, entry), LIMITS)


def run(sandbox: Sandbox, name: str, code: str, calls: list[Any], entry: str = "f") -> list[list[Any]]:
    """The lines of the result stream, without the nonce and the number, which are checked here."""
    recipe = LANGUAGES[name].calls
    assert recipe is not None
    job = json.dumps({"nonce": NONCE, "entry": entry, "calls": calls}).encode()
    step = recipe(code, entry, code).run
    outcome = sandbox.execute(replace(step, files={**step.files, "calls.json": job}), LIMITS)
    lines = [json.loads(line) for line in outcome.results.decode().splitlines()]
    assert [line[:2] for line in lines] == [[NONCE, number] for number in range(len(lines))]
    return [line[2:] for line in lines]


def answers(sandbox: Sandbox, name: str, code: str, calls: list[Any]) -> list[Any]:
    """What the calls came to, of a program that answers them all."""
    begun, ready, *lines, done = run(sandbox, name, code, calls)
    assert (begun, ready, done) == (["begun"], ["ready"], ["done"])
    return [line[1] if line[0] == "value" else (line[0], line[1]) for line in lines]


@pytest.mark.parametrize(("language", "file", "rows"), [(JS, "js", 161), (PHP, "php", 161), (SH, "sh", 158)])
def test_every_row_is_recorded_but_one_that_does_not_parse(
    sandbox: Sandbox, language: str, file: str, rows: int
) -> None:
    need(language)
    path = SHARED / "multipl_e" / f"humaneval-{file}.jsonl"
    if not path.is_file():
        pytest.skip(f"{path} is absent: set REWARDRANKER_SHARED_DATA")
    every = [json.loads(line) for line in path.read_text().splitlines()]
    assert len(every) == rows
    chosen = every[::20] + [row for row in every if re.search(r"_(23|51|137|161)_", row["name"])]
    for row in chosen:
        entry = re.search(ENTRY[language], row["tests"])
        assert entry is not None
        outcome = record(sandbox, language, row["tests"], entry[1])
        if language == JS and "_51_" in row["name"]:  # a line end within a string
            assert outcome.status == 3 and b"SyntaxError" in outcome.errors
            continue
        data = json.loads(outcome.results)
        assert len(data["calls"]) == len(data["expected"]) == row["tests"].count(CHECKS[language]) > 0, row["name"]


def test_what_is_recorded(sandbox: Sandbox, name: str) -> None:
    tests = {
        JS: "const assert = require('node:assert');\nfunction test() {\n  let candidate = f;\n"
        '  assert.deepEqual(candidate([1, {"a": 2.5}], "é\\n"),[undefined, -0, 3n]);\n'
        "  assert.deepEqual(candidate(),{});\n}\ntest();\n",
        PHP: "function candidate(...$args) {\n    return f(...$args);\n}\nfunction test(): void {\n"
        '    if (candidate(array(1, array("a" => 2.0)), "é)\\n") !== array(null, "!==", 1 => true)) '
        '{ throw new Exception("Test failed!"); }\n'
        '    if (candidate() !== array()) { throw new Exception("Test failed!"); }\n}\ntest();\n',
        SH: '}\ncandidate() {\n    f "$@"\n}\nset -e\nrun_test() {\n'
        '    [[ $(candidate "é) ]]\\n" "\\$1\\!") = "a \\"b\\"" ]]\n    [[ $(candidate ) = "" ]]\n}\nrun_test\n',
    }
    if name == SH:
        tests[SH] = tests[SH].replace("(candidate )", "(candidate)")
    wanted = {
        JS: ([[[1, {"dict": [["a", 2.5]]}], "é\n"], []], [[{"undefined": None}, 0, {"int": "0x3"}], {"dict": []}]),
        PHP: ([[[1, {"dict": [["a", 2.0]]}], "é)\n"], []], [[None, True], []]),
        SH: ([["é) ]]\\n", "$1\\!"], []], ['a "b"', ""]),
    }
    outcome = record(sandbox, name, tests[name], "f")
    assert (outcome.status, outcome.errors) == (0, b"")
    data = json.loads(outcome.results)
    assert (data["calls"], data["expected"]) == wanted[name]


REFUSED = [
    (JS, "assert.deepEqual(1, 1); assert.deepEqual(f(1), 1);", "does not compare the result of a call"),
    (JS, "assert.deepEqual(f(f(1)), 1);", "not compared"),
    (JS, "assert.ok(f(1));", "not a function"),
    (JS, "f(1);", "not compared"),
    (JS, "if (f(1) !== 2) throw new Error('no');", "no"),
    (JS, "assert.deepEqual(f(() => 1), 1);", "a function"),
    (JS, "", "no check"),
    (PHP, "if (candidate(1) !== 2) { throw new Exception('no'); } assert(candidate(1) === 2);", "another form"),
    (PHP, "if (candidate(1) != 2) { throw new Exception('no'); }", "another form"),
    (PHP, "if (candidate(candidate(1)) !== 2) { throw new Exception('no'); }", "not compared"),
    (PHP, "if (candidate(1) !== new stdClass()) { throw new Exception('no'); }", "Class"),
    (PHP, "candidate(1);", "not compared"),
    (SH, '[[ $(candidate "1") = "2" ]]\n[[ $(candidate "1") != "2" ]]', "another form"),
    (SH, '[[ $(candidate "1") = 2* ]]', "another form"),
    (SH, '[[ $(candidate "$(f)") = "2" ]]', "another form"),
    (SH, "true", "no check"),
]


@pytest.mark.parametrize(("language", "checks", "reason"), REFUSED)
def test_tests_of_another_form_are_refused(sandbox: Sandbox, language: str, checks: str, reason: str) -> None:
    need(language)
    head = {
        JS: "const assert = require('node:assert');\n",
        PHP: "function candidate(...$args) { return f(...$args); }\n",
        SH: '}\ncandidate() {\n    f "$@"\n}\nset -e\n',
    }[language]
    outcome = record(sandbox, language, head + checks, "f")
    assert outcome.status == 3 and not outcome.results
    assert reason in outcome.errors.decode()


SHAPES = [
    (JS, "const f = (a, b) => [a, b];"),
    (JS, "#!/usr/bin/env node\n'use strict';\nfunction f(a, b) { return [a, b]; }"),
    (JS, "module.exports = { f(a, b) { return [a, b]; } };"),
    (JS, "const fs = require('fs');\nfunction f(a, b) { return [a, b]; }\nif (require.main !== module) throw 1;"),
    (JS, "function f(a, b) { setInterval(() => {}, 1000); return [a, b]; }\nsetInterval(() => {}, 1000);"),
    (PHP, "<?php\nfunction F($a, $b) { ob_start(); echo 'x'; return [$a, $b]; }"),
    (PHP, "<?php\ndeclare(strict_types=1);\nnamespace A\\B;\nfunction f(int $a, $b) { return [$a, $b]; } ?>\n"),
    (PHP, "<?php\nfunction f(&$a, &$b) { $c = [$a, $b]; $a = $b = 0; return $c; }"),
    (SH, "f() { echo $1; echo >&2 noise; printf '%s\\n\\n' \"$2\"; return 3; }\necho noise"),
    (SH, "set -euf -o pipefail\nIFS=2\nshopt -s nocasematch\nexec 3</dev/null 4>&1\nf() { printf '1\\n'; echo x; }"),
    (
        SH,
        "trap 'exit 5' EXIT\nfunction f { ( echo 1; echo x; ); exit 2; }\nif [[ $0 != *program.sh ]]; then exit; fi",
    ),
]


@pytest.mark.parametrize(("language", "code"), SHAPES)
def test_programs_of_many_shapes_are_called(sandbox: Sandbox, language: str, code: str) -> None:
    need(language)
    calls: list[Any] = [["1", "x"], ["1", "x"]] if language == SH else [[1, "x"], [1, "x"]]
    assert answers(sandbox, language, code, calls) == (["1\nx", "1\nx"] if language == SH else [[1, "x"], [1, "x"]])


def test_php_is_called_with_the_typing_of_the_program(sandbox: Sandbox) -> None:
    """As trusted tests call it, which stand in the program's own file."""
    need(PHP)
    body = "function f(int $a) { return $a; }"
    assert answers(sandbox, PHP, f"<?php\n{body}", [["1"]]) == [1]
    assert answers(sandbox, PHP, f"<?php\n// x\ndeclare(strict_types=1);\n{body}", [["1"]]) == [
        ("error", "TypeError")
    ]


VALUES = [
    (JS, "[1e21, 0.5, -0, NaN, -Infinity, 10n ** 20n, -5n, undefined, null, true]",
     [1e21, 0.5, 0, {"float": "nan"}, {"float": "-inf"}, {"int": hex(10**20)}, {"int": "-0x5"}, {"undefined": None},
      None, True]),
    (JS, "({b: 1, a: [{}], __proto__: {c: 1}, [Symbol('s')]: 1})", {"dict": [["b", 1], ["a", [{"dict": []}]]]}),
    (JS, "new (class A { x = 'é\\ud800'; })()", {"dict": [["x", "é\ud800"]]}),
    (JS, "new Set([1, 'a'])", {"set": [1, "a"]}),
    (JS, "Promise.resolve(1)", ("opaque", "an object [object Promise]")),
    (JS, "[1, , 2]", ("opaque", "an array with holes")),
    (JS, "'a'.match(/a/)", ("opaque", "an array with properties of its own")),
    (JS, "(() => { const a = []; a.push(a); return a; })()", ("opaque", "a value that contains itself")),
    (JS, "f", ("opaque", "a function")),
    (PHP, "[1, 1.0, 0.1 + 0.2, -0.0, NAN, INF, null, false, \"\\xff\", 'é/']",
     [1, 1.0, 0.30000000000000004, -0.0, {"float": "nan"}, {"float": "inf"}, None, False, {"bytes": "ff"}, "é/"]),
    (PHP, "[1 => 'a', 0 => [], 'k' => [2 => 1]]", {"dict": [[1, "a"], [0, []], ["k", {"dict": [[2, 1]]}]]}),
    (PHP, "(function () { $a = [1]; $a[] = &$a; return $a; })()",
     ("opaque", "a value that contains itself, or is nested too deeply")),
    (PHP, "new ArrayObject([1])", ("opaque", "a value of type ArrayObject")),
    (SH, "printf '\\001\\t\"\\\\&é\\n\\0\\n\\n'", '\x01\t"\\&é'),
    (SH, "printf '\\355\\240\\200'", ("opaque", "output that is not UTF-8")),
    (SH, "seq 1 20000", "\n".join(map(str, range(1, 20001)))),
]  # fmt: skip


@pytest.mark.parametrize(("language", "expression", "expected"), VALUES)
def test_values_travel_as_they_are(sandbox: Sandbox, language: str, expression: str, expected: Any) -> None:
    need(language)
    form = {JS: "function f() {{ return {}; }}", PHP: "<?php\nfunction f() {{ return {}; }}", SH: "f() {{ {}; }}"}
    (value,) = answers(sandbox, language, form[language].format(expression), [[]])
    assert json.dumps(value) == json.dumps(expected)  # 1 is not 1.0, and -0.0 not 0.0


def test_bash_reads_any_text(sandbox: Sandbox) -> None:
    need(SH)
    texts = ['"', "\\", '\\"\\\\', "é😀\n\t\x01", "\\u0041 [1, {2}] : ,", "*", " a  b ", "", "-n"]
    code = 'f() { for a; do printf "<%s>" "$a"; done; }'
    assert answers(sandbox, SH, code, [texts, [], ["a", 5, True]]) == [
        "".join(f"<{text}>" for text in texts),
        "",
        "<a><5><true>",
    ]


ENDINGS = [
    (JS, "process.exit(0)", [["begun"]]),
    (JS, "function f() { process.exit(0); }", [["begun"], ["ready"]]),
    (JS, "throw new TypeError('top');", [["begun"], ["load", "TypeError", "top"]]),
    (JS, "function f( {", [["begun"], ["compile", "SyntaxError", "Unexpected token ';'"]]),
    (PHP, "<?php exit(0);", [["begun"]]),
    (PHP, "<?php function f() { exit(0); }", [["begun"], ["ready"]]),
    (PHP, "<?php throw new TypeError('top');",
     [["begun"], ["load", "TypeError", "Uncaught TypeError: top in program.php:1"]]),
    (PHP, "<?php function f() {", [["begun"], ["compile", "FatalError", "Unclosed '{'"]]),
    (PHP, "<?php function strlen() {}", [["begun"], ["compile", "FatalError", "Cannot redeclare strlen()"]]),
    (SH, "exit 0", [["begun"]]),
    (SH, "trap 'exit 0' EXIT; f() { :; }; kill -9 $$", [["begun"]]),
    (SH, "f() {",
     [["begun"], ["compile", "SyntaxError", "program.sh: line 3: syntax error: unexpected end of file"]]),
]  # fmt: skip


@pytest.mark.parametrize(("language", "code", "expected"), ENDINGS)
def test_programs_that_do_not_answer(sandbox: Sandbox, language: str, code: str, expected: list[Any]) -> None:
    need(language)
    assert run(sandbox, language, code, [[], []]) == expected


def test_a_function_that_the_program_does_not_define(sandbox: Sandbox, name: str) -> None:
    """PHP's and Bash's own commands do not count: an empty program would be right about ``strlen``."""
    entry = {JS: "parse", PHP: "strlen", SH: "echo"}[name]
    _, _, line, _ = run(sandbox, name, "<?php\n" if name == PHP else "", [["a"]], entry)
    assert line[0] == "error" and line[2] == f"the program does not define the function {entry}"


def test_after_an_error_the_next_call_is_answered(sandbox: Sandbox) -> None:
    need(JS), need(PHP)
    code = "function f(a) { if (a) throw {get name() { throw 1; }}; return a; }"
    assert answers(sandbox, JS, code, [[1], [0]]) == [("error", "Error"), 0]
    code = "<?php function f($a) { return intdiv(1, $a); }"
    assert answers(sandbox, PHP, code, [[0], [1]]) == [("error", "DivisionByZeroError"), 1]


PATCHED = """
const made = new Set([1]);
const no = () => { throw new Error("patched"); };
for (const type of [Array, String, Function, Object, Set, BigInt, Number]) {
  for (const key of ["map", "push", "join", "slice", "forEach", "call", "apply", "bind", "toString", "charCodeAt"])
    if (key in type.prototype) type.prototype[key] = no;
  type.prototype.toJSON = no;
}
Array.prototype[Symbol.iterator] = no;
JSON.stringify = JSON.parse = Object.keys = Object.hasOwn = Array.isArray = Reflect.apply = Buffer.from = no;
Object.defineProperty = Object.create = process.exit = process.reallyExit = require("fs").writeSync = no;
function f(a) { return {a, b: [1, "x", 2n, made]}; }
"""


def test_a_patched_world_does_not_break_the_protocol(sandbox: Sandbox) -> None:
    need(JS)
    wanted = {"dict": [["a", {"dict": [["k", [1]]]}], ["b", [1, "x", {"int": "0x2"}, {"set": [1]}]]]}
    assert answers(sandbox, JS, PATCHED, [[{"dict": [["k", [1]]]}]]) == [wanted]


EQUAL = [
    (JS, 2, "2", True), (JS, 1, True, True), (JS, "", 0, True), (JS, " 0x10 ", 16, True), (JS, "abc", 0, False),
    (JS, None, {"undefined": None}, True), (JS, None, 0, False), (JS, {"float": "nan"}, {"float": "nan"}, True),
    (JS, -0.0, 0, True), (JS, {"int": "0x2"}, 2, True), (JS, {"int": "0x2"}, "2", True), (JS, True, "true", False),
    (JS, [], "", False), (JS, [], {"dict": []}, False), (JS, ["1"], [1], True), (JS, [1, 2], [1], False),
    (JS, {"dict": [["a", 1], ["b", 2]]}, {"dict": [["b", 2], ["a", "1"]]}, True),
    (JS, {"dict": [["a", 1]]}, {"dict": [["b", 1]]}, False), (JS, {"dict": []}, {"undefined": None}, False),
    (PHP, 1, 1.0, False), (PHP, 1, True, False), (PHP, 0.0, -0.0, True), (PHP, "1", 1, False),
    (PHP, None, False, False),
    (PHP, {"float": "nan"}, {"float": "nan"}, False), (PHP, {"float": "inf"}, {"float": "inf"}, True),
    (PHP, [1, 2], [2, 1], False), (PHP, [1, [2.0]], [1, [2.0]], True),
    (PHP, {"dict": [["a", 1], ["b", 2]]}, {"dict": [["b", 2], ["a", 1]]}, False),
    (PHP, {"dict": [[1, "a"]]}, {"dict": [["1", "a"]]}, False), (PHP, [], {"dict": [["a", 1]]}, False),
    (SH, "a", "a", True), (SH, "a ", "a", False), (SH, "1.0", "1", False), (SH, ["a"], "a", False),
]  # fmt: skip


@pytest.mark.parametrize(("language", "actual", "expected", "equal"), EQUAL)
def test_equality(language: str, actual: Any, expected: Any, equal: bool) -> None:
    compare = LANGUAGES[language].equal
    assert compare is not None
    assert compare(actual, expected) is equal


JS_ATOMS = r"""0 -0 1 2 1.5 NaN Infinity 1e21 9007199254740992 "" "0" "1" "\n2\t" "1.50" "0x1" "0b1" "1e0" "-Infinity"
"NaN" "a" "9007199254740993" true false null undefined 0n 1n -2n 9007199254740993n"""
PHP_ATOMS = "0 1 1.0 -0.0 0.0 NAN INF '1' '' 'a' true false null"
JS_COMPARES = """
const assert = require("node:assert");
const { encode } = require("./values.js");
const equal = (a, b) => { try { assert.deepEqual(a, b); return true; } catch { return false; } };
const lines = [%s].map(([a, b]) => `[${encode(a)},${encode(b)},${equal(a, b)}]`);
require("fs").writeSync(1, `[${lines.join(",")}]`);
"""
PHP_COMPARES = """<?php
require "values.php";
$lines = [];
foreach ([%s] as [$a, $b]) {
    $lines[] = "[" . Judge\\encode($a) . "," . Judge\\encode($b) . "," . json_encode($a === $b) . "]";
}
echo "[", implode(",", $lines), "]";
"""


def expression(random_: random.Random, language: str, depth: int = 2) -> str:
    """The text of some value; there are few, so that equal ones are common."""
    kind = random_.randrange(6) if depth else 0
    if kind < 3:
        return random_.choice((JS_ATOMS if language == JS else PHP_ATOMS).split())
    items = [expression(random_, language, depth - 1) for _ in range(random_.randrange(3))]
    keyed = list(zip(random_.choice(("ab", "ba", "01", "10")), items, strict=False))
    if language == PHP:
        return f"[{','.join(items if kind == 3 else [f'{key!r} => {item}' for key, item in keyed])}]"
    if kind == 4:
        return "{" + ",".join(f"{key}:{item}" for key, item in keyed) + "}"
    return f"[{','.join(items)}]" if kind == 3 else f"new Set([{','.join(items)}])"


@pytest.mark.parametrize(
    ("language", "script", "values"), [(JS, JS_COMPARES, "values.js"), (PHP, PHP_COMPARES, "values.php")]
)
def test_equality_is_the_languages_own(sandbox: Sandbox, language: str, script: str, values: str) -> None:
    need(language)
    random_ = random.Random(0)
    pairs = [f"[{expression(random_, language)},{expression(random_, language)}]" for _ in range(4000)]
    harness = Path(languages.__file__).with_name("harness")
    files = {"compare": (script % ",".join(pairs)).encode(), values: (harness / values).read_bytes()}
    outcome = sandbox.execute(Step(("node" if language == JS else "php", "compare"), files), LIMITS)
    assert outcome.status == 0, outcome.errors
    compare = LANGUAGES[language].equal
    assert compare is not None
    found = json.loads(outcome.output)
    assert len(found) == len(pairs) and sum(equal for *_, equal in found) > 100
    assert [pair for pair, (a, b, equal) in zip(pairs, found, strict=True) if compare(a, b) is not equal] == []
