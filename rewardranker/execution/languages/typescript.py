"""TypeScript: type-checked together with its tests as ``tsc --target esnext`` would, then run by node alone."""

from __future__ import annotations

from pathlib import Path

from rewardranker.execution.languages.javascript import (
    DOES_NOT_COMPILE,
    DRIVER,
    OUT_OF_MEMORY,
    RECORDER,
    loosely_equal,
)
from rewardranker.execution.languages.language import Language, Recipe, Service
from rewardranker.execution.sandbox.step import Step

_HARNESS = Path(__file__).with_name("harness")
_SERVICE = {name: (_HARNESS / name).read_bytes() for name in ("tsc_service.js", "compiler.js")}


def _whole(code: str) -> Recipe:
    return Recipe(
        Step(
            ("check", "program.ts", "program.ts", "node"),
            {"program.ts": code.encode()},
            ("program.js",),
            "typescript",
        ),
        Step(("node", "program.js")),
    )


def _calls(code: str, entry: str, whole_text: str) -> Recipe:
    """Types are checked with the tests, which hold types of their own; what is run is the program alone."""
    files = {"whole.ts": whole_text.encode(), "program.ts": code.encode()}
    return Recipe(
        Step(("check", "whole.ts", "program.ts"), files, ("program.js",), "typescript"),
        Step(("node", "calls.js"), dict(DRIVER)),
    )


def _record(tests: str, entry: str) -> Step:
    return Step(("node", "record.js", "tests.ts", entry), {**RECORDER, "tests.ts": tests.encode()})


TYPESCRIPT = Language(
    name="typescript",
    fences=("typescript", "ts"),
    comment="//",
    tools=("node", "tsc"),
    version=("sh", "-c", "echo tsc $(tsc --version) node $(node --version)"),
    whole=_whole,
    calls=_calls,
    record=_record,
    equal=loosely_equal,
    out_of_memory=OUT_OF_MEMORY,
    does_not_compile=DOES_NOT_COMPILE,
    service=Service(("node", "tsc_service.js"), _SERVICE),
    canary='process.stdout.write(require("fs").readFileSync(0));\n',
    memory_kind="data",
    memory_floor_mb=256,
    cpu_floor_s=0.5,
)
