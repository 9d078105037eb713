"""What a training engine must do. Roles talk to this, never to DDP or DeepSpeed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from rewardranker.models.scoring import Network


class TrainEngine(Protocol):
    """Trains one network over all ranks of a role.

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

    def full_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Names (of the Hugging Face checkpoint) and whole tensors. Collective where parameters are sharded."""

    def save(self, directory: Path, name: str) -> None:
        """Writes weights, optimiser, schedule and random state. Called on every rank."""

    def load(self, directory: Path, name: str) -> None:
        """Restores what :meth:`save` wrote, on any number of ranks."""
