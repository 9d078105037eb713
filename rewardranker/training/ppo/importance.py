"""Samples that older weights drew: what each of their tokens weighs in the policy's loss."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from rewardranker.training.ppo.advantages import masked_mean


def truncated_weights(
    old_logprobs: Tensor, behaviour_logprobs: Tensor, mask: Tensor, cap: float
) -> tuple[Tensor, dict[str, float]]:
    """Truncated importance weights per token, ``min(pi_old / pi_behaviour, cap)`` (Ionides 2008; Espeholt et al.
    2018, section 4.1). PPO's ratio stays one to the old policy (Hilton et al. 2022, the decoupled objective).

    Args:
        old_logprobs: fp32 ``[B, T]``, of the weights that the update begins at.
        behaviour_logprobs: fp32 ``[B, T]``, of the weights that sampled, as the engine said them.
        mask: ``[B, T]``.
        cap: at least 1: bounds the variance where the old policy likes a token much more than the one that sampled.

    Returns:
        fp32 ``[B, T]``, zero outside the mask, constants for whoever differentiates; and for the metrics their mean
        over response tokens (before truncation it is 1 in expectation) and the share that was truncated.
    """
    log_ratio = torch.where(mask.bool(), old_logprobs - behaviour_logprobs, 0.0).detach()
    weights = log_ratio.clamp(max=math.log(cap)).exp() * mask
    truncated = (log_ratio > math.log(cap)).float()
    return weights, {
        "rollout/is_weight_mean": float(masked_mean(weights, mask)),
        "rollout/is_weight_truncated": float(masked_mean(truncated, mask)),
    }
