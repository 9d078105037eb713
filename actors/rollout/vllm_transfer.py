"""A weight-transfer engine for vLLM: buckets from a process group (gloo or nccl), or handed in one by one.

It is registered with vLLM's own factory when a vLLM worker imports this module, which the worker does because
:data:`WORKER_EXTENSION` names it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from vllm.distributed.weight_transfer import WeightTransferEngineFactory
from vllm.distributed.weight_transfer.base import (
    WeightTransferEngine,
    WeightTransferInitInfo,
    WeightTransferUpdateInfo,
)
from vllm.model_executor.layers.vocab_parallel_embedding import ParallelLMHead
from vllm.model_executor.model_loader.reload import finalize_layerwise_reload, initialize_layerwise_reload
from vllm.platforms import current_platform

from actors.cluster.ranks import find_store
from actors.weights.buckets import Unpacker, held_checksums
from actors.weights.group import WeightGroup
from rewardranker.generation.types import TensorMeta

BACKEND = "rewardranker_buckets"
WORKER_EXTENSION = "actors.rollout.vllm_transfer.WorkerExtension"


@dataclass
class BucketInit(WeightTransferInitInfo):
    """Where the trainer's weight group meets. ``first_rank`` is that of this engine's first worker."""

    address: str
    port: int
    first_rank: int
    world: int
    backend: str
    timeout_s: float


@dataclass
class BucketUpdate(WeightTransferUpdateInfo):
    """Tensors of one call: the next ``bucket`` where there is one, else everything from the group.

    ``metas`` are those of the tensors that this call brings, ``sample`` names those of which checksums are made.
    """

    metas: list[TensorMeta]
    limit_bytes: int = 0
    bucket: np.ndarray | None = None
    sample: list[str] = field(default_factory=list)


class BucketTransferEngine(WeightTransferEngine[BucketInit, BucketUpdate]):
    """vLLM's side of a weight sync; vLLM makes one in each worker and drives its life cycle.

    Each of the workers that divide a model is a rank of the group, takes whole tensors and keeps its part.
    """

    init_info_cls = BucketInit
    update_info_cls = BucketUpdate
    _group: WeightGroup | None = None

    def init_transfer_engine(self, init_info: BucketInit) -> None:
        self._group = WeightGroup(
            find_store(init_info.address, init_info.port, init_info.timeout_s),
            init_info.first_rank + self.parallel_config.rank,
            init_info.world,
            init_info.backend,
            str(self.device),
            init_info.timeout_s,
        )

    def start_weight_update(self) -> None:
        self._came: dict[str, int] = {}
        self._sampled: list[TensorMeta] = []
        # Linear layers keep their weights packed for the kernel; a bare load would find nothing to write to.
        initialize_layerwise_reload(self.model)

    def receive_weights(self, update_info: BucketUpdate) -> None:
        metas = [(name, dtype, tuple(shape)) for name, dtype, shape in update_info.metas]
        unpacker = Unpacker(metas, update_info.sample)
        if update_info.bucket is not None:
            self._load(unpacker, torch.from_numpy(update_info.bucket.copy()).to(self.device))
        else:
            assert self._group is not None, "join_weight_group comes first"
            for bucket in self._group.receive(unpacker.metas, update_info.limit_bytes):
                self._load(unpacker, bucket.to(self.device))
        unpacker.finish()
        self._came |= unpacker.came
        self._sampled += [meta for meta in metas if meta[0] in update_info.sample]

    def finish_weight_update(self) -> None:
        finalize_layerwise_reload(self.model, self.model_config)
        _repack_tied_output(self.model)

    def checksums(self) -> dict[str, int]:
        """Of what this worker has: as vLLM holds it, or as it came where vLLM fuses, packs or divides it."""
        return held_checksums(self._sampled, dict(self.model.named_parameters()), self._came)

    def shutdown(self) -> None:
        self._group = None

    def _load(self, unpacker: Unpacker, bucket: Tensor) -> None:
        # The reload keeps views of the bucket until a layer is complete, so each bucket has its own memory.
        model: Any = self.model
        model.load_weights(unpacker.take(bucket))


class WorkerExtension:
    """What is added to a vLLM worker; naming it also makes the worker import this module."""

    weight_transfer_engine: BucketTransferEngine

    def weight_checksums(self) -> dict[str, int]:
        return self.weight_transfer_engine.checksums()


def _repack_tied_output(model: nn.Module) -> None:
    """On CPU the output layer multiplies with a packed copy, which a reload of tied embeddings forgets."""
    if current_platform.is_cpu():
        for module in model.modules():
            if isinstance(module, ParallelLMHead):
                module.quant_method.process_weights_after_loading(module)


WeightTransferEngineFactory.register_engine(BACKEND, BucketTransferEngine)
