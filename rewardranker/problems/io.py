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
from rewardranker.problems.types import Limits, Problem, Test
from rewardranker.runs.atomic import replacing

Row = dict[str, Any]

_GZIP = b"\x1f\x8b"
_SURROGATE = re.compile("[\ud800-\udfff]")
#: Columns that pandas adds of itself: an index without a name, and what came of one in a CSV file.
_PANDAS_INDEX = re.compile(r"__index_level_\d++__|Unnamed: \d++")


def unix_lines(text: str) -> str:
    """A row's text with the line ends that programs have here."""
    return text.replace("\r\n", "\n")


def write_problems(path: Path, problems: Sequence[Problem]) -> None:
    """Writes one JSON object per line; the file appears whole or not at all."""
    write_json_lines(path, (dataclasses.asdict(problem) for problem in problems))


def read_problems(path: Path) -> list[Problem]:
    """Reads what :func:`write_problems` wrote.

    Raises:
        UserError: no such file, a line that is not JSON, or a field missing or unknown.
    """
    return [_problem(row, f"{path}, problem {number}") for number, row in enumerate(read_json_lines(path), 1)]


def check_problems(problems: Sequence[Problem]) -> None:
    """Raises :class:`UserError` for what would make a run's numbers meaningless.

    That is: no problems, an id twice, a problem without tests, or a group in more than one split.
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
        splits.setdefault(problem.group_id, set()).add(problem.split)
    leaking = [f"{group} ({', '.join(sorted(found))})" for group, found in splits.items() if len(found) > 1]
    if leaking:
        raise UserError(f"a group of near-duplicate problems must lie in one split; in several: {first_few(leaking)}")


def first_few(names: Sequence[str]) -> str:
    """Up to three of the names, and how many more there are."""
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"


def write_rows(path: Path, rows: Sequence[Row], schema: pa.Schema) -> None:
    """Writes rows as ``.parquet`` (with exactly this schema) or ``.jsonl``; the same rows, the same bytes.

    The schema's metadata are a Parquet file's key-value metadata; JSON lines have none.
    """
    if row_format(path) == ".jsonl":
        write_json_lines(path, rows)
        return
    table = pa.Table.from_pylist(list(rows), schema=schema)
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read_rows(path: Path) -> list[Row]:
    """Reads rows of ``.parquet`` or ``.jsonl`` (``.jsonl.gz`` too), as :func:`read_json_lines` has them.

    Raises:
        UserError: another suffix, or not such a file.
    """
    if row_format(path.with_suffix("") if path.suffix == ".gz" else path) == ".jsonl":
        return read_json_lines(path)
    _require(path)
    try:
        rows = pq.read_table(path).to_pylist()
    except (pa.ArrowInvalid, OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not a readable Parquet file: {error}") from error
    return [without_pandas_index(row) for row in rows]


def write_json_lines(path: Path, rows: Iterable[Row]) -> None:
    """Writes one JSON object per line, atomically."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row) + "\n")


def read_json_lines(path: Path) -> list[Row]:
    """Reads one JSON object per line; blank lines are passed over.

    A file may be gzipped, whatever it is called, and begin with a byte order mark. Text comes as
    :func:`well_formed` leaves it, rows without pandas' index.

    Raises:
        UserError: no such file, or a line that is not UTF-8 or not a JSON object (naming the line).
    """
    return [row for _, row in numbered_json_lines(path)]


def numbered_json_lines(path: Path) -> Iterator[tuple[str, Row]]:
    """What :func:`read_json_lines` reads, each row with ``file, line number`` for messages about it."""
    for number, line in enumerate(file_bytes(path).removeprefix(codecs.BOM_UTF8).split(b"\n"), 1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            row = json.loads(line.decode())
        except (ValueError, RecursionError) as error:
            raise UserError(f"{where} is not JSON: {error}") from error
        if not isinstance(row, dict):
            raise UserError(f"{where}: expected a JSON object, found {type(row).__name__}")
        yield where, without_pandas_index(well_formed(row))


def file_bytes(path: Path) -> bytes:
    """What a file holds, unpacked where it is gzipped. Raises :class:`UserError` for no file, or a broken one."""
    _require(path)
    data = path.read_bytes()
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


def check_fields(row: Row, kind: type, where: str) -> None:
    """Raises :class:`UserError` where a required field of dataclass ``kind`` is missing or one is unknown."""
    fields = {field.name: field for field in dataclasses.fields(kind)}
    required = {
        name
        for name, field in fields.items()
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    missing, unknown = sorted(required - set(row)), sorted(set(row) - set(fields))
    if missing or unknown:
        found = [f"lacks {', '.join(missing)}"] if missing else []
        found += [f"has unknown {', '.join(unknown)}"] if unknown else []
        raise UserError(f"{where}: {' and '.join(found)}; the fields of a {kind.__name__} are {', '.join(fields)}")


def require_fields(rows: list[Row], fields: Sequence[str], where: str) -> list[Row]:
    """The same rows; raises :class:`UserError` where there are none, or one lacks a field."""
    if not rows:
        raise UserError(f"{where} has no rows; is it the right file?")
    for number, row in enumerate(rows, 1):
        missing = [field for field in fields if field not in row]
        if missing:
            raise UserError(f"{where}, row {number} lacks {', '.join(missing)}; it has {', '.join(row)}")
    return rows


def _problem(row: Row, where: str) -> Problem:
    check_fields(row, Problem, where)
    parts = dict(row)
    for test in row["tests"]:
        check_fields(test, Test, f"{where}, tests")
    parts["tests"] = tuple(Test(**test) for test in row["tests"])
    if "limits" in row:
        check_fields(row["limits"], Limits, f"{where}, limits")
        parts["limits"] = Limits(**row["limits"])
    parts["stop_tokens"] = tuple(row.get("stop_tokens", ()))
    return Problem(**parts)


def require_folder(option: str, path: Path) -> None:
    """Raises :class:`UserError` where ``path`` could not be written for want of its folder.

    For commands, before their work; ``option`` is what the user calls the path.
    """
    if not path.absolute().parent.is_dir():
        raise UserError(f"{option} {path}: folder {path.absolute().parent} does not exist; create it first")


def row_format(path: Path) -> str:
    """The suffix by which a file of rows is written and read; raises :class:`UserError` for any other."""
    if path.suffix not in (".parquet", ".jsonl"):
        raise UserError(f"{path}: the name must end in .parquet or .jsonl, not {path.suffix or 'nothing'}")
    return path.suffix


def _require(path: Path) -> None:
    if not path.is_file():
        raise UserError(f"file {path} does not exist; check the path, or run the stage that writes it")
