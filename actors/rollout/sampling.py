"""From logits to tokens, with randomness that belongs to the request and not to the batch."""

from __future__ import annotations

import torch
from torch import Tensor

from rewardranker.generation.types import Sampling


def choose_tokens(logits: Tensor, uniforms: Tensor, sampling: Sampling) -> tuple[Tensor, Tensor]:
    """Picks each row's next token by inverting the distribution's cumulative function.

    Args:
        logits: ``[B, V]``, of any floating type; computed with in fp32.
        uniforms: fp64 ``[B]`` in [0, 1); not used when greedy.

    Returns:
        Tokens int64 ``[B]`` and their log-probabilities fp32 ``[B]`` at the sampling temperature (1 when
        greedy), before top-k truncation.
    """
    logits = logits.float()
    if sampling.temperature == 0:
        logprobs = logits.log_softmax(-1)
        tokens = logprobs.argmax(-1)
    else:
        logprobs = (logits / sampling.temperature).log_softmax(-1)
        tokens = _invert(logprobs, uniforms, sampling.top_k)
    return tokens, logprobs.gather(1, tokens[:, None]).squeeze(1)


def _invert(logprobs: Tensor, uniforms: Tensor, top_k: int) -> Tensor:
    truncate = 0 < top_k < logprobs.shape[1]
    if truncate:
        # In the vocabulary's order, so that two near-equal tokens changing rank do not change the choice.
        kept = logprobs.topk(top_k).indices.sort(-1).values
        logprobs = logprobs.gather(1, kept)
    # Sums over a large vocabulary are off by more than a rare token's probability in fp32.
    cumulative = logprobs.double().exp_().cumsum_(-1)
    target = uniforms[:, None] * cumulative[:, -1:]
    picked = torch.searchsorted(cumulative, target, right=True).clamp_(max=cumulative.shape[1] - 1)
    return (kept.gather(1, picked) if truncate else picked).squeeze(1)
