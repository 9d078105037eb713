"""Training the top layers of a backbone only: what the frozen ones below say to a text is computed once.

On a CPU this is what makes a comparison of trained rerankers affordable: the lower layers cost most of a step, and
their answer to a text never changes.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from rewardranker.errors import UserError
from rewardranker.models.batching import TokenSequence
from rewardranker.models.behaviour import hidden_states, packs_leak
from rewardranker.models.limits import Limits
from rewardranker.models.loading import load_scorer, load_tokenizer, say_once
from rewardranker.models.packing import Pack, alone, pack, plan_packs
from rewardranker.models.scoring import ScorerNetwork


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
        microbatch_tokens: tokens whose gradients are computed together, which bounds the memory of a step.
        device: where to compute, e.g. ``cpu`` or ``cuda:0``.
    """

    def __init__(
        self, path: str, trained_layers: int = 0, microbatch_tokens: int = 8192, device: str = "cpu"
    ) -> None:
        self.path, self.trained_layers, self.device = path, trained_layers, device
        self.microbatch_tokens = microbatch_tokens
        self.tokenizer = load_tokenizer(path)
        self._states: dict[TokenSequence | tuple[int, ...], Tensor] = {}  # of responses, and of prompts
        network = load_scorer(path, "float32", "auto", device, seed=0)
        self.limits = Limits.of(network.model.config)
        self._window = _window(network.model)
        self._leaks = packs_leak(network.model.base_model)
        if self._leaks:
            say_once(
                f"{path}: a {type(network.model).__name__} cannot run programs packed together; each is run alone"
            )
        self._lower: PreTrainedModel | None = None
        if trained_layers:
            self._lower = split_layers(network.model.base_model, trained_layers)[0]

    def scorer(self, seed: int) -> Scorer:
        """A network to train, its head drawn from ``seed``."""
        return Scorer(self, load_scorer(self.path, "float32", "auto", self.device, seed, trained=True))

    def forget(self) -> None:
        """Frees the memory of texts that will not be seen again."""
        self._states.clear()

    def plan(self, rows: Sequence[TokenSequence]) -> list[list[int]]:
        """Indices of rows to run together; each alone where the network would let them see each other."""
        if self._leaks:
            return [[i] for i in range(len(rows))]
        long = [i for i, row in enumerate(rows) if self._window and len(row) > self._window]
        rest = [i for i in range(len(rows)) if i not in set(long)]
        return [[rest[i] for i in group] for group in plan_packs([rows[i] for i in rest])] + [[i] for i in long]

    def packed(self, rows: Sequence[TokenSequence]) -> Pack:
        """One of the groups of :meth:`plan`, ready to be run."""
        return alone(rows[0], self.device) if len(rows) == 1 else pack(rows, self.device)

    def remember(self, rows: Sequence[TokenSequence]) -> None:
        """Asks the frozen layers about the texts among ``rows`` that are not known yet."""
        unknown = [row for row in dict.fromkeys(rows) if row not in self._states]
        for group in self.plan(unknown):
            together = self.packed([unknown[i] for i in group])
            assert self._lower is not None
            # Not inference_mode: its tensors could not take part in a graph later.
            with torch.no_grad():
                hidden = hidden_states(self._lower, together)
            prompt, *responses = hidden[0].split(together.lengths)
            self._states.setdefault(unknown[group[0]].prompt_ids, prompt.clone())
            for i, response in zip(group, responses, strict=True):
                self._states[unknown[i]] = response.clone()

    def states(self, rows: Sequence[TokenSequence]) -> Tensor:
        """What enters the trained layers for a pack of ``rows``: fp32 ``[1, L, H]``, without gradients."""
        self.remember(rows)
        return torch.cat([self._states[rows[0].prompt_ids], *(self._states[row] for row in rows)])[None]


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
        """Scores, fp32 ``[len(rows)]``; rows with the same prompt are run together."""
        groups = self.backbone.plan(rows)
        scores = torch.cat([self._of_pack([rows[i] for i in group]) for group in groups])
        places = torch.tensor([i for group in groups for i in group], device=scores.device)
        return torch.empty_like(scores).index_copy(0, places, scores)

    def _of_pack(self, rows: Sequence[TokenSequence]) -> Tensor:
        together = self.backbone.packed(rows)
        if self._upper is None:
            hidden = hidden_states(self.network.model.base_model, together)
        else:
            hidden = hidden_states(self._upper, together, inputs_embeds=self.backbone.states(rows))
        return self.network.head(hidden[0, together.last])

    def score(self, rows: Sequence[TokenSequence]) -> list[float]:
        """One number per row, without gradients; higher is better."""
        if not rows:
            return []
        with torch.no_grad():
            return [float(score) for score in self(rows)]


def _window(model: PreTrainedModel) -> int:
    """How many tokens the network looks back at the least, beyond which a mask given from outside would let it look
    further; 0 for all of them."""
    config = model.config.get_text_config().to_dict()
    windows = [config.get(name) for name in ("sliding_window", "attention_chunk_size")]
    return min((int(window) for window in windows if window), default=0)
