"""Triplets on disk."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import pyarrow as pa

from rewardranker.paths import AnyPath
from rewardranker.problems.fields import check_fields
from rewardranker.problems.io import numbered_rows, write_rows
from rewardranker.problems.types import Triplet

SCHEMA = pa.schema(
    [
        pa.field("problem_id", pa.string(), nullable=False),
        pa.field("language", pa.string(), nullable=False),
        pa.field("prompt", pa.string(), nullable=False),
        pa.field("chosen", pa.string(), nullable=False),
        pa.field("rejected", pa.string(), nullable=False),
        pa.field("origin", pa.string(), nullable=False),
        pa.field("iteration", pa.int32(), nullable=False),
        pa.field("chosen_source", pa.string(), nullable=False),
    ]
)

#: Of a shard of triplets. A text that many triplets share is there once. ``distance``: in characters between the two
#: programs, -1 where it was not computed. ``hardness``: share of the tests that ``rejected`` passes, null if unknown.
SHARD_SCHEMA = pa.schema(
    [
        *(
            pa.field(field.name, pa.dictionary(pa.int32(), pa.string()), nullable=False)
            if field.type == pa.string()
            else field
            for field in SCHEMA
        ),
        pa.field("distance", pa.int32(), nullable=False),
        pa.field("hardness", pa.float32()),
    ]
)
TEXTS = tuple(field.name for field in SCHEMA if field.type == pa.string())


def triplet_table(triplets: Iterable[tuple[Triplet, int, float | None]]) -> pa.Table:
    """Rows of :data:`SHARD_SCHEMA`: triplets, each with its distance and hardness.

    A text takes memory once, however many triplets have it.
    """
    known: dict[str, dict[str, int]] = {name: {} for name in TEXTS}
    columns: dict[str, list[float | int | None]] = {name: [] for name in SHARD_SCHEMA.names}
    for triplet, distance, hardness in triplets:
        for name, of in known.items():
            columns[name].append(of.setdefault(getattr(triplet, name), len(of)))
        columns["iteration"].append(triplet.iteration)
        columns["distance"].append(distance)
        columns["hardness"].append(hardness)
    return pa.Table.from_arrays(
        [
            pa.DictionaryArray.from_arrays(
                pa.array(columns[field.name], pa.int32()), pa.array(known[field.name], pa.string())
            )
            if field.name in known
            else pa.array(columns[field.name], field.type)
            for field in SHARD_SCHEMA
        ],
        schema=SHARD_SCHEMA,
    )


def write_triplets(path: AnyPath, triplets: Sequence[Triplet]) -> None:
    """Writes ``.parquet`` or ``.jsonl``, atomically; the same triplets give the same bytes.

    Raises:
        UserError: another suffix.
    """
    write_rows(path, [dataclasses.asdict(triplet) for triplet in triplets], SCHEMA)


def read_triplets(path: AnyPath) -> list[Triplet]:
    """Reads what :func:`write_triplets` wrote.

    Raises:
        UserError: no such file, unreadable, or a field missing or unknown.
    """
    triplets = []
    for where, row in numbered_rows(path):
        check_fields(row, Triplet, where)
        triplets.append(Triplet(**row))
    return triplets
