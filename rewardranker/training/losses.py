"""Losses of supervised fine-tuning and of the rerankers, as sums over a global denominator."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def sft_loss(logprobs: Tensor, mask: Tensor, denominator: float) -> Tensor:
    """Negative log-likelihood of the completion's tokens (the prompt is not learnt).

    Args:
        logprobs, mask: fp32 ``[B, T]`` over response tokens.
        denominator: response tokens of the global minibatch.
    """
    return -torch.where(mask.bool(), logprobs, 0.0).sum() / denominator


def bradley_terry_loss(
    chosen: Tensor, rejected: Tensor, denominator: float, margin: float = 0.0, centring: float = 0.0
) -> Tensor:
    """``-log sigmoid(r_chosen - r_rejected - margin)`` (Bradley and Terry 1952; Ouyang et al. 2022, eq. 1).

    Args:
        chosen, rejected: fp32 ``[P]`` scores of pairs.
        denominator: pairs of the global minibatch.
        margin: by how much chosen should lead.
        centring: weight of ``(r_chosen + r_rejected)^2``, which keeps scores near zero (Eisenstein et al.
            2023, section 3.2); the loss alone does not change under a common shift.
    """
    loss = -F.logsigmoid(chosen - rejected - margin) + centring * (chosen + rejected) ** 2
    return loss.sum() / denominator


def pointwise_loss(logits: Tensor, labels: Tensor, denominator: float) -> Tensor:
    """Binary cross-entropy ``-log sigmoid(s)`` of correct programs, ``-log sigmoid(-s)`` of others.

    With one scalar it is the two-class loss of CodeRanker (Inala et al. 2022) and of LEVER's verifier (Ni et al.
    2023), whose logits *yes* and *no* matter through their difference only.

    Args:
        logits: fp32 ``[B]``, of *correct*.
        labels: ``[B]``, 1 or true where the program is correct.
        denominator: programs of the global minibatch.
    """
    return F.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype), reduction="sum") / denominator
