"""SFT and reward-model training on all ranks, through the loop of :mod:`rewardranker.training.supervised`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from rewardranker.training.head_start import HeadStart
from rewardranker.training.reranker import Reranker
from rewardranker.training.setup import NetworkSetup
from rewardranker.training.supervised import Fit, Learner, Report, fit

T = TypeVar("T")


class Trained(Learner, Protocol):
    """A role that learns, and leaves a model directory."""

    def export(self, directory: str) -> None: ...


class Ranks(Protocol):
    """All ranks of such a role: a :class:`actors.cluster.group.RoleGroup`, or those of Ray Train."""

    def all(self, method: Callable[..., T], *args: Any) -> list[T]: ...


@dataclass(frozen=True)
class Training:
    """What is trained, from which network and settings, on what.

    Attributes:
        role: where it is placed, as the config names it.
        factory: of the role.
        metric: the one shown to people.
    """

    role: str
    factory: Any
    setup: NetworkSetup
    work: Fit
    metric: str


class Everywhere:
    """A learner of which every rank is called with the same."""

    def __init__(self, ranks: Ranks) -> None:
        self._ranks = ranks

    def learn(self, minibatch: list[Any]) -> dict[str, float]:
        return self._ranks.all(Trained.learn, minibatch)[0]

    def start_head(self, start: HeadStart) -> dict[str, float]:
        return self._ranks.all(Reranker.start_head, start)[0]

    def save(self, directory: str) -> None:
        self._ranks.all(Trained.save, directory)

    def load(self, directory: str) -> None:
        self._ranks.all(Trained.load, directory)


def fit_and_export(ranks: Ranks, work: Fit, directory: Path, report: Report) -> dict[str, float]:
    """:func:`rewardranker.training.supervised.fit`; leaves ``hf/`` in ``directory`` too."""
    metrics = fit(Everywhere(ranks), work, directory, report)
    ranks.all(Trained.export, str(directory / "hf"))
    return metrics
