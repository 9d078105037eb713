"""What one PPO step learns from: token ids and log-probabilities from the engine, and what was derived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rewardranker.config.schema import PPOConfig
from rewardranker.models.batching import TokenSequence, response_mask
from rewardranker.training.ppo.advantages import estimator_of, masked_mean
from rewardranker.training.ppo.importance import truncated_weights
from rewardranker.training.ppo.kl import k1, k3
from rewardranker.training.ppo.losses import explained_variance
from rewardranker.training.ppo.rewards import RunningMoments, sequence_rewards, token_rewards
from rewardranker.training.shares import share_out

Rows = Sequence[np.ndarray]


@dataclass
class Experience:
    """Tensors are fp32 ``[B, T]``, ``T`` the longest response; zero outside ``response_mask``.

    ``values`` and ``returns`` stay zero where the advantage estimator needs no critic. ``advantages`` hold the
    importance weights of samples that older weights drew: a token's loss is proportional to its advantage.
    """

    sequences: list[TokenSequence]
    response_mask: Tensor
    old_logprobs: Tensor
    ref_logprobs: Tensor
    values: Tensor
    rewards: Tensor
    advantages: Tensor
    returns: Tensor

    def shares(self, plan: Sequence[Sequence[int]], names: Sequence[str], ranks: int) -> list[list[Share]]:
        """What every rank of a role is sent, by rank and minibatch.

        Args:
            plan: rows of each minibatch, at least one for each rank.
            names: of the tensors that the role reads.
        """
        found: list[list[Share]] = [[] for _ in range(ranks)]
        for rows in plan:
            tokens = sum(len(self.sequences[i].response_ids) for i in rows)
            shared = share_out([len(self.sequences[i]) for i in rows], ranks)
            for mine, own in zip(found, shared, strict=True):
                mine.append(self._share([rows[i] for i in own], names, tokens))
        return found

    def _share(self, own: list[int], names: Sequence[str], tokens: int) -> Share:
        sequences = [self.sequences[row] for row in own]
        width = max(len(sequence.response_ids) for sequence in sequences)
        return Share(sequences, {name: getattr(self, name)[own, :width] for name in names}, tokens)


@dataclass(frozen=True)
class Share:
    """What one rank learns from in one minibatch.

    Attributes:
        sequences: its rows.
        tensors: fp32 ``[rows, T]``, ``T`` its longest response.
        denominator: response tokens of the minibatch on all ranks.
    """

    sequences: list[TokenSequence]
    tensors: dict[str, Tensor]
    denominator: int

    def rows(self, group: list[int]) -> list[TokenSequence]:
        return [self.sequences[i] for i in group]

    def tensor(self, name: str, group: list[int], like: Tensor) -> Tensor:
        """Rows of one tensor, as wide as ``like`` and where that is."""
        return self.tensors[name][group, : like.shape[1]].to(like.device)


def pad_rows(rows: Sequence[np.ndarray] | Sequence[Sequence[float]], length: int) -> Tensor:
    """Ragged rows to fp32 ``[B, length]``, right-padded with zeros."""
    out = torch.zeros(len(rows), length)
    for i, row in enumerate(rows):
        out[i, : len(row)] = torch.from_numpy(np.array(row, dtype=np.float32))
    return out


def mask_of(sequences: Sequence[TokenSequence]) -> Tensor:
    """fp32 ``[B, T]`` from the responses' lengths."""
    return response_mask(torch.tensor([len(s.response_ids) for s in sequences])).float()


def minibatch_plan(samples: int, size: int, epochs: int, seed: int) -> list[list[int]]:
    """Row indices of every optimiser update of one step: ``epochs`` shuffles cut into ``size`` rows each.

    Raises:
        ValueError: when ``size`` does not divide ``samples`` (the config refuses it earlier).
    """
    if samples % size:
        raise ValueError(f"minibatches of {size} do not divide {samples} samples")
    rng = np.random.default_rng(seed)
    plan: list[list[int]] = []
    for _ in range(epochs):
        order = rng.permutation(samples)
        plan.extend(order[i : i + size].tolist() for i in range(0, samples, size))
    return plan


@dataclass(frozen=True)
class Samples:
    """What is known of a step's ``B`` samples before any gradient.

    Attributes:
        sequences: those of one prompt side by side.
        scores: fp32 ``[B]``, raw, from the reward model.
        finished: bool ``[B]``, ends with a token that ends a response.
        old_logprobs, ref_logprobs: ragged fp32 rows over response tokens.
        values: the critic's, likewise; ``None`` for the estimators that need no critic.
        behaviour_logprobs: likewise, of older weights that sampled; ``None`` where the weights that learn did.
    """

    sequences: list[TokenSequence]
    scores: Tensor
    finished: Tensor
    old_logprobs: Rows
    ref_logprobs: Rows
    values: Rows | None
    behaviour_logprobs: Sequence[Sequence[float]] | None = None


def build_experience(
    samples: Samples, moments: RunningMoments, kl_coef: float, config: PPOConfig
) -> tuple[Experience, dict[str, float]]:
    """Everything that follows from a step's samples; ``moments`` are updated with their scores."""
    sequences, scores, finished, values = samples.sequences, samples.scores, samples.finished, samples.values
    mask = mask_of(sequences)
    length = mask.shape[1]
    old, ref = pad_rows(samples.old_logprobs, length), pad_rows(samples.ref_logprobs, length)
    value = pad_rows(values, length) if values is not None else torch.zeros_like(mask)
    moments.update(scores)
    shaped = sequence_rewards(
        scores,
        finished,
        moments=moments if config.reward_normalisation == "running" else None,
        scale=config.reward_scale,
        clip=config.reward_clip,
        penalty=config.missing_eos_penalty,
    )
    log_ratio = old - ref
    rewards = token_rewards(shaped, log_ratio, mask.sum(1).long(), kl_coef)
    groups = torch.arange(len(sequences)) // config.samples_per_prompt
    advantages, returns = estimator_of(config)(rewards, value, mask, groups)
    metrics = {
        "critic/score/mean": float(scores.mean()),
        "critic/rewards/mean": float(rewards.sum(1).mean()),
        "kl/sequence": float(k1(log_ratio).sum(1).mean()),
        "kl/k1": float(masked_mean(k1(log_ratio), mask)),
        "kl/k3": float(masked_mean(k3(log_ratio), mask)),
        "kl/coef": kl_coef,
        "response_length/mean": float(mask.sum(1).mean()),
        "response_length/clip_ratio": float((~finished).float().mean()),
    }
    if values is not None:
        metrics["critic/vf_explained_var"] = explained_variance(value, returns, mask)
        metrics["critic/values/mean"] = float(masked_mean(value, mask))
    if samples.behaviour_logprobs is not None:
        behaviour = pad_rows(samples.behaviour_logprobs, length)
        weights, told = truncated_weights(old, behaviour, mask, config.importance_cap)
        advantages, metrics = advantages * weights, metrics | told
    return Experience(sequences, mask, old, ref, value, rewards, advantages, returns), metrics
