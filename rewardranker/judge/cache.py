"""Verdicts by content: the same program under the same tests and limits is run once."""

from __future__ import annotations

import dataclasses
import json
import os
import uuid
from pathlib import Path
from typing import IO

from rewardranker.paths import AnyPath
from rewardranker.problems.verdict import NEVER_LABELS, Judgement, Verdict


class VerdictCache:
    """A directory of append-only JSON lines, one file per writer.

    All files are read at the start; what other processes add later is found the next time. A line that a
    killed writer left half written is passed over. Verdicts about our own machinery are never stored.
    """

    def __init__(self, directory: AnyPath) -> None:
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self._own = directory / f"{os.getpid()}-{uuid.uuid4().hex[:12]}.jsonl"
        self._file: IO[str] | None = None
        self._entries: dict[str, Judgement] = {}
        for path in sorted(directory.glob("*.jsonl")):
            self._read(path)

    def get(self, key: str) -> Judgement | None:
        return self._entries.get(key)

    def put(self, key: str, judgement: Judgement) -> None:
        """Stores a judgement, unless it says nothing about the program."""
        if judgement.verdict in NEVER_LABELS or key in self._entries:
            return
        self._entries[key] = judgement
        if self._file is None:
            self._file = self._own.open("a", encoding="utf-8", buffering=1)
        self._file.write(json.dumps({"key": key, **dataclasses.asdict(judgement)}) + "\n")

    def close(self) -> None:
        """Closes the file; further ``put`` calls open it again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _read(self, path: Path) -> None:
        for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):
            try:
                entry = json.loads(line)
                key = entry.pop("key")
                exact = {"verdict": Verdict(entry["verdict"]), "returns": tuple(entry.get("returns", ()))}
                self._entries[key] = Judgement(**entry | exact)
            except (ValueError, TypeError, KeyError, AttributeError):
                continue
