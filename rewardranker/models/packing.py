"""Several responses to one prompt as one sequence, in which they do not see each other.

Programs of one problem share their prompt, which is often longer than they are. Packed, it is run once for all of
them, and nothing is padded: with 8 to 16 short programs a pack, a step costs two thirds of a padded batch's.
Scores and gradients are those of every response alone after the prompt, where a network attends to what the mask says
and to nothing else: :func:`rewardranker.models.behaviour.packs_leak` asks it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from rewardranker.models.batching import TokenSequence

#: Attention between responses is computed and thrown away, which grows with the square of a pack's length.
PACK_TOKENS = 1024


@dataclass(frozen=True)
class Pack:
    """A prompt and ``n`` responses, ``L`` tokens: the prompt's, then those of each response.

    Attributes:
        input_ids, position_ids: int64 ``[1, L]``; each response counts on from the prompt.
        attention_mask: bool ``[1, 1, L, L]``, true where row may look at column; ``None`` in a pack of one row that
            leaves attention to the network.
        last: int64 ``[n]``, where each response ends.
        lengths: tokens of the prompt, then of each response.
    """

    input_ids: Tensor
    position_ids: Tensor
    attention_mask: Tensor | None
    last: Tensor
    lengths: tuple[int, ...]


def plan_packs(rows: Sequence[TokenSequence], token_budget: int = PACK_TOKENS) -> list[list[int]]:
    """Indices of rows with the same prompt, in order, in packs of at most ``token_budget`` tokens.

    A row longer than the budget gets a pack of its own.
    """
    groups: list[list[int]] = []
    newest: dict[tuple[int, ...], int] = {}
    room: list[int] = []
    for i, row in enumerate(rows):
        at = newest.get(row.prompt_ids)
        if at is None or len(row.response_ids) > room[at]:
            newest[row.prompt_ids] = at = len(groups)
            groups.append([])
            room.append(token_budget - len(row.prompt_ids))
        groups[at].append(i)
        room[at] -= len(row.response_ids)
    return groups


def pack(rows: Sequence[TokenSequence], device: str = "cpu") -> Pack:
    """One pack of rows.

    Raises:
        ValueError: no rows, different prompts, or a row without prompt or response tokens.
    """
    if not rows or len({row.prompt_ids for row in rows}) != 1:
        raise ValueError("a pack needs rows with one prompt")
    if not all(row.prompt_ids and row.response_ids for row in rows):
        raise ValueError("a sequence needs at least one prompt token and one response token")
    prompt = rows[0].prompt_ids
    lengths = (len(prompt), *(len(row.response_ids) for row in rows))
    ids = [*prompt, *(token for row in rows for token in row.response_ids)]
    positions = [*range(len(prompt)), *(len(prompt) + t for row in rows for t in range(len(row.response_ids)))]
    part = torch.arange(len(lengths)).repeat_interleave(torch.tensor(lengths))  # 0 is the prompt
    sees = (part[None, :] == 0) | (part[None, :] == part[:, None])
    causal = torch.ones(len(ids), len(ids), dtype=torch.bool).tril()
    return Pack(
        torch.tensor([ids], device=device),
        torch.tensor([positions], device=device),
        (sees & causal)[None, None].to(device),
        (torch.tensor(lengths).cumsum(0) - 1)[1:].to(device),
        lengths,
    )


def alone(row: TokenSequence, device: str = "cpu") -> Pack:
    """A pack of one row without a mask: whatever the network's attention is, the row gets it."""
    return replace(pack([row], device), attention_mask=None)
