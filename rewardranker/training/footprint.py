"""Bytes that networks hold on a device, by formula: a function of how many parameters, ranks, and what is divided.

Fp32 weights, gradients and two moments of Adam are 4, 4 and 8 bytes a parameter; what is divided over ranks follows
Rajbhandari et al. 2020 (ZeRO), section 5.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from transformers import PreTrainedConfig

from rewardranker.config.schema import LoraConfig
from rewardranker.models.adapters import add_adapters
from rewardranker.models.architectures import ModelClass, empty

#: What DeepSpeed keeps whole of a network whose weights are divided, in parameters, and what it adds up at a time.
_LIVE, _BUCKET = 10**9, 5 * 10**8
BYTES = {"float32": 4, "bfloat16": 2}


@dataclass(frozen=True)
class Size:
    """Parameters of a network: all; of its largest layer; of what is in no layer (embeddings, norm, head); of its
    largest tensor; and of what stays as it is where LoRA trains the network."""

    parameters: int
    layer: int
    outside: int
    tensor: int
    frozen: int = 0

    @classmethod
    def of(cls, network: ModelClass, config: PreTrainedConfig, lora: LoraConfig | None = None) -> Size:
        """Of an architecture; no weights are made."""
        model = empty(network, config)
        if lora:
            add_adapters(model, lora, None, "model")
        kinds = model._no_split_modules or ()
        layers = [module for module in model.modules() if type(module).__name__ in kinds]
        inside = [sum(parameter.numel() for parameter in layer.parameters()) for layer in layers]
        counts = [parameter.numel() for parameter in model.parameters()]
        frozen = sum(parameter.numel() for parameter in model.parameters() if not parameter.requires_grad)
        return cls(sum(counts), max(inside, default=0), sum(counts) - sum(inside), max(counts), frozen)

    @property
    def trained(self) -> int:
        """Parameters that have gradients where the network trains."""
        return self.parameters - self.frozen


@dataclass(frozen=True)
class Sharding:
    """What ranks share of a network: nothing (stage 0), moments (1), gradients too (2), weights too (3).

    Attributes:
        kind: the engine's, for what it keeps besides.
        offload: what lies in the host's memory instead: ``none``, ``optimizer`` or ``parameters``.
    """

    ranks: int = 1
    stage: int = 0
    kind: str = "torch"
    offload: str = "none"

    def of(self, stage: int, count: float) -> float:
        """A rank's part of what is divided from a stage on."""
        return count / self.ranks if self.stage >= stage else count


@dataclass(frozen=True)
class Held:
    """Bytes on a device from the first update on, whatever is computed; ``host`` is beside it, in its host's memory.

    Attributes:
        transport: gradients on their way to other ranks, and layers that are whole while they compute.
    """

    weights: float
    gradients: float = 0.0
    moments: float = 0.0
    transport: float = 0.0
    host: float = 0.0

    @property
    def total(self) -> float:
        return self.weights + self.gradients + self.moments + self.transport


def held(size: Size, sharding: Sharding, dtype: str, trained: bool) -> Held:
    """What one rank holds of a network; what stays as it is beside additions that train is in ``dtype``."""
    count, low = size.parameters, BYTES[dtype]
    whole = 0.0  # while a layer computes, and the next one is fetched
    if sharding.stage == 3 and sharding.ranks > 1:
        live = 2 * size.layer * low + size.outside * 4
        whole = min(count, _LIVE) * low if sharding.kind == "deepspeed" else live
    if not trained and not size.frozen:
        return Held(weights=sharding.of(3, count * low), transport=whole)
    moving = size.trained
    weights = sharding.of(3, low * size.frozen + 4 * moving)
    if not trained:
        return Held(weights, transport=whole)
    gradients, moments = sharding.of(2, 4 * moving), sharding.of(1, 8 * moving)
    transport, host = whole, 0.0
    if sharding.kind == "torch" and sharding.ranks > 1:
        transport += 4 * moving  # DistributedDataParallel's buckets
    elif sharding.kind == "fsdp2" and sharding.ranks > 1:
        transport += min(size.layer + size.outside, moving) * 4  # gradients of a group before they are divided
    elif sharding.kind == "deepspeed" and sharding.stage:
        moments += sharding.of(1, 4 * moving)  # the optimiser's own copy of its part of the weights
        transport += min(moving, _BUCKET) * 4
    if sharding.offload in ("optimizer", "parameters"):
        moments, host = 0.0, moments
    if sharding.offload == "parameters":
        weights, host = 0.0, host + weights
    return Held(weights, gradients, moments, transport, host)


def optimiser_scratch(size: Size, sharding: Sharding, on_gpu: bool) -> float:
    """What AdamW takes for a moment: on GPUs one number a parameter, for all at once; else a tensor's."""
    return sharding.of(1, 4 * size.trained) if on_gpu else 3 * 4 * min(size.tensor, size.trained)


def keys_and_values(config: PreTrainedConfig, tokens: int, dtype: str) -> int:
    """Of an engine that holds so many tokens; of networks that look back with all heads, or say with how many."""
    text = config.get_text_config().to_dict()
    heads, hidden = (
        text.get("num_attention_heads") or text.get("n_head"),
        text.get("hidden_size") or text.get("n_embd"),
    )
    layers = text.get("num_hidden_layers") or text.get("n_layer")
    if not (heads and hidden and layers):
        return 0
    width = (text.get("head_dim") or hidden // heads) * (text.get("num_key_value_heads") or heads)
    return int(2 * layers * width * tokens * BYTES[dtype])


def device_memory() -> float | None:
    """Bytes of the smallest GPU here; ``None`` where there is none."""
    if not torch.cuda.is_available():
        return None
    return float(min(torch.cuda.get_device_properties(i).total_memory for i in range(torch.cuda.device_count())))
