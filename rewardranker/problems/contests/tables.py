"""Data sets in Parquet, in the hub's columns: checked first, then read row group by row group."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from rewardranker.errors import UserError, did_you_mean
from rewardranker.problems.contests.census import Census
from rewardranker.problems.fields import Row
from rewardranker.problems.sources import hub_revision, is_local, stream_hub

#: A problem of CodeContests can hold megabytes of programs.
_BATCH = 16
_SUFFIX = ".parquet"


@dataclass(frozen=True)
class Columns:
    """What is read of a data set.

    Attributes:
        needed: columns that have to be there.
        others: columns that are read where they are.
    """

    needed: tuple[str, ...]
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One split of a data set.

    Attributes:
        source: a file, a directory in the hub's layout (``[configuration/]train-00000-of-00039.parquet``, also below
            other folders), or a name on the hub, perhaps with ``@revision``.
        configuration: the folder on this machine that has its name; that of the default one is ``data``.
        skip_damaged: whether a row group that cannot be read is left out and counted, instead of ending the work.
        batch: rows that are Python objects at once.
    """

    source: str
    configuration: str
    split: str
    columns: Columns
    skip_damaged: bool = False
    batch: int = _BATCH

    def rows(self, census: Census) -> Iterator[tuple[str, Row]]:
        """Every row with where it stands, in the files' order; one batch of rows in memory.

        Raises:
            UserError: no such source, split or column, or a row group that cannot be read.
        """
        if not is_local(self.source):
            yield from stream_hub(self.source, self.configuration, self.split, self.columns_of)
            return
        for path in self.files():
            yield from self._of_file(path, census)

    def files(self) -> list[Path]:
        """The split's files on this machine, in order. Raises :class:`UserError` where there are none."""
        root = Path(self.source)
        if root.is_file():
            return [root]
        if not root.is_dir():
            raise UserError(f"data set {root} does not exist; give a Parquet file, a folder of them, or a hub name")
        found = sorted(root.rglob(f"*{_SUFFIX}"))
        folder = "data" if self.configuration in ("", "default") else self.configuration
        within = [path for path in found if folder in path.relative_to(root).parts[:-1]]
        named = [path for path in within or found if self._is_of_split(path.relative_to(root))]
        if not named:
            some = ", ".join(str(path.relative_to(root)) for path in found[:5])
            raise UserError(
                f"data set {root} has no Parquet files of split {self.split!r} (such as {self.split}-00000-of-00001"
                f"{_SUFFIX}); {f'there are {some}' if some else 'there are no Parquet files at all'}"
            )
        return named

    def _is_of_split(self, path: Path) -> bool:
        return self.split in (*path.parts[:-1], re.split(r"[-.]", path.name)[0])

    def _of_file(self, path: Path, census: Census) -> Iterator[tuple[str, Row]]:
        try:
            with pq.ParquetFile(path) as file:
                columns = self.columns_of(file.schema_arrow.names, str(path))
                for group in range(file.num_row_groups):
                    yield from self._of_group(path, file, group, columns, census)
        except (
            pa.ArrowException,
            OSError,
        ) as error:  # a file that is cut has lost its footer
            self._damaged(f"{path} is not a readable Parquet file", error, census, "damaged files", path, 1)

    def _of_group(
        self, path: Path, file: pq.ParquetFile, group: int, columns: list[str], census: Census
    ) -> Iterator[tuple[str, Row]]:
        first = sum(file.metadata.row_group(i).num_rows for i in range(group))
        count, number = file.metadata.row_group(group).num_rows, 0
        try:
            for batch in file.iter_batches(self.batch, row_groups=[group], columns=columns):
                for row in batch.to_pylist():
                    number += 1
                    yield f"{path}, row {first + number}", row
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            where = f"{path}: row group {group} (rows {first + 1} to {first + count}) cannot be read from row "
            self._damaged(f"{where}{first + number + 1} on", error, census, "damaged rows", path, count - number)

    def _damaged(self, what: str, error: Exception, census: Census, reason: str, path: Path, count: int) -> None:
        """Raises :class:`UserError`, or counts what is lost."""
        if not self.skip_damaged:
            raise UserError(
                f"{what}: {str(error).splitlines()[0]:.200}; bring the file again, or set "
                "data.options.skip_damaged=true to leave out what cannot be read, counted"
            ) from error
        census.leave_out(reason, str(path), count)

    def columns_of(self, names: Sequence[str], where: str) -> list[str]:
        """The columns to read. Raises :class:`UserError` where one is missing."""
        missing = [name for name in self.columns.needed if name not in names]
        if missing:
            raise UserError(
                f"{where} lacks column {', '.join(missing)}; it has {', '.join(names)}"
                f"{did_you_mean(missing[0], set(names) - {*self.columns.needed, *self.columns.others})}; give "
                "the data set as the hub has it"
            )
        return [name for name in (*self.columns.needed, *self.columns.others) if name in names]


def revision_of(tables: Iterable[Table]) -> str:
    """The first 12 digits of the SHA-256 over the bytes of all files, each once, or the commit on the hub.

    Raises:
        UserError: no such source or split.
    """
    tables = list(tables)
    if not is_local(tables[0].source):
        return hub_revision(tables[0].source)
    digest = hashlib.sha256()
    for path in sorted({path for table in tables for path in table.files()}):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:12]
