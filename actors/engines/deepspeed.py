"""``engine.kind: deepspeed``: ZeRO stages 0 to 3, with optimiser or parameters kept in the host's memory on demand.

DeepSpeed compiles an operator for CPUs at its start, which needs a compiler and hangs after a build that was killed;
it is for inference alone and switched off here. The optimiser is torch's own on every device, so that engines can be
compared number by number.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from actors.cluster.ranks import require_process_group
from actors.engines.gathering import together, whole_on_rank_0
from rewardranker.config.schema import EngineConfig, OptimConfig
from rewardranker.errors import UserError
from rewardranker.models.scoring import Network, PolicyNetwork
from rewardranker.training.offloading import Offloaded, tensors_of
from rewardranker.training.optimizer import Optimizer, set_rate
from rewardranker.training.ranks import Rank
from rewardranker.training.setup import NetworkSetup


class DeepSpeedEngine:
    """See :class:`rewardranker.training.engine.TrainEngine`."""

    def __init__(self, network: Network, setup: NetworkSetup, rank: Rank) -> None:
        require_process_group(rank)
        deepspeed = _deepspeed(rank)
        self.network, self.rank = network, rank
        self._stage = setup.engine.zero_stage if setup.engine.zero_stage is not None else 2
        self._optimizer = Optimizer(network, setup)
        if self._stage == 3 and isinstance(network, PolicyNetwork):
            network.rounds = rank.most  # all ranks gather a module's weights whenever one of them calls it
        # Nothing of a frozen network can be divided but its parameters.
        self._engine: Any = None
        if setup.optim or self._stage == 3:
            self._engine, *_ = deepspeed.initialize(
                model=network,
                optimizer=self._optimizer.adamw if setup.optim else None,
                config=_config(self._stage, setup.engine, self._optimizer.config, network),
            )
        self._offloaded = Offloaded(rank.device)

    def __call__(self, *args: Any) -> Any:
        self._offloaded.require_none("the network")
        return self._engine(*args)

    def infer(self, *args: Any) -> Any:
        self._offloaded.require_none("the network")
        with torch.no_grad():
            return (self._engine if self._stage == 3 else self.network)(*args)

    def rounds(self, count: int) -> int:
        return self.rank.most(count) if self._stage == 3 else count

    def backward(self, loss: Callable[[], Tensor], last: bool) -> None:
        self._engine.set_gradient_accumulation_boundary(last)
        # DeepSpeed averages over ranks; losses here are shares of a sum.
        self._engine.backward(loss() * self.rank.world)
        if not last:
            self._engine.step()  # counts the micro-batch

    def step(self) -> dict[str, float]:
        rate = self._optimizer.rate
        set_rate(self._engine.optimizer, rate)
        plain = self._optimizer.clip() if self._stage == 0 else 0.0
        self._engine.step()
        self._optimizer.updates += 1
        return {"grad_norm": float(self._engine.get_global_grad_norm() if self._stage else plain), "lr": rate}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {name: tuple(getattr(p, "ds_shape", p.shape)) for name, p in self.network.model.named_parameters()}

    def full_parameters(self) -> Iterator[tuple[str, Tensor]]:
        if self._stage < 3:
            yield from self.network.model.named_parameters()
            return
        shapes = self.shapes()
        for group in together(self.network.model.named_parameters(), shapes):
            names = [name for name, _ in group]
            # Of every parameter a rank has a part, also of small ones, which are whole as well.
            parts = [cast(Any, parameter).ds_tensor.detach() for _, parameter in group]
            yield from zip(names, whole_on_rank_0(parts, [shapes[name] for name in names], self.rank), strict=True)

    def offload(self, keep_weights: bool = False) -> None:
        # DeepSpeed's own way knows its own optimisers alone.
        optimizer = self._engine.optimizer if self._engine else None
        gathering = [bucket.buffer for bucket in getattr(optimizer, "ipg_buckets", {}).values()]
        self._offloaded.empty(_reachable(gathering), keep=False)
        weights = list(_weights(self.network))
        kept = {tensor.untyped_storage().data_ptr() for tensor in weights}
        held = [*_reachable(optimizer), *self._optimizer.tensors()]
        self._offloaded.empty(tensor for tensor in held if tensor.untyped_storage().data_ptr() not in kept)
        if not keep_weights:
            self._offloaded.empty(weights)

    def reload(self) -> None:
        self._offloaded.fill()

    def save(self, directory: Path, name: str) -> None:
        self.rank.save_random(directory, name)
        state = {"updates": self._optimizer.updates}
        self._engine.save_checkpoint(
            str(directory), tag=name, client_state=state, save_latest=False, exclude_frozen_parameters=True
        )

    def load(self, directory: Path, name: str) -> None:
        ranks = len(list(directory.glob(f"{name}-random-*.pt")))
        if ranks != self.rank.world and self._stage:
            raise UserError(
                f"{directory}: a DeepSpeed checkpoint of {ranks} ranks cannot go on with {self.rank.world}; give it "
                f"cluster.ranks={ranks} again, or begin the run anew with engine.kind=fsdp2, which can change it"
            )
        _, state = self._engine.load_checkpoint(str(directory), tag=name, load_module_strict=False)
        self._optimizer.updates = state["updates"]
        self.rank.load_random(directory, name)


def _deepspeed(rank: Rank) -> Any:
    """The library, told where it is before it looks."""
    if rank.device == "cpu":
        os.environ["DS_ACCELERATOR"] = "cpu"
    os.environ |= {"RANK": str(rank.index), "WORLD_SIZE": str(rank.world), "LOCAL_RANK": "0"}
    try:
        import deepspeed
    except ImportError as error:
        raise UserError(
            f"engine.kind=deepspeed: {error}; pip install deepspeed, or use engine.kind=fsdp2, which shards as much"
        ) from None
    if rank.device == "cpu":
        deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    if not deepspeed.comm.is_initialized():
        deepspeed.init_distributed(
            "gloo" if rank.device == "cpu" else "nccl", auto_mpi_discovery=False, verbose=False
        )
    return deepspeed


def _weights(network: nn.Module) -> Iterator[Tensor]:
    """A network's tensors, with the parts of those that are divided."""
    for tensor in tensors_of(network):
        yield tensor
        if hasattr(tensor, "ds_tensor"):
            yield tensor.ds_tensor


