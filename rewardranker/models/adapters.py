"""LoRA: the weights of a network stay as they are, and low-rank additions to its linear layers train
(Hu et al. 2021, section 4.1). The layers are peft's; a network with them keeps its class.

With an addition a linear layer computes ``W x + (alpha / rank) B A x``. ``B`` begins as zero, so that the network
begins as what it was. Heads of scorers have no such addition: they train whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from rewardranker.config.schema import LoraConfig
from rewardranker.errors import UserError, did_you_mean
from rewardranker.models.architectures import empty, policy_class
from rewardranker.models.checking import HEAD
from rewardranker.models.loading import config_if_reached
from rewardranker.paths import AnyPath

#: Where a network's additions lie, beside the directory with all of its weights.
DIRECTORY = "adapter"

SETTING = "engine.lora.target_modules"

#: In the names of parameters, after that of their layer.
_BASE, _A, _B = ".base_layer.weight", ".lora_A.default.weight", ".lora_B.default.weight"

#: In peft's files, before every name; and in names here, what they leave out.
_PEFT, _NAMED = "base_model.model.", ".default."
_SHAPE, _TENSORS = "adapter_config.json", "adapter_model.safetensors"


class GradientDropout(nn.Dropout):
    """Drops out where gradients are wanted, and nowhere else: networks here are never in training mode."""

    def forward(self, input: Tensor) -> Tensor:
        return functional.dropout(input, self.p, torch.is_grad_enabled())


def require_adaptable(path: AnyPath, setting: str, lora: LoraConfig) -> None:
    """Raises :class:`UserError`, naming ``setting``, for a model without such layers; as far as its config, the hub's
    where that is reached, tells. No weights are made."""
    path, name = str(path), f"{setting}={path}"
    if (config := config_if_reached(path, setting)) is not None:
        targets_of(empty(policy_class(config, name), config), lora, name)


def targets_of(model: PreTrainedModel, lora: LoraConfig, name: str) -> list[str]:
    """What peft is to be asked for: the last parts of the names of linear layers in a model's decoder.

    Raises:
        UserError: a target that is no linear layer of the decoder, with those that are.
    """
    decoder = model.base_model
    assert isinstance(decoder, nn.Module)
    layers = [place for place, module in decoder.named_modules() if isinstance(module, (nn.Linear, Conv1D))]
    last = list(dict.fromkeys(place.rpartition(".")[2] for place in layers))
    known = ", ".join(last) or "none"
    for target in lora.target_modules:
        if not any(place == target or place.endswith(f".{target}") for place in layers):
            raise UserError(
                f"{SETTING}={lora.target_modules}: {name} has no linear layer {target} in its decoder; there are "
                f"{known}; leave it empty for all of them{did_you_mean(target, last)}"
            )
    if not layers:
        raise UserError(f"engine.lora.rank: the decoder of {name} has no linear layers; set it to 0")
    return list(lora.target_modules) or last


def add_adapters(model: PreTrainedModel, lora: LoraConfig, seed: int | None, name: str) -> None:
    """From now on the additions to a model's layers, in fp32, and the head of a scorer are all that trains.

    Args:
        seed: ``A`` is drawn from it; ``None`` where values are of no interest, as in a network that has none.
        name: the model's, for messages.

    Raises:
        UserError: as :func:`targets_of`, or layers that peft does not adapt.
    """
    from peft import LoraConfig as PeftConfig
    from peft import inject_adapter_in_model

    asked = PeftConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=targets_of(model, lora, name),
        fan_in_fan_out=any(isinstance(module, Conv1D) for module in model.modules()),
    )
    model.requires_grad_(False)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed or 0)
            inject_adapter_in_model(asked, model.base_model, low_cpu_mem_usage=seed is None)
    except ValueError as error:
        raise UserError(
            f"{SETTING}={lora.target_modules}: {name} cannot be adapted: {error} It has "
            f"{', '.join(targets_of(model, replace(lora, target_modules=[]), name))}"
        ) from error
    if seed is None:
        for part in (part["default"] for layer in _layers(model).values() for part in (layer.lora_A, layer.lora_B)):
            part.weight = nn.Parameter(torch.empty(part.weight.shape, device=model.device))
    for place, parameter in model.named_parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
        elif place == HEAD:
            parameter.requires_grad_(True)
    if lora.dropout:
        for layer in _layers(model).values():
            layer.lora_dropout["default"] = GradientDropout(lora.dropout)


def merged(model: nn.Module, parameters: Iterable[tuple[str, Tensor]]) -> Iterator[tuple[str, Tensor]]:
    """The parameters that a network would have if its additions were added, under the names that it had without any.

    Args:
        parameters: all of the network's by name, whole, in its own order: a layer's come one after the other, and no
            more than one layer's are held.

    Returns:
        What was given where the network has no additions; else all of it in fp32.
    """
    layers = _layers(model)
    held: dict[str, Tensor] = {}
    for name, tensor in parameters:
        layer = next((name.removesuffix(part) for part in (_BASE, _A, _B) if name.endswith(part)), "")
        if not layers:
            yield name, tensor
        elif layer not in layers:
            yield plain_name(name), tensor.detach().float()
        elif name == layer + _B:
            yield f"{layer}.weight", _sum(layers[layer], held.pop(_BASE), held.pop(_A), tensor)
        else:
            held[name.removeprefix(layer)] = tensor


@torch.no_grad()
def _sum(layer: Any, base: Tensor, a: Tensor, b: Tensor) -> Tensor:
    added = b.float() @ a.float()
    whole: Tensor = base.float() + (added.T if layer.fan_in_fan_out else added) * layer.scaling["default"]
    return whole


def without_additions(model: PreTrainedModel) -> PreTrainedModel:
    """What a network's tensors are saved with: itself, or, where it has additions, its like without any, and without
    weights."""
    if not _layers(model):
        return model
    plain = empty(type(model), model.config).float()  # as it is written, whatever its config says
    if hasattr(plain, "generation_config"):  # of language models alone
        plain.generation_config = model.generation_config
    return plain


def plain_name(name: str) -> str:
    """What a parameter is called in a network without additions."""
    return name.replace(".base_layer.", ".")


def _layers(model: nn.Module) -> dict[str, Any]:
    """The layers that have additions, peft's, by their names."""
    names = [name.removesuffix(_B) for name, _ in model.named_parameters() if name.endswith(_B)]
    return {name: model.get_submodule(name) for name in names}


