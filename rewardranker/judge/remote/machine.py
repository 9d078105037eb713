"""What a SandboxFusion server offers: who programs are there, which tool-chains it has, sandboxes on it."""

from __future__ import annotations

import re
import secrets
import shlex
import threading
import time
from functools import lru_cache

from rewardranker.errors import UserError
from rewardranker.judge.languages import LANGUAGES
from rewardranker.judge.languages.language import Language
from rewardranker.judge.languages.setup import SETUP_LIMITS, services
from rewardranker.judge.languages.toolchain import Toolchain
from rewardranker.judge.remote.http import SandboxFusion
from rewardranker.judge.remote.sandbox import PYTHON, RemoteSandbox
from rewardranker.judge.sandbox.process import SandboxDied
from rewardranker.judge.sandbox.step import Step, StepLimits
from rewardranker.problems.types import Problem

_LIMITS = StepLimits(cpu_s=20.0, wall_s=60.0, memory_mb=1024, memory_kind="data", keep_output=True)
_TRIES, _PAUSE_S, _AGAIN_S = 3, 1.0, 30.0
# Which our own code in the language runs on: what an older one makes of that would be taken for the program's doing.
_OLDEST = {"python": (3, 11), "php": (8, 1)}
_PYTHON_VERSION = "import sys; print(sys.implementation.name, sys.version.split()[0])"
# The directory above is the server's.
_FACTS = r"""
[ "$(id -u)" = "$(stat -c %u ..)" ] && echo server || id -u
grep -v -e '|' -e '^ *lo:' /proc/net/dev >/dev/null && echo network || echo none
"""
_OWN_USER = "each program with a user id of its own"
_USERS = {"server": "programs as the user that the server is, whom they can harm", "65534": "programs as nobody"}
# Prints what is missing on the first line, and then the version.
_ASK = """
for name; do
    case $name in /*) [ -e "$name" ] ;; *) command -v "$name" >/dev/null ;; esac || missing="$missing $name"
done
echo "$missing"
[ -n "$missing" ] || {version} 2>&1
"""


@lru_cache(maxsize=16)
def machine(url: str) -> RemoteMachine:
    """The server at that address, asked once per process. Raises :class:`UserError`, see there."""
    return RemoteMachine(url)


class RemoteMachine:
    """A server that has answered. May be shared by threads."""

    def __init__(self, url: str) -> None:
        """
        Raises:
            UserError: there is no such server, or it cannot run programs as they should be run.
        """
        self._server = SandboxFusion(url)
        self._setups = _Setups()
        self._toolchains: dict[str, tuple[Toolchain, float]] = {}
        try:
            user, network = self._said(Step(("sh", "-c", _FACTS))).split()
        except (SandboxDied, ValueError) as error:
            raise UserError(
                f"asked for the remote sandbox {self._server.name}, which cannot be used: {error}; start a "
                "SandboxFusion server there, or judge on this machine by giving no address"
            ) from None
        self._user = _USERS.get(user, _OWN_USER)
        self._network = "no network" if network == "none" else "the server's network"

    def sandbox(self) -> RemoteSandbox:
        """A new one."""
        return RemoteSandbox(self._server, services(), self._setups)

    def toolchain(self, language: Language) -> Toolchain:
        """What that machine has for a language. While it does not answer, something that no other answer equals:
        then no program can be judged either, and nothing that was cached is about this machine."""
        found, until = self._toolchains.get(language.name, (None, 0.0))
        if found is not None and time.monotonic() < until:
            return found
        try:
            known, until = self._ask(language), float("inf")
        except SandboxDied:
            known, until = Toolchain((), f"unknown {secrets.token_hex(8)}"), time.monotonic() + _AGAIN_S
        self._toolchains[language.name] = known, until
        return known

    def level(self, problem: Problem, level: str) -> str:
        """How far verdicts on this problem's programs can be trusted there, where a sandbox of this machine makes
        them ``level``. Tests of a Python program that are code run beside it, as the same user."""
        return "L1" if (problem.language, problem.style) == ("python", "program") else level

    def describe(self) -> str:
        """One line for a person."""
        return f"tier remote: {self._server.name}, {self._user}, {self._network}; all else is up to that server"

    def _ask(self, language: Language) -> Toolchain:
        tools, version = _needs(language), language.version
        if language.name == "python":
            version = (*PYTHON, "-c", _PYTHON_VERSION)
        script = _ASK.replace("{version}", shlex.join(version))
        missing, _, printed = self._said(Step(("sh", "-c", script, "sh", *tools))).partition("\n")
        lines = [line.strip() for line in printed.splitlines() if line.strip()]
        first = lines[0] if lines else ""
        if missing.strip():
            return Toolchain(tuple(missing.split()), "")
        oldest = _OLDEST.get(language.name, (0, 0))
        if _version(first) < oldest:
            wanted = ".".join(map(str, oldest))
            return Toolchain((f"{language.name} {wanted} or newer (what is there says {first[:60]!r})",), "")
        return Toolchain((), first)

    def _said(self, step: Step) -> str:
        for attempt in range(_TRIES):
            try:
                found = self.sandbox().execute(step, _LIMITS)
            except SandboxDied:
                if attempt == _TRIES - 1:
                    raise
                time.sleep(_PAUSE_S)
            else:
                break
        return found.output.decode(errors="replace")


class _Setups:
    """Built there once, kept here, and sent along with whatever needs them: a server keeps no files."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, bytes]] = {}
        self._lock = threading.Lock()

    def of(self, sandbox: RemoteSandbox, language: str) -> dict[str, bytes]:
        with self._lock:
            if language not in self._known:
                self._known[language] = _built(sandbox, LANGUAGES[language])
            return self._known[language]


def _built(sandbox: RemoteSandbox, language: Language) -> dict[str, bytes]:
    assert language.setup is not None
    found = sandbox.execute(language.setup, SETUP_LIMITS, language=language.name)
    if found.status or found.signal or found.limit:
        reason = found.errors.decode(errors="replace").strip()[:300] or found.limit
        raise SandboxDied(f"the set-up of {language.name} could not be built on the remote machine: {reason}")
    return found.files


def _needs(language: Language) -> tuple[str, ...]:
    """Executables, and the files that a compiler's own command names."""
    words = language.service.argv if language.service is not None else ()
    files = tuple(word for word in words if word.startswith("/"))
    return (*(PYTHON[:1] if language.name == "python" else language.tools), *files)


def _version(line: str) -> tuple[int, int]:
    """The first version number in a line, or 0.0."""
    found = re.search(r"(\d++)\.(\d++)", line)
    return (int(found[1]), int(found[2])) if found is not None else (0, 0)
