"""What a micro-batch takes in memory: its passes are rehearsed on tensors without numbers.

Weights, batch and all between have shapes, types and lifetimes, and nothing behind them (torch's ``FakeTensorMode``).
So the code that will compute is what is measured, whatever the architecture, and 6.7 billion parameters take seconds.
The kernels are a CPU's; those of a GPU keep the same tensors but for small change.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from transformers import PreTrainedConfig, PreTrainedModel

from rewardranker.config.schema import LoraConfig
from rewardranker.models.adapters import add_adapters
from rewardranker.models.architectures import empty, policy_class, scorer_class, takes_positions, with_layers
from rewardranker.models.checking import quietly
from rewardranker.models.head import chunks_of, read_tokens
from rewardranker.models.recomputing import checkpoint_layers


class LivingTensors(TorchDispatchMode):
    """Counts the bytes of tensors that operations made and that live: ``bytes`` now, and the ``peak``.

    Args:
        known: tensors that are counted elsewhere, such as weights; so are views of them.
    """

    def __init__(self, known: Iterable[Tensor] = ()) -> None:
        super().__init__()
        self.bytes = self.peak = 0
        self._known = {tensor.untyped_storage()._cdata for tensor in known}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, Tensor):
                self.count(tensor)
        return made

    def count(self, tensor: Tensor) -> None:
        """Told of every tensor that an operation returns."""
        place = tensor.untyped_storage()
        if (key := place._cdata) not in self._known:
            self._known.add(key)
            self.bytes += place.nbytes()
            self.peak = max(self.peak, self.bytes)
            weakref.finalize(place, self._forget, key, place.nbytes())

    def _forget(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.bytes -= size


@dataclass(frozen=True)
class Passes:
    """What is rehearsed.

    Attributes:
        scorer: a network with one number for a head; else a language model.
        trained: with a backward pass, and fp32 weights; else in ``dtype``.
        recomputed: layers are checkpointed.
        rows, length: of the batch.
        responses: how many of its tokens the head reads.
        rank, targets: of what LoRA trains; 0: all weights.
    """

    scorer: bool
    trained: bool
    recomputed: bool
    dtype: str
    rows: int
    length: int
    responses: int
    rank: int = 0
    targets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Work:
    """Bytes beside weights and gradients: ``kept`` from the forward pass for the backward, and the ``peak``."""

    kept: int
    peak: int


def rehearse(config: PreTrainedConfig, passes: Passes) -> Work:
    """A forward pass, and, where trained, a backward pass that adds to gradients which are there already.

    Layers are alike, so that two and three of them tell of all.

    Raises:
        RuntimeError: what the architecture does depends on numbers, which there are none of.
    """
    layers = config.get_text_config().num_hidden_layers
    if layers <= 3:
        return _rehearse(config, passes)
    two, three = (_rehearse(with_layers(config, count), passes) for count in (2, 3))
    more = layers - 2
    return Work(two.kept + more * (three.kept - two.kept), two.peak + more * (three.peak - two.peak))


def _rehearse(config: PreTrainedConfig, passes: Passes) -> Work:
    low = passes.dtype == "bfloat16"
    network = (scorer_class if passes.scorer else policy_class)(config, "model")
    adapted = _adapted(empty(network, config), passes) if passes.rank else None
    with FakeTensorMode(), quietly():
        if adapted is None:
            weights = torch.bfloat16 if low and not passes.trained else torch.float32
            model: PreTrainedModel = network._from_config(config, dtype=weights).eval()
            model.requires_grad_(passes.trained)
        else:
            model = _numberless(adapted, torch.bfloat16 if low else torch.float32)
        if passes.trained and passes.recomputed:
            checkpoint_layers(model)
        for parameter in model.parameters():
            parameter.grad = torch.zeros_like(parameter) if parameter.requires_grad else None
        inputs = _inputs(model, passes)
        there = [*model.parameters(), *(p.grad for p in model.parameters() if p.grad is not None), *model.buffers()]
        with torch.set_grad_enabled(passes.trained), LivingTensors([*there, *inputs.values()]) as living:
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=low and passes.trained):
                said = _said(model, passes, inputs)
            kept = living.bytes
            if passes.trained:
                said.sum().backward()
    return Work(kept, living.peak)


def _adapted(model: PreTrainedModel, passes: Passes) -> PreTrainedModel:
    """Made where there are no tensors of the mode: peft moves what it makes, which those do not allow."""
    add_adapters(model, LoraConfig(rank=passes.rank, target_modules=list(passes.targets)), None, "model")
    return model.eval()


def _numberless(model: PreTrainedModel, frozen: torch.dtype) -> PreTrainedModel:
    """A model of the meta device with tensors of the mode, in fp32 where they train."""
    for module in model.modules():
        for name, parameter in module._parameters.items():
            if parameter is not None:
                dtype = torch.float32 if parameter.requires_grad else frozen
                made = torch.empty(parameter.shape, dtype=dtype)
                module._parameters[name] = nn.Parameter(made, parameter.requires_grad)
        for name, buffer in module._buffers.items():
            module._buffers[name] = None if buffer is None else torch.empty(buffer.shape, dtype=buffer.dtype)
    model.tie_weights()
    return model


def _inputs(model: PreTrainedModel, passes: Passes) -> dict[str, Tensor]:
    """Token ids, positions, and the mask that packs of responses come with, the largest that there is."""
    ids = torch.zeros(passes.rows, passes.length, dtype=torch.int64)
    mask = torch.ones(passes.rows, 1, passes.length, passes.length, dtype=torch.bool)
    inputs = {"input_ids": ids, "attention_mask": mask}
    decoder = model.base_model
    assert isinstance(decoder, nn.Module)
    return inputs | ({"position_ids": torch.zeros_like(ids)} if takes_positions(decoder) else {})


def _said(model: PreTrainedModel, passes: Passes, inputs: dict[str, Tensor]) -> Tensor:
    decoder = model.base_model
    assert isinstance(decoder, nn.Module)
    try:
        states = decoder(**inputs, use_cache=False).last_hidden_state
    except (ValueError, TypeError, IndexError):  # a mask of that shape is none for it
        states = decoder(input_ids=inputs["input_ids"], use_cache=False).last_hidden_state
    read = states.flatten(0, 1)[: passes.responses]
    if passes.scorer:
        head = model.score
        assert isinstance(head, nn.Linear)
        return functional.linear(read.float(), head.weight.float())
    targets = inputs["input_ids"].flatten()[: passes.responses]
    return read_tokens(model, read, targets, 1.0, True, chunks_of(model, len(read)))[0]
