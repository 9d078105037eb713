"""A process group of one: sharding engines want one also where a single rank holds everything."""

from __future__ import annotations

import torch.distributed as dist

from rewardranker.training.ranks import Rank


def require_group(rank: Rank) -> None:
    """Makes torch's default process group for a rank that has no others; several have joined theirs before."""
    if dist.is_initialized():
        return
    assert rank.world == 1, "ranks join their process group before they build engines"
    backend = "nccl" if rank.device.startswith("cuda") else "gloo"
    dist.init_process_group(backend, store=dist.HashStore(), rank=0, world_size=1)