@dataclass(frozen=True)
class Written:
    """What :func:`save_adapter` says of additions: their shape, and what they were added to."""

    lora: LoraConfig
    base: str

    @classmethod
    def read(cls, directory: Path) -> Written | None:
        """``None`` where there are none."""
        if not (directory / _SHAPE).is_file():
            return None
        said = json.loads((directory / _SHAPE).read_text())
        targets = sorted(said["target_modules"])
        lora = LoraConfig(rank=said["r"], alpha=said["lora_alpha"], target_modules=targets)
        return cls(lora, said["base_model_name_or_path"])

    def fits(self, lora: LoraConfig) -> bool:
        """Whether additions that are asked for can begin as these."""
        same = (lora.rank, lora.alpha) == (self.lora.rank, self.lora.alpha)
        return same and (not lora.target_modules or sorted(lora.target_modules) == self.lora.target_modules)


def save_adapter(model: PreTrainedModel, trained: Mapping[str, Tensor], directory: Path, base: AnyPath) -> None:
    """Writes what trains, as ``peft.PeftModel.from_pretrained`` loads it onto the model that it began as.

    Args:
        trained: additions and head by the names of the model's parameters, whole.
        base: what it began as.
    """
    from peft import LoraConfig as PeftConfig

    decoder: Any = model.base_model
    asked: PeftConfig = decoder.peft_config["default"]
    scorer = HEAD in trained
    written = PeftConfig(
        r=asked.r,
        lora_alpha=asked.lora_alpha,
        lora_dropout=asked.lora_dropout,
        target_modules=sorted(asked.target_modules or ()),
        fan_in_fan_out=asked.fan_in_fan_out,
        task_type="SEQ_CLS" if scorer else "CAUSAL_LM",
        modules_to_save=[HEAD.removesuffix(".weight")] if scorer else None,
        base_model_name_or_path=str(base),
        inference_mode=True,
    )
    directory.mkdir(parents=True, exist_ok=True)
    written.save_pretrained(str(directory))
    state = {_PEFT + name.replace(_NAMED, "."): tensor.contiguous() for name, tensor in trained.items()}
    save_file(state, directory / _TENSORS)


@torch.no_grad()
def load_adapter(model: PreTrainedModel, directory: Path) -> None:
    """Gives a model with additions the values of those in ``directory``, and the head beside them."""
    tensors = load_file(directory / _TENSORS)
    own = {_PEFT + name.replace(_NAMED, "."): p for name, p in model.named_parameters() if p.requires_grad}
    if own.keys() != tensors.keys():
        raise UserError(f"{directory}: holds {len(tensors)} tensors, not the {len(own)} that train of this network")
    for name, parameter in own.items():
        parameter.copy_(tensors[name])
