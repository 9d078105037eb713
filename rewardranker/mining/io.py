"""Triplets on disk."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

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
