"""A map over shards in Ray's actors."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
import shard_steps
from ray import cloudpickle
from shard_steps import Double

from actors.pipeline.shards import OnRay
from rewardranker.errors import UserError
from rewardranker.runs.shards import Made, map_shards, shards_in, stream_shards


def test_actors_make_the_shards_that_one_process_makes(ray_local: None, tmp_path: Path) -> None:
    cloudpickle.register_pickle_by_value(shard_steps)  # a module of tests, which actors cannot import
    numbers = {"numbers": tmp_path / "numbers"}
    stream_shards("numbers", {}, [[Made(pa.table({"n": [i, -i]}))] for i in range(4)], list(numbers.values()))
    with pytest.raises(UserError, match="no more"):
        map_shards(Double(breaks=3), numbers, tmp_path / "actors", OnRay(1))
    assert map_shards(Double(), numbers, tmp_path / "actors", OnRay(2)) == {"rows": 8}
    map_shards(Double(), numbers, tmp_path / "alone")
    here, there = (shards_in(tmp_path / name) for name in ("alone", "actors"))
    assert [path.read_bytes() for path in here] == [path.read_bytes() for path in there]
