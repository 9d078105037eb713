"""Jobs for the sandbox's own interpreter: what a Python program, and its tester, are told."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rewardranker.judge.child import wire
from rewardranker.judge.sandbox import Outcome, Sandbox
from rewardranker.problems.types import Problem


def job_of(problem: Problem, code: str) -> dict[str, Any]:
    """The job of a program of this problem, but for what its style adds."""
    limits = problem.limits
    return {
        "style": problem.style,
        "code": code,
        "entry": problem.entry_point,
        "nonce": secrets.token_hex(8),
        "cpu_s": limits.cpu_s,
        "wall_s": limits.wall_s,
        "memory": limits.memory_mb << 20,
        "memory_kind": "address_space",
        "output": limits.output_kb << 10,
        "processes": 32,
        "resident": False,
        "file_bytes": 8 << 20,
    }


def run_tester(sandbox: Sandbox, job: dict[str, Any], setup: str, tests: Sequence[str], helpers: str = "") -> Outcome:
    """Runs a job of style ``program`` with trusted code in a tester's process. Raises ``SandboxDied``.

    Args:
        helpers: code that defines what the tests use beside the program's names; what it defines of these names is
            not used.
    """
    return _beside_a_tester(sandbox, job, {"helpers": helpers, "setup": setup, "tests": list(tests)})


def run_probes(sandbox: Sandbox, job: dict[str, Any], expressions: Sequence[str]) -> Outcome:
    """Runs a job of style ``program`` with checked expressions in a tester's process. Raises ``SandboxDied``."""
    return _beside_a_tester(sandbox, job, {"probes": list(expressions)})


def _beside_a_tester(sandbox: Sandbox, job: dict[str, Any], trusted: dict[str, Any]) -> Outcome:
    own, key = {name: job[name] for name in ("nonce", "names", "entry")}, secrets.token_bytes(16)
    outcome = sandbox.run(job, own | trusted | {"key": key.hex()})
    return replace(outcome, results=_opened(outcome.results, key))


def _opened(results: bytes, key: bytes) -> bytes:
    """The lines that a tester sealed; a line that none did is left as it is."""
    lines = results.split(b"\n")
    for number, line in enumerate(lines[:-1]):
        with contextlib.suppress(ValueError):
            lines[number] = wire.sealed(bytes.fromhex(line.decode("ascii")), key, number)
    return b"\n".join(lines)
