"""The reference: the SFT policy, frozen, from which PPO must not stray."""

from __future__ import annotations

import numpy as np

from actors.cluster.ranks import Rank
from actors.roles.networks import response_logprobs
from actors.roles.setup import RoleSetup
from rewardranker.models.batching import TokenSequence
from rewardranker.models.loading import load_policy, load_tokenizer, pad_id


class Reference:
    """One rank of the frozen reference."""

    def __init__(self, setup: RoleSetup, rank: Rank) -> None:
        self.setup, self.rank = setup, rank
        self.pad_id = pad_id(load_tokenizer(setup.tokenizer_path))
        self.network = load_policy(setup.model_path, setup.dtype, setup.attention, rank.device)

    def logprobs(self, rows: list[TokenSequence], temperature: float) -> list[np.ndarray]:
        """Log-probabilities of the response tokens, fp32 ``[len(response_ids)]`` per row."""
        return response_logprobs(
            self.network, rows, temperature, self.setup.microbatch_tokens, self.pad_id, self.rank.device
        )
