"""What one PPO step learns from: token ids and log-probabilities from the engine, and what was derived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rewardranker.models.batching import TokenSequence, response_mask


@dataclass
class Experience:
    """Tensors are fp32 ``[B, T]``, ``T`` the longest response; zero outside ``response_mask``.

    ``values`` and ``returns`` stay zero where the advantage estimator needs no critic.
    """

    sequences: list[TokenSequence]
    response_mask: Tensor
    old_logprobs: Tensor
    ref_logprobs: Tensor
    values: Tensor
    rewards: Tensor
    advantages: Tensor
    returns: Tensor

    def select(self, rows: Sequence[int]) -> Experience:
        """The given rows, in order; still padded to the whole batch's longest response."""
        index = torch.as_tensor(list(rows), dtype=torch.long)
        tensors = {name: value[index] for name, value in vars(self).items() if isinstance(value, Tensor)}
        return Experience(sequences=[self.sequences[i] for i in rows], **tensors)

    def tokens(self, rows: Sequence[int]) -> int:
        """Response tokens of the given rows: the denominator of their losses."""
        return sum(len(self.sequences[i].response_ids) for i in rows)


def pad_rows(rows: Sequence[np.ndarray | Sequence[float]], length: int) -> Tensor:
    """Ragged rows to fp32 ``[B, length]``, right-padded with zeros."""
    out = torch.zeros(len(rows), length)
    for i, row in enumerate(rows):
        out[i, : len(row)] = torch.as_tensor(np.asarray(row, dtype=np.float32))
    return out


def mask_of(sequences: Sequence[TokenSequence]) -> Tensor:
    """fp32 ``[B, T]`` from the responses' lengths."""
    return response_mask(torch.tensor([len(s.response_ids) for s in sequences])).float()


def minibatch_plan(samples: int, size: int, epochs: int, seed: int) -> list[list[int]]:
    """Row indices of every optimiser update of one step: ``epochs`` shuffles cut into ``size`` rows each.

    Raises:
        ValueError: when ``size`` does not divide ``samples`` (the config refuses it earlier).
    """
    if samples % size:
        raise ValueError(f"minibatches of {size} do not divide {samples} samples")
    rng = np.random.default_rng(seed)
    plan: list[list[int]] = []
    for _ in range(epochs):
        order = rng.permutation(samples)
        plan.extend(order[i : i + size].tolist() for i in range(0, samples, size))
    return plan
