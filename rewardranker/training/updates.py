"""The work of one rank on many ragged sequences: micro-batches in, gradients or ragged rows out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from rewardranker.models.batching import TokenBatch, TokenSequence
from rewardranker.models.layout import Layout
from rewardranker.training.engine import TrainEngine
from rewardranker.training.shares import evened

#: What a rank computes where it has nothing left to compute and the others wait for it.
FILLER = TokenSequence((0,), (0,))


def infer_rows(
    forward: Callable[[TokenBatch], Tensor],
    sequences: Sequence[TokenSequence],
    layout: Layout,
    advance: Callable[[int], None] | None = None,
    rounds: Callable[[int], int] = lambda count: count,
    whole: bool = False,
) -> list[np.ndarray]:
    """Applies ``forward`` without gradients; returns one fp32 array per sequence, in order.

    ``forward`` gives ``[B, T]`` (rows are cut to the response's length) or ``[B]`` (rows of length 1); ``whole``:
    ``[B, H]``, of which nothing is cut.

    Args:
        advance: told of every batch how many sequences it was.
        rounds: how many passes have to be made where so many are needed, see :meth:`TrainEngine.rounds`; the others
            are made over next to nothing.
    """
    rows: list[np.ndarray] = [np.empty(0, np.float32)] * len(sequences)
    groups = layout.microbatches([[sequence] for sequence in sequences])
    missing = rounds(len(groups)) - len(groups)
    with torch.no_grad():
        for group in groups:
            out = forward(layout.batch([sequences[i] for i in group])).float().cpu().numpy()
            for i, row in zip(group, out, strict=True):
                rows[i] = row[: None if whole else len(sequences[i].response_ids)] if out.ndim == 2 else row[None]
            if advance:
                advance(len(group))
        for _ in range(missing):
            forward(layout.batch([FILLER]))
    return rows


def response_logprobs(
    engine: TrainEngine, sequences: Sequence[TokenSequence], temperature: float, layout: Layout
) -> list[np.ndarray]:
    """Log-probabilities of the response tokens, fp32 ``[len(response_ids)]`` per sequence."""
    return infer_rows(lambda batch: engine.infer(batch, temperature)[0], sequences, layout, rounds=engine.rounds)


def accumulate(
    engine: TrainEngine,
    groups: Sequence[list[int]],
    loss: Callable[[list[int]], tuple[Tensor, dict[str, float]]],
) -> dict[str, float]:
    """Adds up the gradients of one minibatch's examples on this rank, micro-batch by micro-batch.

    How it is split changes no gradient: losses are shares of a sum over one denominator. All ranks go through as many
    micro-batches; a filler is one in which an example of this rank weighs nothing.

    Args:
        groups: examples of each micro-batch of this rank, at least one.
        loss: of the examples of these indices, and shares of numbers that are summed over the micro-batches.
    """
    totals: dict[str, float] = {}
    filler, even = groups[-1][-1:], evened(groups, engine.rank.most(len(groups)))

    def share(group: list[int]) -> Tensor:
        value, numbers = loss(group or filler)
        if not group:
            return 0 * value
        for key, number in numbers.items():
            totals[key] = totals.get(key, 0.0) + number
        return value

    for number, group in enumerate(even):
        engine.backward(lambda group=group: share(group), last=number == len(even) - 1)  # type: ignore[misc]
    return totals


def mean_of_reports(reports: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean of each number over the reports of several updates."""
    return {key: float(np.mean([report[key] for report in reports])) for key in reports[0]}


def prefixed(prefix: str, values: dict[str, float]) -> dict[str, float]:
    """``{"lr": 1}`` as ``{"actor/lr": 1}``."""
    return {f"{prefix}/{key}": value for key, value in values.items()}
