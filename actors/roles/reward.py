"""The reward model, which is the reranker: trained on pairs, then frozen and asked for scores."""

from __future__ import annotations

from typing import Any

from rewardranker.training.reranker import Reranker
from rewardranker.training.updates import prefixed


class Reward(Reranker):
    """One rank of the reward model; trainable where its setup has an optimiser."""

    def learn(self, minibatch: list[Any]) -> dict[str, float]:
        return prefixed("reward", super().learn(minibatch))
