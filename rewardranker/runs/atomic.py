"""Files and directories that are either whole or absent, whatever kills the process."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from rewardranker.paths import AnyPath


@contextlib.contextmanager
def replacing(path: AnyPath) -> Iterator[Path]:
    """Yields a temporary path beside ``path``; what was written there takes its place on success."""
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp{path.suffix}")
    try:
        yield temporary
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: AnyPath, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text)


def write_json(path: AnyPath, value: Any) -> None:
    write_text(path, json.dumps(value, indent=1, sort_keys=True) + "\n")


def commit_directory(source: Path, target: AnyPath) -> None:
    """Moves a finished directory into place. ``target`` must not exist."""
    sync_files(source)
    source.rename(target)
    _sync(Path(target).parent)


def sync_files(directory: Path) -> None:
    """Returns when all files below a directory are on the disk."""
    for entry in sorted(directory.rglob("*")):
        if entry.is_file():
            _sync(entry)


def remove_tree(path: Path) -> None:
    """Deletes a directory so that a half-deleted one is never taken for a whole one."""
    if path.exists():
        doomed = path.with_name(f".doomed-{path.name}-{os.getpid()}")
        path.rename(doomed)
        shutil.rmtree(doomed)


def tree_hash(path: Path, without: Collection[str] = ()) -> str:
    """A short hash of a file, or of all files below a directory but those named so, by relative name and content."""
    digest = hashlib.sha256()
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file() and p.name not in without)
    for file in files:
        digest.update(str(file.relative_to(path)).encode() + b"\0")
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:16]


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
