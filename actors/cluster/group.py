"""Groups of workers, and the roles that live in them: one call to all ranks, or rows shared out over ranks.

What goes wrong in a worker comes back as an error that names role, method, rank, node and process.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

import ray
from ray import ObjectRef
from ray.actor import ActorHandle
from ray.exceptions import GetTimeoutError, RayTaskError
from ray.util.placement_group import PlacementGroup, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from actors.cluster.failures import LOST, RoleError, WorkerLost, of_others, raised
from actors.cluster.ranks import Seat
from actors.cluster.start import reserve
from actors.cluster.worker import Worker
from rewardranker.config.schema import ClusterConfig
from rewardranker.errors import UserError

#: When one rank fails, how long the others have to show whether they caused it.
SETTLE_S = 10.0

R_co = TypeVar("R_co", covariant=True)
Row = TypeVar("Row")
T = TypeVar("T")
P = ParamSpec("P")


class WorkerGroup:
    """``count`` workers, each on resources of its own; ``joined`` ones share a process group.

    They are ordered by node and device. Instead of a number of them there may be seats of others, one for each: it
    computes on the devices there, in turns with those who have reserved them.
    """

    def __init__(
        self,
        name: str,
        config: ClusterConfig,
        count: int | Sequence[Seat],
        *,
        cpus: float,
        gpus: float,
        joined: bool,
        environment: dict[str, str] | None = None,
    ) -> None:
        beside: Sequence[Seat] = () if isinstance(count, int) else count
        count = count if isinstance(count, int) else len(count)
        self.name, self.config = name, config
        self._cpus, self._gpus, self._environment, self._beside = cpus, gpus, environment or {}, beside
        bundles = [{"CPU": cpus, "GPU": gpus} | (_on_node(beside[i]) if beside else {}) for i in range(count)]
        self._placement: PlacementGroup = reserve(name, bundles, config)
        self._bundles = list(range(count))
        self.workers: list[ActorHandle] = [self._start(index, count) for index in range(count)]
        self.places: list[str] = ["not started"] * count
        try:
            self.seats: list[Seat] = self._begun([w.seat.remote() for w in self.workers])
            if not beside:
                self._order()
            self.places = self._begun([w.place.remote() for w in self.workers])
            if joined and count > 1:
                self._join()
        except BaseException:
            self.shutdown()
            raise

    def _order(self) -> None:
        """By node and device, so that neighbours are near: Ray packs, and gives out in any order."""
        order = sorted(range(len(self.workers)), key=lambda index: self.seats[index])
        if order == list(range(len(order))):
            return
        self.workers, self.seats = [self.workers[i] for i in order], [self.seats[i] for i in order]
        self._bundles = order
        numbering = [worker.number.remote(index) for index, worker in enumerate(self.workers)]
        self._begun(numbering)

    def _begun(self, refs: Sequence[Any], first: int = 0) -> list[Any]:
        """What workers answer whose processes may still be starting; from rank ``first`` on."""
        return self.wait(refs, f"{self.name}: start", self.config.start_timeout_s, first)

    def _join(self) -> None:
        limit = self.config.collective_timeout_s
        [meeting] = self.wait([self.workers[0].open_meeting.remote(limit)], f"{self.name}: meeting point", limit)
        joins = [w.join.remote(*meeting, limit) for w in self.workers]
        self.wait(joins, f"{self.name}: join the process group", limit)

    def _start(self, index: int, count: int) -> Any:
        threads = self.config.threads_per_rank or max(1, int(self._cpus))
        variables = {"OMP_NUM_THREADS": str(threads), "OMP_WAIT_POLICY": "PASSIVE", **self._environment}
        shared = bool(self._beside and self._beside[index].devices)
        if shared:
            variables["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, self._beside[index].devices))
        return (
            ray.remote(Worker)
            .options(
                num_cpus=self._cpus,
                num_gpus=self._gpus,
                # A training rank that came back would have forgotten its weights: the driver restarts groups.
                max_restarts=0,
                scheduling_strategy=PlacementGroupSchedulingStrategy(self._placement, self._bundles[index]),
                runtime_env={"env_vars": variables},
            )
            .remote(index, count, threads, shared)
        )

    def restart(self, index: int) -> None:
        """Starts one worker anew, without its roles. For groups that share no process group."""
        ray.kill(self.workers[index])
        self.workers[index] = self._start(index, len(self.workers))
        (self.places[index],) = self._begun([self.workers[index].place.remote()], index)

    def build_on(self, index: int, role: str, factory: Callable[..., R_co], *args: Any) -> ObjectRef[None]:
        """Makes a role on one rank; not waited for."""
        return self.workers[index].build.remote(role, factory, *args)

    def build(self, role: str, factory: Callable[..., R_co], *args: Any) -> RoleGroup[R_co]:
        """Makes a role on every rank: ``factory(*args, rank)``."""
        refs = [self.build_on(index, role, factory, *args) for index in range(len(self.workers))]
        self.wait(refs, f"{role}: load", self.config.call_timeout_s)
        return RoleGroup(self, role)

    def wait(self, refs: Sequence[Any], what: str, limit_s: float, first: int = 0) -> list[Any]:
        """Results of one call per rank, from rank ``first`` on.

        Raises:
            WorkerLost, RoleError, UserError: see the classes; a lost rank is named before the ranks that
                failed because of it.
        """
        deadline = time.monotonic() + limit_s
        results: list[Any] = []
        failures: list[tuple[int, Exception]] = []
        for rank, ref in enumerate(refs, first):
            try:
                results.append(ray.get(ref, timeout=max(0.0, deadline - time.monotonic())))
            except (RayTaskError, *LOST) as error:
                failures.append((rank, error))
                deadline = min(deadline, time.monotonic() + SETTLE_S)
        if not failures:
            return results
        failures.sort(key=lambda failure: _suspicion(failure[1]))
        rank, cause = failures[0]
        where = f"{what}: rank {rank} of {len(self.workers)} ({self.places[rank]})"
        if isinstance(cause, RayTaskError) and not of_others(cause):
            if isinstance(cause.cause, UserError):
                raise cause.cause
            raise RoleError(f"{where} raised {raised(cause)}") from cause
        reason = raised(cause) if isinstance(cause, RayTaskError) else str(cause)
        if isinstance(cause, GetTimeoutError):
            reason = f"no answer within {limit_s:.0f} s"
        raise WorkerLost(f"{where} is lost: {reason}") from cause

    def shutdown(self) -> None:
        for worker in self.workers:
            ray.kill(worker)
        remove_placement_group(self._placement)


def _suspicion(error: Exception) -> int:
    """Of several ranks' failures the least is of the one that caused the others."""
    return 1 + of_others(error) if isinstance(error, RayTaskError) else 0


