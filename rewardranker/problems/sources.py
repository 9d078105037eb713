"""Where a benchmark's rows come from: a file, a data set directory, or the hub; and which revision they are."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from rewardranker.errors import UserError
from rewardranker.paths import AnyPath
from rewardranker.problems.io import Row, given_rows, without_pandas_index

#: Benchmarks whose tests end no program where a check fails (``console.assert``): an exit status says nothing there.
SILENT_CHECKS = frozenset(("humaneval_x",))

_HUB_NAME = re.compile(r"[\w.-]++/[\w.-]++(@[\w.-]++)?")
_FILES = (".jsonl", ".json", ".gz", ".parquet")


def read_source(source: AnyPath, configuration: str, split: str, advice: str = "") -> tuple[list[Row], str]:
    """A benchmark's rows, and their revision.

    Args:
        source: a file (JSON lines, gzipped or not, or Parquet); a directory that ``datasets`` can load; or a data
            set's name on the hub, as ``owner/name`` or, pinned, ``owner/name@revision`` (a ``Path`` is never one).
        configuration, split: of the data set; a file has neither.
        advice: what else to do where the hub cannot be reached.

    Returns:
        The rows, and the first 12 digits of the SHA-256 of the file's bytes (of the rows, for a directory), or the
        commit of the data set on the hub.

    Raises:
        UserError: no such file, directory or data set, or not one that can be read.
    """
    path = Path(source)
    if path.is_dir():
        rows = _load(str(path), configuration, split, None, f"data set directory {path}", "")
        return rows, _digest("".join(json.dumps(row, sort_keys=True) + "\n" for row in rows).encode())
    if is_file(source):
        rows = [row for _, row in given_rows(path)]
        return rows, _digest(path.read_bytes())
    return _from_hub(str(source), configuration, split, advice)


def stream_hub(
    source: str, configuration: str, split: str, columns_of: Callable[[Sequence[str], str], list[str]]
) -> Iterator[tuple[str, Row]]:
    """Rows of a data set on the hub, each with where it stands, as they come: nothing is stored.

    Args:
        source: ``owner/name`` or, pinned, ``owner/name@revision``; or a directory that ``datasets`` can load.
        columns_of: of the data set's columns those to read; it is also told what the data set is called.

    Raises:
        UserError: as :func:`read_source`, and as ``columns_of``.
    """
    import datasets  # takes seconds to import, and only this path needs it

    name, _, pinned = source.partition("@")
    part = f"data set {source!r} (configuration {configuration!r}, split {split!r})"
    try:
        data = datasets.load_dataset(
            name, configuration or None, split=split, revision=pinned or None, streaming=True
        )
        present = list(data.features or next(iter(data)))
    except Exception as error:  # no such configuration, split or revision, offline: no common base class
        raise UserError(
            f"{part} could not be loaded: {_reason(error)}; check the name and the network, or give the data set's "
            "Parquet files as data.options.path"
        ) from error
    for number, row in enumerate(data.select_columns(columns_of(present, part)), 1):
        yield f"{part}, row {number}", dict(row)


def hub_revision(source: str, advice: str = "") -> str:
    """The commit that ``owner/name`` or ``owner/name@revision`` is. Raises :class:`UserError`."""
    from huggingface_hub import HfApi  # takes a second to import, and only this path needs it

    name, _, pinned = source.partition("@")
    advice = "; check the name and the network" + (f", or {advice}" if advice else "")
    try:
        return str(HfApi().dataset_info(name, revision=pinned or None).sha)
    except Exception as error:  # offline, not found, no permission: no common base class
        raise UserError(f"data set {source!r} could not be found on the hub: {_reason(error)}{advice}") from error


def hub_file(source: str, names: Sequence[str]) -> Path | None:
    """The first of these files that a data set on the hub has, brought here; ``None`` where it has none of them.

    Raises:
        UserError: the hub cannot be reached.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    name, _, pinned = source.partition("@")
    for file in names:
        try:
            return Path(hf_hub_download(name, file, repo_type="dataset", revision=pinned or None))
        except EntryNotFoundError:
            continue
        except Exception as error:  # offline, no permission: no common base class
            raise UserError(
                f"{file} of data set {source!r} could not be brought: {_reason(error)}; check the network, or give "
                "the data set's files as data.options.path"
            ) from error
    return None


def is_local(source: AnyPath) -> bool:
    """Whether a source is meant to be on this machine, be it there or not."""
    path = Path(source)
    named = isinstance(source, Path) or path.suffix in _FILES or not _HUB_NAME.fullmatch(source)
    return named or path.exists()


def is_file(source: AnyPath) -> bool:
    """Whether a source is meant to be one file, with neither configurations nor splits."""
    return is_local(source) and not Path(source).is_dir()


def _from_hub(source: str, configuration: str, split: str, advice: str) -> tuple[list[Row], str]:
    revision = hub_revision(source, advice)
    advice = "; check the name and the network" + (f", or {advice}" if advice else "")
    name = source.partition("@")[0]
    return _load(name, configuration, split, revision, f"data set {source!r}", advice), revision


def _load(name: str, configuration: str, split: str, revision: str | None, what: str, advice: str) -> list[Row]:
    import datasets  # takes seconds to import, and only this path needs it

    try:
        data = datasets.load_dataset(name, configuration, split=split, revision=revision)
    except Exception as error:  # no such configuration, split or revision, offline: no common base class
        part = f"configuration {configuration!r}, split {split!r}"
        raise UserError(f"{what} could not be loaded ({part}): {_reason(error)}{advice}") from error
    return [without_pandas_index(dict(row)) for row in data]


def _reason(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]
