"""What a training engine must do. Whoever trains talks to this, never to DDP or DeepSpeed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from rewardranker.config.choices import chosen
from rewardranker.models.recomputing import recompute_layers
from rewardranker.models.scoring import Network
from rewardranker.training.ranks import Rank
from rewardranker.training.setup import NetworkSetup


class TrainEngine(Protocol):
    """Trains the parameters of one network that need gradients, over all of its ranks.

    A loss passed in is this rank's share of a *sum*: engines add gradients over micro-batches and ranks,
    they never average.
    """

    network: Network

    def __call__(self, *args: Any) -> Any:
        """The network's forward pass, through whatever wraps it for training."""

    def backward(self, loss: Callable[[], Tensor], last: bool) -> None:
        """Computes a micro-batch's loss and adds its gradients; ``last`` of the minibatch on this rank."""

    def step(self) -> dict[str, float]:
        """Clips, updates, zeroes; returns ``grad_norm`` (before clipping) and ``lr``."""

    def sum(self, values: dict[str, float]) -> dict[str, float]:
        """Adds numbers over ranks. Collective."""

    def most(self, count: int) -> int:
        """The largest of the ranks' numbers. Collective."""

    def full_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Names (of the Hugging Face checkpoint) and whole tensors. Collective where parameters are sharded."""

    def save(self, directory: Path, name: str) -> None:
        """Writes weights, optimiser, schedule and random state. Called on every rank."""

    def load(self, directory: Path, name: str) -> None:
        """Restores what :meth:`save` wrote, on any number of ranks."""


def build_engine(setup: NetworkSetup, network: Network, rank: Rank) -> TrainEngine:
    """The engine that the setup names, made from network, optimiser, total number of updates, and rank."""
    assert setup.optim is not None, "a frozen network has no engine"
    if setup.engine.gradient_checkpointing:
        recompute_layers(network.model, f"model={setup.model_path}")
    engine: TrainEngine = chosen("engine.kind", setup.engine.kind)(network, setup.optim, setup.total_steps, rank)
    return engine
