"""A network whose weights do not all train: what of it a checkpoint needs, and what other networks may share."""

from __future__ import annotations

from weakref import WeakValueDictionary

import torch
from torch import Tensor, nn

from rewardranker.models.adapters import plain_name

#: Frozen parameters of this process's networks by name, type, shape and device; those that nobody uses vanish.
_SHARED: WeakValueDictionary[tuple[str, torch.dtype, torch.Size, torch.device], nn.Parameter] = WeakValueDictionary()


def trained_state(network: nn.Module) -> dict[str, Tensor]:
    """A network's state without the parameters that never change."""
    frozen = _frozen(network)
    return {name: tensor for name, tensor in network.state_dict().items() if name not in frozen}


def load_trained_state(network: nn.Module, state: dict[str, Tensor]) -> None:
    """Restores what :func:`trained_state` returned. Raises ``RuntimeError`` unless that is all that trains."""
    missing, unknown = network.load_state_dict(state, strict=False)
    lost = set(missing) - _frozen(network)
    if lost or unknown:
        raise RuntimeError(f"not the state of this network: missing {sorted(lost)}, not known {sorted(unknown)}")


def share_frozen(network: nn.Module) -> None:
    """Takes the frozen parameters that another network of this process has already, which are equal in every bit.

    So roles that begin with the same weights hold them once, however many they are. Whatever shares them must never
    write them.
    """
    same: dict[nn.Parameter, nn.Parameter] = {}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            continue
        key = plain_name(name), parameter.dtype, parameter.shape, parameter.device
        known = _SHARED.setdefault(key, parameter)
        if known is not parameter and torch.equal(known, parameter):
            same[parameter] = known
    for module in network.modules():
        for name, own in module._parameters.items():
            if own is not None and own in same:
                module._parameters[name] = same[own]


def _frozen(network: nn.Module) -> set[str]:
    named = network.named_parameters(remove_duplicate=False)
    return {name for name, parameter in named if not parameter.requires_grad}
