"""Work is shared out once: every row is somewhere, and no rank waits for another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from rewardranker.training.shares import share_out
from rewardranker.training.updates import accumulate

LENGTHS = st.lists(st.integers(1, 500), min_size=1, max_size=60)


@given(LENGTHS, st.integers(1, 9), st.integers(1, 3000))
def test_every_row_once_and_as_many_micro_batches_on_every_rank(lengths: list[int], ranks: int, budget: int) -> None:
    shares = share_out(lengths, ranks, budget)
    assert len(shares) == ranks
    assert sorted(row for rank in shares for group in rank for row in group) == list(range(len(lengths)))
    assert len({len(rank) for rank in shares}) == 1
    for rank in shares:
        # Fillers only where there is nothing left to cut.
        assert all(rank) or all(len(group) < 2 for group in rank)
        for group in rank:
            assert len(group) <= 1 or max(lengths[i] for i in group) * len(group) <= budget


@given(LENGTHS, st.integers(1, 9), st.integers(1, 3000))
def test_ranks_differ_by_one_row_at_most_and_none_is_idle(lengths: list[int], ranks: int, budget: int) -> None:
    tokens = [sum(lengths[i] for group in rank for i in group) for rank in share_out(lengths, ranks, budget)]
    assert max(tokens) - min(tokens) <= max(lengths)
    assert len(lengths) < ranks or min(tokens) > 0


def test_a_skewed_minibatch_is_balanced_within_a_twentieth() -> None:
    """Every eighth response runs to its limit: all of them were one rank's when rows were dealt out in turn."""
    lengths = [1000 if i % 8 == 0 else 100 + i % 7 for i in range(128)]
    dealt = [sum(lengths[rank::8]) for rank in range(8)]
    tokens = [sum(lengths[i] for group in rank for i in group) for rank in share_out(lengths, 8, 8192)]
    assert max(dealt) > 5 * np.mean(dealt) / 2
    assert max(tokens) <= 1.05 * np.mean(tokens)


class Sums:
    """An engine of one weight, which only adds up gradients."""

    def __init__(self) -> None:
        self.weight, self.lasts = torch.tensor(2.0, requires_grad=True), []

    def backward(self, loss: Callable[[], torch.Tensor], last: bool) -> None:
        loss().backward()
        self.lasts.append(last)


def test_a_filler_weighs_nothing() -> None:
    found = []
    for groups in ([[0, 1], [2]], [[0, 1], [], [2], []]):
        engine: Any = Sums()

        def loss(group: list[int]) -> tuple[torch.Tensor, dict[str, float]]:
            value = engine.weight * sum(1.0 + row for row in group)  # noqa: B023
            return value, {"loss": value.item()}

        totals = accumulate(engine, groups, loss)
        assert engine.lasts == [False] * (len(groups) - 1) + [True]
        found.append((totals, float(engine.weight.grad)))
    assert found == [({"loss": 12.0}, 6.0)] * 2
