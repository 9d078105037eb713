"""One process of the runtime. It hosts roles; which ones is a matter of placement, not of their code."""

from __future__ import annotations

import functools
import gc
import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import ray
import torch
import torch.distributed as dist

from actors.cluster.ranks import Seat, device_of_this_process, find_store, join_process_group, open_store
from rewardranker.models.quiet import quiet_transformers
from rewardranker.training.ranks import Rank


class Worker:
    """Rank ``index`` of a group of ``world`` workers. Runs as a Ray actor."""

    def __init__(self, index: int, world: int, threads: int, shared: bool = False) -> None:
        # Until the first role is asked for: importing it makes a million objects that stay, and looking through them
        # again and again would take a fifth of the time.
        gc.disable()
        quiet_transformers()
        torch.set_num_threads(threads)
        self.rank = Rank(index, world, device_of_this_process(shared))
        self._roles: dict[str, Any] = {}
        self._meeting: dist.Store | None = None

    def place(self) -> str:
        """For error messages."""
        return f"node {ray.util.get_node_ip_address()}, pid {os.getpid()}"

    def seat(self) -> Seat:
        return Seat(ray.util.get_node_ip_address(), tuple(int(device) for device in ray.get_gpu_ids()))

    def number(self, index: int) -> None:
        """Gives this worker another index, before it hosts anything."""
        self.rank = replace(self.rank, index=index)

    def open_meeting(self, timeout_s: float) -> tuple[str, int]:
        """Opens the group's meeting point on this process's node, and keeps it; returns its address and port."""
        self._meeting = open_store(timeout_s)
        return ray.util.get_node_ip_address(), self._meeting.port

    def join(self, address: str, port: int, timeout_s: float) -> None:
        own = self._meeting
        join_process_group(self.rank, find_store(address, port, timeout_s) if own is None else own, timeout_s)

    def build(self, role: str, factory: Callable[..., Any], *args: Any) -> None:
        """Makes a role, in place of the one of that name."""
        gc.enable()
        self.drop(role)
        self._roles[role] = factory(*args, self.rank)

    def drop(self, role: str) -> None:
        """Forgets a role and gives its memory back: what refers to itself waits for the collector, and what torch
        once had of a device it keeps from all other processes."""
        if self._roles.pop(role, None) is None:
            return
        gc.collect()
        if torch.cuda.is_initialized():
            torch.cuda.empty_cache()

    def call(self, role: str, method: str, /, *args: Any, **kwargs: Any) -> Any:
        """Calls a method of a role; a dotted role is a part of one, e.g. ``policy.weights``."""
        name, *parts = role.split(".")
        target = functools.reduce(getattr, parts, self._roles[name])
        return getattr(target, method)(*args, **kwargs)
