"""Running a network over many ragged sequences: micro-batches in, ragged rows or gradients out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from actors.engines.protocol import TrainEngine
from rewardranker.models.batching import TokenBatch, TokenSequence, collate, microbatches
from rewardranker.models.scoring import PolicyNetwork


def infer_rows(
    forward: Callable[[TokenBatch], Tensor],
    sequences: Sequence[TokenSequence],
    token_budget: int,
    pad_id: int,
    device: str,
) -> list[np.ndarray]:
    """Applies ``forward`` without gradients; returns one fp32 array per sequence, in order.

    ``forward`` gives ``[B, T]`` (rows are cut to the response's length) or ``[B]`` (rows of length 1).
    """
    rows: list[np.ndarray] = [np.empty(0, np.float32)] * len(sequences)
    with torch.inference_mode():
        for group in microbatches([len(s) for s in sequences], token_budget):
            out = forward(collate([sequences[i] for i in group], pad_id, device=device)).float().cpu().numpy()
            for i, row in zip(group, out, strict=True):
                rows[i] = row[: len(sequences[i].response_ids)] if out.ndim == 2 else row[None]
    return rows


def response_logprobs(
    network: PolicyNetwork,
    sequences: Sequence[TokenSequence],
    temperature: float,
    token_budget: int,
    pad_id: int,
    device: str,
) -> list[np.ndarray]:
    """Log-probabilities of the response tokens, fp32 ``[len(response_ids)]`` per sequence."""
    return infer_rows(lambda batch: network(batch, temperature)[0], sequences, token_budget, pad_id, device)


def accumulate(
    engine: TrainEngine,
    lengths: Sequence[int],
    token_budget: int,
    loss: Callable[[list[int]], Tensor],
) -> None:
    """Adds up the gradients of one minibatch's rows on this rank, micro-batch by micro-batch."""
    groups = microbatches(lengths, token_budget)
    for number, group in enumerate(groups):
        engine.backward(lambda group=group: loss(group), last=number == len(groups) - 1)  # type: ignore[misc]


def mean_of_reports(reports: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean of each number over the reports of several updates."""
    return {key: float(np.mean([report[key] for report in reports])) for key in reports[0]}


def prefixed(prefix: str, values: dict[str, float]) -> dict[str, float]:
    """``{"lr": 1}`` as ``{"actor/lr": 1}``."""
    return {f"{prefix}/{key}": value for key, value in values.items()}
