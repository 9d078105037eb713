"""How a scalar-headed network learns to rank: from pairs, or from one labelled program at a time.

An objective turns a micro-batch of examples into rows to score, and their scores into this micro-batch's share of the
loss. It is the same on one process and on many ranks: the denominator is the global minibatch's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeVar

import torch
from torch import Tensor

from rewardranker.models.batching import TokenSequence
from rewardranker.training.losses import bradley_terry_loss, pointwise_loss

#: ``(chosen, rejected)``.
Pair = tuple[TokenSequence, TokenSequence]
#: A program, and whether it is correct.
Labelled = tuple[TokenSequence, bool]

E = TypeVar("E", contravariant=True)


class Objective(Protocol[E]):
    """``totals`` are shares of global means: added over micro-batches and ranks they are the means."""

    metrics: ClassVar[tuple[str, ...]]

    def rows(self, examples: Sequence[E]) -> list[TokenSequence]:
        """What to score."""

    def loss(self, scores: Tensor, examples: Sequence[E], denominator: int) -> tuple[Tensor, dict[str, float]]:
        """This micro-batch's share of the loss, and of ``metrics``.

        Args:
            scores: fp32, of :meth:`rows`.
            denominator: examples of the global minibatch.
        """


@dataclass(frozen=True)
class PairObjective:
    """Bradley-Terry, see :func:`rewardranker.training.losses.bradley_terry_loss`."""

    margin: float = 0.0
    centring: float = 0.0
    metrics: ClassVar[tuple[str, ...]] = ("loss", "accuracy", "margin", "score")

    def rows(self, examples: Sequence[Pair]) -> list[TokenSequence]:
        return [chosen for chosen, _ in examples] + [rejected for _, rejected in examples]

    def loss(self, scores: Tensor, examples: Sequence[Pair], denominator: int) -> tuple[Tensor, dict[str, float]]:
        chosen, rejected = scores[: len(examples)], scores[len(examples) :]
        value = bradley_terry_loss(chosen, rejected, denominator, self.margin, self.centring)
        return value, {
            "loss": value.item(),
            "accuracy": (chosen > rejected).sum().item() / denominator,
            "margin": (chosen - rejected).sum().item() / denominator,
            "score": scores.sum().item() / (2 * denominator),
        }


@dataclass(frozen=True)
class PointwiseObjective:
    """Correct or not, see :func:`rewardranker.training.losses.pointwise_loss`."""

    metrics: ClassVar[tuple[str, ...]] = ("loss", "accuracy", "score")

    def rows(self, examples: Sequence[Labelled]) -> list[TokenSequence]:
        return [row for row, _ in examples]

    def loss(self, scores: Tensor, examples: Sequence[Labelled], denominator: int) -> tuple[Tensor, dict[str, float]]:
        labels = torch.tensor([correct for _, correct in examples], device=scores.device)
        value = pointwise_loss(scores, labels, denominator)
        return value, {
            "loss": value.item(),
            "accuracy": ((scores > 0) == labels).sum().item() / denominator,
            "score": scores.sum().item() / denominator,
        }
