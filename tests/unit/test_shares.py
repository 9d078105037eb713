"""Work is shared out once: every row is somewhere, and no rank waits for another."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from rewardranker.training.shares import evened, share_out
from rewardranker.training.updates import accumulate

LENGTHS = st.lists(st.integers(1, 500), min_size=1, max_size=60)


@given(LENGTHS, st.integers(1, 9))
def test_every_row_once_and_ranks_differ_by_one_row_at_most(lengths: list[int], ranks: int) -> None:
    shares = share_out(lengths, ranks)
    assert len(shares) == ranks and sorted(row for own in shares for row in own) == list(range(len(lengths)))
    tokens = [sum(lengths[i] for i in own) for own in shares]
    assert max(tokens) - min(tokens) <= max(lengths)
    assert len(lengths) < ranks or min(tokens) > 0


@given(st.lists(st.integers(1, 9), min_size=1, max_size=9), st.integers(0, 40))
def test_micro_batches_are_cut_before_there_are_fillers(sizes: list[int], more: int) -> None:
    groups = [list(range(sum(sizes[:i]), sum(sizes[: i + 1]))) for i in range(len(sizes))]
    even = evened(groups, len(groups) + more)
    assert len(even) == len(groups) + more and sum(even, []) == list(range(sum(sizes)))
    assert all(even) or all(len(group) < 2 for group in even)


def test_a_skewed_minibatch_is_balanced_within_a_twentieth() -> None:
    """Every eighth response runs to its limit: all of them were one rank's when rows were dealt out in turn."""
    lengths = [1000 if i % 8 == 0 else 100 + i % 7 for i in range(128)]
    dealt = [sum(lengths[rank::8]) for rank in range(8)]
    tokens = [sum(lengths[i] for i in own) for own in share_out(lengths, 8)]
    assert max(dealt) > 5 * np.mean(dealt) / 2
    assert max(tokens) <= 1.05 * np.mean(tokens)


class Sums:
    """An engine of one weight, which only adds up gradients; another rank has ``most`` micro-batches."""

    def __init__(self, most: int) -> None:
        self.weight, self.lasts = torch.tensor(2.0, requires_grad=True), []
        self.rank = SimpleNamespace(most=lambda count: max(count, most))

    def backward(self, loss: Callable[[], torch.Tensor], last: bool) -> None:
        loss().backward()
        self.lasts.append(last)


def test_as_many_micro_batches_on_every_rank_and_a_filler_weighs_nothing() -> None:
    found = []
    for most in (0, 3, 6):
        engine: Any = Sums(most)

        def loss(group: list[int]) -> tuple[torch.Tensor, dict[str, float]]:
            value = engine.weight * sum(1.0 + row for row in group)  # noqa: B023
            return value, {"loss": value.item()}

        totals = accumulate(engine, [[0, 1], [2]], loss)
        assert engine.lasts == [False] * (max(2, most) - 1) + [True]
        found.append((totals, float(engine.weight.grad)))
    assert found == [({"loss": 12.0}, 6.0)] * 3
