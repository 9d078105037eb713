"""A pool of rollout engines: requests in, responses out in order, whoever had to be replaced meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actors.cluster.dispatch import chunked, dispatch
from actors.cluster.failures import WorkerLost
from actors.cluster.group import RoleGroup
from actors.rollout.worker import RolloutWorker
from actors.weights.source import WeightSource
from actors.weights.sync import WeightSync, WeightSyncError
from rewardranker.config.schema import RolloutConfig
from rewardranker.generation.types import Request, Response, Sampling
from rewardranker.runs.console import Advance

MAX_CHUNK = 512


class RolloutPool:
    """Engines with the same weights.

    Args:
        role: the engines, one per worker.
        model_path: the model whose weights they were born with.
        restart: starts the worker at a place anew, with the weights that engines are born with; ``None`` where
            engines live in the training workers, whose loss the driver handles.
    """

    def __init__(
        self,
        role: RoleGroup[RolloutWorker],
        sync: WeightSync,
        config: RolloutConfig,
        restart: Callable[[int], None] | None,
        model_path: str = "",
    ) -> None:
        self.role, self._sync, self._config, self._restart = role, sync, config, restart
        self._restore: Callable[[int], Any] = lambda place: None
        self._loaded = (model_path, 0)

    def generate(
        self,
        requests: list[Request],
        sampling: Sampling,
        advance: Advance | None = None,
    ) -> list[Response]:
        """One response per request, in order; ``advance`` hears how many more are there."""
        places = list(range(self.role.world))
        size = min(MAX_CHUNK, -(-len(requests) // len(places)))
        parts: list[list[Response]] = dispatch(
            "rollout",
            places,
            chunked(requests, max(1, size)),
            lambda place, chunk: self.role.on(place, RolloutWorker.generate, chunk, sampling),
            self._replace,
            self._config.timeout_s,
            (lambda part: advance(len(part))) if advance else None,
        )
        return [response for part in parts for response in part]

    def load(self, model_path: str, version: int) -> None:
        """Replaces all engines' weights by those of a saved model that every node can read, unless they are those."""
        if self._loaded == (model_path, version):
            return
        self._loaded = ("", 0)
        self._restore = lambda place: self.role.wait_one(place, RolloutWorker.load_checkpoint, model_path, version)
        self.role.all(RolloutWorker.load_checkpoint, model_path, version)
        self._loaded = (model_path, version)

    def sync(self, weights: RoleGroup[WeightSource], version: int) -> dict[str, float]:
        """Replaces all engines' weights by the policy's; returns timings."""
        self._loaded = ("", 0)  # a model directory's no longer
        self._restore = lambda place: self._sync.send_to(weights, self.role, place, version)
        try:
            return self._sync.sync(weights, self.role, version)
        except WeightSyncError as error:
            if self._restart is None or not error.rollouts:
                raise
            for place in error.rollouts:
                self._restart(place)
            return self._sync.sync(weights, self.role, version)

    def _replace(self, place: int) -> int:
        if self._restart is None:
            raise WorkerLost(f"rollout: training worker {place}, which hosts the engine, is lost")
        self._restart(place)
        self._restore(place)
        return place
