"""PPO's losses as masked sums over a *global* denominator.

A loss of a micro-batch on one rank is ``sum over its tokens / tokens of the whole minibatch on all ranks``;
summed over micro-batches and ranks this is the minibatch mean, however it was split.
"""

from __future__ import annotations

import torch
from torch import Tensor


def policy_loss(
    logprobs: Tensor,
    old_logprobs: Tensor,
    advantages: Tensor,
    mask: Tensor,
    denominator: float,
    clip: float = 0.2,
    dual_clip: float = 0.0,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Clipped surrogate (Schulman et al. 2017, eq. 7), optionally dual-clipped (Ye et al. 2020, eq. 5).

    Args:
        logprobs, old_logprobs, advantages, mask: fp32 ``[B, T]``.
        denominator: response tokens of the global minibatch.
        clip: epsilon.
        dual_clip: c > 1 bounds the loss by ``c * |A|`` where the advantage is negative; 0 is off.

    Returns:
        The loss (scalar) and sums over this micro-batch, each to be divided by ``denominator``:
        clipped share, lower-clipped share, approximate KL to the old policy (k3), and the mean ratio.
    """
    inside = mask.bool()
    log_ratio = torch.where(inside, logprobs - old_logprobs, 0.0).clamp(-20, 20)
    advantages = torch.where(inside, advantages, 0.0)
    ratio = log_ratio.exp()
    plain = -advantages * ratio
    clipped = -advantages * ratio.clamp(1 - clip, 1 + clip)
    loss = torch.maximum(plain, clipped)
    lower = torch.zeros_like(loss)
    if dual_clip > 0:
        bound = -advantages * dual_clip
        lower = ((loss > bound) & (advantages < 0)).float()
        loss = torch.where(advantages < 0, torch.minimum(loss, bound), loss)
    weight = inside.float()
    stats = {
        "actor/pg_clipfrac": ((clipped > plain).float() * weight).sum(),
        "actor/pg_clipfrac_lower": (lower * weight).sum(),
        "actor/ppo_kl": ((log_ratio.exp() - 1 - log_ratio) * weight).sum(),
        "actor/ratio": (ratio * weight).sum(),
    }
    return (loss * weight).sum() / denominator, {k: v.detach() for k, v in stats.items()}


def value_loss(
    values: Tensor, old_values: Tensor, returns: Tensor, mask: Tensor, denominator: float, clip: float = 0.2
) -> tuple[Tensor, dict[str, Tensor]]:
    """Half the squared error, with the new value kept within ``clip`` of the old (baselines' ppo2).

    Shapes and ``denominator`` as in :func:`policy_loss`.
    """
    inside = mask.bool()
    values, old_values = torch.where(inside, values, 0.0), torch.where(inside, old_values, 0.0)
    returns = torch.where(inside, returns, 0.0)
    clipped = old_values + (values - old_values).clamp(-clip, clip)
    plain_error, clipped_error = (values - returns) ** 2, (clipped - returns) ** 2
    error = torch.maximum(plain_error, clipped_error)
    stats = {"critic/vf_clipfrac": (clipped_error > plain_error).float().sum().detach()}
    return 0.5 * error.sum() / denominator, stats


def explained_variance(values: Tensor, returns: Tensor, mask: Tensor) -> float:
    """``1 - Var(returns - values) / Var(returns)`` over the mask: 1 perfect, 0 useless, below 0 harmful."""
    inside = mask.bool()
    target, error = returns[inside], (returns - values)[inside]
    variance = target.var(unbiased=False)
    return float(1 - error.var(unbiased=False) / variance) if variance > 0 else 0.0
