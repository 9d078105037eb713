"""The critic: starts from the reward model or the policy, learns the value of every state of a response."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import Tensor

from rewardranker.config.schema import PPOConfig
from rewardranker.models.batching import TokenSequence
from rewardranker.models.layout import Layout
from rewardranker.models.loading import load_scorer
from rewardranker.training.engine import build_engine
from rewardranker.training.ppo.experience import Share
from rewardranker.training.ppo.losses import value_loss
from rewardranker.training.ranks import Rank
from rewardranker.training.setup import NetworkSetup
from rewardranker.training.updates import accumulate, infer_rows, mean_of_reports, prefixed


class Critic:
    """One rank of the critic. Every rank is called with shares of its own."""

    #: Of a step's experience.
    LEARNS_FROM = ("values", "returns")

    def __init__(self, setup: NetworkSetup, rank: Rank) -> None:
        self.setup, self.rank = setup, rank
        seed = setup.seed if setup.drawn_head else None
        computes = setup.dtype, setup.attention, rank.device
        self.network = load_scorer(setup.model_path, *computes, seed, setup.whole, setup.shape)
        self.layout = Layout.of(self.network, setup.microbatch_tokens, setup.engine.shared_prompts)
        self.engine = build_engine(setup, self.network, rank)

    def values(self, rows: list[TokenSequence]) -> list[np.ndarray]:
        """Value of the state before each response token, fp32 ``[len(response_ids)]`` per row."""
        return infer_rows(lambda batch: self.engine.infer(batch, True), rows, self.layout, rounds=self.engine.rounds)

    def update(self, shares: list[Share], config: PPOConfig) -> dict[str, float]:
        """Regression on returns over the minibatches. Returns means over all of them."""
        return mean_of_reports([self._update_minibatch(share, config) for share in shares])

    def _update_minibatch(self, share: Share, config: PPOConfig) -> dict[str, float]:
        def loss(group: list[int]) -> tuple[Tensor, dict[str, float]]:
            batch = self.layout.batch(share.rows(group))
            values = self.engine(batch, True)
            old, returns = (share.tensor(name, group, values) for name in self.LEARNS_FROM)
            value, stats = value_loss(values, old, returns, batch.mask, share.denominator, config.value_clip)
            clipped = stats["critic/vf_clipfrac"].item() / share.denominator
            return value, {"critic/vf_loss": value.item(), "critic/vf_clipfrac": clipped}

        totals = accumulate(self.engine, self.layout.microbatches([[row] for row in share.sequences]), loss)
        return {**self.rank.sum(totals), **prefixed("critic", self.engine.step())}

    def save(self, directory: str) -> None:
        self.engine.save(Path(directory), "critic")

    def load(self, directory: str) -> None:
        self.engine.load(Path(directory), "critic")
