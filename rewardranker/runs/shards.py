"""A data set as a directory of shards, and the one way to make one from others: a step, shard by shard.

A shard is a file that is there whole or not at all. It says what it was made of and what was counted on the way, so
that a run that was cut off, or of which an input has changed, makes what is missing and nothing else, and whoever
starts it holds numbers of shards and counts, never rows. Shards with the same number hold the same problems: a step
reads of each source what it needs, and writes no more than it adds.
"""

from __future__ import annotations

import json
import multiprocessing
import multiprocessing.util
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing import connection
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq

from rewardranker.errors import UserError, did_you_mean
from rewardranker.paths import AnyPath
from rewardranker.runs.atomic import replacing, tree_hash, write_json

PARQUET, ARROW = ".parquet", ".arrow"
#: In a directory of shards: what made it, how many shards it has, and what was counted.
NOTE = "shards.json"
_MADE_OF, _COUNTS = b"rewardranker.made_of", b"rewardranker.counts"
#: A text that many rows share is written once a shard, whatever its length.
_DICTIONARY_BYTES = 2**30


def shard_path(directory: Path, index: int, suffix: str = PARQUET) -> Path:
    """Where shard ``index`` lies."""
    return directory / f"shard-{index:05d}{suffix}"


def missing_shards(directory: Path, count: int, suffix: str = PARQUET) -> list[int]:
    """The shards that are not there yet; makes the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    return [i for i in range(count) if not shard_path(directory, i, suffix).exists()]


def shards_in(directory: AnyPath) -> list[Path]:
    """The shards of a directory that is whole, in order; a single file is a data set of one.

    Raises:
        UserError: there are none, or some are missing, with what to do.
    """
    directory = Path(directory)
    if directory.is_file():
        return [directory]
    found = sorted(path for suffix in (PARQUET, ARROW) for path in directory.glob(f"shard-[0-9]*{suffix}"))
    note = _note(directory)
    count = note.get("shards", len(found))
    if not found:
        raise UserError(f"{directory} holds no shards (shard-00000{PARQUET}, ...); run the step that writes them")
    missing = [i for i in range(count or 0) if shard_path(directory, i, found[0].suffix) not in found]
    if missing or len(found) != count:
        raise UserError(
            f"{directory} has {len(found):,} of {'more' if count is None else f'{count:,}'} shards"
            f"{f', shard {missing[0]} is missing' if missing else ''}: the step that writes it"
            f"{' (' + note['step'] + ')' if 'step' in note else ''} was cut off; run it again, and it goes on"
        )
    return found


@dataclass(frozen=True)
class Shard:
    """The shards of one number, one of each source.

    Attributes:
        index: the number, from 0.
        files: by the name of the source.
    """

    index: int
    files: Mapping[str, Path]

    def table(self, source: str, columns: Sequence[str], texts: Sequence[str] = ()) -> pa.Table:
        """Columns of a source's shard, no others are read.

        Args:
            texts: of the columns, those in which few texts stand in many rows: they come as dictionaries.

        Raises:
            UserError: a column is missing, or the file cannot be read.
        """
        return read_columns(self.files[source], columns, texts)

    def side_by_side(self, *tables: pa.Table) -> pa.Table:
        """The columns of tables whose rows are the same rows. Raises :class:`UserError` where one has more."""
        if len({table.num_rows for table in tables}) > 1:
            counts = ", ".join(f"{table.num_rows:,} ({', '.join(table.column_names[:2])})" for table in tables)
            raise UserError(
                f"shard {self.index} of {', '.join(str(path.parent) for path in self.files.values())}: rows do not "
                f"belong together, there are {counts}; make the later ones from the first again"
            )
        joined = tables[0]
        for table in tables[1:]:
            for name in table.column_names:
                joined = joined.append_column(table.schema.field(name), table.column(name))
        return joined


def read_columns(path: Path, columns: Sequence[str], texts: Sequence[str] = ()) -> pa.Table:
    """See :meth:`Shard.table`."""
    try:
        with pq.ParquetFile(path, read_dictionary=list(texts)) as file:
            there = file.schema_arrow.names
            missing = [name for name in columns if name not in there]
            if missing:
                raise UserError(
                    f"{path} lacks column {', '.join(missing)}; it has {', '.join(there)}"
                    f"{did_you_mean(missing[0], there)}; give the directory that the step before wrote"
                )
            return file.read(columns=list(columns), use_threads=False)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"{path} cannot be read ({str(error).splitlines()[0]:.200}): it was damaged since it was written; remove "
            "it, and the step that wrote it makes it again"
        ) from error


@dataclass(frozen=True)
class Made:
    """What a step makes of a shard: its rows, and what it counted, by name."""

    table: pa.Table
    counts: Mapping[str, int] = field(default_factory=dict)


#: A step at work in one process.
Work = Callable[[Shard], Made]


class Step(Protocol):
    """Something that is done to every shard. It is sent to processes, and opened in each before its first shard.

    Attributes:
        name: for people, and in what shards say of themselves.
        suffix: :data:`PARQUET`, or :data:`ARROW` for files that are mapped into memory.
    """

    @property
    def name(self) -> str: ...

    @property
    def suffix(self) -> str: ...

    def settings(self) -> Mapping[str, Any]:
        """All that the rows depend on beside the sources: plain values."""

    def open(self) -> AbstractContextManager[Work]:
        """Whatever the work needs, such as a judge or a network, until the process has no more of it to do."""


@dataclass(frozen=True)
class Job:
    """A shard to make: from which files, and where it goes."""

    shard: Shard
    target: Path


#: Does jobs, anywhere and in any order, and tells of each that is done.
Runner = Callable[[Step, Sequence[Job], Callable[[int], None]], None]


def make_shard(step: Step, work: Work, job: Job) -> None:
    """Does one job; the file is there whole or not at all. The same inputs and settings give the same bytes."""
    made_of = _provenance(step, job.shard)
    _write(job.target, work(job.shard), made_of)


def _write(target: Path, made: Made, made_of: Mapping[str, Any]) -> None:
    counts = {name: count for name, count in made.counts.items() if count}
    table = made.table.replace_schema_metadata({_MADE_OF: _text(made_of), _COUNTS: _text(counts)})
    with replacing(target) as temporary:
        if target.suffix == ARROW:
            with ipc.new_file(str(temporary), table.schema) as writer:
                writer.write_table(table)
        else:
            pq.write_table(table, temporary, compression="zstd", dictionary_pagesize_limit=_DICTIONARY_BYTES)


def in_this_process(step: Step, jobs: Sequence[Job], done: Callable[[int], None]) -> None:
    """A :data:`Runner` for a few shards, and for tests."""
    with step.open() as work:
        for job in jobs:
            make_shard(step, work, job)
            done(job.shard.index)


@dataclass(frozen=True)
class InProcesses:
    """A :data:`Runner` with so many processes on this machine.

    Raises:
        UserError: what a step raised; or a process was lost.
    """

    workers: int

    def __call__(self, step: Step, jobs: Sequence[Job], done: Callable[[int], None]) -> None:
        if self.workers < 2 or len(jobs) < 2:
            in_this_process(step, jobs, done)
            return
        context = multiprocessing.get_context("spawn")  # threads of libraries do not survive a fork
        number = min(self.workers, len(jobs))
        with ProcessPoolExecutor(number, context, initializer=_end_with_parent) as pool:
            waiting = iter(jobs)
            # No more is handed out than is done soon: an error ends the map, and a list of futures is memory.
            running = {pool.submit(_do, step, job): job for job in islice(waiting, 2 * number)}
            try:
                while running:
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        job = running.pop(future)
                        future.result()
                        done(job.shard.index)
                        running |= {pool.submit(_do, step, job): job for job in islice(waiting, 1)}
            except BrokenProcessPool as error:
                raise UserError(
                    f"{step.name}: a process ended while it was at work on a shard, as when memory runs out; whole "
                    "shards are kept, and the same command goes on. Smaller shards or fewer workers need less"
                ) from error
            finally:
                for future in running:
                    future.cancel()


def map_shards(
    step: Step,
    sources: Mapping[str, AnyPath],
    target: AnyPath,
    run: Runner = in_this_process,
    say: Callable[[str], None] = lambda line: None,
    count: int = 0,
    done: Callable[[int], None] = lambda shard: None,
) -> Counter[str]:
    """Makes ``target``, a shard for every shard of the sources, and gives all that was counted.

    Shards that are there are taken as they are if they were made by this step, with its settings, of these inputs;
    others are made again, which is said. Whatever does the work, in whatever order, the bytes are the same.

    Args:
        sources: directories of as many shards each, by the name that the step has for them.
        say: is told what is there already, and what has changed.
        count: shards to make where there are no sources.
        done: is told the number of every shard that was made.

    Raises:
        UserError: the sources are not whole or not of as many shards, ``target`` holds more of them, or as the step.
    """
    target, files = Path(target), {name: shards_in(path) for name, path in sources.items()}
    numbers = {name: len(found) for name, found in files.items()}
    if len(set(numbers.values())) > 1:
        told = ", ".join(f"{sources[name]} {number:,}" for name, number in numbers.items())
        raise UserError(f"{step.name}: directories of unequal numbers of shards do not belong together: {told}")
    count = next(iter(numbers.values()), count)
    jobs = [
        Job(
            Shard(i, {name: found[i] for name, found in files.items()}),
            shard_path(target, i, step.suffix),
        )
        for i in range(count)
    ]
    target.mkdir(parents=True, exist_ok=True)
    _refuse_more(target, {job.target for job in jobs}, step.name)
    note = {"step": step.name, "settings": dict(step.settings()), "shards": count}
    write_json(target / NOTE, note)
    todo = _todo(step, jobs, target, say)
    run(step, todo, done)
    total = counts_in(target)
    write_json(target / NOTE, note | {"counts": dict(sorted(total.items()))})
    return total


def stream_shards(
    name: str,
    settings: Mapping[str, Any],
    parts: Iterable[Sequence[Made]],
    targets: Sequence[Path],
    suffix: str = PARQUET,
) -> None:
    """Shards of rows that come one after the other, as from a data set elsewhere: a part is a shard of each target.

    What is there already of the same name and settings is not written again; the parts are read again.

    Raises:
        UserError: a target holds more shards than there are parts.
    """
    count, settings = 0, json.loads(json.dumps(dict(settings)))
    for target in targets:
        target.mkdir(parents=True, exist_ok=True)
        write_json(target / NOTE, {"step": name, "settings": settings, "shards": None})
    for part in parts:
        made_of = {"step": name, "settings": settings, "inputs": {}, "shard": count}
        for target, made in zip(targets, part, strict=True):
            path = shard_path(target, count, suffix)
            if not path.exists() or json.loads((_metadata(path) or {}).get(_MADE_OF, b"{}")) != made_of:
                _write(path, made, made_of)
        count += 1
    for target in targets:
        _refuse_more(target, {shard_path(target, i, suffix) for i in range(count)}, name)
        note = {"step": name, "settings": settings, "shards": count}
        write_json(target / NOTE, note)
        write_json(target / NOTE, note | {"counts": dict(sorted(counts_in(target).items()))})


def _refuse_more(target: Path, wanted: set[Path], name: str) -> None:
    suffixes = {path.suffix for path in wanted}
    extra = sorted({path for suffix in suffixes for path in target.glob(f"shard-[0-9]*{suffix}")} - wanted)
    if extra:
        raise UserError(
            f"{target} holds {extra[0].name}, and {name} makes {len(wanted):,} shards: it is of other data; give "
            "another directory, or remove it"
        )


def counts_in(directory: AnyPath) -> Counter[str]:
    """What was counted while a directory's shards were made, all together."""
    total: Counter[str] = Counter()
    for path in shards_in(directory):
        total.update(json.loads((_metadata(path) or {}).get(_COUNTS, b"{}")))
    return total


