"""Training engines behind one protocol."""

from __future__ import annotations

from collections.abc import Callable

from actors.cluster.ranks import Rank
from actors.engines.protocol import TrainEngine
from actors.engines.torch_engine import TorchEngine
from rewardranker.config.schema import EngineConfig, OptimConfig
from rewardranker.models.scoring import Network

ENGINES: dict[str, Callable[..., TrainEngine]] = {"torch": TorchEngine}


def build_engine(
    config: EngineConfig, network: Network, optim: OptimConfig, total_steps: int, rank: Rank
) -> TrainEngine:
    """The engine that the config names; the config's rules have refused the unknown ones."""
    return ENGINES[config.kind](network, optim, total_steps, rank)


__all__ = ["TrainEngine", "build_engine"]
