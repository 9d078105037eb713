"""The default engine: PyTorch in one process, or DistributedDataParallel over several."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from rewardranker.config.schema import OptimConfig
from rewardranker.models.scoring import Network
from rewardranker.training.ranks import Rank
from rewardranker.training.schedule import learning_rate


class TorchEngine:
    """AdamW over one network, see :class:`rewardranker.training.engine.TrainEngine`."""

    def __init__(self, network: Network, optim: OptimConfig, total_steps: int, rank: Rank) -> None:
        self.network = network
        self.rank = rank
        self._optim, self._total_steps, self._updates = optim, total_steps, 0
        devices = [rank.device] if rank.device.startswith("cuda") else None
        # Nothing but the last backward of a minibatch communicates.
        self._wrapped: nn.Module = (
            DistributedDataParallel(network, device_ids=devices, forward_sync_buffers=False)
            if rank.world > 1
            else network
        )
        self._trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self._optimizer = torch.optim.AdamW(
            self._trained,
            lr=optim.lr,
            betas=(optim.beta1, optim.beta2),
            eps=optim.eps,
            weight_decay=optim.weight_decay,
        )

    def __call__(self, *args: Any) -> Any:
        return self._wrapped(*args)

    def backward(self, loss: Callable[[], Tensor], last: bool) -> None:
        wrapped = self._wrapped
        distributed = isinstance(wrapped, DistributedDataParallel)
        with wrapped.no_sync() if distributed and not last else contextlib.nullcontext():  # type: ignore[operator]
            # DDP averages over ranks; losses here are shares of a sum.
            (loss() * self.rank.world).backward()

    def step(self) -> dict[str, float]:
        lr = learning_rate(self._optim, self._updates, self._total_steps)
        for group in self._optimizer.param_groups:
            group["lr"] = lr
        norm = nn.utils.clip_grad_norm_(self._trained, self._optim.max_grad_norm)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self._updates += 1
        return {"grad_norm": float(norm), "lr": lr}

    def sum(self, values: dict[str, float]) -> dict[str, float]:
        if self.rank.world == 1:
            return values
        totals = torch.tensor(list(values.values()), dtype=torch.float64, device=self.rank.device)
        dist.all_reduce(totals)
        return dict(zip(values, totals.tolist(), strict=True))

    def most(self, count: int) -> int:
        if self.rank.world == 1:
            return count
        largest = torch.tensor(count, device=self.rank.device)
        dist.all_reduce(largest, dist.ReduceOp.MAX)
        return int(largest)

    def full_parameters(self) -> Iterator[tuple[str, Tensor]]:
        yield from self.network.model.named_parameters()

    def save(self, directory: Path, name: str) -> None:
        random = {"torch": torch.get_rng_state(), "numpy": np.random.get_state()}
        torch.save(random, directory / f"{name}-random-{self.rank.index}.pt")
        if self.rank.index == 0:
            state = {
                "network": self.network.state_dict(),
                "optimizer": self._optimizer.state_dict(),
                "updates": self._updates,
            }
            torch.save(state, directory / f"{name}.pt")

    def load(self, directory: Path, name: str) -> None:
        state = torch.load(directory / f"{name}.pt", map_location=self.rank.device, weights_only=True)
        self.network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._updates = state["updates"]
        own = directory / f"{name}-random-{self.rank.index}.pt"
        if own.exists():  # none where fewer ranks saved: whole checkpoints alone are read
            random = torch.load(own, weights_only=False)
            torch.set_rng_state(random["torch"])
            np.random.set_state(random["numpy"])
