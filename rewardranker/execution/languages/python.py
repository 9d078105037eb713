"""Python. Its programs are not started as commands but forked, see ``execution/child/server.py``."""

from __future__ import annotations

import sys

from rewardranker.execution.languages.language import Language, Recipe
from rewardranker.execution.sandbox.step import Step


def _whole(code: str) -> Recipe:
    return Recipe(None, Step(("python3", "-s", "-P", "program.py"), {"program.py": code.encode()}))


PYTHON = Language(
    name="python",
    fences=("python", "py", "python3"),
    comment="#",
    tools=(),
    version=(sys.executable, "--version"),
    canary="import sys\n\nsys.stdout.write(sys.stdin.read())\n",
    whole=_whole,
)
