"""The training loop of SFT and the reward model, resumable after any checkpoint.

It drives a role through ``all(method, *args)``, wherever the role's ranks live: a :class:`RoleGroup` of Ray
actors, or the rank at hand in a Ray Train worker.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from rewardranker.runs.checkpoints import Checkpoints
from rewardranker.runs.metrics import MetricWriter

T = TypeVar("T")


class Trained(Protocol):
    """What a role that learns can do beside learning."""

    def save(self, directory: str) -> None: ...
    def load(self, directory: str) -> None: ...
    def export(self, directory: str) -> None: ...


class Role(Protocol):
    def all(self, method: Callable[..., T], *args: Any) -> list[T]: ...


@dataclass(frozen=True)
class Fit:
    """What to train on: ``method(minibatch(step), *extra)`` for ``steps`` updates."""

    method: Callable[..., dict[str, float]]
    minibatch: Callable[[int], list[Any]]
    extra: tuple[Any, ...]
    steps: int
    checkpoint_every: int


def fit(
    role: Role,
    work: Fit,
    directory: Path,
    on_step: Callable[[int, dict[str, float]], None],
    warn: Callable[[str], None],
) -> dict[str, float]:
    """Trains, from the newest whole checkpoint in ``directory`` if there is one; leaves ``hf/`` and metrics there.

    Args:
        on_step: called after every step with the number of steps done and the step's metrics.
        warn: told of checkpoints that are damaged.

    Returns:
        The means of the last tenth of the steps.
    """
    checkpoints = Checkpoints(directory / "checkpoints", warn)
    newest = checkpoints.newest()
    start = 0
    if newest:
        start, path = newest
        role.all(Trained.load, str(path))
    writer = MetricWriter(directory, resume_at=start)
    for step in range(start, work.steps):
        metrics = role.all(work.method, work.minibatch(step), *work.extra)[0]
        writer.write(step, metrics)
        on_step(step + 1, metrics)
        if (step + 1) % work.checkpoint_every == 0 and step + 1 < work.steps:
            checkpoints.save(step + 1, lambda path: _save(role, path))
    writer.close()
    role.all(Trained.export, str(directory / "hf"))
    return writer.tail_means(work.steps)


def _save(role: Role, path: Path) -> None:
    role.all(Trained.save, str(path))
