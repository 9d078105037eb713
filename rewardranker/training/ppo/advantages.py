"""Advantage estimators: pure functions of rewards, values and a response mask.

Shapes: ``B`` responses, ``T`` the longest response in tokens. Masks are 1 on response tokens (EOS
included) and 0 on padding; padding never influences a result, whatever it holds.
"""

from __future__ import annotations

from typing import ClassVar, Protocol

import torch
from torch import Tensor

from rewardranker.config.choices import chosen
from rewardranker.config.schema import PPOConfig


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """Mean of ``x`` over positions where ``mask`` is 1. NaN outside the mask does not leak in."""
    return torch.where(mask.bool(), x, 0.0).sum() / mask.sum()


def whiten(x: Tensor, mask: Tensor, eps: float = 1e-8) -> Tensor:
    """Zero mean and unit variance over the masked positions, zero elsewhere (Ziegler et al. 2019, code)."""
    mean = masked_mean(x, mask)
    variance = masked_mean((x - mean) ** 2, mask)
    return torch.where(mask.bool(), (x - mean) * torch.rsqrt(variance + eps), 0.0)


def gae(
    rewards: Tensor, values: Tensor, mask: Tensor, gamma: float = 1.0, lam: float = 0.95
) -> tuple[Tensor, Tensor]:
    """Generalised advantage estimation (Schulman et al. 2015, eq. 16) over response tokens only.

    A masked position between two response tokens is passed over: the estimate is carried across it.

    Args:
        rewards: fp32 ``[B, T]``, reward for emitting token ``t``.
        values: fp32 ``[B, T]``, value of the state before token ``t``.
        mask: ``[B, T]``.

    Returns:
        ``(advantages, returns)``, both fp32 ``[B, T]``, zero outside the mask; ``returns = advantages +
        values``.
    """
    inside = mask.bool()
    rewards, values = torch.where(inside, rewards, 0.0), torch.where(inside, values, 0.0)
    advantages = torch.zeros_like(rewards)
    running = rewards.new_zeros(rewards.shape[0])
    next_value = rewards.new_zeros(rewards.shape[0])
    for t in reversed(range(rewards.shape[1])):
        delta = rewards[:, t] + gamma * next_value - values[:, t]
        running = torch.where(inside[:, t], delta + gamma * lam * running, running)
        next_value = torch.where(inside[:, t], values[:, t], next_value)
        advantages[:, t] = torch.where(inside[:, t], running, 0.0)
    return advantages, torch.where(inside, advantages + values, 0.0)


def grpo(scores: Tensor, groups: Tensor, eps: float = 1e-6) -> Tensor:
    """Group-relative advantage (Shao et al. 2024, section 4.1): standardised within a prompt's samples.

    Args:
        scores: fp32 ``[B]``, one sequence-level reward each.
        groups: int64 ``[B]``, index of the prompt each sample belongs to.

    Returns:
        fp32 ``[B]``; 0 where all samples of a prompt score the same.
    """
    mean, count = _group_mean(scores, groups)
    centred = scores - mean
    variance, _ = _group_mean(centred**2, groups)
    deviation = (variance * count / (count - 1).clamp(min=1)).sqrt()
    return centred / (deviation + eps)


def rloo(scores: Tensor, groups: Tensor) -> Tensor:
    """Leave-one-out baseline (Ahmadian et al. 2024, eq. 9): score minus the mean of the prompt's others.

    Shapes as in :func:`grpo`. A prompt with one sample has no others: its advantage is 0.
    """
    mean, count = _group_mean(scores, groups)
    return (scores - mean) * count / (count - 1).clamp(min=1)


class AdvantageEstimator(Protocol):
    """Made from the section ``ppo`` of a config; which one is ``ppo.advantage``.

    Attributes:
        needs_critic: whether it reads ``values``; without a critic they are zero.
    """

    needs_critic: ClassVar[bool]

    def __call__(self, rewards: Tensor, values: Tensor, mask: Tensor, groups: Tensor) -> tuple[Tensor, Tensor]:
        """``(advantages, returns)``, fp32 ``[B, T]``, zero outside the mask; the critic learns the returns.

        Args:
            rewards, values, mask: as :func:`gae` has them.
            groups: int64 ``[B]``, index of the prompt each sample belongs to.
        """


def estimator_of(config: PPOConfig) -> AdvantageEstimator:
    """The estimator that ``ppo.advantage`` names.

    Raises:
        UserError: it cannot be imported, or ``ppo.options`` are not what it reads.
    """
    estimator: AdvantageEstimator = chosen("ppo.advantage", config.advantage)(config)
    return estimator


class Gae:
    """:func:`gae` with ``ppo.gamma`` and ``ppo.lam``, whitened."""

    needs_critic: ClassVar[bool] = True

    def __init__(self, config: PPOConfig) -> None:
        self._gamma, self._lam = config.gamma, config.lam

    def __call__(self, rewards: Tensor, values: Tensor, mask: Tensor, groups: Tensor) -> tuple[Tensor, Tensor]:
        advantages, returns = gae(rewards, values, mask, self._gamma, self._lam)
        return whiten(advantages, mask), returns


class Grpo:
    """:func:`grpo` of the samples' whole rewards, on every token."""

    needs_critic: ClassVar[bool] = False

    def __init__(self, config: PPOConfig) -> None:
        pass

    def __call__(self, rewards: Tensor, values: Tensor, mask: Tensor, groups: Tensor) -> tuple[Tensor, Tensor]:
        return grpo(rewards.sum(1), groups)[:, None] * mask, torch.zeros_like(mask)


class Rloo:
    """:func:`rloo` of the samples' whole rewards, on every token."""

    needs_critic: ClassVar[bool] = False

    def __init__(self, config: PPOConfig) -> None:
        pass

    def __call__(self, rewards: Tensor, values: Tensor, mask: Tensor, groups: Tensor) -> tuple[Tensor, Tensor]:
        return rloo(rewards.sum(1), groups)[:, None] * mask, torch.zeros_like(mask)


def _group_mean(x: Tensor, groups: Tensor) -> tuple[Tensor, Tensor]:
    size = int(groups.max()) + 1
    count = torch.zeros(size, dtype=x.dtype).index_add_(0, groups, torch.ones_like(x))
    total = torch.zeros(size, dtype=x.dtype).index_add_(0, groups, x)
    return (total / count.clamp(min=1))[groups], count[groups]
