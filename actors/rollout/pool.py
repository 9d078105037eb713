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
        restart: starts the worker at a place anew, for a reason, with the weights that engines are born with;
            ``None`` where engines live in the training workers, whose loss the driver handles.
    """

    def __init__(
        self,
        role: RoleGroup[RolloutWorker],
        sync: WeightSync,
        config: RolloutConfig,
        restart: Callable[[int, str], None] | None,
        model_path: str = "",
    ) -> None:
        self.role, self._sync, self._config, self._restart = role, sync, config, restart
        #: Gives an engine that was started anew the newest weights.
        self._restore: Callable[[int], Any] = lambda place: None
        self._loaded = (model_path, 0)
        self._serving: list[int] = []

    def generate(
        self,
        requests: list[Request],
        sampling: Sampling,
        advance: Advance | None = None,
    ) -> list[Response]:
        """One response per request, in order; ``advance`` hears how many more are there."""
        self._serving = list(range(self.role.world))
        size = min(MAX_CHUNK, -(-len(requests) // len(self._serving)))
        parts: list[list[Response]] = dispatch(
            "rollout",
            self._serving,
            chunked(requests, max(1, size)),
            lambda place, chunk: self.role.on(place, RolloutWorker.generate, chunk, sampling),
            self._replace,
            self._config.timeout_s,
            (lambda part: advance(len(part))) if advance else None,
        )
        return [response for part in parts for response in part]

    def sleep(self, keep_weights: bool) -> None:
        """Gives the engines' devices to others; weights that are not kept have to be loaded or sent again."""
        if not keep_weights:
            self._loaded = ("", 0)
        self.role.all(RolloutWorker.sleep, keep_weights)

    def wake(self, weights_alone: bool = False) -> None:
        """Takes the devices back, or only what the weights need."""
        self.role.all(RolloutWorker.wake, weights_alone)

    def abandon(self) -> None:
        """Ends what is being generated and nobody waits for any more, in another thread, and the engines with it."""
        self._restart = None
        self.role.group.shutdown()

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
        if self._sync.keeps:  # the policy is at work, or not on its device, when an engine has to be replaced
            self._restore = lambda place: self._sync.resend(self.role, place)
        else:
            self._restore = lambda place: self._sync.send_to(weights, self.role, place, version)
        try:
            return self._sync.sync(weights, self.role, version)
        except WeightSyncError as error:
            if self._restart is None or not error.rollouts:
                raise
            for place in error.rollouts:
                self._restart(place, str(error).splitlines()[0])
            return self._sync.sync(weights, self.role, version)

    def _replace(self, index: int, why: str) -> int:
        place = self._serving[index]
        if self._restart is None:
            raise WorkerLost(f"rollout: training worker {place}, which hosts the engine, is lost")
        self._restart(place, why)
        self._restore(place)
        return place
