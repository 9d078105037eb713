"""How the rows of a network become batches: how many at a time, and whether those with one prompt share it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn
from transformers import PreTrainedModel

from rewardranker.models.batching import TokenBatch, TokenSequence, collate, microbatches
from rewardranker.models.behaviour import packs_leak
from rewardranker.models.loading import say_once
from rewardranker.models.packing import packed_microbatches, plan_lines
from rewardranker.models.scoring import Network


@dataclass(frozen=True)
class Layout:
    """Of one network.

    Attributes:
        token_budget: padded tokens of one forward pass.
        shared_prompts: responses to one prompt run together after it, see :mod:`rewardranker.models.packing`;
            otherwise every row is padded to the longest of its batch. The same numbers within rounding.
        window: how many tokens the network looks back at the least, beyond which a mask given from outside would let
            it look further; 0 for all of them. What is longer is padded.
    """

    device: str
    token_budget: int
    shared_prompts: bool = False
    window: int = 0

    @classmethod
    def of(cls, network: Network, token_budget: int, shared_prompts: bool) -> Layout:
        """``shared_prompts`` where the network can, which it is asked; otherwise a warning says that it cannot."""
        model, decoder = network.model, network.model.base_model
        assert isinstance(decoder, nn.Module)
        if shared_prompts and packs_leak(decoder):
            say_once(f"a {type(model).__name__} cannot run programs together after their prompt; each is run alone")
            shared_prompts = False
        return cls(str(model.device), token_budget, shared_prompts, _window(model))

    def microbatches(self, examples: Sequence[Sequence[TokenSequence]]) -> list[list[int]]:
        """Indices of examples, each of which is some rows, in groups within the budget, for :meth:`batch`."""
        packed = [i for i, rows in enumerate(examples) if self._packs(rows)]
        padded = [i for i, rows in enumerate(examples) if not self._packs(rows)]
        sizes = [len(examples[i]) * max(map(len, examples[i])) for i in padded]
        found = packed_microbatches([examples[i] for i in packed], self.token_budget)
        return [[packed[i] for i in group] for group in found] + [
            [padded[i] for i in group] for group in microbatches(sizes, self.token_budget)
        ]

    def batch(self, rows: Sequence[TokenSequence]) -> TokenBatch:
        """One batch, on the network's device."""
        return collate(rows, self.device, plan_lines(rows) if self._packs(rows) else None)

    def _packs(self, rows: Sequence[TokenSequence]) -> bool:
        return self.shared_prompts and not (self.window and any(len(row) > self.window for row in rows))


def _window(model: PreTrainedModel) -> int:
    config = model.config.get_text_config().to_dict()
    windows = [config.get(name) for name in ("sliding_window", "attention_chunk_size")]
    return min((int(window) for window in windows if window), default=0)
