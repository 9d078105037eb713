"""Which tool-chains this machine has, asked once per process."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from functools import lru_cache

from rewardranker.judge.languages.language import Language

#: Where a sandbox looks for commands, so that what is found here is found there.
PATH = "/usr/bin:/bin"
_VERSION_S = 60.0


@dataclass(frozen=True)
class Toolchain:
    """``missing`` executables, and the ``version`` in one line where there are none."""

    missing: tuple[str, ...]
    version: str


def toolchain(language: Language) -> Toolchain:
    """What this machine has for a language."""
    return _found(language.tools, language.version)


@lru_cache(maxsize=64)
def _found(tools: tuple[str, ...], version: tuple[str, ...]) -> Toolchain:
    missing = tuple(tool for tool in tools if shutil.which(tool, path=PATH) is None)
    if missing or not version:
        return Toolchain(missing, "")
    done = subprocess.run(
        version,
        env={"PATH": PATH, "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=_VERSION_S,
        check=False,
    )
    lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    return Toolchain((), lines[0] if lines else "")


def setup_name(language: Language) -> str:
    """Names the directory of what the language's ``setup`` left: changes with its sources and its tools."""
    assert language.setup is not None
    digest = hashlib.sha256(f"{toolchain(language).version}\0{language.setup.argv}".encode())
    for name, content in sorted(language.setup.files.items()):
        digest.update(name.encode() + b"\0" + content + b"\0")
    return f"{language.name}-{digest.hexdigest()[:16]}"
