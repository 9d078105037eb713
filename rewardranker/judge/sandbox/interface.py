"""What the judge needs of a place where programs run."""

from __future__ import annotations

from typing import Any, Protocol

from rewardranker.judge.sandbox.step import Outcome, Step, StepLimits


class Sandbox(Protocol):
    """Runs one program at a time. Not shared between threads."""

    def run(self, job: dict[str, Any], tester: dict[str, Any] | None = None) -> Outcome:
        """A Python program, see ``strict/jobs.py`` (and what its tester is told). Raises ``SandboxDied``."""

    def execute(
        self, step: Step, limits: StepLimits, stdin: bytes = b"", token: bytes = b"", language: str = ""
    ) -> Outcome:
        """A command in a process and directory of its own. Raises ``SandboxDied``.

        Args:
            stdin: what the process reads.
            token: what it can read once from descriptor 4; less than 4 KiB.
            language: whose set-up ``{setup}`` stands for.
        """

    def stop(self) -> None:
        """Ends whatever it holds."""
