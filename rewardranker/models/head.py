"""A language model's head alone: log-probabilities of hidden states, never of more at a time than memory is for.

The logits of a micro-batch are its largest tensor by far: 8,192 tokens before a vocabulary of 150,000 are 5 GB in
fp32, and a softmax and its gradients take them several times. So the head reads some states, keeps a number of each,
and where gradients are wanted reads them again in the backward pass.
"""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel

#: Of logits in fp32 that are held at a time; a softmax and its gradient take a few times as much. Less would have the
#: head read its weights more often than it computes with them.
CHUNK_BYTES = 256 * 2**20


class _Said:
    """What a decoder returns, of which there are the last hidden states and nothing else."""

    def __init__(self, states: Tensor) -> None:
        self.last_hidden_state = states

    def __getitem__(self, index: int) -> Tensor:
        return (self.last_hidden_state,)[index]

    def __getattr__(self, name: str) -> None:
        return None


class _Decoder(nn.Module):
    """In a decoder's place: says ``states``, whatever it is asked."""

    def __init__(self, states: Tensor) -> None:
        super().__init__()
        self._states = states

    @property
    def decoder(self) -> _Decoder:
        """Some language models ask a part of their decoder."""
        return self

    def forward(self, *args: Any, **kwargs: Any) -> _Said:
        return _Said(self._states)


def logits_of(model: PreTrainedModel, states: Tensor) -> Tensor:
    """What a language model makes of its decoder's last states: ``[M, H]`` to ``[M, V]``, in the dtype of both.

    The model's own forward pass runs, with the states in the place of its decoder: heads scale, cap and shift, each
    in its own way.
    """
    view = copy.copy(model)
    view._modules = {**model._modules, model.base_model_prefix: _Decoder(states[None])}
    logits: Tensor = view.forward(inputs_embeds=states[None], use_cache=False).logits
    return logits[0]


def chunks_of(model: PreTrainedModel, tokens: int) -> int:
    """In how many parts the head has to read so many tokens."""
    rows = max(1, CHUNK_BYTES // (4 * model.config.get_text_config().vocab_size))
    return max(1, -(-tokens // rows))


def read_tokens(
    model: PreTrainedModel, states: Tensor, targets: Tensor, temperature: float, entropy: bool, chunks: int
) -> tuple[Tensor, Tensor]:
    """Log-probabilities of ``targets`` ``[M]`` after ``states`` ``[M, H]``, at a temperature.

    Args:
        chunks: parts to read them in, which changes results by rounding only; where tokens are fewer, some are empty.

    Returns:
        fp32 ``[M]``; and the entropy of each distribution in nats, fp32 ``[M]``, without gradient, zeros where it is
        not asked for.
    """
    read = partial(_read, model, temperature, entropy)
    if chunks > 1 and torch.is_grad_enabled():
        # There is no dropout, so nothing is drawn.
        read = partial(checkpoint, read, use_reentrant=False, preserve_rng_state=False)
    parts = zip(states.tensor_split(chunks), targets.tensor_split(chunks), strict=True)
    said = [read(*part) for part in parts]
    logprobs, entropies = zip(*said, strict=True)
    return torch.cat(logprobs), torch.cat(entropies)


def _read(
    model: PreTrainedModel, temperature: float, entropy: bool, states: Tensor, targets: Tensor
) -> tuple[Tensor, Tensor]:
    distribution = torch.log_softmax(logits_of(model, states).float() / temperature, dim=-1)
    logprobs = distribution.gather(1, targets[:, None])[:, 0]
    with torch.no_grad():
        spread = -(distribution.exp() * distribution).sum(-1) if entropy else torch.zeros_like(logprobs)
    return logprobs, spread
