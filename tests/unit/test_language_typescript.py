"""TypeScript: the resident type checker against ``tsc`` itself, and what is run of a program."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rewardranker.judge.child import frames
from rewardranker.judge.languages.toolchain import toolchain
from rewardranker.judge.languages.typescript import LANGUAGE as TYPESCRIPT
from rewardranker.judge.sandbox import LocalSandbox, Outcome, Sandbox, Step, StepLimits

SHARED = Path(os.environ.get("REWARDRANKER_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data"))
LIMITS = StepLimits(cpu_s=30.0, wall_s=120.0, memory_mb=1024, memory_kind="data", keep_output=True)
NONCE = "0123456789abcdef"
TESTS = """declare var require: any;
const assert = require('node:assert');


function test() {
  let candidate = add;
  assert.deepEqual(candidate(1, 2),3);
  assert.deepEqual(candidate(-1, 1),0);
}

test();
"""


class TypeChecker:
    """The service, as a process of the test."""

    def __init__(self, place: Path) -> None:
        assert TYPESCRIPT.service is not None
        for name, content in TYPESCRIPT.service.files.items():
            (place / name).write_bytes(content)
        self._results, theirs = os.pipe()
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3>&{theirs}', "service", *TYPESCRIPT.service.argv],
            cwd=place,
            stdin=subprocess.PIPE,
            pass_fds=(theirs,),
        )
        os.close(theirs)

    def build(self, step: Step) -> dict[str, Any]:
        files = {name: base64.b64encode(content).decode() for name, content in step.files.items()}
        assert step.service == "typescript" and self._process.stdin is not None
        frames.write(self._process.stdin.fileno(), {"argv": step.argv, "files": files, "collect": step.collect})
        answer: dict[str, Any] = frames.read(self._results)
        return answer

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(30) == 0
        os.close(self._results)


@pytest.fixture(scope="module")
def checker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TypeChecker]:
    missing = toolchain(TYPESCRIPT).missing
    if missing:
        pytest.skip(f"no tool-chain for typescript: lacks {', '.join(missing)}")
    checker = TypeChecker(tmp_path_factory.mktemp("service"))
    yield checker
    checker.stop()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    sandbox = LocalSandbox()
    yield sandbox
    sandbox.stop()


def answers(checker: TypeChecker, sandbox: Sandbox, code: str) -> list[list[Any]] | str:
    """The lines of the result stream without nonce and number, or the compiler's first error."""
    assert TYPESCRIPT.calls is not None
    recipe = TYPESCRIPT.calls(code, "add", f"{code}\n{TESTS}")
    assert recipe.build is not None
    built = checker.build(recipe.build)
    if built["status"]:
        assert not built["files"]
        return str(built["errors"].split("\n")[0])
    files = {name: base64.b64decode(content) for name, content in built["files"].items()}
    job = {"nonce": NONCE, "entry": "add", "calls": [[1, 2], [-1, 1]]}
    step = replace(recipe.run, files={**recipe.run.files, **files, "calls.json": json.dumps(job).encode()})
    return [json.loads(line)[2:] for line in sandbox.execute(step, LIMITS).results.splitlines()]


PROGRAMS = [
    ("function add(a: number, b: number): number { return a + b; }", [["value", 3], ["value", 0]]),
    ("const add = (a: number, b: number): number => a - b;", [["value", -1], ["value", -2]]),
    ("enum E { A = 1 }\nfunction add(a: number, b: number): E { return E.A; }", [["value", 1], ["value", 1]]),
    ("function add(a: number, b: number): any {}", [["value", {"undefined": None}]] * 2),
    ("function add(a: number, b: number): any { throw new RangeError('no'); }", [["error", "RangeError", "no"]] * 2),
]


@pytest.mark.parametrize(("code", "expected"), PROGRAMS)
def test_programs_that_compile(checker: TypeChecker, sandbox: Sandbox, code: str, expected: list[Any]) -> None:
    assert answers(checker, sandbox, code) == [["begun"], ["ready"], *expected, ["done"]]


def test_an_early_exit_answers_nothing(checker: TypeChecker, sandbox: Sandbox) -> None:
    code = "function add(a: number, b: number): any { (globalThis as any).process.exit(0); }"
    assert answers(checker, sandbox, code) == [["begun"], ["ready"]]


