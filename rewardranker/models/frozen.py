"""Training the top layers of a scorer only: what the frozen ones below say to a text is computed once.

On a CPU this is what makes a comparison of trained rerankers affordable: the lower layers cost most of a step, and
their answer to a text never changes.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from rewardranker.errors import UserError
from rewardranker.models.batching import TokenBatch, TokenSequence
from rewardranker.models.layout import Layout
from rewardranker.models.scoring import ScorerNetwork, hidden_states, mixed_precision
from rewardranker.paths import AnyPath


def split_layers(model: nn.Module, top: int) -> tuple[PreTrainedModel, PreTrainedModel]:
    """Two views of a backbone that share its parameters: the layers below the ``top`` last ones, and those.

    The lower one maps token ids to the hidden states that enter the upper one; the upper one takes these as
    ``inputs_embeds`` and gives the backbone's last hidden states.

    Raises:
        UserError: more layers asked for than there are, or an architecture that cannot be cut like this.
    """
    assert isinstance(model, PreTrainedModel)
    layers, norm = getattr(model, "layers", None), getattr(model, "norm", None)
    if not isinstance(layers, nn.ModuleList) or not isinstance(norm, nn.Module):
        raise UserError(f"{type(model).__name__}: cannot train some layers only; train all (trained_layers=0)")
    if not 1 <= top <= len(layers):
        raise UserError(f"trained_layers={top}: the backbone has {len(layers)} layers; 0 trains everything")
    lower = _view(model, layers=layers[: len(layers) - top], norm=nn.Identity())
    upper = _view(model, layers=layers[len(layers) - top :])
    _check(model, lower, upper)
    return lower, upper


def _view(model: PreTrainedModel, **modules: nn.Module) -> PreTrainedModel:
    view = copy.copy(model)
    view._modules = {**model._modules, **modules}
    return view


@torch.no_grad()
def _check(model: PreTrainedModel, lower: PreTrainedModel, upper: PreTrainedModel) -> None:
    """Some architectures scale their embeddings, or treat layers by their number: the parts would lie."""
    ids = torch.arange(1, 9, device=model.device)[None] % model.config.vocab_size
    whole = model(input_ids=ids, use_cache=False).last_hidden_state
    states = lower(input_ids=ids, use_cache=False).last_hidden_state
    parts = upper(inputs_embeds=states, use_cache=False).last_hidden_state
    if not torch.allclose(whole, parts, rtol=1e-3, atol=1e-3 * float(whole.abs().max())):
        raise UserError(
            f"{type(model).__name__}: its layers cannot be run in two parts; train all of them (trained_layers=0)"
        )


class FrozenLayers:
    """The layers of a scorer below the ``trained`` last ones, and the memory of what they said.

    One serves many trainings that start from the same weights.
    """

    def __init__(self, network: ScorerNetwork, trained: int, layout: Layout) -> None:
        self._trained, self._layout, self._autocast = trained, layout, network.autocast
        self._lower = split_layers(network.model.base_model, trained)[0]
        self._states: dict[TokenSequence | tuple[int, ...], Tensor] = {}  # of responses, and of prompts

    def below(self, network: ScorerNetwork) -> None:
        """Makes ``network``, which has the same frozen layers, train the others, its final norm and its head."""
        upper = split_layers(network.model.base_model, self._trained)[1]
        network.requires_grad_(False)
        for part in (upper.layers, upper.norm, network.model.score):
            part.requires_grad_(True)
        network.enter(upper, self.states)

    def forget(self) -> None:
        """Frees the memory of texts that will not be seen again."""
        self._states.clear()

    def save(self, path: AnyPath) -> None:
        """Writes what is remembered, for another process with the same weights and settings."""
        unfinished = Path(path).with_suffix(".unfinished")
        torch.save(self._states, unfinished)
        unfinished.replace(path)

    def load(self, path: AnyPath) -> None:
        """Restores what :meth:`save` wrote."""
        self._states = torch.load(path, weights_only=False)

    def remember(self, rows: Sequence[TokenSequence]) -> None:
        """Asks the frozen layers about the texts among ``rows`` that are not known yet."""
        unknown = [row for row in dict.fromkeys(rows) if row not in self._states]
        for group in self._layout.microbatches([[row] for row in unknown]):
            batch = self._layout.batch([unknown[i] for i in group])
            # Not inference_mode: its tensors could not take part in a graph later.
            with torch.no_grad(), mixed_precision(batch, self._autocast):
                hidden = hidden_states(self._lower, batch).float()
            for line, states in zip(batch.lines, hidden, strict=True):
                lengths = [len(line[0].prompt_ids), *(len(row.response_ids) for row in line)]
                prompt, *responses = states[: sum(lengths)].split(lengths)
                self._states.setdefault(line[0].prompt_ids, prompt.clone())
                for row, response in zip(line, responses, strict=True):
                    self._states[row] = response.clone()

    def states(self, batch: TokenBatch) -> Tensor:
        """What enters the trained layers for a batch: fp32 ``[N, L, H]``, without gradients."""
        self.remember([row for line in batch.lines for row in line])
        said = [[self._states[line[0].prompt_ids], *(self._states[row] for row in line)] for line in batch.lines]
        return nn.utils.rnn.pad_sequence([torch.cat(states) for states in said], batch_first=True)
