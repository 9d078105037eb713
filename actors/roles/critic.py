"""The critic: starts from the reward model, learns the value of every state of a response."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import Tensor

from rewardranker.config.schema import PPOConfig
from rewardranker.models.batching import TokenSequence
from rewardranker.models.layout import Layout
from rewardranker.models.loading import load_scorer
from rewardranker.training.engine import build_engine
from rewardranker.training.ppo.experience import Experience
from rewardranker.training.ppo.losses import value_loss
from rewardranker.training.ranks import Rank
from rewardranker.training.setup import NetworkSetup
from rewardranker.training.updates import accumulate, infer_rows, mean_of_reports, prefixed


class Critic:
    """One rank of the critic. Every rank is called with the whole minibatch and takes its own rows."""

    def __init__(self, setup: NetworkSetup, rank: Rank) -> None:
        self.setup, self.rank = setup, rank
        self.network = load_scorer(setup.model_path, setup.dtype, setup.attention, rank.device, None, True)
        self.layout = Layout.of(self.network, setup.microbatch_tokens, setup.engine.shared_prompts)
        self.engine = build_engine(setup, self.network, rank)

    def values(self, rows: list[TokenSequence]) -> list[np.ndarray]:
        """Value of the state before each response token, fp32 ``[len(response_ids)]`` per row."""
        return infer_rows(lambda batch: self.network(batch, per_token=True), rows, self.layout)

    def update(self, experience: Experience, plan: list[list[int]], config: PPOConfig) -> dict[str, float]:
        """Regression on returns over the planned minibatches. Returns means over all of them."""
        return mean_of_reports([self._update_minibatch(experience, rows, config) for rows in plan])

    def _update_minibatch(self, experience: Experience, rows: list[int], config: PPOConfig) -> dict[str, float]:
        denominator = experience.tokens(rows)
        mine = experience.select([rows[i] for i in self.rank.rows(len(rows))])
        totals = {"critic/vf_loss": 0.0, "critic/vf_clipfrac": 0.0}

        def loss(group: list[int]) -> Tensor:
            part = mine.select(group)
            batch = self.layout.batch(part.sequences)
            values = self.engine(batch, True)
            old, returns = (x[:, : values.shape[1]].to(values.device) for x in (part.values, part.returns))
            value, stats = value_loss(values, old, returns, batch.mask, denominator, config.value_clip)
            totals["critic/vf_loss"] += value.item()
            totals["critic/vf_clipfrac"] += stats["critic/vf_clipfrac"].item() / denominator
            return value

        accumulate(self.engine, self.layout, [[row] for row in mine.sequences], loss)
        return {**self.engine.sum(totals), **prefixed("critic", self.engine.step())}

    def save(self, directory: str) -> None:
        self.engine.save(Path(directory), "critic")

    def load(self, directory: str) -> None:
        self.engine.load(Path(directory), "critic")
