"""Rows on disk (JSON lines or Parquet, by suffix), problem files, and what a set of problems must satisfy."""

from __future__ import annotations

import codecs
import dataclasses
import gzip
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from rewardranker.errors import UserError
from rewardranker.paths import AnyPath
from rewardranker.problems.fields import Row
from rewardranker.problems.given import check_given, problem_of
from rewardranker.problems.types import Problem
from rewardranker.runs.atomic import replacing

_GZIP = b"\x1f\x8b"
_SURROGATE = re.compile("[\ud800-\udfff]")
#: Columns that pandas adds of itself: an index without a name, and what came of one in a CSV file.
_PANDAS_INDEX = re.compile(r"__index_level_\d++__|Unnamed: \d++")


def unix_lines(text: str) -> str:
    """A row's text with the line ends that programs have here."""
    return text.replace("\r\n", "\n")


def write_problems(path: AnyPath, problems: Sequence[Problem]) -> None:
    """Writes one JSON object per line; the file appears whole or not at all."""
    write_json_lines(path, (dataclasses.asdict(problem) for problem in problems))


def read_problems(path: AnyPath) -> list[Problem]:
    """Reads what :func:`write_problems` wrote, or what a person did: ``docs/problems.md``.

    Raises:
        UserError: no such file, a line that is not JSON, an id twice, or a problem that is not what
            :func:`rewardranker.problems.given.problem_of` takes; names the line.
    """
    problems: list[Problem] = []
    places: dict[str, str] = {}
    for where, row in given_rows(path):
        problem = problem_of(row, where)
        if problem.id in places:
            raise UserError(f"{where}: id {problem.id!r} is also that of {places[problem.id]}; ids must be unique")
        places[problem.id] = where
        problems.append(problem)
    return problems


def check_problems(problems: Sequence[Problem]) -> None:
    """Raises :class:`UserError` for what would make a run's numbers meaningless.

    That is: no problems, an id twice, a problem without tests or with such as no program could be judged by
    (:func:`rewardranker.problems.given.check_given`), or a group in more than one split.
    """
    if not problems:
        raise UserError("there are no problems: the data set, or the part of it that was asked for, is empty")
    repeated = [name for name, count in Counter(problem.id for problem in problems).items() if count > 1]
    if repeated:
        raise UserError(f"problem ids must be unique; more than once: {first_few(repeated)}")
    untested = [problem.id for problem in problems if not problem.tests]
    if untested:
        raise UserError(f"problems without tests cannot be judged; remove or complete {first_few(untested)}")
    splits: dict[str, set[str]] = {}
    for problem in problems:
        check_given(problem, f"problem {problem.id}")
        splits.setdefault(problem.group_id, set()).add(problem.split)
    leaking = [f"{group} ({', '.join(sorted(found))})" for group, found in splits.items() if len(found) > 1]
    if leaking:
        raise UserError(f"a group of near-duplicate problems must lie in one split; in several: {first_few(leaking)}")


def first_few(names: Sequence[str]) -> str:
    """Up to three of the names, and how many more there are."""
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"


def write_rows(path: AnyPath, rows: Sequence[Row], schema: pa.Schema) -> None:
    """Writes rows as ``.parquet`` (with exactly this schema) or ``.jsonl``; the same rows, the same bytes.

    The schema's metadata are a Parquet file's key-value metadata; JSON lines have none.
    """
    if row_format(path) == ".jsonl":
        write_json_lines(path, rows)
        return
    table = pa.Table.from_pylist(list(rows), schema=schema)
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read_rows(path: AnyPath) -> list[Row]:
    """Reads rows of ``.parquet`` or ``.jsonl`` (``.jsonl.gz`` too), as :func:`read_json_lines` has them.

    Raises:
        UserError: another suffix, or not such a file.
    """
    return [row for _, row in numbered_rows(path)]