def _todo(step: Step, jobs: Sequence[Job], target: Path, say: Callable[[str], None]) -> list[Job]:
    """The jobs whose shard is not there, or is of something else."""
    missing = [job for job in jobs if not job.target.exists()]
    there = [job for job in jobs if job.target.exists()]
    changed = {job.shard.index: why for job in there if (why := _why_not(step, job))}
    if there:
        say(f"{step.name}: {len(there) - len(changed):,} of {len(jobs):,} shards are there already, in {target}")
    if changed:
        first = min(changed)
        say(f"{step.name}: {len(changed):,} shards are made again, the first, shard {first}: {changed[first]}")
    return sorted([*missing, *(job for job in there if job.shard.index in changed)], key=lambda job: job.shard.index)


def _why_not(step: Step, job: Job) -> str:
    """Why a shard that is there is not the one that is wanted; empty where it is."""
    found = _metadata(job.target)
    if found is None:
        return "it cannot be read"
    if _MADE_OF not in found:
        return "it does not say what it was made of"
    old, new = json.loads(found[_MADE_OF]), _provenance(step, job.shard)
    if old == new:
        return ""
    if old["step"] != new["step"]:
        return f"{old['step']} made it"
    if old["settings"] != new["settings"]:
        keys = [key for key in new["settings"] if old["settings"].get(key) != new["settings"][key]]
        return f"other settings ({', '.join(keys) or 'fewer'})"
    names = [name for name in new["inputs"] if old["inputs"].get(name) != new["inputs"][name]]
    return f"{job.shard.files[names[0]]} has changed since" if names else "it was made of more"


