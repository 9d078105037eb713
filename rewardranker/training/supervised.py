"""The loop of SFT and of every reranker, resumable after any checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from rewardranker.runs.checkpoints import Checkpoints
from rewardranker.runs.console import Advance
from rewardranker.runs.metrics import MetricWriter


class Learner(Protocol):
    """What learns, wherever its ranks live: in this process, in actors, or in the workers of Ray Train."""

    def learn(self, minibatch: list[Any]) -> dict[str, float]:
        """One update. Returns global means."""

    def save(self, directory: str) -> None:
        """Writes everything that the next update depends on."""

    def load(self, directory: str) -> None:
        """Restores what :meth:`save` wrote."""


@dataclass(frozen=True)
class Fit:
    """What to train on: ``minibatch(step)`` for ``steps`` updates; ``checkpoint_every`` 0: no checkpoints.

    ``begin``: what the learner is asked for before the first of them.
    """

    minibatch: Callable[[int], list[Any]]
    steps: int
    checkpoint_every: int
    begin: Callable[[Any], object] | None = None


@dataclass(frozen=True)
class Report:
    """Who is told how it goes.

    Attributes:
        on_step: called after every step with the number of steps done and the step's metrics.
        warn: told of checkpoints that are damaged.
        on_resume: called with the number of steps that a training which was cut off has behind it.
    """

    on_step: Callable[[int, dict[str, float]], None]
    warn: Callable[[str], None]
    on_resume: Callable[[int], None] = lambda done: None


#: Tells nobody of steps.
QUIET = Report(lambda done, metrics: None, print)


def progress(advance: Advance, shown: str, warn: Callable[[str], None]) -> Report:
    """Moves a bar, also over the steps that a resumed training has behind it, and shows one of the metrics."""

    def on_step(done: int, metrics: dict[str, float]) -> None:
        advance(1, f"{shown} {metrics[shown]:.3f}")

    return Report(on_step, warn, lambda done: advance(done, before=True))


def fit(learner: Learner, work: Fit, directory: Path, report: Report) -> dict[str, float]:
    """Trains, from the newest whole checkpoint in ``directory`` if there is one; leaves metrics there.

    Returns:
        The means of the last tenth of the steps.
    """
    checkpoints = Checkpoints(directory / "checkpoints", report.warn)
    newest = checkpoints.newest()
    start = 0
    if newest:
        start, path = newest
        learner.load(str(path))
        report.on_resume(start)
    elif work.begin:
        work.begin(learner)
    writer = MetricWriter(directory, resume_at=start)
    for step in range(start, work.steps):
        metrics = learner.learn(work.minibatch(step))
        writer.write(step, metrics)
        report.on_step(step + 1, metrics)
        if work.checkpoint_every and (step + 1) % work.checkpoint_every == 0 and step + 1 < work.steps:
            checkpoints.save(step + 1, lambda path: learner.save(str(path)))
    writer.close()
    return writer.tail_means(work.steps)
