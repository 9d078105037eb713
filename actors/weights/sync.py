"""Bringing the policy's weights to the rollout workers, timed, versioned, and never waiting for ever."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import numpy as np
import ray
from ray import ObjectRef
from ray.exceptions import RayError

from actors.cluster.failures import WorkerLost
from actors.weights.buckets import byte_size, differing
from actors.weights.source import WeightSource
from rewardranker.config.schema import WeightSyncConfig
from rewardranker.generation.types import TensorMeta

R_co = TypeVar("R_co", covariant=True)
T = TypeVar("T")
P = ParamSpec("P")

#: After a failure the others are given this long to fail too, so that whoever caused it is among those named.
GRACE_S = 5.0


class Receiver(Protocol):
    """What a sync asks of a rollout worker: see :class:`actors.rollout.worker.RolloutWorker`."""

    def device(self) -> str: ...
    def weight_ranks(self) -> int: ...
    def join_weight_group(
        self, address: str, port: int, first_rank: int, world: int, backend: str, timeout_s: float
    ) -> None: ...
    def begin_update(self, metas: list[TensorMeta]) -> None: ...
    def load_bucket(self, bucket: np.ndarray) -> None: ...
    def receive_weights(self, limit_bytes: int) -> None: ...
    def finish_update(self, version: int) -> list[dict[str, int]]: ...


class Ranks(Protocol[R_co]):
    """Where the policy's weights, or the rollouts, live: see :class:`actors.cluster.group.RoleGroup`."""

    @property
    def world(self) -> int: ...

    @property
    def members(self) -> tuple[str, ...]:
        """One name per rank, another one where a rank was made anew."""

    def on(
        self, rank: int, method: Callable[Concatenate[R_co, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> ObjectRef[T]: ...


@dataclass(frozen=True)
class Receivers:
    """The rollouts that a sync is for: some places of all."""

    rollouts: Ranks[Receiver]
    places: Sequence[int]

    @property
    def members(self) -> tuple[str, ...]:
        return tuple(self.rollouts.members[place] for place in self.places)

    def ask(
        self, method: Callable[Concatenate[Receiver, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> dict[int, ObjectRef[T]]:
        """The same call on each, by place."""
        return {place: self.rollouts.on(place, method, *args, **kwargs) for place in self.places}


class WeightSyncError(WorkerLost):
    """A sync failed; ``rollouts`` are the positions of the workers that failed or did not answer.

    All rollouts must be taken for broken in mid-update: sync again, after replacing those named. With no
    rollout named it was the trainer.
    """

    def __init__(self, message: str, rollouts: tuple[int, ...]) -> None:
        super().__init__(message)
        self.rollouts = rollouts


@dataclass(frozen=True)
class Sent:
    """A version of the weights as it was sent: buckets in Ray's object store, which is on disk where memory ends, and
    checksums of a sample."""

    version: int
    metas: list[TensorMeta]
    buckets: list[ObjectRef]
    sums: dict[str, int]


class WeightSync:
    """Copies weights from the policy's rank 0 into all rollouts.

    ``object_store`` puts buckets into Ray's object store, where rollouts of a node share one copy. ``gloo``
    and ``nccl`` broadcast them over a process group, which is kept as long as the policy and the rollouts
    stay the same.

    Args:
        keep: what was sent last, for :meth:`resend`; with ``gloo`` and ``nccl`` it takes a copy.
    """

    def __init__(self, config: WeightSyncConfig, keep: bool = False) -> None:
        self._config, self.keeps = config, keep
        self._limit = config.bucket_mb << 20
        self._sent: Sent | None = None
        self._transport = ""
        self._members: tuple[str, ...] = ()

    def sync(
        self,
        weights: Ranks[WeightSource],
        rollouts: Ranks[Receiver],
        version: int,
        places: Sequence[int] | None = None,
    ) -> dict[str, float]:
        """Returns when the rollouts, all or those at ``places``, answer with the new weights and report ``version``.

        Rollouts must not be generating; their engines refuse to until the update has finished.

        Raises:
            WeightSyncError: a step failed or took longer than ``weight_sync.timeout_s``; or an engine does not hold
                what was sent, by the checksums of a sample of tensors.
        """
        start = time.perf_counter()
        try:
            everywhere = range(rollouts.world)
            metas = self._send(weights, Receivers(rollouts, everywhere if places is None else places), version)
        except WeightSyncError:
            # A broken process group cannot be repaired, only made anew.
            self._members = ()
            raise
        seconds, megabytes = time.perf_counter() - start, byte_size(metas) / 2**20
        return {
            "timing_s/sync": seconds,
            "weight_sync/mb": megabytes,
            "weight_sync/mb_per_s": megabytes / seconds,
        }

    def send_to(self, weights: Ranks[WeightSource], rollouts: Ranks[Receiver], place: int, version: int) -> None:
        """Brings one rollout, which was replaced, up to date; through the object store, which needs no group."""
        WeightSync(replace(self._config, transport="object_store")).sync(weights, rollouts, version, [place])

    def resend(self, rollouts: Ranks[Receiver], place: int) -> None:
        """Brings one rollout, which was replaced, to the version that was sent last; the policy, which may be at work
        and have other weights by now, is not asked."""
        assert self._sent is not None, "a sync that keeps what it sends comes first"
        receivers = Receivers(rollouts, [place])
        self._all("begin_update", receivers.ask(Receiver.begin_update, self._sent.metas))
        for number, bucket in enumerate(self._sent.buckets, 1):
            what: Any = bucket  # Ray passes what the reference is of
            loading = receivers.ask(Receiver.load_bucket, what)
            self._all(f"load_bucket {number} of {len(self._sent.buckets)}", loading)
        self._finish(receivers, self._sent.version, self._sent.sums)

    def _send(self, weights: Ranks[WeightSource], receivers: Receivers, version: int) -> list[TensorMeta]:
        self._sent = None  # two versions at a time would take twice the room
        self._connect(weights, receivers)
        metas = self._trainer(weights, WeightSource.metas)
        self._all("begin_update", receivers.ask(Receiver.begin_update, metas))
        if self._transport == "object_store":
            buckets = self._through_store(weights, receivers)
        else:
            sending = _everywhere(weights, WeightSource.send, self._limit, self.keeps)
            receiving = receivers.ask(Receiver.receive_weights, self._limit)
            buckets = self._all(f"receive_weights over {self._transport}", receiving, sending)[len(receiving)]
        sums = self._trainer(weights, WeightSource.checksums)
        if self.keeps:
            self._sent = Sent(version, metas, buckets, sums)
        self._finish(receivers, version, sums)
        return metas

    def _finish(self, receivers: Receivers, version: int, sums: dict[str, int]) -> None:
        """Makes the new weights live; then compares them with what was sent."""
        answers = self._all("finish_update", receivers.ask(Receiver.finish_update, version))
        wrong = {
            place: names
            for place, found in zip(receivers.places, answers, strict=True)
            if (names := sorted({name for of_rank in found for name in differing(sums, of_rank)}))
        }
        if wrong:
            told = "; ".join(f"rollout {place}: {', '.join(names)}" for place, names in wrong.items())
            raise WeightSyncError(
                f"weight sync of version {version}: of {len(sums)} tensors that were compared, engines do not hold "
                f"what the trainer sent: {told}",
                tuple(wrong),
            )

    def _through_store(self, weights: Ranks[WeightSource], receivers: Receivers) -> list[ObjectRef]:
        """Returns the buckets that are to be kept."""
        kept: list[ObjectRef] = []
        counting = _everywhere(weights, WeightSource.begin_buckets, self._limit)
        count = self._all("weights.begin_buckets", {}, counting)[0]
        coming = _everywhere(weights, WeightSource.put_bucket)
        for number in range(1, count + 1):
            # Ray passes what the reference is of.
            bucket: Any = self._all(f"weights.put_bucket {number} of {count}", {}, coming)[0][0]
            if number < count:
                # The trainer packs the next one while the rollouts load this one.
                coming = _everywhere(weights, WeightSource.put_bucket)
            self._all(f"load_bucket {number} of {count}", receivers.ask(Receiver.load_bucket, bucket))
            if self.keeps:
                kept.append(bucket)
        return kept

    def _connect(self, weights: Ranks[WeightSource], receivers: Receivers) -> None:
        members = (weights.members[0], *receivers.members)
        if members == self._members:
            return
        self._transport = self._config.transport
        if self._transport == "auto":
            devices = self._all("device", receivers.ask(Receiver.device))
            devices.append(self._trainer(weights, WeightSource.device))
            self._transport = "nccl" if all(d.startswith("cuda") for d in devices) else "object_store"
        if self._transport != "object_store":
            self._join(weights, receivers)
        self._members = members

    def _join(self, weights: Ranks[WeightSource], receivers: Receivers) -> None:
        ranks = self._all("weight_ranks", receivers.ask(Receiver.weight_ranks))
        world, limit_s = 1 + sum(ranks), self._config.timeout_s
        address, port = self._trainer(weights, WeightSource.open_group, limit_s)
        trainer = [weights.on(0, WeightSource.join_group, world, self._transport, limit_s)]
        first = dict(zip(receivers.places, itertools.accumulate(ranks, initial=1), strict=False))
        joining = {
            place: receivers.rollouts.on(
                place, Receiver.join_weight_group, address, port, first[place], world, self._transport, limit_s
            )
            for place in receivers.places
        }
        self._all(f"join_weight_group of {world} ranks over {self._transport} at {address}:{port}", joining, trainer)

    def _trainer(
        self,
        weights: Ranks[WeightSource],
        method: Callable[Concatenate[WeightSource, P], T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        answer: T = self._all(f"weights.{method.__name__}", {}, [weights.on(0, method, *args, **kwargs)])[0]
        return answer

    def _all(
        self, what: str, calls: Mapping[int, ObjectRef[Any]], trainers: Sequence[ObjectRef[Any]] = ()
    ) -> list[Any]:
        """Waits for the rollouts' answers, and the trainer's ranks', which come last; whoever fails is named."""
        refs = [*calls.values(), *trainers]
        places = list(calls)
        names = [f"rollout {place}" for place in places] + [f"policy rank {k}" for k in range(len(trainers))]
        answers, failures = _wait(refs, self._config.timeout_s)
        late = [k for k in range(len(refs)) if k not in answers and k not in failures]
        if failures:
            message = "; ".join(f"{names[k]} failed: {error}" for k, error in failures.items())
            broken = tuple(places[k] for k in sorted(failures) if k < len(places))
            raise WeightSyncError(f"weight sync, {what}: {message}", broken) from next(iter(failures.values()))
        if late:
            raise WeightSyncError(
                f"weight sync, {what}: waited {self._config.timeout_s:g} s (weight_sync.timeout_s) for "
                + ", ".join(names[k] for k in late),
                tuple(places[k] for k in late if k < len(places)),
            )
        return [answers[k] for k in range(len(refs))]


def _everywhere(
    weights: Ranks[WeightSource],
    method: Callable[Concatenate[WeightSource, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> list[ObjectRef[T]]:
    """The same call on all of the policy's ranks."""
    return [weights.on(rank, method, *args, **kwargs) for rank in range(weights.world)]


def _wait(refs: list[ObjectRef], timeout_s: float) -> tuple[dict[int, Any], dict[int, RayError]]:
    """Answers and failures by position, when all are in or the time is up, or soon after a first failure."""
    position = {ref: k for k, ref in enumerate(refs)}
    answers: dict[int, Any] = {}
    failures: dict[int, RayError] = {}
    deadline = time.monotonic() + timeout_s
    pending = list(refs)
    while pending:
        left = GRACE_S if failures else max(0.0, deadline - time.monotonic())
        ready, pending = ray.wait(pending, num_returns=1, timeout=left)
        if not ready:
            break
        try:
            answers[position[ready[0]]] = ray.get(ready[0])
        except RayError as error:
            failures[position[ready[0]]] = error
    return answers, failures
