"""The reference: the SFT policy, frozen, from which PPO must not stray."""

from __future__ import annotations

import numpy as np

from rewardranker.models.batching import TokenSequence
from rewardranker.models.layout import Layout
from rewardranker.models.loading import load_policy
from rewardranker.training.engine import build_engine
from rewardranker.training.ranks import Rank
from rewardranker.training.setup import NetworkSetup
from rewardranker.training.updates import response_logprobs


class Reference:
    """One rank of the frozen reference."""

    def __init__(self, setup: NetworkSetup, rank: Rank) -> None:
        network = load_policy(setup.model_path, setup.dtype, setup.attention, rank.device)
        self.layout = Layout.of(network, setup.microbatch_tokens, setup.engine.shared_prompts)
        self.engine = build_engine(setup, network, rank)

    def logprobs(self, rows: list[TokenSequence], temperature: float) -> list[np.ndarray]:
        """Log-probabilities of the response tokens, fp32 ``[len(response_ids)]`` per row."""
        return response_logprobs(self.engine, rows, temperature, self.layout)
