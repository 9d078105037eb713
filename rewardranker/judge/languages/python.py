"""Python. Its programs are not started as commands but forked, see ``judge/child/server.py``."""

from __future__ import annotations

import sys

from rewardranker.judge.languages.language import Language, Recipe
from rewardranker.judge.sandbox.step import Step


def _whole(code: str) -> Recipe:
    return Recipe(None, Step(("python3", "-s", "-P", "program.py"), {"program.py": code.encode()}))


LANGUAGE = Language(
    name="python",
    comment="#",
    tools=(),
    version=(sys.executable, "--version"),
    canary="import sys\n\nsys.stdout.write(sys.stdin.read())\n",
    whole=_whole,
)
