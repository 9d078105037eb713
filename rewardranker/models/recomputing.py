"""Gradient checkpointing: layers keep what enters them, and run again in the backward pass."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from transformers import PreTrainedModel

from rewardranker.errors import UserError
from rewardranker.models.architectures import ModelClass
from rewardranker.models.behaviour import alike, made_up_tokens

SETTING = "engine.gradient_checkpointing=true"


def check_recomputable(network: ModelClass, name: str) -> None:
    """Raises :class:`UserError` for an architecture whose layers transformers cannot run again."""
    if not network.supports_gradient_checkpointing:
        raise _refusal(network, name, "transformers knows no gradient checkpointing for it")


def recompute_layers(model: PreTrainedModel, name: str) -> None:
    """From now on the layers of ``model`` keep their inputs alone for the backward pass.

    Raises:
        UserError: the architecture cannot, says other things then, or keeps as much as before.
    """
    check_recomputable(type(model), name)
    expected, before = _kept(model)
    checkpoint_layers(model)
    found, after = _kept(model)
    if not alike(found, expected):
        raise _refusal(type(model), name, "its layers drop out while they are checkpointed")
    if after >= before:
        more = f"it keeps {after:,} bytes of 16 tokens for gradients, and {before:,} without"
        raise _refusal(type(model), name, more)


def checkpoint_layers(model: PreTrainedModel) -> None:
    """:func:`recompute_layers` without its checks."""
    # Nothing is drawn in a forward pass, so there is no random state to keep.
    model.gradient_checkpointing_enable({"use_reentrant": False, "preserve_rng_state": False})
    model.disable_input_require_grads()  # of use to the other way of checkpointing alone
    for module in model.modules():
        if hasattr(module, "gradient_checkpointing"):
            # Only then it checkpoints. Not `train()`: what it holds would begin to drop out.
            module.training = True


def _kept(model: PreTrainedModel) -> tuple[Tensor, int]:
    """The last states of some tokens, and how many bytes of other tensors than weights were kept for gradients."""
    decoder, kept = model.base_model, dict[int, int]()
    assert isinstance(decoder, nn.Module)
    weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}

    def keep(tensor: Tensor) -> Tensor:
        place = tensor.untyped_storage()
        if place.data_ptr() not in weights:
            kept[place.data_ptr()] = place.nbytes()
        return tensor

    with torch.enable_grad(), saved_tensors_hooks(keep, lambda tensor: tensor):
        states = decoder(input_ids=made_up_tokens(model, 2, 8), use_cache=False).last_hidden_state
    return states.detach(), sum(kept.values())


def _refusal(network: ModelClass, name: str, why: str) -> UserError:
    return UserError(f"{name}: {SETTING} cannot work with a {network.__name__}: {why}; set it to false")
