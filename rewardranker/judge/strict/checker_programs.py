"""Checkers that are programs: contests' own in C++, and scripts in Python, each run on three files.

Like any checker they are trusted, and what they are given is not; they run in the sandbox all the same, under limits.
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import replace
from pathlib import Path

from rewardranker.judge.sandbox import Outcome, Sandbox, Step, StepLimits
from rewardranker.judge.strict.building import BUILD_LIMITS, first_error, last_line
from rewardranker.judge.strict.opinion import Opinion
from rewardranker.problems.types import Comparator, Problem, Test

#: Where testlib's header is, if not where g++ looks.
TESTLIB = "REWARDRANKER_TESTLIB"
_PLACES = ("/usr/local/include/testlib.h", "/usr/include/testlib.h")
_ASKED = re.compile(r"""^[ \t]*+#[ \t]*+include[ \t]*+[<"]testlib\.h""", re.MULTILINE)
_BUILD = ("g++", "-std=c++17", "-O2", "-w", "-fmax-errors=5", "-I", ".", "checker.cpp", "-o", "checker")
#: ``registerTestlibCmd``: input, output, answer. The answer may be at fault too, which is ``_fail``.
_RUN = ("./checker", "input.txt", "output.txt", "answer.txt")
_SCRIPT = ("python3", "-s", "-P", "checker.py", "input.txt", "answer.txt", "output.txt")
_RIGHT, _FAIL = 0, 3
#: Wrong, presentation, dirt, points, end of file; from 16 on, a part of the points.
_WRONG, _PARTIAL = frozenset((1, 2, 4, 5, 7, 8)), 16
_LIMITS = StepLimits(cpu_s=10.0, wall_s=60.0, memory_mb=1024, memory_kind="data", keep_output=True)
_MOST = 64

PROGRAMS: tuple[Comparator, ...] = ("testlib", "script")


class _Built:
    """Compiled checkers, the last few of them. Threads may make one twice; it is the same."""

    def __init__(self) -> None:
        self._known: dict[str, Outcome] = {}

    def of(self, sandbox: Sandbox, checker: str) -> Outcome:
        """What compiling it came to. Raises ``SandboxDied``."""
        key = checker_digest(checker)
        if key not in self._known:
            files = {"checker.cpp": checker.encode("utf-8", "replace")}
            if (header := _header(checker)) is not None:
                files["testlib.h"] = header.read_bytes()
            made = sandbox.execute(Step(_BUILD, files, ("checker",)), BUILD_LIMITS, language="cpp")
            if made.limit or (made.status and not made.errors):
                return made  # no fault of the checker's need be why: it is tried again
            for old in list(self._known)[: len(self._known) - _MOST + 1]:
                self._known.pop(old, None)
            self._known[key] = made
        return self._known[key]


_BUILT = _Built()


def ask_program(sandbox: Sandbox, problem: Problem, test: Test, output: str) -> Opinion:
    """The checker's opinion of an output. Raises ``SandboxDied``."""
    files = {"input.txt": test.input, "answer.txt": test.expected, "output.txt": output}
    step = Step(_SCRIPT, {name: text.encode("utf-8", "surrogateescape") for name, text in files.items()})
    if problem.comparator == "script":
        step = replace(step, files={**step.files, "checker.py": problem.checker.encode("utf-8", "replace")})
        return _of_script(sandbox.execute(step, _LIMITS, language="python"))
    if lacking := lacking_header(problem):
        return Opinion(False, lacking, own_fault=True)
    built = _BUILT.of(sandbox, problem.checker)
    if built.limit or built.status or built.signal:
        return Opinion(False, _not_built(built), own_fault=True)
    step = replace(step, argv=_RUN, files={**step.files, **built.files})
    return _of_status(sandbox.execute(step, _LIMITS, language="cpp"))


def _not_built(built: Outcome) -> str:
    if built.limit:
        return f"took more than {BUILD_LIMITS.cpu_s:g} CPU seconds or {BUILD_LIMITS.memory_mb} MiB to compile"
    return f"does not compile: {first_error(built.errors)}"


def checker_digest(checker: str) -> str:
    """Changes with the checker, and with testlib where it includes that."""
    header = _header(checker)
    library = header.read_bytes() if header is not None else b""
    return hashlib.sha256(checker.encode("utf-8", "replace") + b"\0" + library).hexdigest()


def lacking_header(problem: Problem) -> str:
    """What is wrong where a checker needs testlib and this machine has none; empty where nothing is."""
    if problem.comparator != "testlib" or not _ASKED.search(problem.checker) or _header(problem.checker) is not None:
        return ""
    return f"needs testlib.h, which is not here: put it into {Path(_PLACES[0]).parent}, or its path into {TESTLIB}"


def _header(checker: str) -> Path | None:
    if not _ASKED.search(checker):
        return None
    given = os.environ.get(TESTLIB, "")
    return next((Path(place) for place in ((given,) if given else _PLACES) if Path(place).is_file()), None)


def _of_script(outcome: Outcome) -> Opinion:
    """A script says ``1``, and ends well (open-r1's own runner compares so)."""
    if trouble := _ended(outcome) or ("" if not outcome.status else f"failed: {last_line(outcome.errors)}"):
        return Opinion(False, trouble)
    said = outcome.output.decode(errors="replace").strip()
    return Opinion(said == "1", "" if said in ("0", "1") else f"printed {said!r:.80}, neither 1 nor 0")


def _of_status(outcome: Outcome) -> Opinion:
    said = " ".join(outcome.errors.decode(errors="replace").split())[:200]
    if trouble := _ended(outcome):
        return Opinion(False, trouble)
    if outcome.status == _FAIL:
        return Opinion(False, f"found fault with the test: {said}", own_fault=True)
    known = outcome.status == _RIGHT or outcome.status in _WRONG or outcome.status >= _PARTIAL
    return Opinion(outcome.status == _RIGHT, "" if known else f"ended with status {outcome.status}: {said}")


def _ended(outcome: Outcome) -> str:
    if outcome.limit:
        return f"hit the limit on {outcome.limit}"
    return f"was killed by signal {outcome.signal}" if outcome.signal else ""
