"""What a training engine must do. Whoever computes with a network that may be sharded talks to this."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from rewardranker.config.choices import chosen
from rewardranker.config.schema import ScorerShape
from rewardranker.models.adapters import DIRECTORY, Written, add_adapters, load_adapter, merged, save_adapter
from rewardranker.models.recomputing import recompute_layers
from rewardranker.models.scoring import Network
from rewardranker.paths import AnyPath
from rewardranker.training.ranks import Rank
from rewardranker.training.setup import NetworkSetup


class TrainEngine(Protocol):
    """Computes with one network, and trains the parameters that need gradients, over all of its ranks.

    A loss passed in is this rank's share of a *sum*: engines add gradients over micro-batches and ranks,
    they never average. A network whose setup has no optimiser is frozen: it is asked, and never trained.
    """

    network: Network
    rank: Rank

    def __call__(self, *args: Any) -> Any:
        """The network's forward pass, through whatever wraps it for training."""

    def infer(self, *args: Any) -> Any:
        """The forward pass without gradients. Collective where parameters are sharded, see :meth:`rounds`."""

    def rounds(self, count: int) -> int:
        """How often :meth:`infer` has to be called on this rank, which needs it ``count`` times.

        As often as on the others where a call is a collective; then this is one, too.
        """

    def backward(self, loss: Callable[[], Tensor], last: bool) -> None:
        """Computes a micro-batch's loss and adds its gradients; ``last`` of the minibatch on this rank."""

    def step(self) -> dict[str, float]:
        """Clips, updates, zeroes; returns ``grad_norm`` (before clipping) and ``lr``."""

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Names (in ``network.model``) and shapes of the whole parameters; nothing is gathered."""

    def full_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """The whole parameters, one after the other, in the order of :meth:`shapes`, on rank 0.

        Collective where parameters are sharded: all ranks go through all of it; what the others get may be without
        numbers (``meta``). An update may change what was given.
        """

    def offload(self, keep_weights: bool = False) -> None:
        """Moves weights, gradients and moments to the host's memory, for others to have the device's; or all but the
        weights, which can still be given away. Called on every rank."""

    def reload(self) -> None:
        """Moves back what :meth:`offload` moved; every bit is as it was. Called on every rank."""

    def save(self, directory: Path, name: str) -> None:
        """Writes weights, optimiser, schedule and random state. Called on every rank."""

    def load(self, directory: Path, name: str) -> None:
        """Restores what :meth:`save` wrote, on any number of ranks, or says that it cannot."""


def build_engine(setup: NetworkSetup, network: Network, rank: Rank) -> TrainEngine:
    """The engine that the setup names, made from network, setup and rank."""
    name = f"model={setup.model_path}"
    _adapt(setup, network, rank, name)
    if setup.optim is None:
        network.requires_grad_(False)
    if setup.optim and setup.engine.gradient_checkpointing:
        recompute_layers(network.model, name)
    engine: TrainEngine = chosen("engine.kind", setup.engine.kind)(network, setup, rank)
    return engine


def _adapt(setup: NetworkSetup, network: Network, rank: Rank, name: str) -> None:
    """Gives the network the additions that the setup asks for, drawn or as they were written."""
    written = Written.read(Path(setup.adapter)) if setup.adapter else None
    if lora := setup.lora or (written and written.lora):
        add_adapters(network.model, lora, setup.seed, name)
        network.autocast = setup.optim is not None and setup.dtype == "bfloat16"
        if lora.dropout:
            torch.manual_seed(setup.seed + rank.index)
    if setup.adapter:
        load_adapter(network.model, Path(setup.adapter))


def checkpoint_shapes(engine: TrainEngine) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a network's Hugging Face checkpoint; nothing is gathered."""
    model = engine.network.model
    parameters = ((name, torch.empty(shape, device="meta")) for name, shape in engine.shapes().items())
    return {name: tuple(tensor.shape) for name, tensor in merged(model, parameters)}


def checkpoint_parameters(engine: TrainEngine) -> Iterator[tuple[str, Tensor]]:
    """The whole parameters of a network's Hugging Face checkpoint, in the order of :func:`checkpoint_shapes`; what
    LoRA trained is added to what there was. Collective as :meth:`TrainEngine.full_parameters` is."""
    return merged(engine.network.model, engine.full_parameters())


def whole_state(engine: TrainEngine) -> dict[str, Tensor]:
    """All tensors of a network's checkpoint, whole and on the CPU, on rank 0; nothing on the others. Collective."""
    state: dict[str, Tensor] = {}
    for name, tensor in checkpoint_parameters(engine):
        if engine.rank.index == 0:
            state[name] = tensor.detach().cpu()
    if engine.rank.index == 0:
        model = engine.network.model
        parameters = {name for name, _ in model.named_parameters(remove_duplicate=False)}
        state |= {name: buffer for name, buffer in model.state_dict().items() if name not in parameters}
    return state


def export_adapter(engine: TrainEngine, setup: NetworkSetup, directory: AnyPath) -> None:
    """Writes what LoRA trained beside the model ``directory``, in peft's format (rank 0). Collective.

    Not of a scorer with a shape of its own: peft would add it to all layers of its base, and read the last token.
    """
    if setup.lora is None or setup.shape != ScorerShape():
        return
    model = engine.network.model
    trains = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    state = {}
    for name, tensor in engine.full_parameters():
        if name in trains and engine.rank.index == 0:
            state[name] = tensor.detach().cpu()
    if engine.rank.index == 0:
        save_adapter(model, state, Path(directory).parent / DIRECTORY, setup.model_path)
