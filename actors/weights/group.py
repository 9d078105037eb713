"""A process group for weights alone: the trainer's rank 0 and every rollout rank, beside other groups."""

from __future__ import annotations

from collections.abc import Iterator
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

    def broadcast(self, bucket: Tensor) -> Tensor:
        """Fills ``bucket`` with that of rank 0."""
        self._group.broadcast(bucket, 0).wait()
        return bucket

    def receive(self, metas: list[TensorMeta], limit_bytes: int) -> Iterator[Tensor]:
        """The buckets of one update: ``uint8 [n]``, each in memory of its own."""
        for bucket in split(metas, limit_bytes):
            yield self.broadcast(torch.empty(byte_size(bucket), dtype=torch.uint8, device=self.device))
