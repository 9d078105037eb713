"""Scoring a stored pool, shard by shard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from rewardranker.models.limits import UNREAD
from rewardranker.problems.pool import SCORE
from rewardranker.problems.shards import problems_of
from rewardranker.problems.types import Candidate
from rewardranker.reranking.record import Reading
from rewardranker.reranking.scorer import Scorer
from rewardranker.runs.atomic import tree_hash
from rewardranker.runs.shards import PARQUET, Made, Shard, Work


@dataclass(frozen=True)
class ScorePrograms:
    """A step (:func:`rewardranker.runs.shards.map_shards`): column ``score_<ranker>`` of a trained reranker.

    Sources ``problems`` and ``programs``. What the network cannot read has the lowest score, and is counted.

    Attributes:
        model: directory of the reranker.
        reading: how it reads; of what its directory records, :func:`rewardranker.reranking.record.recorded`.
    """

    model: str
    ranker: str
    reading: Reading
    name: str = "score"
    suffix: str = PARQUET

    def settings(self) -> Mapping[str, Any]:
        return {"model": tree_hash(Path(self.model)), "ranker": self.ranker, "reading": asdict(self.reading)}

    @contextmanager
    def open(self) -> Iterator[Work]:
        scorer = Scorer(self.model, self.reading)
        yield lambda shard: self._score(scorer, shard)

    def _score(self, scorer: Scorer, shard: Shard) -> Made:
        rows = shard.table("programs", ("problem_id", "language", "code", "source")).to_pylist()
        pool = [Candidate(**row, text=row["code"]) for row in rows]
        scorer.store(pool, problems_of(shard), self.ranker)
        scores = [candidate.scores[self.ranker] for candidate in pool]
        table = pa.table({SCORE + self.ranker: pa.array(scores, pa.float64())})
        return Made(table, {"programs": len(pool), "left out: unread": scores.count(UNREAD)})
