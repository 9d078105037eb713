"""The process around a rollout engine: which engine, with which environment, and how Ray starts it."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from transformers import AutoConfig

from actors.weights.buckets import meta_of
from rewardranker.config.choices import chosen
from rewardranker.config.schema import Config
from rewardranker.errors import UserError
from rewardranker.generation.types import Request, Response, RolloutEngine, Sampling, TensorMeta
from rewardranker.models.architectures import policy_class
from rewardranker.models.checkpoint import plain_name, read_shapes, read_tensors
from rewardranker.models.loading import load_policy, model_directory
from rewardranker.training.ranks import Rank

#: What vLLM must find in its environment when its process starts: the engine inside this process, so that a
#: failure in it is a failure of the actor, and idle threads that sleep.
VLLM_ENV = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "WARNING",
    "OMP_WAIT_POLICY": "PASSIVE",
}

#: On CPU, also: the first request with log-probabilities would otherwise compile C++, and workers that divide a model
#: would be bound to cores that others use.
VLLM_CPU_ENV = {**VLLM_ENV, "TORCH_COMPILE_DISABLE": "1", "VLLM_CPU_OMP_THREADS_BIND": "nobind"}


class SyncedEngine(RolloutEngine, Protocol):
    """A rollout engine that can also receive its weights over a process group with the trainer."""

    weight_ranks: int

    def join_weight_group(
        self, address: str, port: int, first_rank: int, world: int, backend: str, timeout_s: float
    ) -> None:
        """Takes ``weight_ranks`` ranks from ``first_rank`` on; returns when all of ``world`` have joined."""

    def receive_weights(self, limit_bytes: int) -> None:
        """Takes all buckets of the update that has begun; the trainer sends at the same time."""


def choose_engine(config: Config) -> str:
    """The engine's name: what is asked for; of ``auto``, ``vllm`` or ``transformers``.

    Raises:
        UserError: vLLM is asked for and not installed.
    """
    installed = importlib.util.find_spec("vllm") is not None
    asked = config.rollout.engine
    if asked == "auto":
        return "vllm" if installed and config.rollout.gpus_per_worker > 0 else "transformers"
    if asked == "vllm" and not installed:
        raise UserError(
            "rollout.engine=vllm, but vLLM is not installed: pip install 'rewardranker[cpu]' or "
            "'rewardranker[gpu]', or set rollout.engine=transformers"
        )
    return asked


class RolloutWorker:
    """One rollout worker: an engine, as a role that a worker hosts."""

    def __init__(self, config: Config, model_path: str, rank: Rank) -> None:
        self._device = rank.device
        self._engine = rollout_engine(config, model_path, rank.index, self._device)

    def load_checkpoint(self, model_path: str, version: int) -> None:
        """Takes the weights of a saved model, the way it takes the trainer's."""
        tensors = dict(checkpoint_tensors(model_path))
        self._engine.begin_update([meta_of(name, tensor) for name, tensor in tensors.items()])
        for tensor in tensors.values():
            self._engine.load_bucket(tensor.contiguous().view(-1).view(torch.uint8).numpy())
        self._engine.finish_update(version)

    def device(self) -> str:
        return self._device

    def weights_version(self) -> int:
        return self._engine.weights_version

    def generate(self, requests: list[Request], sampling: Sampling) -> list[Response]:
        return self._engine.generate(requests, sampling)

    def begin_update(self, metas: list[TensorMeta]) -> None:
        self._engine.begin_update(metas)

    def load_bucket(self, bucket: np.ndarray) -> None:
        self._engine.load_bucket(bucket)

    def finish_update(self, version: int) -> list[dict[str, int]]:
        """Returns the engine's checksums of the new weights."""
        self._engine.finish_update(version)
        return self._engine.checksums()

    def sleep(self, keep_weights: bool) -> None:
        self._engine.sleep(keep_weights)

    def wake(self, weights_alone: bool = False) -> None:
        self._engine.wake(weights_alone)

    def weight_ranks(self) -> int:
        """How many ranks of a weight group this worker takes."""
        return self._engine.weight_ranks

    def join_weight_group(
        self, address: str, port: int, first_rank: int, world: int, backend: str, timeout_s: float
    ) -> None:
        self._engine.join_weight_group(address, port, first_rank, world, backend, timeout_s)

    def receive_weights(self, limit_bytes: int) -> None:
        self._engine.receive_weights(limit_bytes)


def rollout_engine(config: Config, model_path: str, index: int, device: str) -> SyncedEngine:
    """The ``index``-th worker's engine, which :func:`choose_engine` names. It is imported here: each brings a large
    library."""
    engine: SyncedEngine = chosen("rollout.engine", choose_engine(config))(config, model_path, index, device)
    return engine


def checkpoint_tensors(model_path: str) -> Iterator[tuple[str, torch.Tensor]]:
    """Names and tensors of a saved language model, here or on the hub, as the trainer names and sends them: without
    copies of tied embeddings, and where the files have other names or parts (older ones, experts one by one), with
    the network's own.

    Raises:
        UserError: no such model, or one whose weights are lost or damaged.
    """
    directory = model_directory(model_path)
    config = AutoConfig.from_pretrained(directory)
    with torch.device("meta"):
        sent = {name for name, _ in policy_class(config, f"model={model_path}")(config).named_parameters()}
    if sent <= {plain_name(name) for name in read_shapes(directory, "model")}:
        yield from ((name, tensor) for name, tensor in read_tensors(directory, "model") if name in sent)
    else:
        network = load_policy(str(directory), "float32", "auto", "cpu")
        yield from ((name, parameter.detach()) for name, parameter in network.model.named_parameters())


def rollout_environment(config: Config, model_path: str) -> dict[str, str]:
    """Variables of a rollout worker's process; they must be there before torch is imported."""
    environment = {"TOKENIZERS_PARALLELISM": "false"}
    environment["OMP_NUM_THREADS"] = str(max(1, int(config.rollout.cpus_per_worker / config.rollout.parts)))
    if Path(model_path).is_dir():
        environment["HF_HUB_OFFLINE"] = "1"
    if choose_engine(config) == "vllm":
        environment |= VLLM_ENV if config.rollout.gpus_per_worker else VLLM_CPU_ENV
    return environment