def _reachable(start: Any) -> Iterator[Tensor]:
    """All tensors that DeepSpeed's objects hold: its flat buffers have other names in every stage."""
    seen, waiting = set[int](), [start]
    while waiting:
        found = waiting.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        if isinstance(found, Tensor):
            yield found
        elif isinstance(found, dict):
            waiting += found.values()
        elif isinstance(found, list | tuple | set):
            waiting += found
        elif type(found).__module__.startswith(("deepspeed.", "torch.optim.")):
            waiting += vars(found).values() if hasattr(found, "__dict__") else ()


def _gathered(network: nn.Module) -> dict[str, int]:
    """How many numbers ZeRO-3 gathers at a time: an eighth of the network, or its largest tensor. DeepSpeed's own
    numbers, which remain the most, are for networks of many billions: a smaller one would be whole on every rank."""
    sizes = [parameter.numel() for parameter in network.parameters()]
    part = max(sum(sizes) // 8, max(sizes))
    most = {"reduce_bucket_size": 5 * 10**8, "stage3_prefetch_bucket_size": 5 * 10**7}
    most |= {"stage3_max_live_parameters": 10**9, "stage3_max_reuse_distance": 10**9}
    return {name: min(limit, part) for name, limit in most.items()}


def _config(stage: int, engine: EngineConfig, optim: OptimConfig, network: nn.Module) -> dict[str, Any]:
    """What DeepSpeed is told. Micro-batches are counted by us; its batch sizes have to be there and mean nothing."""
    zero: dict[str, Any] = {"stage": stage} | (_gathered(network) if stage == 3 else {})
    host = {"device": "cpu", "pin_memory": torch.cuda.is_available()}
    if engine.offload in ("optimizer", "parameters"):
        zero["offload_optimizer"] = host
    if engine.offload == "parameters":
        zero["offload_param"] = host
    return {
        "train_micro_batch_size_per_gpu": 1,
        "gradient_accumulation_steps": 1,
        "gradient_clipping": optim.max_grad_norm if stage else 0.0,
        "zero_optimization": zero,
        "zero_allow_untested_optimizer": True,
        "zero_force_ds_cpu_optimizer": False,
        "steps_per_print": 10**9,
    }
