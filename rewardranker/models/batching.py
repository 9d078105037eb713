"""Ragged token sequences to padded batches, and back. Masks come from lengths, never from token ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor


@dataclass(frozen=True)
class TokenSequence:
    """A prompt and a response to it, as token ids. A finished response ends with a token that
    ends one (:mod:`rewardranker.models.endings`)."""

    prompt_ids: tuple[int, ...]
    response_ids: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.prompt_ids) + len(self.response_ids)


@dataclass
class TokenBatch:
    """``B`` sequences padded to ``L`` tokens, responses padded to ``T``.

    Attributes:
        input_ids: int64 ``[B, L]``.
        attention_mask: int64 ``[B, L]``, 1 on tokens.
        position_ids: int64 ``[B, L]``, 0 at the first token.
        before: int64 ``[B, T]``, index into ``L`` of the state from which response token ``t`` is predicted.
        targets: int64 ``[B, T]``, the response's tokens.
        mask: bool ``[B, T]``, true on response tokens.
        last: int64 ``[B]``, index into ``L`` of the last response token.
    """

    input_ids: Tensor
    attention_mask: Tensor
    position_ids: Tensor
    before: Tensor
    targets: Tensor
    mask: Tensor
    last: Tensor


def response_mask(lengths: Tensor) -> Tensor:
    """bool ``[B, max(lengths)]``, true on the first ``lengths[b]`` positions of row ``b``."""
    return torch.arange(int(lengths.max())) < lengths[:, None]


def collate(
    rows: Sequence[TokenSequence],
    pad_id: int,
    *,
    device: str = "cpu",
    side: Literal["left", "right"] = "right",
    extra: int = 0,
) -> TokenBatch:
    """Pads ``rows`` to the longest, plus ``extra``; results downstream depend on neither.

    Raises:
        ValueError: a row without prompt or without response tokens.
    """
    for row in rows:
        if not row.prompt_ids or not row.response_ids:
            raise ValueError("a sequence needs at least one prompt token and one response token")
    width = max(len(row) for row in rows) + extra
    lengths = torch.tensor([len(row.response_ids) for row in rows])
    mask = response_mask(lengths)
    input_ids = torch.full((len(rows), width), pad_id)
    attention_mask = torch.zeros_like(input_ids)
    position_ids = torch.zeros_like(input_ids)
    targets = torch.full(mask.shape, pad_id)
    starts = torch.tensor([width - len(row) if side == "left" else 0 for row in rows])
    for b, row in enumerate(rows):
        span = slice(int(starts[b]), int(starts[b]) + len(row))
        input_ids[b, span] = torch.tensor(row.prompt_ids + row.response_ids)
        attention_mask[b, span] = 1
        position_ids[b, span] = torch.arange(len(row))
        targets[b, : len(row.response_ids)] = torch.tensor(row.response_ids)
    first = starts + torch.tensor([len(row.prompt_ids) for row in rows]) - 1
    offsets = torch.arange(mask.shape[1]).minimum((lengths - 1)[:, None])
    batch = TokenBatch(
        input_ids, attention_mask, position_ids, first[:, None] + offsets, targets, mask, first + lengths
    )
    return TokenBatch(**{name: tensor.to(device) for name, tensor in vars(batch).items()})


def microbatches(lengths: Sequence[int], token_budget: int) -> list[list[int]]:
    """Row indices in groups whose padded size stays within ``token_budget``, longest rows first.

    A row longer than the budget gets a group of its own.
    """
    groups: list[list[int]] = []
    for row in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        if groups and lengths[groups[-1][0]] * (len(groups[-1]) + 1) <= token_budget:
            groups[-1].append(row)
        else:
            groups.append([row])
    return groups
