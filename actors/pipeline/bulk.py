"""Generation and judging in Ray Data (``generation.backend: ray_data``), for sets too large for one driver.

The same functions on the same shards as the actor pools, so the same files come out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import ray
import ray.data

from actors.cluster.ranks import device_of_this_process
from actors.pipeline.context import Context
from actors.pipeline.shards import Plan, sample_shard
from actors.rollout.worker import RolloutWorker, rollout_environment
from rewardranker.config.schema import Config
from rewardranker.judge import Judge, judge_candidates
from rewardranker.models.loading import load_tokenizer
from rewardranker.models.quiet import quiet_transformers
from rewardranker.problems.pool import write_pool
from rewardranker.problems.types import Problem
from rewardranker.runs.console import Advance
from rewardranker.runs.shards import shard_path
from rewardranker.training.ranks import Rank

Batch = dict[str, np.ndarray]


class GenerateShard:
    """One engine; a row is a shard of problems, and becomes the shard's candidates."""

    def __init__(self, config: Config, plan: Plan, tokenizer_path: str) -> None:
        quiet_transformers()
        self._plan = plan
        self._tokenizer = load_tokenizer(tokenizer_path)
        self._engine = RolloutWorker(config, plan.model_path, Rank(device=device_of_this_process()))

    def __call__(self, batch: Batch) -> Batch:
        pools = [
            sample_shard(self._plan, problems, self._tokenizer, self._engine.generate)
            for problems in batch["problems"]
        ]
        return {"index": batch["index"], "problems": batch["problems"], "pool": _objects(pools)}


class JudgeShard:
    """One judge; a row's candidates get verdicts and are written, and the row becomes their number."""

    def __init__(self, directory: str, minimum_tier: str, remote: str) -> None:
        self._judge = Judge(workers=1, minimum_tier=minimum_tier, remote=remote)
        self._directory = Path(directory)

    def __call__(self, batch: Batch) -> Batch:
        for index, problems, pool in zip(batch["index"], batch["problems"], batch["pool"], strict=True):
            judge_candidates(pool, {p.id: p for p in problems}, self._judge.run)
            write_pool(shard_path(self._directory, int(index)), pool, problems)
        return {"index": batch["index"], "count": np.array([len(pool) for pool in batch["pool"]])}


def sample_shards(
    context: Context, plan: Plan, shards: dict[int, list[Problem]], directory: Path, advance: Advance
) -> None:
    """Writes the given shards. Training workers are stopped first: the engines need their resources."""
    context.runtime.stop_workers()
    config, rollout = context.config, context.config.rollout
    ray.data.DataContext.get_current().enable_progress_bars = False
    rows = [{"index": index, "problems": problems} for index, problems in shards.items()]
    environment = rollout_environment(config, plan.model_path)
    counted = (
        ray.data.from_items(rows, override_num_blocks=len(rows))
        .map_batches(
            GenerateShard,
            fn_constructor_args=(config, plan, context.base_model),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=min(rollout.workers, len(rows))),
            num_cpus=rollout.cpus_per_worker,
            num_gpus=rollout.gpus_per_worker,
            runtime_env={"env_vars": environment},
        )
        .map_batches(
            JudgeShard,
            fn_constructor_args=(str(directory.absolute()), config.judge.minimum_tier, config.judge.remote_url),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=min(config.judge.executors, len(rows))),
            num_cpus=config.judge.cpus_per_executor,
        )
    )
    for row in counted.iter_rows():
        advance(int(row["count"]))


def _objects(items: Sequence[Any]) -> np.ndarray:
    """An array of Python objects, one per row."""
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array
