"""What goes into a generation engine and what comes out: token ids and log-probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True)
class Sampling:
    """How to sample.

    ``temperature`` 0 is greedy. ``top_k`` 0 is off. PPO rollouts are untruncated; candidates for
    reranking may use ``top_k``.
    """

    temperature: float = 1.0
    top_k: int = 0
    max_new_tokens: int = 256


@dataclass(frozen=True)
class Request:
    """One response to sample: the prompt's token ids and a seed of its own.

    The seed is derived from (run seed, stage, problem, sample index), never from a worker or a batch
    position, so a request that is run again, anywhere, gives the same response.
    """

    problem_id: str
    prompt_ids: tuple[int, ...]
    seed: int


@dataclass
class Response:
    """One sampled response.

    Attributes:
        token_ids: with the token that ended it at the end when ``finish_reason`` is ``stop``.
        logprobs: fp32 ``[len(token_ids)]``: log-probability of each token at the sampling temperature,
            before any top-k truncation (so it is comparable with the trainer's). For greedy sampling,
            at temperature 1.
        weights_version: of the weights that sampled it.
    """

    token_ids: list[int]
    logprobs: np.ndarray
    finish_reason: str
    weights_version: int


#: A tensor on its way to an engine: parameter name (of the Hugging Face checkpoint) and fp32/bf16 array.
TensorMeta = tuple[str, str, tuple[int, ...]]  # name, torch dtype name such as "float32", shape


class RolloutEngine(Protocol):
    """A generation engine whose weights can be replaced while it lives."""

    weights_version: int

    def generate(self, requests: list[Request], sampling: Sampling) -> list[Response]:
        """Samples one response per request, in the order of the requests."""

    def begin_update(self, metas: list[TensorMeta]) -> None:
        """Stops serving and prepares to receive the named tensors, in this order, over one or more buckets."""

    def load_bucket(self, bucket: np.ndarray) -> None:
        """Takes the next bucket: ``uint8 [n]``, the raw bytes of whole tensors, in the order announced."""

    def finish_update(self, version: int) -> None:
        """Makes the new weights live, forgets cached prefixes, sets ``weights_version``."""

    def checksums(self) -> list[dict[str, int]]:
        """After an update: what became of the tensors that ``actors.weights.buckets.sampled`` names, by each of the
        ranks that the engine has in a weight group."""

    def sleep(self, keep_weights: bool) -> None:
        """Gives the device's memory to others. Weights wait in the host's memory, or have to be sent again.

        Raises:
            UserError: this engine cannot.
        """

    def wake(self, weights_alone: bool = False) -> None:
        """Takes the device's memory back, or only what the weights need, which can then be sent."""
