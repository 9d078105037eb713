"""Rows of a benchmark from files, data set directories and the hub, and their revisions."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchmark_data import COMMIT, Hub, no_hub, write_data_set, write_lines

from rewardranker.errors import UserError
from rewardranker.problems.sources import read_source

ROWS = [{"a": 1, "b": ["x"]}, {"a": 2, "b": []}]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))


def test_files_of_every_kind_give_the_same_rows_and_the_hash_of_their_bytes(tmp_path: Path) -> None:
    plain = write_lines(tmp_path / "rows.jsonl", ROWS)
    packed = tmp_path / "rows.jsonl.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    columns = tmp_path / "rows.parquet"
    pq.write_table(pa.Table.from_pylist(ROWS), columns)
    for path in (plain, packed, columns):
        for source in (path, str(path)):
            rows, revision = read_source(source, "unused", "unused")
            assert rows == ROWS
            assert revision == hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def test_a_directory_as_the_hub_keeps_it(tmp_path: Path) -> None:
    """The revision is the hash of the rows: one JSON object per line, keys sorted."""
    directory = write_data_set(tmp_path / "data", {"one": {"test": ROWS, "train": ROWS[:1]}, "two": {"test": ROWS}})
    rows, revision = read_source(directory, "one", "test")
    assert rows == ROWS
    lines = '{"a": 1, "b": ["x"]}\n{"a": 2, "b": []}\n'
    assert revision == hashlib.sha256(lines.encode()).hexdigest()[:12]
    assert read_source(str(directory), "one", "train+test")[0] == [ROWS[0], *ROWS]
    assert read_source(str(directory), "one", "train")[1] != revision
    with pytest.raises(UserError, match=r"directory .*data could not be loaded \(configuration 'three'"):
        read_source(directory, "three", "test")


def test_the_hub_gives_its_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub(monkeypatch, write_data_set(tmp_path / "data", {"one": {"test": ROWS}}))
    assert read_source("owner/name", "one", "test") == (ROWS, COMMIT)
    assert hub.asked == [("owner/name", "one", "test", COMMIT)] and hub.pinned is None
    assert read_source("owner/name@v1.0", "one", "test") == (ROWS, COMMIT)
    assert hub.asked[1][0] == "owner/name" and hub.pinned == "v1.0"
    with pytest.raises(UserError, match=r"'owner/name' could not be loaded \(configuration 'two'"):
        read_source("owner/name", "two", "test")


def test_what_cannot_be_read_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_hub(monkeypatch)
    with pytest.raises(UserError, match="'owner/name' could not be found on the hub: no route; check .*, or cry"):
        read_source("owner/name", "one", "test", "cry")
    for absent in ("rows.jsonl", "folder/rows.parquet", str(tmp_path / "rows"), Path("owner/name")):
        with pytest.raises(UserError, match="does not exist"):
            read_source(absent, "one", "test")
    broken = tmp_path / "rows.jsonl"
    broken.write_text("{" + json.dumps(ROWS[0]))
    with pytest.raises(UserError, match=r"rows\.jsonl, line 1 is not JSON"):
        read_source(broken, "one", "test")
