"""Ragged token sequences to batches that a network reads. Masks come from lengths, never from token ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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


#: A prompt and the responses that follow it in one line of a batch, each of which sees the prompt and itself.
Line = tuple[TokenSequence, ...]


@dataclass
class TokenBatch:
    """``B`` sequences in ``N`` lines padded to ``L`` tokens, responses padded to ``T``.

    Padding is token 0, which every network has: a tokenizer's own may have been added without an embedding.

    Attributes:
        lines: what each line holds: one sequence, or several responses to one prompt.
        input_ids: int64 ``[N, L]``.
        attention_mask: int64 ``[N, L]``, 1 on tokens; or, where a line holds several responses, bool
            ``[N, 1, L, L]``, true where row may look at column.
        position_ids: int64 ``[N, L]``, 0 at the first token; every response counts on from its prompt.
        line: int64 ``[B]``, the line of each sequence.
        before: int64 ``[B, T]``, index into ``L`` of the state from which response token ``t`` is predicted.
        targets: int64 ``[B, T]``, the response's tokens.
        mask: bool ``[B, T]``, true on response tokens.
        last: int64 ``[B]``, index into ``L`` of the last response token.
    """

    lines: list[Line]
    input_ids: Tensor
    attention_mask: Tensor
    position_ids: Tensor
    line: Tensor
    before: Tensor
    targets: Tensor
    mask: Tensor
    last: Tensor

    @property
    def own(self) -> Tensor:
        """int64 ``[B, T]``, index into ``L`` of each response token; of its last one where there is none."""
        offsets = torch.arange(self.mask.shape[1], device=self.mask.device)
        return (self.last - self.mask.sum(1) + 1)[:, None].add(offsets).minimum(self.last[:, None])


def response_mask(lengths: Tensor) -> Tensor:
    """bool ``[B, max(lengths)]``, true on the first ``lengths[b]`` positions of row ``b``."""
    return torch.arange(int(lengths.max())) < lengths[:, None]


def collate(rows: Sequence[TokenSequence], device: str = "cpu", lines: Sequence[Line] | None = None) -> TokenBatch:
    """One batch of ``rows``; results downstream do not depend on what else is in it.

    Args:
        lines: what to run, see :func:`rewardranker.models.packing.plan_lines`; all ``rows`` are in them. By default
            every row has a line of its own.

    Raises:
        ValueError: a row without prompt or without response tokens.
    """
    if not all(row.prompt_ids and row.response_ids for row in rows):
        raise ValueError("a sequence needs at least one prompt token and one response token")
    alone = lines is None
    lines = [(row,) for row in rows] if lines is None else list(lines)
    begins = [_begins(line) for line in lines]
    input_ids = torch.zeros(len(lines), max(end[-1] for end in begins), dtype=torch.int64)
    position_ids, part = torch.zeros_like(input_ids), torch.zeros_like(input_ids)
    for n, (line, begin) in enumerate(zip(lines, begins, strict=True)):
        prompt = line[0].prompt_ids
        input_ids[n, : begin[-1]] = torch.tensor([*prompt, *(t for row in line for t in row.response_ids)])
        for number, (start, end) in enumerate(zip([0, *begin], begin, strict=False), 1):
            position_ids[n, start:end] = torch.arange(end - start) + (len(prompt) if number > 1 else 0)
            part[n, start:end] = number
    if alone:
        places = [(n, begin[0]) for n, begin in enumerate(begins)]
    else:
        found = {row: (n, begins[n][i]) for n, line in enumerate(lines) for i, row in enumerate(line)}
        places = [found[row] for row in rows]
    line_of, start = torch.tensor(places).T
    lengths = torch.tensor([len(row.response_ids) for row in rows])
    mask = response_mask(lengths)
    targets = torch.zeros(mask.shape, dtype=torch.int64)
    for b, row in enumerate(rows):
        targets[b, : len(row.response_ids)] = torch.tensor(row.response_ids)
    offsets = torch.arange(mask.shape[1]).minimum((lengths - 1)[:, None])
    prompt_end = torch.tensor([len(row.prompt_ids) - 1 for row in rows])[:, None]
    before = torch.where(offsets == 0, prompt_end, start[:, None] + offsets - 1)
    single = all(len(line) == 1 for line in lines)
    tensors = (
        input_ids,
        (part > 0).long() if single else _sees(part),
        position_ids,
        line_of,
        before,
        targets,
        mask,
        start + lengths - 1,
    )
    return TokenBatch(lines, *(tensor.to(device) for tensor in tensors))


def _begins(line: Line) -> list[int]:
    """Where in a line its first response begins, and where each of them ends."""
    begins = [len(line[0].prompt_ids)]
    for row in line:
        begins.append(begins[-1] + len(row.response_ids))
    return begins


def _sees(part: Tensor) -> Tensor:
    """bool ``[N, 1, L, L]`` from ``part`` ``[N, L]``: 1 on a prompt, 2, 3, ... on its responses, 0 on padding, which
    sees something too, for attention to nothing is NaN."""
    same, prompt = part[:, :, None] == part[:, None, :], part[:, None, :] == 1
    return (same | prompt).tril()[:, None]


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
