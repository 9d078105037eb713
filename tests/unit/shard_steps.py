"""A step of a map for tests, in a module that another process imports in no time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from rewardranker.errors import UserError
from rewardranker.runs.shards import PARQUET, Made, Shard, Work


@dataclass(frozen=True)
class Double:
    """Twice each number; ends with an error at shard ``breaks``."""

    factor: int = 2
    breaks: int = -1
    name: str = "double"
    suffix: str = PARQUET

    def settings(self) -> Mapping[str, Any]:
        return {"factor": self.factor}

    @contextmanager
    def open(self) -> Iterator[Work]:
        yield self._work

    def _work(self, shard: Shard) -> Made:
        if shard.index == self.breaks:
            raise UserError("no more")
        numbers = shard.table("numbers", ("n",))["n"].to_pylist()
        return Made(pa.table({"twice": [self.factor * n for n in numbers]}), {"rows": len(numbers)})
