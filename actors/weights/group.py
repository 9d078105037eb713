"""A process group for weights alone: the trainer's rank 0 and every rollout rank, beside other groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from actors.cluster.ranks import advertise_node_address
from actors.weights.buckets import byte_size, split
from rewardranker.generation.types import TensorMeta


class WeightGroup:
    """Rank 0 sends, ranks 1 to ``world - 1`` receive. Made on all of them at once: making it waits for all.

    ``backend`` is gloo (buffers on CPU) or nccl (buffers on ``device``).
    """

    def __init__(self, store: dist.Store, rank: int, world: int, backend: str, device: str, timeout_s: float) -> None:
        advertise_node_address()
        timeout = timedelta(seconds=timeout_s)
        self.device = device if backend == "nccl" else "cpu"
        self._group: Any  # torch does not type what both have in common
        if backend == "nccl":
            options = dist.ProcessGroupNCCL.Options()
            options._timeout = timeout
            self._group = dist.ProcessGroupNCCL(store, rank, world, options)
        else:
            self._group = dist.ProcessGroupGloo(store, rank, world, timeout)

    def send(self, buckets: Iterable[Tensor]) -> None:
        """From rank 0: while a bucket is on its way the next is packed, and no more than these two are held."""
        on_its_way: tuple[Any, Tensor] | None = None
        for bucket in buckets:
            if on_its_way:
                on_its_way[0].wait()
            on_its_way = self._group.broadcast(bucket, 0), bucket
        if on_its_way:
            on_its_way[0].wait()

    def receive(self, metas: list[TensorMeta], limit_bytes: int) -> Iterator[Tensor]:
        """The buckets of one update: ``uint8 [n]``, each in memory of its own."""
        for part in split(metas, limit_bytes):
            bucket = torch.empty(byte_size(part), dtype=torch.uint8, device=self.device)
            self._group.broadcast(bucket, 0).wait()
            yield bucket
