"""``engine.kind: fsdp2``: PyTorch's ``fully_shard``. Weights, gradients and moments are divided over the ranks.

A decoder layer is whole only while it computes; so are the embeddings, the final norm and the head, which are one
more group. Checkpoints are of ``torch.distributed.checkpoint`` and load on any number of ranks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
import torch.distributed.checkpoint as dcp
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_state_dict, set_state_dict
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor

from actors.cluster.ranks import require_process_group
from actors.engines.gathering import together, whole_on_rank_0
from rewardranker.models.scoring import Network
from rewardranker.training.offloading import Offloaded, tensors_of
from rewardranker.training.optimizer import Optimizer
from rewardranker.training.ranks import Rank
from rewardranker.training.setup import NetworkSetup

#: A checkpoint holds what trains.
_TRAINED = StateDictOptions(ignore_frozen_params=True, strict=False)


class Fsdp2Engine:
    """See :class:`rewardranker.training.engine.TrainEngine`."""

    def __init__(self, network: Network, setup: NetworkSetup, rank: Rank) -> None:
        require_process_group(rank)
        self.network, self.rank = network, rank
        mesh = init_device_mesh(rank.device.split(":")[0], (rank.world,))
        # What computes in bf16 is also gathered in bf16; gradients are added up in fp32, and so are a layer's states.
        dtype = torch.bfloat16 if network.autocast else None
        policy = MixedPrecisionPolicy(dtype, torch.float32 if dtype else None, cast_forward_inputs=False)
        for layer in _layers(network.model):
            fully_shard(layer, mesh=mesh, mp_policy=policy)
        # Also resharded after its forward pass: one without gradients would leave weights that no update reaches.
        fully_shard(network, mesh=mesh, reshard_after_forward=True)
        self._optimizer = Optimizer(network, setup)
        self._offloaded = Offloaded(rank.device)

    def __call__(self, *args: Any) -> Any:
        self._offloaded.require_none("the network")
        return self.network(*args)

    def infer(self, *args: Any) -> Any:
        self._offloaded.require_none("the network")
        # Not inference_mode: gathered weights are tensors that later passes with gradients use.
        with torch.no_grad():
            return self.network(*args)

    def rounds(self, count: int) -> int:
        return self.rank.most(count)

    def backward(self, loss: Callable[[], Tensor], last: bool) -> None:
        # Every micro-batch's gradients are divided at once, so that no rank holds all of them; FSDP averages over
        # ranks, and losses here are shares of a sum.
        (loss() * self.rank.world).backward()

    def step(self) -> dict[str, float]:
        return self._optimizer.step()

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: tuple(parameter.shape) for name, parameter in self.network.model.named_parameters()}

    def full_parameters(self) -> Iterator[tuple[str, Tensor]]:
        shapes = self.shapes()
        for group in together(self.network.model.named_parameters(), shapes):
            names = [name for name, _ in group]
            parts = [_part(parameter.detach(), self.rank.world) for _, parameter in group]
            yield from zip(names, whole_on_rank_0(parts, [shapes[name] for name in names], self.rank), strict=True)

    def offload(self, keep_weights: bool = False) -> None:
        self._offloaded.empty(self._optimizer.tensors())
        if not keep_weights:
            self._offloaded.empty(tensors_of(self.network))

    def reload(self) -> None:
        self._offloaded.fill()

    def save(self, directory: Path, name: str) -> None:
        self.rank.save_random(directory, name)
        dcp.save(self._state(), checkpoint_id=directory / name)

    def load(self, directory: Path, name: str) -> None:
        state = self._state()
        dcp.load(state, checkpoint_id=directory / name)
        set_state_dict(
            self.network,
            self._optimizer.adamw,
            model_state_dict=state["network"],
            optim_state_dict=state["optimizer"],
            options=_TRAINED,
        )
        self._optimizer.updates = int(state["updates"])
        self.rank.load_random(directory, name)

    def _state(self) -> dict[str, Any]:
        network, optimizer = get_state_dict(self.network, self._optimizer.adamw, options=_TRAINED)
        return {"network": network, "optimizer": optimizer, "updates": torch.tensor(self._optimizer.updates)}


def _layers(model: nn.Module) -> list[nn.Module]:
    """The decoder's layers, by what transformers says must not be taken apart; else the network is one group."""
    kept = getattr(model, "_no_split_modules", None) or ()
    return [module for module in model.modules() if type(module).__name__ in kept]


def _part(tensor: Tensor, world: int) -> Tensor:
    """This rank's rows, flat; where they are fewer than the first rank's, with zeros after them."""
    assert isinstance(tensor, DTensor)
    own = tensor.to_local().reshape(-1)
    most = -(-tensor.shape[0] // world) * math.prod(tensor.shape[1:])
    return nn.functional.pad(own, (0, most - len(own)))
