"""One process of the runtime. It hosts roles; which ones is a matter of placement, not of their code."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any

import ray
import torch

from actors.cluster.ranks import Rank, device_of_this_process, join_process_group
from rewardranker.models.loading import quiet_transformers


class Worker:
    """Rank ``index`` of a group of ``world`` workers. Runs as a Ray actor."""

    def __init__(self, index: int, world: int, threads: int) -> None:
        quiet_transformers()
        torch.set_num_threads(threads)
        self.rank = Rank(index, world, device_of_this_process())
        self._roles: dict[str, Any] = {}

    def place(self) -> str:
        """For error messages."""
        return f"node {ray.util.get_node_ip_address()}, pid {os.getpid()}"

    def meeting_point(self) -> tuple[str, int]:
        """An address of this process's node and a port that is free there."""
        with socket.socket() as probe:
            probe.bind(("", 0))
            return ray.util.get_node_ip_address(), probe.getsockname()[1]

    def join(self, address: str, port: int, timeout_s: float) -> None:
        join_process_group(self.rank, address, port, timeout_s)

    def build(self, role: str, factory: Callable[..., Any], *args: Any) -> None:
        """Makes a role, in place of the one of that name."""
        self._roles.pop(role, None)
        self._roles[role] = factory(*args, self.rank)

    def drop(self, role: str) -> None:
        self._roles.pop(role, None)

    def call(self, role: str, method: str, *args: Any) -> Any:
        """Calls ``role.method``; a dotted method reaches a part of the role, e.g. ``weights.metas``."""
        target = self._roles[role]
        for part in method.split("."):
            target = getattr(target, part)
        return target(*args)
