"""The default engine: PyTorch in one process, or DistributedDataParallel over several."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from rewardranker.models.scoring import Network
from rewardranker.models.trained import load_trained_state, share_frozen, trained_state
from rewardranker.training.offloading import Offloaded, tensors_of
from rewardranker.training.optimizer import Optimizer
from rewardranker.training.ranks import Rank
from rewardranker.training.setup import NetworkSetup


class TorchEngine:
    """AdamW over one network, see :class:`rewardranker.training.engine.TrainEngine`. Every rank holds all of it."""

    def __init__(self, network: Network, setup: NetworkSetup, rank: Rank) -> None:
        self.network, self.rank = network, rank
        if setup.engine.lora.used:
            share_frozen(network)
        self._distributed = rank.world > 1 and setup.optim is not None
        self._wrapped = self._wrap(alike=False)
        self._optimizer = Optimizer(network, setup)
        self._offloaded = Offloaded(rank.device)

    def _wrap(self, alike: bool) -> nn.Module:
        """``alike``: the ranks' weights are equal, and need not be made so."""
        if not self._distributed:
            return self.network
        devices = [self.rank.device] if self.rank.device.startswith("cuda") else None
        # Nothing but the last backward of a minibatch communicates.
        return DistributedDataParallel(
            self.network, device_ids=devices, forward_sync_buffers=False, init_sync=not alike
        )

    def __call__(self, *args: Any) -> Any:
        self._offloaded.require_none("the network")
        return self._wrapped(*args)

    def infer(self, *args: Any) -> Any:
        self._offloaded.require_none("the network")
        with torch.inference_mode():
            return self.network(*args)

    def rounds(self, count: int) -> int:
        return count

    def backward(self, loss: Callable[[], Tensor], last: bool) -> None:
        wrapped = self._wrapped
        distributed = isinstance(wrapped, DistributedDataParallel)
        with wrapped.no_sync() if distributed and not last else contextlib.nullcontext():  # type: ignore[operator]
            # DDP averages over ranks; losses here are shares of a sum.
            (loss() * self.rank.world).backward()

    def step(self) -> dict[str, float]:
        return self._optimizer.step()

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: tuple(parameter.shape) for name, parameter in self.network.model.named_parameters()}

    def full_parameters(self) -> Iterator[tuple[str, Tensor]]:
        yield from self.network.model.named_parameters()

    def offload(self, keep_weights: bool = False) -> None:
        self._wrapped = self.network  # what wraps it has buffers as large as the gradients, for sending them
        self._offloaded.empty(self._optimizer.tensors())
        if not keep_weights:
            self._offloaded.empty(tensors_of(self.network))

    def reload(self) -> None:
        self._offloaded.fill()
        self._wrapped = self._wrap(alike=True)

    def save(self, directory: Path, name: str) -> None:
        self.rank.save_random(directory, name)
        if self.rank.index == 0:
            state = {
                "network": trained_state(self.network),
                "optimizer": self._optimizer.adamw.state_dict(),
                "updates": self._optimizer.updates,
            }
            torch.save(state, directory / f"{name}.pt")

    def load(self, directory: Path, name: str) -> None:
        state = torch.load(directory / f"{name}.pt", map_location=self.rank.device, weights_only=True)
        load_trained_state(self.network, state["network"])
        self._optimizer.adamw.load_state_dict(state["optimizer"])
        self._optimizer.updates = state["updates"]
        self.rank.load_random(directory, name)
