"""The same SFT and reward-model loop under Ray Train (``engine.launcher: ray_train``).

Ray Train places the workers and makes their process group; the loop, its checkpoints and their durable commit
stay ours. Rank 0 runs the loop and tells the other ranks what to call.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from actors.pipeline.supervised import Training, fit_and_export
from rewardranker.config.schema import Config
from rewardranker.models.quiet import quiet_transformers
from rewardranker.runs.atomic import write_json
from rewardranker.training.ranks import Rank
from rewardranker.training.supervised import QUIET

RESULT = "ray_train.json"


class Leader:
    """Rank 0's view of a role: a call here is a call on every rank."""

    def __init__(self, role: Any) -> None:
        self._role = role

    def all(self, method: Callable[..., Any], *args: Any) -> list[Any]:
        _broadcast((method.__name__, args))
        return [getattr(self._role, method.__name__)(*args)]

    def finish(self) -> None:
        _broadcast(None)


def fit_with_ray_train(config: Config, training: Training, directory: Path) -> dict[str, float]:
    """:func:`actors.pipeline.supervised.fit_and_export` on ``cluster.ranks`` Ray Train workers.

    ``directory`` must be on storage that all nodes share.
    """
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchConfig, TorchTrainer

    cluster = config.cluster
    trainer = TorchTrainer(
        _train,
        train_loop_config={
            "training": training,
            "directory": str(directory),
            "threads": cluster.threads_per_rank or max(1, int(cluster.cpus_per_rank)),
        },
        torch_config=TorchConfig(timeout_s=int(cluster.collective_timeout_s)),
        scaling_config=ScalingConfig(
            num_workers=cluster.ranks,
            use_gpu=cluster.gpus_per_rank > 0,
            resources_per_worker={"CPU": cluster.cpus_per_rank} | _gpus(cluster.gpus_per_rank),
        ),
        run_config=RunConfig(
            name="ray_train",
            storage_path=str(directory.absolute()),
            # A failed attempt finds the last committed checkpoint in the directory, as the driver's loop does.
            failure_config=FailureConfig(max_failures=cluster.max_restarts),
        ),
    )
    trainer.fit()
    metrics: dict[str, float] = json.loads((directory / RESULT).read_text())
    return metrics


def _train(job: dict[str, Any]) -> None:
    import ray.train
    from ray.train.torch import get_device

    quiet_transformers()
    place = ray.train.get_context()
    rank = Rank(place.get_world_rank(), place.get_world_size(), str(get_device()))
    torch.set_num_threads(job["threads"])
    training: Training = job["training"]
    role = training.factory(training.setup, rank)
    if rank.index > 0:
        _follow(role)
        return
    leader, directory = Leader(role), Path(job["directory"])
    metrics = fit_and_export(leader, training.work, directory, QUIET)
    leader.finish()
    write_json(directory / RESULT, metrics)


def _follow(role: Any) -> None:
    while (call := _broadcast(None)) is not None:
        method, args = call
        getattr(role, method)(*args)


def _broadcast(call: tuple[str, tuple[Any, ...]] | None) -> tuple[str, tuple[Any, ...]] | None:
    """Rank 0's ``call``, on every rank."""
    if not dist.is_initialized() or dist.get_world_size() == 1:
        return call
    box = [call]
    dist.broadcast_object_list(box, src=0)
    return box[0]


def _gpus(count: float) -> dict[str, float]:
    return {"GPU": count} if count else {}
