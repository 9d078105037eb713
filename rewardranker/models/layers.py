"""Training the top layers of a backbone only: what the frozen ones below say to a text is computed once.

On a CPU this is what makes a comparison of trained rerankers affordable: the lower layers cost most of a step, and
their answer to a text never changes.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedModel

from rewardranker.errors import UserError
from rewardranker.models.batching import TokenBatch, TokenSequence, collate, microbatches
from rewardranker.models.loading import load_scorer, load_tokenizer, pad_id
from rewardranker.models.scoring import ScorerNetwork, mixed_precision


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


class Backbone:
    """A model directory, how much of it trains, and the memory of what does not.

    One backbone serves many trainings: they start from the same weights, so the frozen layers are the same.

    Args:
        trained_layers: how many of the last layers train, with the final norm and the head; 0 trains everything.
        microbatch_tokens: padded tokens in one forward pass.
        device: where to compute, e.g. ``cpu`` or ``cuda:0``.
    """

    def __init__(
        self, path: str, trained_layers: int = 0, microbatch_tokens: int = 8192, device: str = "cpu"
    ) -> None:
        self.path, self.trained_layers, self.device = path, trained_layers, device
        self.microbatch_tokens = microbatch_tokens
        self.tokenizer = load_tokenizer(path)
        self.pad_id = pad_id(self.tokenizer)
        self._states: dict[TokenSequence, Tensor] = {}
        self._lower: PreTrainedModel | None = None
        if trained_layers:
            network = load_scorer(path, "float32", "auto", device, seed=0)
            self._lower = split_layers(network.model.base_model, trained_layers)[0]

    def scorer(self, seed: int) -> Scorer:
        """A network to train, its head drawn from ``seed``."""
        return Scorer(self, load_scorer(self.path, "float32", "auto", self.device, seed, trained=True))

    def forget(self) -> None:
        """Frees the memory of texts that will not be seen again."""
        self._states.clear()

    def states(self, rows: Sequence[TokenSequence]) -> list[Tensor]:
        """What enters the trained layers: fp32 ``[len(row), H]`` per row, without gradients, known or computed."""
        unknown = [row for row in dict.fromkeys(rows) if row not in self._states]
        for group in microbatches([len(row) for row in unknown], self.microbatch_tokens):
            batch = collate([unknown[i] for i in group], self.pad_id, device=self.device)
            assert self._lower is not None
            # Not inference_mode: its tensors could not take part in a graph later.
            with torch.no_grad():
                hidden = self._lower(
                    input_ids=batch.input_ids,
                    attention_mask=batch.attention_mask,
                    position_ids=batch.position_ids,
                    use_cache=False,
                ).last_hidden_state
            for place, i in enumerate(group):
                self._states[unknown[i]] = hidden[place, : len(unknown[i])].clone()
        return [self._states[row] for row in rows]


class Scorer(nn.Module):
    """A scorer of whole sequences, of which the layers that its backbone says train."""

    def __init__(self, backbone: Backbone, network: ScorerNetwork) -> None:
        super().__init__()
        self.backbone, self.network = backbone, network
        self._upper: PreTrainedModel | None = None
        if backbone.trained_layers:
            self._upper = split_layers(network.model.base_model, backbone.trained_layers)[1]
            network.requires_grad_(False)
            for part in (self._upper.layers, self._upper.norm, network.model.score):
                part.requires_grad_(True)

    def trained(self) -> list[nn.Parameter]:
        """The parameters that train."""
        return [p for p in self.network.parameters() if p.requires_grad]

    def forward(self, rows: Sequence[TokenSequence]) -> Tensor:
        """Scores, fp32 ``[len(rows)]``, in one batch."""
        batch = collate(rows, self.backbone.pad_id, device=self.backbone.device)
        if self._upper is None:
            return self.network(batch)
        states = pad_sequence(self.backbone.states(rows), batch_first=True)
        return self.network.read(self._top(self._upper, states, batch), batch)

    def _top(self, upper: PreTrainedModel, states: Tensor, batch: TokenBatch) -> Tensor:
        with mixed_precision(batch, self.network.autocast):
            return upper(
                inputs_embeds=states,
                attention_mask=batch.attention_mask,
                position_ids=batch.position_ids,
                use_cache=False,
            ).last_hidden_state

    def score(self, rows: Sequence[TokenSequence]) -> list[float]:
        """One number per row, without gradients, in batches of like lengths; higher is better."""
        scores = [0.0] * len(rows)
        for group in microbatches([len(row) for row in rows], self.backbone.microbatch_tokens):
            with torch.no_grad():
                found = self([rows[i] for i in group]).tolist()
            for i, score in zip(group, found, strict=True):
                scores[i] = score
        return scores