def _provenance(step: Step, shard: Shard) -> dict[str, Any]:
    inputs = {name: tree_hash(path) for name, path in shard.files.items()}
    settings = json.loads(json.dumps(dict(step.settings())))
    return {"step": step.name, "settings": settings, "inputs": inputs, "shard": shard.index}


def _metadata(path: Path) -> Mapping[bytes, bytes] | None:
    """What a shard says of itself; ``None`` where it cannot be read."""
    try:
        if path.suffix == ARROW:
            with pa.memory_map(str(path)) as mapped, ipc.open_file(mapped) as file:
                return file.schema.metadata or {}
        return pq.read_schema(path).metadata or {}
    except (pa.ArrowException, OSError):
        return None


def _note(directory: Path) -> dict[str, Any]:
    path = directory / NOTE
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def _text(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


#: Of a worker process: the step that is open in it, its work, and what has to be closed.
_open: list[tuple[Step, Work, ExitStack]] = []


def _do(step: Step, job: Job) -> None:
    """In a worker process: a job, with the step opened for the first one."""
    if not _open:
        stack = ExitStack()
        _open.append((step, stack.enter_context(step.open()), stack))
        multiprocessing.util.Finalize(None, stack.close, exitpriority=10)
    make_shard(step, _open[0][1], job)


def _end_with_parent() -> None:
    """In a worker process: it ends when the process that started it was killed, which tells nobody."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
