"""The judge's end of a sandbox: starts its server, sends jobs, and starts it again when it dies."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from rewardranker.judge.sandbox import tiers
from rewardranker.judge.sandbox.process import SandboxDied, ServerProcess
from rewardranker.judge.sandbox.step import Outcome, Service, Step, StepLimits

__all__ = ["LocalSandbox", "SandboxDied"]

_GRACE_S = 30.0
_MIN_FILE_BYTES, _COLLECTED_SHARE = 64 << 20, 4
_STDIN, _TOKEN = "\0stdin", "\0token"  # no file can be called so
_SETUP = "{setup}"


class LocalSandbox:
    """A confined server that starts a process per job. Not shared between threads."""

    def __init__(
        self,
        tier: str = "",
        services: Mapping[str, Service] | None = None,
        setup: Mapping[str, str] | None = None,
        read_only: tuple[str, ...] = (),
    ) -> None:
        """Starts nothing yet.

        Args:
            tier: A+ to D, see ``sandbox/tiers.py``; empty for the best that this machine offers (never D).
            services: resident processes by the name that a step's ``service`` gives.
            setup: by language (services go by that name too), the directory below ``toolchain_directory()``
                that ``{setup}`` stands for in the words of its steps and of its service.
            read_only: paths beyond /usr that programs may read; those that do not exist are passed over.
        """
        self.tier = tier or tiers.require("C").tier
        self._services, self._setup, self._read_only = dict(services or {}), dict(setup or {}), read_only
        #: Runs from the first job on.
        self.server: ServerProcess | None = None
        self._defined: set[str] = set()

    @property
    def facts(self) -> dict[str, Any]:
        """What a program finds there. Starts the server. Raises :class:`SandboxDied`."""
        return dict(self.start().facts)

    def start(self) -> ServerProcess:
        """Starts the server where it is not running. Raises :class:`SandboxDied`."""
        if self.server is None:
            self.server, self._defined = ServerProcess(self.tier, self._read_only), set()
        return self.server

    def run(self, job: dict[str, Any], tester: dict[str, Any] | None = None) -> Outcome:
        """Forks a Python program for one job (and sends the tester its own frame). Raises :class:`SandboxDied`."""
        parts = [_encoded(job)] + ([_encoded(tester)] if tester is not None else [])
        return self._exchange(parts, job["wall_s"])

    def execute(
        self, step: Step, limits: StepLimits, stdin: bytes = b"", token: bytes = b"", language: str = ""
    ) -> Outcome:
        """Runs a command in a process and directory of its own. Raises :class:`SandboxDied`.

        Args:
            stdin: what the process reads.
            token: what it can read once from descriptor 4; less than 4 KiB.
            language: whose set-up ``{setup}`` stands for.
        """
        server = self.start()
        memory = limits.memory_mb << 20
        job = asdict(limits) | {
            "style": "step",
            "service": step.service,
            "argv": self._filled(step.argv, language),
            "collect": step.collect,
            "environment": self._filled_values(step.environment, language),
            "memory": memory,
            "reserved": limits.reserved_mb << 20,
            "output": limits.output_kb << 10,
            "file_bytes": max(_MIN_FILE_BYTES, memory // _COLLECTED_SHARE if step.collect else 0),
            "define": None,
            "trusted": step.trusted,
        }
        parts = _files({**step.files, _STDIN: stdin, _TOKEN: token})
        if step.service and step.service not in self._defined:
            service = self._services[step.service]
            job["define"] = {
                "argv": self._filled(service.argv, step.service),
                "environment": {},
                "memory": service.memory_mb << 20,
            }
            parts = _files(service.files) + parts
        outcome = self._exchange([_encoded(job), *parts], limits.wall_s, server)
        self._defined |= {step.service} - {""}
        return outcome

    def stop(self) -> None:
        """Ends the server and whatever it was running."""
        server, self.server = self.server, None
        if server is not None:
            server.stop()

    def _exchange(self, parts: list[bytes], wall_s: float, server: ServerProcess | None = None) -> Outcome:
        server = server or self.start()
        deadline = time.monotonic() + wall_s + _GRACE_S
        try:
            for part in parts:
                server.write(part, deadline)
            head = json.loads(server.read(deadline))
            results, output, errors = (server.read(deadline) for _ in range(3))
            files = {name: server.read(deadline) for name in head.pop("files")}
        except SandboxDied:
            self.stop()
            raise
        return Outcome(results, output, errors, files=files, **head)

    def _filled(self, words: Iterable[str], owner: str) -> list[str]:
        """``words`` with the inside's path in place of ``{setup}``."""
        if owner not in self._setup:
            return list(words)
        path = self.start().inside(self._setup[owner])
        return [word.replace(_SETUP, path) for word in words]

    def _filled_values(self, environment: dict[str, str], owner: str) -> dict[str, str]:
        return dict(zip(environment, self._filled(environment.values(), owner), strict=True))


def _encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def _files(files: dict[str, bytes]) -> list[bytes]:
    """The frames that ``child/frames.py`` reads as files."""
    return [_encoded(list(files)), *files.values()]
