"""One update of a network's weights, the same in every engine: clipped gradients, a schedule's rate, AdamW."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from rewardranker.config.schema import OptimConfig
from rewardranker.training.schedule import learning_rate
from rewardranker.training.setup import NetworkSetup


class Optimizer:
    """Of the parameters that need gradients; of a frozen network's it is made and never asked.

    Attributes:
        updates: how many were made.
    """

    def __init__(self, network: nn.Module, setup: NetworkSetup) -> None:
        self.config, self._total_steps, self.updates = setup.optim or OptimConfig(), setup.total_steps, 0
        self.parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self.adamw = torch.optim.AdamW(
            self.parameters or [torch.zeros(0)],  # it takes no empty list
            lr=self.config.lr,
            betas=(self.config.beta1, self.config.beta2),
            eps=self.config.eps,
            weight_decay=self.config.weight_decay,
        )

    def tensors(self) -> Iterator[Tensor]:
        """What there is of it beside the network: gradients and moments."""
        for parameter in self.parameters:
            if parameter.grad is not None:
                yield parameter.grad
        for state in self.adamw.state.values():
            yield from (value for value in state.values() if isinstance(value, Tensor))

    @property
    def rate(self) -> float:
        """The next update's."""
        return learning_rate(self.config, self.updates, self._total_steps)

    def clip(self) -> float:
        """Scales gradients down to the longest that they may be; returns their norm before that."""
        norm = nn.utils.clip_grad_norm_(self.parameters, self.config.max_grad_norm)
        return float(norm.full_tensor() if isinstance(norm, DTensor) else norm)

    def step(self) -> dict[str, float]:
        """Clips, updates, zeroes; returns ``grad_norm`` (before clipping) and ``lr``."""
        norm, rate = self.clip(), self.rate
        set_rate(self.adamw, rate)
        self.adamw.step()
        self.adamw.zero_grad(set_to_none=True)
        self.updates += 1
        return {"grad_norm": norm, "lr": rate}


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Makes the next update's learning rate this one."""
    for group in optimizer.param_groups:
        group["lr"] = rate
