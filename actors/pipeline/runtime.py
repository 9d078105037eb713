"""The processes of a run: which worker groups there are, which roles they host, and starting them again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import ray

from actors.cluster.failures import ENGINES, EXECUTORS, WORKERS, Restarts, WorkerLost
from actors.cluster.group import RoleGroup, WorkerGroup
from actors.cluster.ranks import Seat, engine_seats
from actors.cluster.start import preflight, start_ray
from actors.pipeline.executors import ExecutorPool
from actors.pipeline.turns import Turns
from actors.rollout.pool import RolloutPool
from actors.rollout.worker import RolloutWorker, rollout_environment
from actors.weights.sync import WeightSync
from rewardranker.config.schema import Config
from rewardranker.runs.console import Console
from rewardranker.training.demand import WHOLE, Uses

T = TypeVar("T")
SHARED = "workers"


class Runtime:
    """Starts groups when they are first needed and keeps them: a process that has torch costs seconds.

    Usable as a context manager; leaving it stops everything that it started.
    """

    def __init__(self, config: Config, console: Console, cache: Path | None = None, uses: Uses = WHOLE) -> None:
        """
        Args:
            cache: directory of verdicts that are known.
            uses: what will be started at most, and so has to fit the cluster.
        """
        self.config, self._console, self._cache, self._uses = config, console, cache, uses
        self._groups: dict[str, WorkerGroup] = {}
        self._roles: dict[str, RoleGroup[Any]] = {}
        self._rollouts: RolloutPool | None = None
        self._executors: ExecutorPool | None = None
        self._restarts = Restarts(config.cluster, console.warn)
        self.turns = Turns(self._roles, config.cluster.share_devices)

    def __enter__(self) -> Runtime:
        start_ray(self.config.cluster)
        try:
            preflight(self.config, self._uses)
        except BaseException:
            ray.shutdown()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is KeyboardInterrupt:
            self._console.say("interrupted: stopping the workers")
        self.stop_workers()
        if self._executors:
            self._executors.shutdown()
        ray.shutdown()

    @property
    def executors(self) -> ExecutorPool:
        if self._executors is None:
            lost = partial(self._restarts.add, EXECUTORS)
            self._executors = ExecutorPool(self.config.judge, self._cache, lost)
        return self._executors

    def role(self, name: str, factory: Callable[..., T], *args: Any) -> RoleGroup[T]:
        """Loads a role (anew, if there is one of that name) on the workers that the placement gives it; it is its
        turn to compute."""
        self.turns.learn()
        role = self._group_of(name).build(name, factory, *args)
        self._roles[name] = role
        return role

    def free_roles(self) -> None:
        """Frees the memory of all roles but the rollout engines; a stage loads what it needs.

        Workers that are found to be lost are started again by the stage that needs them.
        """
        try:
            for role in self._roles.values():
                role.drop()
            self._roles.clear()
        except WorkerLost as error:
            self._restarts.add(WORKERS, f"{error}; the workers start again with what comes next")
            self.stop_workers()

    def rollouts(self, model_path: str) -> RolloutPool:
        """The rollout engines, with the weights of a saved model, loaded where they hold another one.

        The first one asked for gives the engines their architecture, so all must share it. It is their turn to
        compute.
        """
        self.turns.sample()
        if self._rollouts is None:
            shared = self.config.rollout.in_workers
            group = self._group_of("rollout") if shared else self._rollout_group(model_path)
            role = group.build("rollout", RolloutWorker, self.config, model_path)
            # A process cannot be two ranks of one group, so what it hosts is reached through the object store.
            transport, turns = self.config.weight_sync.transport, self.config.cluster.share_devices
            if shared or (turns and transport == "auto"):  # nor can one device be two ranks of nccl
                transport = "object_store"
            keep = turns or self.config.rollout.mode == "one_step_off"
            sync = WeightSync(replace(self.config.weight_sync, transport=transport), keep)

            def restart(place: int, why: str) -> None:
                self._restarts.add(ENGINES, why)
                group.restart(place)
                loading = group.build_on(place, "rollout", RolloutWorker, self.config, model_path)
                group.wait([loading], "rollout: load", self.config.cluster.call_timeout_s)

            self._rollouts = RolloutPool(role, sync, self.config.rollout, None if shared else restart, model_path)
            self.turns.engines = self._rollouts
        else:
            self._rollouts.load(model_path, 0)
        return self._rollouts

    def retrying(
        self,
        what: str,
        work: Callable[[], T],
        left: Callable[[], str],
        keep: Callable[[str], None] = lambda kind: None,
    ) -> T:
        """Runs ``work``, again with new workers where some were lost. ``work`` resumes from its checkpoints.

        Args:
            left: says what there is to resume from.
            keep: is told the kind of everything that is started again meanwhile.
        """
        self._restarts.begin(what, keep)
        for attempt in range(self.config.cluster.max_restarts + 1):
            try:
                return work()
            except WorkerLost as error:
                if attempt == self.config.cluster.max_restarts:
                    raise
                again = f"{error}; starting the workers again from the last checkpoint: {left()}"
                self._restarts.add(WORKERS, again)
                self.stop_workers()
        raise AssertionError("unreachable")

    def stop_workers(self) -> None:
        """Stops all worker groups; what they held is lost, what they saved is not."""
        for group in self._groups.values():
            group.shutdown()
        self._groups.clear()
        self._roles.clear()
        self._rollouts = None
        self.turns.begin_anew()

    def _group_of(self, role: str) -> WorkerGroup:
        cluster = self.config.cluster
        name = SHARED if cluster.placement == "colocated" else role
        if name not in self._groups:
            count = cluster.ranks if name == SHARED else cluster.role_ranks.get(role, cluster.ranks)
            self._groups[name] = WorkerGroup(
                name, cluster, count, cpus=cluster.cpus_per_rank, gpus=cluster.gpus_per_rank, joined=True
            )
        return self._groups[name]

    def _rollout_group(self, model_path: str) -> WorkerGroup:
        rollout, shared = self.config.rollout, self.config.cluster.share_devices
        count: int | list[Seat] = rollout.workers
        if shared:
            ranks = self._group_of("policy").seats
            count = engine_seats(ranks, rollout.workers, int(rollout.gpus_per_worker))
        self._groups["rollout"] = WorkerGroup(
            "rollout",
            self.config.cluster,
            count,
            cpus=rollout.cpus_per_worker,
            gpus=0 if shared else rollout.gpus_per_worker,
            joined=False,
            environment=rollout_environment(self.config, model_path),
        )
        return self._groups["rollout"]
