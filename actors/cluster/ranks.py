"""The process group of a group of workers, on the devices that Ray gave them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import psutil
import ray
import torch
import torch.distributed as dist

from rewardranker.errors import UserError
from rewardranker.training.ranks import Rank


@dataclass(frozen=True, order=True)
class Seat:
    """Where a worker computes: its node's address, and the devices there that it may use (none: on CPU)."""

    node: str
    devices: tuple[int, ...]


def device_of_this_process(shared: bool = False) -> str:
    """Ray masks the devices it did not give us, so a worker with a GPU always owns the first visible one.

    Args:
        shared: the process sees devices that Ray gave others, who take turns with it.
    """
    return "cuda:0" if (shared or ray.get_gpu_ids()) and torch.cuda.is_available() else "cpu"


def engine_seats(ranks: Sequence[Seat], engines: int, devices_each: int) -> list[Seat]:
    """Seats of engines that use the devices of training workers: each those of neighbours, on one node.

    Args:
        ranks: of the training workers, ordered; each with one device, or all with none.

    Raises:
        UserError: an engine's devices would lie on two nodes.
    """
    seats = []
    for first in range(0, engines * max(1, devices_each), max(1, devices_each)):
        own = ranks[first : first + max(1, devices_each)]
        if len({seat.node for seat in own}) > 1:
            last = first + len(own) - 1
            raise UserError(
                f"cluster.share_devices=true with engines of {devices_each} GPUs: one would have those of training "
                f"workers {first} to {last}, which are on {', '.join(sorted({s.node for s in own}))}, and an engine "
                "cannot span nodes; let rollout.gpus_per_worker divide the GPUs of every node"
            )
        seats.append(Seat(own[0].node, tuple(device for seat in own for device in seat.devices)))
    return seats


def open_store(timeout_s: float) -> dist.TCPStore:
    """The meeting point of a process group, held by this process on a port of its node that was free until now."""
    address = ray.util.get_node_ip_address()
    return dist.TCPStore(address, 0, is_master=True, timeout=timedelta(seconds=timeout_s), wait_for_workers=False)


def find_store(address: str, port: int, timeout_s: float) -> dist.TCPStore:
    """The same meeting point seen from another process."""
    return dist.TCPStore(address, port, is_master=False, timeout=timedelta(seconds=timeout_s), wait_for_workers=False)


def join_process_group(rank: Rank, store: dist.Store, timeout_s: float) -> None:
    """Connects to the other ranks, with gloo on CPU and nccl on GPU."""
    advertise_node_address()
    dist.init_process_group(
        backend="nccl" if rank.device.startswith("cuda") else "gloo",
        store=store,
        rank=rank.index,
        world_size=rank.world,
        timeout=timedelta(seconds=timeout_s),
    )


def require_process_group(rank: Rank) -> None:
    """A group of one, for a rank that has no others and a library that wants one; several have joined theirs."""
    if not dist.is_initialized():
        assert rank.world == 1, "ranks join their process group before they build roles"
        join_process_group(rank, dist.HashStore(), timeout_s=60.0)


def advertise_node_address() -> None:
    """Tells gloo and nccl the interface of the node's address; on some machines they would give out loopback."""
    address = ray.util.get_node_ip_address()
    for name, entries in psutil.net_if_addrs().items():
        if any(entry.address == address for entry in entries):
            os.environ.setdefault("GLOO_SOCKET_IFNAME", name)
            os.environ.setdefault("NCCL_SOCKET_IFNAME", name)
