"""The two kinds of network: one that gives log-probabilities, one that gives scalars."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from rewardranker.models.architectures import pooling_of, takes_positions
from rewardranker.models.batching import TokenBatch
from rewardranker.models.head import chunks_of, read_tokens


def mixed_precision(batch: TokenBatch, enabled: bool) -> torch.autocast:
    """bf16 arithmetic over weights that stay fp32 for the optimiser."""
    return torch.autocast(batch.input_ids.device.type, dtype=torch.bfloat16, enabled=enabled)


def _inputs(model: nn.Module, batch: TokenBatch) -> dict[str, Any]:
    """What a decoder is told of a batch. One that takes no positions counts by itself, and padding comes after."""
    inputs = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask, "use_cache": False}
    return inputs | ({"position_ids": batch.position_ids} if takes_positions(model) else {})


def hidden_states(decoder: nn.Module, batch: TokenBatch, entry: Tensor | None = None) -> Tensor:
    """A decoder's last states of a batch, ``[N, L, H]``; ``entry`` replaces the token ids (``inputs_embeds``)."""
    inputs = _inputs(decoder, batch)
    if entry is not None:
        del inputs["input_ids"]
        inputs["inputs_embeds"] = entry
    states: Tensor = decoder(**inputs).last_hidden_state
    return states


def _picked(states: Tensor, batch: TokenBatch, columns: Tensor) -> Tensor:
    """The states ``[N, L, H]`` of each sequence at its ``columns`` ``[B, T]``: ``[B, T, H]``."""
    places = batch.line[:, None] * states.shape[1] + columns
    return states.flatten(0, 1).index_select(0, places.flatten()).unflatten(0, places.shape)


class PolicyNetwork(nn.Module):
    """A causal language model, read as the distribution over response tokens. Policy and reference.

    Its head reads the states before response tokens alone, neither prompts nor padding.

    Attributes:
        rounds: how often the head is asked where it has to be so often; more often where ranks share its weights.
    """

    rounds: Callable[[int], int]

    def __init__(self, model: PreTrainedModel, autocast: bool = False) -> None:
        super().__init__()
        self.model, self.autocast = model, autocast
        self.rounds = lambda count: count

    def forward(self, batch: TokenBatch, temperature: float, entropy: bool = False) -> tuple[Tensor, Tensor | None]:
        """Log-probabilities at the sampling temperature.

        Returns:
            ``logprobs`` fp32 ``[B, T]``, 0 outside ``batch.mask``; and, where asked for, the entropy of each
            distribution in nats, fp32 ``[B, T]``, 0 outside the mask, without gradient.
        """
        with mixed_precision(batch, self.autocast):
            states = hidden_states(self.model.base_model, batch)
            places = (batch.line[:, None] * states.shape[1] + batch.before)[batch.mask]
            read = states.flatten(0, 1).index_select(0, places), batch.targets[batch.mask]
            chunks = self.rounds(chunks_of(self.model, len(places)))
            logprobs, spread = read_tokens(self.model, *read, temperature, entropy, chunks)
        nothing = torch.zeros_like(batch.mask, dtype=logprobs.dtype)
        laid_out = nothing.masked_scatter(batch.mask, logprobs)
        return laid_out, nothing.masked_scatter(batch.mask, spread) if entropy else None


class ScorerNetwork(nn.Module):
    """A causal backbone with a scalar head without bias. Reward model and critic.

    Hidden states are picked by position, so neither the side nor the amount of padding matters; the head
    computes in fp32.

    Attributes:
        pooling: where a response's score is read, which the model's configuration says: at its ``last`` token, or at
            all of its tokens, the ``mean``.
    """

    def __init__(self, model: PreTrainedModel, autocast: bool = False) -> None:
        super().__init__()
        self.model, self.autocast = model, autocast
        self.pooling = pooling_of(model.config)
        self._entry: tuple[nn.Module, Callable[[TokenBatch], Tensor]] | None = None
        self._head.float()

    @property
    def _head(self) -> nn.Linear:
        head = self.model.score
        assert isinstance(head, nn.Linear)
        return head

    def head(self, states: Tensor) -> Tensor:
        """Scalars of hidden states: ``[..., H]`` to fp32 ``[...]``."""
        return self._head(states.float())[..., 0]

    @torch.no_grad()
    def set_head(self, weights: Tensor) -> None:
        """Gives the head ``weights`` ``[H]``."""
        self._head.weight.copy_(weights[None])

    def enter(self, upper: nn.Module, states: Callable[[TokenBatch], Tensor]) -> None:
        """From now on ``upper``, a part of the decoder, begins with ``states`` of a batch in place of token ids."""
        self._entry = upper, states  # a tuple, so that its parameters are not the network's twice

    def forward(self, batch: TokenBatch, per_token: bool = False) -> Tensor:
        """Scores of whole responses, or values of the state before each response token.

        Returns:
            fp32 ``[B]``, read as :attr:`pooling` says; or, ``per_token``, fp32 ``[B, T]``, 0 outside ``batch.mask``.
        """
        hidden = self._hidden(batch)
        if not per_token:
            return self.head(self._pooled(hidden, batch))
        return self.head(_picked(hidden, batch, batch.before)).masked_fill(~batch.mask, 0.0)

    def pooled(self, batch: TokenBatch) -> Tensor:
        """What the head makes a response's score of: fp32 ``[B, H]``."""
        return self._pooled(self._hidden(batch), batch)

    def _hidden(self, batch: TokenBatch) -> Tensor:
        decoder, entry = self.model.base_model, None
        if self._entry is not None:
            decoder, states = self._entry
            entry = states(batch)
        with mixed_precision(batch, self.autocast):
            return hidden_states(decoder, batch, entry)

    def _pooled(self, hidden: Tensor, batch: TokenBatch) -> Tensor:
        if self.pooling == "last":
            return _picked(hidden, batch, batch.last[:, None])[:, 0].float()
        states = _picked(hidden, batch, batch.own).float().masked_fill(~batch.mask[..., None], 0.0)
        return states.sum(1) / batch.mask.sum(1, keepdim=True)


#: What a training engine trains: a module whose ``model`` is the Hugging Face model to export.
Network = PolicyNetwork | ScorerNetwork