ERRORS = [
    ("function add(a: number, b: number): number { return a + b;", "error TS1005: '}' expected."),
    ("function add(a: number, b: number): number { return 'a'; }", "error TS2322: Type 'string'"),
    ("function add(a: string, b: string): string { return a + b; }", "error TS2345: Argument of type 'number'"),
    ("", "error TS2304: Cannot find name 'add'."),
]


@pytest.mark.parametrize(("code", "error"), ERRORS)
def test_type_errors_count_and_so_do_the_tests_types(
    checker: TypeChecker, sandbox: Sandbox, code: str, error: str
) -> None:
    found = answers(checker, sandbox, code)
    assert isinstance(found, str) and error in found


#: Errors that are in a library's own file, and programs that look as if they caused some.
TEXTS = [
    "function parseInt(a: number): number { return a; }",
    "const name = 'a';",
    "export const name = 'a';",
    "class Map { }",
    "interface Array<T> { mine: T }",
    "declare global { interface Array<T> { length: string } }\nexport {};",
    "let f = 1;\nfunction f() {}",
    "function f(a: string | null): number { return a.length; }",
    "const x = await Promise.resolve(1);",
    "const x: bigint = 5n ** 3n;",
    "import * as fs from 'fs';",
    "// @ts-nocheck\nconst x: number = 'a';",
]


def tsc(place: Path, text: str) -> int:
    (place / "whole.ts").write_text(text)
    done = subprocess.run(["tsc", "--target", "esnext", "whole.ts"], cwd=place, stdout=subprocess.PIPE, check=False)
    return done.returncode


@pytest.mark.slow
@pytest.mark.parametrize("text", TEXTS)
def test_the_service_agrees_with_tsc(checker: TypeChecker, tmp_path: Path, text: str) -> None:
    step = Step(("check", "whole.ts", "whole.ts"), {"whole.ts": text.encode()}, ("whole.js",), "typescript")
    assert bool(checker.build(step)["status"]) is bool(tsc(tmp_path, text))


def test_every_row_of_the_benchmark_type_checks_with_a_stub(checker: TypeChecker) -> None:
    """As ``tsc`` finds too; a row that did not could not be solved."""
    path = SHARED / "multipl_e" / "humaneval-ts.jsonl"
    if not path.is_file():
        pytest.skip(f"{path} is absent: set REWARDRANKER_SHARED_DATA")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        text = f"{row['prompt']}\n  throw new Error();\n}}\n{row['tests']}".encode()
        built = checker.build(Step(("check", "w.ts", "w.ts"), {"w.ts": text}, ("w.js",), "typescript"))
        assert built["status"] == 0, (row["name"], built["errors"])
    assert len(rows) == 159


def test_main_programs_may_use_what_node_offers(checker: TypeChecker, sandbox: Sandbox) -> None:
    """Though no types of node's are installed."""
    head = "import * as fs from 'fs';\nimport { EOL } from 'os';\n"
    for text in (
        f"{head}const n: number = Number(fs.readFileSync(0, 'utf8'));\nprocess.stdout.write(`${{2 * n}}${{EOL}}`);",
        "declare const require: (name: string) => any;\nconsole.log(2 * require('fs').readFileSync(0));",
        TYPESCRIPT.canary,
    ):
        recipe = TYPESCRIPT.whole(text)
        assert recipe.build is not None
        built = checker.build(recipe.build)
        assert built["status"] == 0, built["errors"]
        program = {"program.js": base64.b64decode(built["files"]["program.js"])}
        outcome: Outcome = sandbox.execute(replace(recipe.run, files=program), LIMITS, b"21")
        assert outcome.output.strip() == (b"21" if text == TYPESCRIPT.canary else b"42")
    recipe = TYPESCRIPT.whole("const n: number = 'a';")
    assert recipe.build is not None and checker.build(recipe.build)["status"] == 2


@pytest.mark.parametrize("tests", [TESTS, TESTS.replace("let candidate = add", "let candidate: any = add")])
def test_tests_are_recorded_whatever_types_they_hold(sandbox: Sandbox, checker: TypeChecker, tests: str) -> None:
    assert TYPESCRIPT.record is not None
    outcome = sandbox.execute(TYPESCRIPT.record(tests, "add"), LIMITS)
    assert json.loads(outcome.results) == {"calls": [[1, 2], [-1, 1]], "expected": [3, 0]}
