"""What a language needs in place before its first program: built once per machine, shown read-only to programs."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from pathlib import Path

from rewardranker.judge.languages import LANGUAGES
from rewardranker.judge.languages.language import Language
from rewardranker.judge.languages.toolchain import setup_name, toolchain
from rewardranker.judge.sandbox import Sandbox, SandboxDied, StepLimits
from rewardranker.judge.sandbox.scratch import Scratch
from rewardranker.judge.sandbox.step import Service
from rewardranker.judge.sandbox.tiers import toolchain_directory

SETUP_LIMITS = StepLimits(cpu_s=120.0, wall_s=600.0, memory_mb=4096, memory_kind="data", processes=128)


def services() -> dict[str, Service]:
    """Resident compilers by language."""
    return {name: language.service for name, language in LANGUAGES.items() if language.service is not None}


def setup_places() -> dict[str, str]:
    """Where each language's set-up lies, or will lie, by language."""
    return {name: str(_place(language)) for name, language in LANGUAGES.items() if language.setup is not None}


def read_only_places() -> tuple[str, ...]:
    """Paths beyond /usr that some tool-chain reads."""
    return tuple(sorted({path for language in LANGUAGES.values() for path in language.read_only}))


def prepare(sandbox: Sandbox, language: Language) -> None:
    """Builds the language's set-up where it is missing, inside the sandbox.

    Raises:
        SandboxDied: it could not be built, which says nothing about any program.
    """
    if language.setup is None or toolchain(language).missing or _place(language).exists():
        return
    outcome = sandbox.execute(replace(language.setup, trusted=True), SETUP_LIMITS, language=language.name)
    if outcome.status or outcome.signal or outcome.limit:
        reason = outcome.errors.decode(errors="replace").strip()[:300] or outcome.limit
        raise SandboxDied(f"the set-up of {language.name} could not be built: {reason}")
    scratch = Scratch(toolchain_directory())  # whatever the place is mounted from, it can be renamed there
    try:
        _write(Path(scratch.path), outcome.files)
        with contextlib.suppress(OSError):  # another process was first
            os.rename(scratch.path, _place(language))
    finally:
        scratch.remove()


def _write(working: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        target = working / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    for path in (working, *working.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _place(language: Language) -> Path:
    return Path(toolchain_directory()) / setup_name(language)
