"""Every answer of an endpoint on disk before anything else happens to it: what was paid for is never lost."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from rewardranker.errors import UserError
from rewardranker.generation.endpoint.wire import Answer, Choice
from rewardranker.paths import AnyPath
from rewardranker.problems.io import first_few


@dataclass(frozen=True)
class Record:
    """One line: an answer, and what it answers.

    Attributes:
        prompt: hash of the prompt and stops that were sent.
        samples: indices of the samples of this problem that the first choices are; choices beyond them came
            unasked, and are kept here and nowhere else.
        seed: sent with the request.
    """

    problem_id: str
    prompt: str
    samples: list[int]
    seed: int
    answer: Answer


class Journal:
    """A file of JSON lines: the settings that shaped the samples, then one :class:`Record` a line.

    A line is on the disk when :meth:`add` returns. Made by :func:`open_journal`.
    """

    def __init__(self, path: Path, file: IO[bytes], records: list[Record], torn: bool) -> None:
        self.path, self.records, self.torn = path, records, torn
        self._file = file
        self._samples: dict[str, dict[int, Choice]] = {}
        for record in records:
            self._index(record)

    def add(self, record: Record) -> None:
        _append(self._file, asdict(record))
        self.records.append(record)
        self._index(record)

    def samples(self, problem_id: str) -> dict[int, Choice]:
        """The samples of a problem by index."""
        return self._samples.get(problem_id, {})

    def _index(self, record: Record) -> None:
        known = self._samples.setdefault(record.problem_id, {})
        known |= dict(zip(record.samples, record.answer.choices, strict=False))

    def check_prompts(self, prompts: dict[str, str]) -> None:
        """Raises :class:`UserError` where a problem of the journal was asked with another prompt than now."""
        changed = {r.problem_id for r in self.records if prompts.get(r.problem_id, r.prompt) != r.prompt}
        if changed:
            raise UserError(
                f"journal {self.path} holds samples for other prompts or stop strings than those of now, for "
                f"{first_few(sorted(changed))}; give another journal, or the problems that it was made for"
            )


@contextmanager
def open_journal(path: AnyPath, settings: dict[str, Any]) -> Iterator[Journal]:
    """Opens a journal to go on with it, or begins one. A line that a killed process left unfinished is removed.

    Raises:
        UserError: its folder does not exist, another process has it open, it holds what no journal holds, or it
            was made with other ``settings``.
    """
    path = Path(path)
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise UserError(f"journal {path}: must be a file in a folder that exists; create the folder first")
    with path.open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(f"journal {path} is open in another process; wait for it, or give another one") from error
        torn = _mend(file)
        file.seek(0)
        lines = file.read().splitlines()
        if lines:
            _check_settings(path, lines[0], settings)
        else:
            _append(file, {"settings": settings})
        yield Journal(path, file, [_record(path, number, line) for number, line in enumerate(lines[1:], 2)], torn)


def _mend(file: IO[bytes]) -> bool:
    """Removes a last line that lacks its end, or ends it where it lacks no more than that; whether it removed one."""
    file.seek(0)
    whole, newline, rest = file.read().rpartition(b"\n")
    if not rest:
        return False
    try:
        json.loads(rest)
    except ValueError:
        file.truncate(len(whole) + len(newline))
        return True
    file.write(b"\n")
    return False


def _append(file: IO[bytes], row: dict[str, Any]) -> None:
    file.write(json.dumps(row).encode() + b"\n")
    file.flush()
    os.fsync(file.fileno())


def _check_settings(path: Path, line: bytes, settings: dict[str, Any]) -> None:
    row = _object(path, 1, line)
    found = row.get("settings")
    if not isinstance(found, dict):
        raise UserError(f"{path} is no journal of an endpoint: its first line holds no settings; give another file")
    differing = [name for name in {**found, **settings} if found.get(name) != settings.get(name)]
    if differing:
        raise UserError(
            f"journal {path} holds samples made with "
            + ", ".join(f"{name}={found.get(name)!r} (now {settings.get(name)!r})" for name in differing)
            + "; give another journal, or the settings it was made with"
        )


def _record(path: Path, number: int, line: bytes) -> Record:
    row = _object(path, number, line)
    try:
        answer = Answer(**row.pop("answer"))
        choices = [Choice(**choice) for choice in answer.choices]  # type: ignore[arg-type]
        return Record(**row, answer=Answer(choices, answer.prompt_tokens, answer.completion_tokens, answer.model))
    except (KeyError, TypeError) as error:
        raise UserError(f"{path}, line {number} is no record of an endpoint's journal: {error}") from error


def _object(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise UserError(
            f"journal {path}, line {number} is not JSON ({error}): it was changed after it was written; remove it"
        ) from error
    if not isinstance(row, dict):
        raise UserError(f"{path}, line {number}: expected a JSON object, found {type(row).__name__}")
    return row