def numbered_rows(path: AnyPath) -> Iterator[tuple[str, Row]]:
    """What :func:`read_rows` reads, each row with ``file, line number`` (Parquet: ``row``) for messages about it."""
    path = Path(path)
    if row_format(path.with_suffix("") if path.suffix == ".gz" else path) == ".jsonl":
        yield from numbered_json_lines(path)
        return
    _require(path)
    try:
        rows = pq.read_table(path).to_pylist()
    except (pa.ArrowInvalid, OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not a readable Parquet file: {error}") from error
    for number, row in enumerate(rows, 1):
        yield f"{path}, row {number}", without_pandas_index(row)


def given_rows(path: AnyPath) -> Iterator[tuple[str, Row]]:
    """:func:`numbered_rows` of a file that people gave: Parquet by its name, JSON lines by any other."""
    return numbered_rows(path) if Path(path).suffix == ".parquet" else numbered_json_lines(path)


def write_json_lines(path: AnyPath, rows: Iterable[Row]) -> None:
    """Writes one JSON object per line, atomically."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row) + "\n")


def read_json_lines(path: AnyPath) -> list[Row]:
    """Reads one JSON object per line; blank lines are passed over.

    A file may be gzipped, whatever it is called, and begin with a byte order mark. Text comes as
    :func:`well_formed` leaves it, rows without pandas' index.

    Raises:
        UserError: no such file, or a line that is not UTF-8 or not a JSON object (naming the line).
    """
    return [row for _, row in numbered_json_lines(path)]


def numbered_json_lines(path: AnyPath) -> Iterator[tuple[str, Row]]:
    """What :func:`read_json_lines` reads, each row with ``file, line number`` for messages about it."""
    for number, line in enumerate(file_bytes(path).removeprefix(codecs.BOM_UTF8).split(b"\n"), 1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            row = json.loads(line.decode())
        except (ValueError, RecursionError) as error:
            array = ", and not part of an array: one object a line, no commas between" if line[:1] == b"[" else ""
            raise UserError(
                f"{where} is not JSON: {error}; a line has to be one whole JSON object, in UTF-8{array}"
            ) from error
        if not isinstance(row, dict):
            raise UserError(f"{where}: expected a JSON object, found {type(row).__name__}; one object a line")
        yield where, without_pandas_index(well_formed(row))


def file_bytes(path: AnyPath) -> bytes:
    """What a file holds, unpacked where it is gzipped. Raises :class:`UserError` for no file, or a broken one."""
    data = _require(path).read_bytes()
    if not data.startswith(_GZIP):
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path} is gzipped and cannot be unpacked: {error}; is it whole?") from error


def well_formed(value: Any) -> Any:
    """A JSON value with U+FFFD in the place of every lone surrogate, as decoders of UTF-8 put it.

    JSON can spell half a character (``"\\ud83d"``); no file, tokenizer or program can hold one.
    """
    if isinstance(value, str):
        return value if value.isascii() else _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [well_formed(item) for item in value]
    if isinstance(value, dict):
        return {well_formed(key): well_formed(item) for key, item in value.items()}
    return value


def without_pandas_index(row: Row) -> Row:
    """The row without the columns that pandas made of an index that nobody named."""
    return {name: value for name, value in row.items() if not _PANDAS_INDEX.fullmatch(name)}


def require_fields(rows: list[Row], fields: Sequence[str], where: str) -> list[Row]:
    """The same rows; raises :class:`UserError` where there are none, or one lacks a field."""
    if not rows:
        raise UserError(f"{where} has no rows; is it the right file?")
    for number, row in enumerate(rows, 1):
        missing = [field for field in fields if field not in row]
        if missing:
            raise UserError(f"{where}, row {number} lacks {', '.join(missing)}; it has {', '.join(row)}")
    return rows


def require_folder(option: str, path: AnyPath) -> None:
    """Raises :class:`UserError` where ``path`` could not be written for want of its folder.

    For commands, before their work; ``option`` is what the user calls the path.
    """
    folder = Path(path).absolute().parent
    if not folder.is_dir():
        raise UserError(f"{option} {path}: folder {folder} does not exist; create it first")


def row_format(path: AnyPath) -> str:
    """The suffix by which a file of rows is written and read; raises :class:`UserError` for any other."""
    suffix = Path(path).suffix
    if suffix not in (".parquet", ".jsonl"):
        raise UserError(f"{path}: the name must end in .parquet or .jsonl, not {suffix or 'nothing'}")
    return suffix


def _require(path: AnyPath) -> Path:
    found = Path(path)
    if not found.is_file():
        raise UserError(f"file {path} does not exist; check the path, or run the stage that writes it")
    return found
