"""What can go wrong in workers, what follows from it, and how often it may."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

from ray.exceptions import (
    ActorPlacementGroupRemoved,
    ActorUnschedulableError,
    GetTimeoutError,
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayActorError,
    RayTaskError,
    WorkerCrashedError,
)
from torch.distributed import DistError

from rewardranker.config.schema import ClusterConfig

#: What Ray says where a process or its node is gone, does not answer, or took with it what it had computed.
LOST = (
    RayActorError,
    OutOfMemoryError,
    GetTimeoutError,
    NodeDiedError,
    ObjectLostError,
    WorkerCrashedError,
    ActorUnschedulableError,
    ActorPlacementGroupRemoved,
)
#: In what gloo, which has no error of its own, says of peers that are gone or silent.
_GLOO = "gloo/transport"

#: Who can be started again, as reports name them.
WORKERS, ENGINES, EXECUTORS = "training workers", "rollout engines", "executors"


class WorkerLost(RuntimeError):
    """A worker died or stopped answering. Its group can be started again from the last checkpoint."""


class RoleError(RuntimeError):
    """A role raised an error; starting again would raise it again."""


class ChunkFailed(RuntimeError):
    """A chunk took down every worker that it was given to."""


class TooManyRestarts(RuntimeError):
    """Workers were lost more often than the config puts up with."""


def raised(error: RayTaskError) -> str:
    """What a worker raised, in one line. ``error`` itself has the worker's traceback as its text."""
    lines = str(error.cause).strip().splitlines()
    return f"{type(error.cause).__name__}: {lines[0]}" if lines else type(error.cause).__name__


def of_others(error: RayTaskError) -> bool:
    """Whether a worker raised only what others did to it: a peer is gone, or what another one had computed."""
    return isinstance(error.cause, (*LOST, DistError)) or _GLOO in str(error.cause)


class Restarts:
    """Who was started again in a stage: counted, bounded, told. Called from any thread."""

    def __init__(self, config: ClusterConfig, warn: Callable[[str], None]) -> None:
        self._most, self._warn, self._lock = config.max_replacements, warn, threading.Lock()
        self.begin("", lambda kind: None)

    def begin(self, stage: str, keep: Callable[[str], None]) -> None:
        """Another stage; ``keep`` is told the kind of everything that is started again in it."""
        self._stage, self._keep, self._counts = stage, keep, Counter[str]()

    def add(self, kind: str, why: str) -> None:
        """One of :data:`WORKERS`, :data:`ENGINES` or :data:`EXECUTORS` is about to be started again.

        Raises:
            TooManyRestarts: ``cluster.max_replacements`` engines, or executors, were, in this stage of this process.
        """
        with self._lock:
            if kind != WORKERS and self._counts[kind] == self._most:
                raise TooManyRestarts(
                    f"{self._stage}: {self._most} {kind} were replaced (cluster.max_replacements), and one more is "
                    f"lost: {why}"
                )
            self._counts[kind] += 1
            self._keep(kind)
        self._warn(f"{self._stage}: {why}")
