"""Bringing the policy's weights to the rollout workers, timed, versioned, and never waiting for ever."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import ray
from ray import ObjectRef
from ray.exceptions import RayError

from actors.cluster.group import WorkerLost
from actors.weights.buckets import byte_size
from rewardranker.config.schema import WeightSyncConfig
from rewardranker.generation.types import TensorMeta

TRAINER = "policy rank 0"

#: After a failure the others are given this long to fail too, so that whoever caused it is among those named.
GRACE_S = 5.0


class Ranks(Protocol):
    """What a sync needs of the policy and of the rollouts: see :class:`actors.cluster.group.RoleGroup`."""

    @property
    def world(self) -> int: ...

    @property
    def members(self) -> tuple[str, ...]:
        """One name per rank, another one where a rank was made anew."""

    def on(self, rank: int, method: str, *args: Any) -> ObjectRef:
        """Calls one rank; a method may be dotted, such as ``weights.metas``."""


@dataclass(frozen=True)
class Only:
    """One rank of several, as if it were the only one."""

    ranks: Ranks
    rank: int

    @property
    def world(self) -> int:
        return 1

    @property
    def members(self) -> tuple[str, ...]:
        return (self.ranks.members[self.rank],)

    def on(self, rank: int, method: str, *args: Any) -> ObjectRef:
        return self.ranks.on(self.rank, method, *args)


class WeightSyncError(WorkerLost):
    """A sync failed; ``rollouts`` are the positions of the workers that failed or did not answer.

    All rollouts must be taken for broken in mid-update: sync again, after replacing those named. With no
    rollout named it was the trainer.
    """

    def __init__(self, message: str, rollouts: tuple[int, ...]) -> None:
        super().__init__(message)
        self.rollouts = rollouts


class WeightSync:
    """Copies weights from the policy's rank 0 into all rollouts.

    ``object_store`` puts buckets into Ray's object store, where rollouts of a node share one copy. ``gloo``
    and ``nccl`` broadcast them over a process group, which is kept as long as the policy and the rollouts
    stay the same.
    """

    def __init__(self, config: WeightSyncConfig) -> None:
        self._config = config
        self._limit = config.bucket_mb << 20
        self._transport = ""
        self._members: tuple[str, ...] = ()

    def sync(self, policy: Ranks, rollouts: Ranks, version: int) -> dict[str, float]:
        """Returns when every rollout answers with the new weights and reports ``version``.

        Rollouts must not be generating; their engines refuse to until the update has finished.

        Raises:
            WeightSyncError: a step failed or took longer than ``weight_sync.timeout_s``.
        """
        start = time.perf_counter()
        try:
            metas = self._send(policy, rollouts, version)
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

    def send_to(self, policy: Ranks, rollouts: Ranks, rank: int, version: int) -> None:
        """Brings one rollout, which was replaced, up to date; through the object store, which needs no group."""
        single = WeightSync(replace(self._config, transport="object_store"))
        single.sync(policy, Only(rollouts, rank), version)

    def _send(self, policy: Ranks, rollouts: Ranks, version: int) -> list[TensorMeta]:
        self._connect(policy, rollouts)
        metas = self._trainer(policy, "weights.metas")
        self._all("begin_update", _ask(rollouts, "begin_update", metas))
        if self._transport == "object_store":
            self._through_store(policy, rollouts)
        else:
            sending = policy.on(0, "weights.send", self._limit)
            receiving = _ask(rollouts, "receive_weights", self._limit)
            self._all(f"receive_weights over {self._transport}", receiving, sending)
        self._all("finish_update", _ask(rollouts, "finish_update", version))
        return metas

    def _through_store(self, policy: Ranks, rollouts: Ranks) -> None:
        count = self._trainer(policy, "weights.begin_buckets", self._limit)
        coming = policy.on(0, "weights.put_bucket")
        for number in range(1, count + 1):
            [bucket] = self._answer(coming, f"weights.put_bucket {number} of {count}")
            if number < count:
                # The trainer packs the next one while the rollouts load this one.
                coming = policy.on(0, "weights.put_bucket")
            self._all(f"load_bucket {number} of {count}", _ask(rollouts, "load_bucket", bucket))

    def _connect(self, policy: Ranks, rollouts: Ranks) -> None:
        members = (policy.members[0], *rollouts.members)
        if members == self._members:
            return
        self._transport = self._config.transport
        if self._transport == "auto":
            devices = self._all("device", _ask(rollouts, "device"))
            devices.append(self._trainer(policy, "weights.device"))
            self._transport = "nccl" if all(d.startswith("cuda") for d in devices) else "object_store"
        if self._transport != "object_store":
            self._join(policy, rollouts)
        self._members = members

    def _join(self, policy: Ranks, rollouts: Ranks) -> None:
        ranks = self._all("weight_ranks", _ask(rollouts, "weight_ranks"))
        world, limit_s = 1 + sum(ranks), self._config.timeout_s
        address, port = self._trainer(policy, "weights.open_group", limit_s)
        trainer = policy.on(0, "weights.join_group", world, self._transport, limit_s)
        joining = [
            rollouts.on(k, "join_weight_group", address, port, 1 + sum(ranks[:k]), world, self._transport, limit_s)
            for k in range(rollouts.world)
        ]
        self._all(f"join_weight_group of {world} ranks over {self._transport} at {address}:{port}", joining, trainer)

    def _trainer(self, policy: Ranks, method: str, *args: Any) -> Any:
        return self._answer(policy.on(0, method, *args), method)

    def _answer(self, call: ObjectRef, what: str) -> Any:
        return self._all(what, [], call)[-1]

    def _all(self, what: str, calls: Sequence[ObjectRef], trainer: ObjectRef | None = None) -> list[Any]:
        """Waits for the rollouts' answers, and the trainer's, which comes last; whoever fails is named."""
        refs = list(calls) if trainer is None else [*calls, trainer]
        names = [f"rollout {k}" for k in range(len(calls))] + [TRAINER] * (trainer is not None)
        answers, failures = _wait(refs, self._config.timeout_s)
        late = [k for k in range(len(refs)) if k not in answers and k not in failures]
        if failures:
            message = "; ".join(f"{names[k]} failed: {error}" for k, error in failures.items())
            broken = tuple(k for k in sorted(failures) if k < len(calls))
            raise WeightSyncError(f"weight sync, {what}: {message}", broken) from next(iter(failures.values()))
        if late:
            raise WeightSyncError(
                f"weight sync, {what}: waited {self._config.timeout_s:g} s (weight_sync.timeout_s) for "
                + ", ".join(names[k] for k in late),
                tuple(k for k in late if k < len(calls)),
            )
        return [answers[k] for k in range(len(refs))]


def _ask(ranks: Ranks, method: str, *args: Any) -> list[ObjectRef]:
    return [ranks.on(rank, method, *args) for rank in range(ranks.world)]


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
