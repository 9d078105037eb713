"""The critic: starts from the reward model, learns the value of every state of a response."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import Tensor

from actors.cluster.ranks import Rank
from actors.engines import build_engine
from actors.roles.networks import accumulate, infer_rows, mean_of_reports, prefixed
from actors.roles.setup import RoleSetup
from rewardranker.config.schema import PPOConfig
from rewardranker.models.batching import TokenSequence, collate
from rewardranker.models.loading import load_scorer, load_tokenizer, pad_id
from rewardranker.training.ppo.experience import Experience
from rewardranker.training.ppo.losses import value_loss


class Critic:
    """One rank of the critic. Every rank is called with the whole minibatch and takes its own rows."""

    def __init__(self, setup: RoleSetup, rank: Rank) -> None:
        assert setup.optim is not None
        self.setup, self.rank = setup, rank
        self.pad_id = pad_id(load_tokenizer(setup.tokenizer_path))
        self.network = load_scorer(setup.model_path, setup.dtype, setup.attention, rank.device, None, True)
        self.engine = build_engine(setup.engine, self.network, setup.optim, setup.total_steps, rank)

    def values(self, rows: list[TokenSequence]) -> list[np.ndarray]:
        """Value of the state before each response token, fp32 ``[len(response_ids)]`` per row."""
        return infer_rows(
            lambda batch: self.network(batch, per_token=True),
            rows,
            self.setup.microbatch_tokens,
            self.pad_id,
            self.rank.device,
        )

    def update(self, experience: Experience, plan: list[list[int]], config: PPOConfig) -> dict[str, float]:
        """Regression on returns over the planned minibatches. Returns means over all of them."""
        return mean_of_reports([self._update_minibatch(experience, rows, config) for rows in plan])

    def _update_minibatch(self, experience: Experience, rows: list[int], config: PPOConfig) -> dict[str, float]:
        denominator = experience.tokens(rows)
        mine = experience.select([rows[i] for i in self.rank.rows(len(rows))])
        totals = {"critic/vf_loss": 0.0, "critic/vf_clipfrac": 0.0}

        def loss(group: list[int]) -> Tensor:
            part = mine.select(group)
            batch = collate(part.sequences, self.pad_id, device=self.rank.device)
            values = self.engine(batch, True)
            old, returns = (x[:, : values.shape[1]].to(values.device) for x in (part.values, part.returns))
            value, stats = value_loss(values, old, returns, batch.mask, denominator, config.value_clip)
            totals["critic/vf_loss"] += value.item()
            totals["critic/vf_clipfrac"] += stats["critic/vf_clipfrac"].item() / denominator
            return value

        accumulate(self.engine, [len(s) for s in mine.sequences], self.setup.microbatch_tokens, loss)
        return {**self.engine.sum(totals), **prefixed("critic", self.engine.step())}

    def save(self, directory: str) -> None:
        self.engine.save(Path(directory), "critic")

    def load(self, directory: str) -> None:
        self.engine.load(Path(directory), "critic")
