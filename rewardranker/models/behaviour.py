"""What a loaded network does, asked of itself: of some architectures no configuration tells.

Each check runs a few rows of made-up tokens.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from rewardranker.errors import UserError
from rewardranker.models.batching import TokenSequence, collate
from rewardranker.models.head import logits_of
from rewardranker.models.packing import plan_lines
from rewardranker.models.scoring import hidden_states

#: Share of the largest hidden state by which two computations of one thing may differ in fp32, and in bf16.
_NOISE = {torch.float32: 1e-4, torch.bfloat16: 0.05, torch.float16: 0.01}


@torch.no_grad()
def check_causal(model: PreTrainedModel, name: str) -> None:
    """Raises :class:`UserError` when a token changes what the network says of those before it.

    A score is read at the last token and values before each, so what sees the future would be read wrongly.
    """
    decoder = model.base_model
    assert isinstance(decoder, nn.Module)
    rows = made_up_tokens(model, 2, 8)
    rows[1, :-1] = rows[0, :-1]
    rows[1, -1] = (rows[0, -1] + 1) % model.config.get_text_config().vocab_size
    first, second = decoder(input_ids=rows, use_cache=False).last_hidden_state[:, :-1]
    if not alike(first, second):
        raise UserError(
            f"{name}: a {type(model).__name__} lets a token see those that follow it; only decoders are taken, where "
            "each token sees those before it"
        )


@torch.no_grad()
def check_head(model: PreTrainedModel, name: str) -> None:
    """Raises :class:`UserError` when a language model says other things than its head of its decoder's states."""
    rows, decoder = made_up_tokens(model, 2, 8), model.base_model
    assert isinstance(decoder, nn.Module)
    whole = model(input_ids=rows, use_cache=False).logits
    states = decoder(input_ids=rows, use_cache=False).last_hidden_state
    if not alike(whole.flatten(0, 1), logits_of(model, states.flatten(0, 1))):
        raise UserError(
            f"{name}: a {type(model).__name__} says more than its head does of its decoder's last states; take "
            "another model"
        )


@torch.no_grad()
def packs_leak(model: nn.Module) -> bool:
    """Whether a decoder's states of responses packed together differ from those of each response alone.

    All states are compared, the last ones being where a small leak shows least. Networks that keep a state instead of
    looking back, that count distances by themselves (ALiBi), or whose attention makes a mask of its own, leak.
    """
    assert isinstance(model, PreTrainedModel)
    tokens = made_up_tokens(model, 1, 40)[0].tolist()
    prompt, cuts = tuple(tokens[:6]), (6, 13, 16, 29, 40)
    rows = [TokenSequence(prompt, tuple(tokens[a:b])) for a, b in zip(cuts, cuts[1:], strict=False)]
    rows.append(TokenSequence(tuple(tokens[9:12]), tuple(tokens[20:24])))  # its line is padded
    device = str(model.device)
    together = collate(rows, device, plan_lines(rows))
    try:
        packed = hidden_states(model, together)
    except (RuntimeError, ValueError, TypeError, IndexError):  # a mask of that shape is none for it
        return True
    for row, line, last in zip(rows, together.line.tolist(), together.last.tolist(), strict=True):
        single = hidden_states(model, collate([row], device))[0]
        prompt_states, states = packed[line, : len(row.prompt_ids)], packed[line, : last + 1]
        if not alike(single, torch.cat([prompt_states, states[-len(row.response_ids) :]])):
            return True
    return False


def made_up_tokens(model: PreTrainedModel, rows: int, length: int) -> Tensor:
    """int64 ``[rows, length]``, the same on every call, on the model's device."""
    vocabulary = model.config.get_text_config().vocab_size
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, vocabulary, (rows, length), generator=generator).to(model.device)


def alike(one: Tensor, other: Tensor) -> bool:
    """Whether two hidden states differ by rounding only."""
    largest = float(torch.maximum(one.abs().max(), other.abs().max()))
    return bool((one - other).abs().max() <= _NOISE.get(one.dtype, 0.05) * max(largest, 1e-6))
