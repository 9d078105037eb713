"""The policy: fine-tuned on solutions (stage A), then trained by PPO (stage C)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from actors.weights.source import WeightSource
from rewardranker.config.schema import PPOConfig
from rewardranker.models.adapters import without_additions
from rewardranker.models.batching import TokenSequence
from rewardranker.models.endings import Endings
from rewardranker.models.layout import Layout
from rewardranker.models.loading import load_policy, load_tokenizer
from rewardranker.training.corpus import Corpus, own_share
from rewardranker.training.engine import build_engine, export_adapter, whole_state
from rewardranker.training.losses import sft_loss
from rewardranker.training.ppo.experience import Share
from rewardranker.training.ppo.losses import policy_loss
from rewardranker.training.ranks import Rank
from rewardranker.training.setup import NetworkSetup
from rewardranker.training.updates import accumulate, mean_of_reports, prefixed, response_logprobs


class Policy:
    """One rank of the policy. In PPO it is called with shares of its own; in SFT it takes them of the minibatch."""

    #: Of a step's experience.
    LEARNS_FROM = ("old_logprobs", "advantages")

    def __init__(self, setup: NetworkSetup, rank: Rank) -> None:
        self.setup, self.rank = setup, rank
        self.tokenizer = load_tokenizer(setup.tokenizer_path)
        self.network = load_policy(setup.model_path, setup.dtype, setup.attention, rank.device, setup.whole)
        Endings.of_model(setup.model_path, self.tokenizer).write_to(self.network.model)
        self.corpus = Corpus(*setup.corpus) if setup.corpus else None
        self.layout = Layout.of(self.network, setup.microbatch_tokens, setup.engine.shared_prompts)
        self.engine = build_engine(setup, self.network, rank)
        self.weights = WeightSource.of(self.engine, setup.dtype)

    def learn(self, minibatch: list[Any]) -> dict[str, float]:
        """One update of SFT, on completions: sequences, or their places in the corpus. Returns global means."""
        mine = own_share(minibatch, self.corpus, len, self.rank)
        if self.corpus is None:
            denominator = sum(len(s.response_ids) for s in minibatch)
        else:
            denominator, mine = int(self.corpus.responses[minibatch].sum()), [row for (row,) in mine]

        def loss(group: list[int]) -> tuple[Tensor, dict[str, float]]:
            batch = self.layout.batch([mine[i] for i in group])
            logprobs, _ = self.engine(batch, 1.0)
            value = sft_loss(logprobs, batch.mask, denominator)
            # The share of tokens that get more than half of the probability: greedy decoding would write them.
            likely = (logprobs.detach() > np.log(0.5)) & batch.mask
            return value, {"sft/loss": value.item(), "sft/likely_tokens": likely.sum().item() / denominator}

        totals = accumulate(self.engine, self.layout.microbatches([[row] for row in mine]), loss)
        return {**self.rank.sum(totals), **prefixed("sft", self.engine.step())}

    def logprobs(self, rows: list[TokenSequence], temperature: float) -> list[np.ndarray]:
        """Log-probabilities of the response tokens, fp32 ``[len(response_ids)]`` per row."""
        return response_logprobs(self.engine, rows, temperature, self.layout)

    def update(self, shares: list[Share], config: PPOConfig) -> dict[str, float]:
        """PPO over the minibatches. Returns means over all of them, and of the first ratio."""
        reports = [self._update_minibatch(share, config) for share in shares]
        metrics = mean_of_reports(reports)
        metrics["actor/first_ratio"] = reports[0]["actor/ratio"]
        metrics["actor/first_ppo_kl"] = reports[0]["actor/ppo_kl"]
        return metrics

    def _update_minibatch(self, share: Share, config: PPOConfig) -> dict[str, float]:
        denominator = share.denominator

        def loss(group: list[int]) -> tuple[Tensor, dict[str, float]]:
            batch = self.layout.batch(share.rows(group))
            logprobs, entropy = self.engine(batch, config.temperature, True)
            old, advantages = (share.tensor(name, group, logprobs) for name in self.LEARNS_FROM)
            value, stats = policy_loss(
                logprobs, old, advantages, batch.mask, denominator, config.clip, config.dual_clip
            )
            stats |= {"actor/pg_loss": value.detach() * denominator, "actor/entropy": entropy.sum()}
            return value, {key: total.item() / denominator for key, total in stats.items()}

        totals = accumulate(self.engine, self.layout.microbatches([[row] for row in share.sequences]), loss)
        return {**self.rank.sum(totals), **prefixed("actor", self.engine.step())}

    def export(self, directory: str) -> None:
        """Writes a Hugging Face model directory, and beside it what LoRA trained (rank 0). Collective."""
        export_adapter(self.engine, self.setup, directory)
        state = whole_state(self.engine)
        if self.rank.index == 0:
            without_additions(self.network.model).save_pretrained(directory, state_dict=state)
            self.tokenizer.save_pretrained(directory)

    def save(self, directory: str) -> None:
        self.engine.save(Path(directory), "policy")

    def load(self, directory: str) -> None:
        self.engine.load(Path(directory), "policy")
