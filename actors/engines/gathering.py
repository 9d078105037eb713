"""From what ranks hold of divided tensors to whole ones, where they are read: on rank 0.

To gather everything everywhere takes three times as long on CPUs, and nobody reads what the others would have.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

import torch
import torch.distributed as dist
from torch import Tensor

from rewardranker.training.ranks import Rank

#: Of whole tensors, in a message of each rank. One by one, small ones would wait most of the time; while many come,
#: what came before is on its way to others.
GATHERED_BYTES = 16 * 2**20


def whole_on_rank_0(own: Sequence[Tensor], shapes: Sequence[tuple[int, ...]], rank: Rank) -> Iterator[Tensor]:
    """Whole tensors of ``shapes``, of which the ranks hold the numbers one after the other. Collective.

    All parts travel in one message of each rank.

    Args:
        own: this rank's parts, flat, of one type; each as long on every rank, with anything after the last number.

    Returns:
        On ranks other than 0 tensors without numbers (``meta``).
    """
    flat = torch.cat([part.to(rank.device) for part in own])
    parts = [torch.empty_like(flat) for _ in range(rank.world)] if rank.index == 0 else None
    dist.gather(flat, parts, dst=0)
    first = 0
    for part, shape in zip(own, shapes, strict=True):
        whole = torch.empty(shape, dtype=part.dtype, device="meta")
        if parts is not None:
            numbers = torch.cat([piece[first : first + len(part)] for piece in parts])
            whole = numbers[: whole.numel()].view(shape)
        yield whole
        first += len(part)


def together(
    named: Iterable[tuple[str, Tensor]], shapes: Mapping[str, tuple[int, ...]]
) -> Iterator[list[tuple[str, Tensor]]]:
    """Neighbours of one type to gather at a time.

    Args:
        shapes: of the whole tensors, by name.
    """
    group: list[tuple[str, Tensor]] = []
    size = 0
    for name, tensor in named:
        whole = math.prod(shapes[name]) * tensor.itemsize
        if group and (size + whole > GATHERED_BYTES or tensor.dtype != group[0][1].dtype):
            yield group
            group, size = [], 0
        group.append((name, tensor))
        size += whole
    if group:
        yield group
