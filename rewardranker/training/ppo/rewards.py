"""From one reward-model score per response to one reward per token."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import torch
from torch import Tensor


@dataclass
class RunningMoments:
    """Mean and variance of all scores seen so far (Chan et al. 1979, parallel update). Checkpointed."""

    count: float = 0.0
    mean: float = 0.0
    m2: float = 0.0

    def update(self, scores: Tensor) -> None:
        n = float(scores.numel())
        mean = float(scores.double().mean())
        m2 = float(((scores.double() - mean) ** 2).sum())
        delta, total = mean - self.mean, self.count + n
        self.m2 += m2 + delta**2 * self.count * n / total
        self.mean += delta * n / total
        self.count = total

    @property
    def std(self) -> float:
        return math.sqrt(self.m2 / self.count) if self.count else 1.0

    def state(self) -> dict[str, float]:
        return asdict(self)


def sequence_rewards(
    scores: Tensor,
    finished: Tensor,
    *,
    moments: RunningMoments | None,
    scale: float,
    clip: float,
    penalty: float,
) -> Tensor:
    """Normalised, scaled and clipped scores, less a penalty for responses that do not end.

    Args:
        scores: fp32 ``[B]``, from the reward model.
        finished: bool ``[B]``, ends with a token that ends a response.
        moments: running mean and deviation of all scores so far (this batch included); ``None``: raw.
        scale: multiplies the (normalised) score before clipping to ``[-clip, clip]``.
        penalty: subtracted after clipping where ``finished`` is false.

    Returns:
        fp32 ``[B]``.
    """
    shaped = scores if moments is None else (scores - moments.mean) / (moments.std + 1e-8)
    return (shaped * scale).clamp(-clip, clip) - penalty * (~finished).float()


def token_rewards(scores: Tensor, log_ratio: Tensor, lengths: Tensor, kl_coef: float) -> Tensor:
    """KL penalty on every response token, and the score on the last one.

    Stiennon et al. 2020, section 3.4: ``R = r - beta * log(policy / reference)``, k1 per token.

    Args:
        scores: fp32 ``[B]``.
        log_ratio: fp32 ``[B, T]``, ``old_logprobs - ref_logprobs``, zero outside the response.
        lengths: int64 ``[B]``, response tokens including EOS, each at least 1.

    Returns:
        fp32 ``[B, T]``.
    """
    rewards = -kl_coef * log_ratio
    rows = torch.arange(len(scores))
    rewards[rows, lengths - 1] = rewards[rows, lengths - 1] + scores
    return rewards
