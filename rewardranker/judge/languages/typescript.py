"""TypeScript: type-checked together with its tests as ``tsc --target esnext`` would, then run by node alone."""

from __future__ import annotations

import json
import re
from pathlib import Path

from rewardranker.judge.languages.javascript import (
    DOES_NOT_COMPILE,
    DRIVER,
    OUT_OF_MEMORY,
    RECORDER,
    REPLAY,
    REPLAYER,
    loosely_equal,
)
from rewardranker.judge.languages.language import Language, Recipe, Replay, asking
from rewardranker.judge.languages.replay import LINE, ReplayRequest, helpers
from rewardranker.judge.sandbox.step import Service, Step

_HARNESS = Path(__file__).with_name("harness")
_SERVICE = {name: (_HARNESS / name).read_bytes() for name in ("tsc_service.js", "compiler.js")}

_DEFINITION = (
    r"^[ \t]*(?:export\s+)?(?:async\s+)?function\b\s*\*?\s*{0}\b|^[ \t]*(?:export\s+)?(?:const|let|var)\s+{0}\b"
)
_IMPORT = re.compile(r"^\s*+import\b", re.M)


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


def _replayed(prompt: str, tests: str, entry: str) -> Step:
    job = json.dumps({"typescript": True, "prompt": prompt, "tests": tests, "entry": entry})
    files = {**REPLAYER, "compiler.js": RECORDER["compiler.js"], "tests": job.encode()}
    return Step(("node", "replay.js"), files, ("tests",))


def _program(code: str, request: ReplayRequest) -> Recipe:
    """The tests see the prompt's helpers, whatever the program has made of them."""
    own, whole = helpers(request.prompt, _DEFINITION, request.entry), f"{code}\n{request.tests}\n"
    if own.strip() and not _IMPORT.search(own + request.tests):
        whole = f"{code}\nnamespace judge_tests {{\n{own}\n{request.tests}\n}}\n"
    return asking(_calls(code, request.entry, whole), request.job)


LANGUAGE = Language(
    name="typescript",
    comment="//",
    tools=("node", "tsc"),
    version=("sh", "-c", "echo tsc $(tsc --version) node $(node --version)"),
    whole=_whole,
    calls=_calls,
    record=_record,
    replay=Replay(_replayed, _program, REPLAY, LINE),
    equal=loosely_equal,
    out_of_memory=OUT_OF_MEMORY,
    does_not_compile=DOES_NOT_COMPILE,
    service=Service(("node", "tsc_service.js"), _SERVICE),
    canary='process.stdout.write(require("fs").readFileSync(0));\n',
    memory_kind="data",
    memory_floor_mb=256,
    cpu_floor_s=0.5,
)
