"""Checkpoints within a stage: committed by rename, the newest two kept, read only where they are whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rewardranker.runs.atomic import commit_directory, remove_tree, tree_hash

KEPT = 2
#: Beside a checkpoint's files: their :func:`tree_hash` when they were written.
SEAL = "sha256"


class Checkpoints:
    """``<directory>/step-000120/`` holds the state after 120 steps."""

    def __init__(self, directory: Path, warn: Callable[[str], None]) -> None:
        """``warn`` is told of checkpoints that cannot be used."""
        self._directory, self._warn = directory, warn
        directory.mkdir(parents=True, exist_ok=True)

    def save(self, step: int, write: Callable[[Path], None]) -> Path:
        """Lets ``write`` fill a directory, and commits it as the state after ``step`` steps."""
        working = self._directory / ".writing"
        remove_tree(working)
        working.mkdir()
        write(working)
        (working / SEAL).write_text(tree_hash(working))
        target = self._directory / f"step-{step:06d}"
        remove_tree(target)
        commit_directory(working, target)
        for old in self._all()[:-KEPT]:
            remove_tree(old)
        return target

    def newest(self) -> tuple[int, Path] | None:
        """The last committed step whose files are those that were written, and its directory.

        Newer ones that are damaged are set aside as ``.damaged-step-000120``, and said.
        """
        found = self._all()
        while found:
            path = found.pop()
            step = int(path.name.removeprefix("step-"))
            if _whole(path):
                return step, path
            aside = path.with_name(f".damaged-{path.name}")
            remove_tree(aside)
            path.rename(aside)
            next_best = f"going on from {found[-1].name}" if found else "there is no older one: beginning again"
            self._warn(f"checkpoint {path} is damaged: its files are not those that were written; {next_best}")
        return None

    def clear(self) -> None:
        """A finished stage needs no checkpoints."""
        remove_tree(self._directory)

    def _all(self) -> list[Path]:
        return sorted(self._directory.glob("step-*"))


def _whole(path: Path) -> bool:
    seal = path / SEAL
    return seal.is_file() and seal.read_text() == tree_hash(path, without=(SEAL,))
