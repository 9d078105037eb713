"""Checkpoints within a stage: committed by rename, the newest two kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rewardranker.runs.atomic import commit_directory, remove_tree

KEPT = 2


class Checkpoints:
    """``<directory>/step-000120/`` holds the state after 120 steps."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)

    def save(self, step: int, write: Callable[[Path], None]) -> Path:
        """Lets ``write`` fill a directory, and commits it as the state after ``step`` steps."""
        working = self._directory / ".writing"
        remove_tree(working)
        working.mkdir()
        write(working)
        target = self._directory / f"step-{step:06d}"
        remove_tree(target)
        commit_directory(working, target)
        for old in self._all()[:-KEPT]:
            remove_tree(old)
        return target

    def newest(self) -> tuple[int, Path] | None:
        """The last committed step and its directory."""
        found = self._all()
        return (int(found[-1].name.removeprefix("step-")), found[-1]) if found else None

    def clear(self) -> None:
        """A finished stage needs no checkpoints."""
        remove_tree(self._directory)

    def _all(self) -> list[Path]:
        return sorted(self._directory.glob("step-*"))
