"""A head that begins as what the network says already: fitted to pairs before any other weight moves.

A head that is drawn at random sends its own noise down into the layers, and with few pairs most of a training is
spent on undoing that. Fitting the head alone is a convex problem of seconds, after which fine-tuning begins with a
ranker (linear probing, then fine-tuning: Kumar et al. 2022).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn.functional import softplus

from rewardranker.models.batching import TokenSequence


def fit_head(chosen: Tensor, rejected: Tensor, weights: Tensor, penalty: float) -> Tensor:
    """The head of least Bradley-Terry loss over fixed states, with a penalty on its squares.

    Args:
        chosen, rejected: states of the two programs of each pair, fp32 ``[P, H]``.
        weights: of the pairs, ``[P]``.
        penalty: of the squared weights of the head over states of unit deviation, beside a mean loss.

    Returns:
        fp32 ``[H]``.
    """
    spread = torch.cat([chosen, rejected]).std(0) + 1e-6
    lead, share = (chosen - rejected) / spread, weights / weights.sum()
    head = torch.zeros(chosen.shape[1], requires_grad=True)
    search = torch.optim.LBFGS([head], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        search.zero_grad()
        value = (share * softplus(-lead @ head)).sum() + penalty * head.square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    search.step(loss)  # type: ignore[no-untyped-call]
    return head.detach() / spread


@dataclass(frozen=True)
class HeadStart:
    """What a head is fitted to.

    Attributes:
        pairs: (chosen, rejected); or, as of a minibatch, their places in the corpus that the reranker reads.
        groups: the problem of each pair; every problem weighs the same.
        penalty: see :func:`fit_head`.
    """

    pairs: Sequence[Any]
    groups: Sequence[Hashable]
    penalty: float

    def read(self, corpus: Sequence[Any] | None) -> HeadStart:
        """The same with its pairs themselves."""
        return self if corpus is None else replace(self, pairs=[corpus[place] for place in self.pairs])

    def rows(self) -> list[TokenSequence]:
        """The distinct programs, in the order in which they come."""
        return list(dict.fromkeys(row for pair in self.pairs for row in pair))

    def fit(self, states: Mapping[TokenSequence, Tensor]) -> tuple[Tensor, dict[str, float]]:
        """The head ``[H]`` over the states ``[H]`` of the programs; and over the pairs, its ``loss`` and
        ``accuracy``."""
        chosen, rejected = (torch.stack([states[pair[side]] for pair in self.pairs]) for side in (0, 1))
        count = Counter(self.groups)
        weights = torch.tensor([1 / count[group] for group in self.groups])
        head = fit_head(chosen, rejected, weights, self.penalty)
        lead = (chosen - rejected) @ head
        loss = (weights * softplus(-lead)).sum() / weights.sum()
        return head, {"loss": loss.item(), "accuracy": (lead > 0).float().mean().item()}


class HasHead(Protocol):
    """A reranker, or all of its ranks."""

    def start_head(self, start: HeadStart) -> dict[str, float]:
        """Fits the head; returns what :meth:`HeadStart.fit` tells."""


def begin_head(start: HeadStart, learner: HasHead) -> dict[str, float]:
    """For :attr:`rewardranker.training.supervised.Fit.begin`."""
    return learner.start_head(start)