def _on_node(seat: Seat) -> dict[str, float]:
    """A part of what every node has one of, by its address."""
    return {f"node:{seat.node}": 0.001}


@dataclass(frozen=True)
class Pending(Generic[T]):
    """What is being computed elsewhere; ``get`` waits for it."""

    get: Callable[[], T]


class RoleGroup(Generic[R_co]):
    """One role on all ranks of a group. Its methods are named by the functions of its class: ``Policy.update``.

    What is submitted by one thread reaches every rank in the same order, as collectives inside it need.
    """

    _numbers = itertools.count()

    def __init__(self, group: WorkerGroup, role: str) -> None:
        self.group, self.role, self._number = group, role, next(self._numbers)

    @property
    def world(self) -> int:
        return len(self.group.workers)

    @property
    def members(self) -> tuple[str, ...]:
        """One name per rank, another one where a worker was replaced or the role was made anew."""
        return tuple(f"{worker._actor_id.hex()}/{self._number}" for worker in self.group.workers)

    def on(
        self, rank: int, method: Callable[Concatenate[R_co, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> ObjectRef[T]:
        """A call on one rank, not waited for."""
        found: ObjectRef[T] = self.group.workers[rank].call.remote(self.role, method.__name__, *args, **kwargs)
        return found

    def wait_one(self, rank: int, method: Callable[Concatenate[R_co, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A call on one rank, waited for."""
        [result] = self._pending(method, [self.on(rank, method, *args, **kwargs)], rank).get()
        return result

    def submit_all(
        self, method: Callable[Concatenate[R_co, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Pending[list[T]]:
        """The same call on every rank, not waited for; results by rank."""
        shared: Any = [ray.put(arg) for arg in args] if self.world > 1 else args
        return self._pending(method, [self.on(rank, method, *shared, **kwargs) for rank in range(self.world)])

    def submit_each(
        self,
        method: Callable[Concatenate[R_co, Row, P], T],
        shares: Sequence[Row],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Pending[list[T]]:
        """The same method on every rank, each with a share of its own, not waited for; results by rank."""
        calls = [self.on(rank, method, share, *args, **kwargs) for rank, share in enumerate(shares)]
        return self._pending(method, calls)

    def all(self, method: Callable[Concatenate[R_co, P], T], *args: P.args, **kwargs: P.kwargs) -> list[T]:
        """:meth:`submit_all`, waited for."""
        return self.submit_all(method, *args, **kwargs).get()

    def submit_rows(
        self,
        method: Callable[Concatenate[R_co, list[Row], P], list[T]],
        rows: Sequence[Row],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Pending[list[T]]:
        """Rows shared out over ranks, not waited for; one result per row, in the order of the rows.

        Every rank is called, also where there is no row for it: a sharded network answers all at once.
        """
        ranks = self.world
        refs = [self.on(rank, method, list(rows[rank::ranks]), *args, **kwargs) for rank in range(ranks)]
        parts = self._pending(method, refs)

        def merge() -> list[T]:
            merged: list[Any] = [None] * len(rows)
            for rank, part in enumerate(parts.get()):
                merged[rank::ranks] = part
            return merged

        return Pending(merge)

    def sharded(
        self,
        method: Callable[Concatenate[R_co, list[Row], P], list[T]],
        rows: Sequence[Row],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> list[T]:
        """:meth:`submit_rows`, waited for."""
        return self.submit_rows(method, rows, *args, **kwargs).get()

    def part(self, name: str, kind: type[T]) -> RoleGroup[T]:
        """An attribute of the role, which is an object of ``kind``, as a role of its own."""
        return RoleGroup(self.group, f"{self.role}.{name}")

    def drop(self) -> None:
        """Frees the role's memory."""
        drops = [worker.drop.remote(self.role) for worker in self.group.workers]
        self.group.wait(drops, f"{self.role}: drop", self.group.config.call_timeout_s)

    def _pending(self, method: Callable[..., T], refs: Sequence[ObjectRef[T]], first: int = 0) -> Pending[list[T]]:
        what, limit = f"{self.role}.{method.__name__}", self.group.config.call_timeout_s
        return Pending(lambda: self.group.wait(refs, what, limit, first))
