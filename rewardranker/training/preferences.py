"""Preference data of one's own: rows of ``prompt``, ``chosen`` and ``rejected``, by the hub's convention.

The sides are texts, or conversations: lists of ``{"role": ..., "content": ...}``. Of conversations the last turn is
what is compared; what comes before it, in ``prompt`` or in the sides themselves, has to be the same for both
(https://huggingface.co/docs/trl/dataset_formats, preference, with explicit and implicit prompt).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedTokenizerBase

from rewardranker.errors import UserError
from rewardranker.models.encoding import Conversation, encode_pair
from rewardranker.problems.io import Row
from rewardranker.training.objectives import Pair


@dataclass(frozen=True)
class Preference:
    """One comparison. ``prompt`` is a text, or the turns before the answers."""

    prompt: str | Conversation
    chosen: str
    rejected: str

    @property
    def group(self) -> str:
        """The same for all comparisons of answers to one prompt."""
        return self.prompt if isinstance(self.prompt, str) else json.dumps(self.prompt)


def read_preferences(rows: Sequence[Row], name: str) -> tuple[list[Preference], Counter[str]]:
    """The comparisons of rows, and how many rows say nothing, by reason.

    Raises:
        UserError: a row that is none, or texts and conversations in one file; names the row.
    """
    found: list[Preference] = []
    idle: Counter[str] = Counter()
    for number, row in enumerate(rows, 1):
        one = _preference(row, f"{name}, row {number}")
        if not one.chosen.strip() or not one.rejected.strip():
            idle["an empty side"] += 1
        elif one.chosen == one.rejected:
            idle["equal sides"] += 1
        else:
            found.append(one)
            if isinstance(one.prompt, str) != isinstance(found[0].prompt, str):
                raise UserError(
                    f"{name}, row {number}: texts and conversations in one file, of which one model cannot learn; "
                    "put them into two files"
                )
    return found, idle


def encoded(
    preferences: Sequence[Preference], tokenizer: PreTrainedTokenizerBase, chat: bool, max_tokens: int
) -> tuple[list[Pair], list[str]]:
    """Pairs as a reward model reads them, and the group of each; without those of which a side is too long."""
    pairs: list[Pair] = []
    groups: list[str] = []
    for one in preferences:
        chosen, rejected = (encode_pair(tokenizer, one.prompt, side, chat) for side in (one.chosen, one.rejected))
        if max(len(chosen), len(rejected)) <= max_tokens:
            pairs.append((chosen, rejected))
            groups.append(one.group)
    return pairs, groups


def _preference(row: Row, where: str) -> Preference:
    prompt, chosen, rejected = (row.get(field) for field in ("prompt", "chosen", "rejected"))
    texts = isinstance(chosen, str) and isinstance(rejected, str)
    missing = [field for field in ("chosen", "rejected") if row.get(field) is None]
    if prompt is None and (texts or missing):
        missing = ["prompt", *missing]
    if missing:
        raise UserError(f"{where} lacks {', '.join(missing)}; it has {', '.join(row)}")
    if texts:
        asked = prompt if isinstance(prompt, str) else _turns(prompt, f"{where}, prompt")
        return Preference(asked, str(chosen), str(rejected))
    before, good = _answer(chosen, f"{where}, chosen")
    same, bad = _answer(rejected, f"{where}, rejected")
    if before != same:
        raise UserError(f"{where}: chosen and rejected differ before their last turn, so no answers are compared")
    said = _opening(prompt, where)
    turns = before if before[: len(said)] == said else said + before
    if not turns:
        raise UserError(f"{where} has no prompt: neither as a field of its own nor in the turns before the last one")
    return Preference(turns, good, bad)


def _opening(prompt: Any, where: str) -> Conversation:
    if prompt is None:
        return []
    return [{"role": "user", "content": prompt}] if isinstance(prompt, str) else _turns(prompt, f"{where}, prompt")


def _answer(side: Any, where: str) -> tuple[Conversation, str]:
    turns = _turns(side, where)
    if not turns or turns[-1]["role"] != "assistant":
        raise UserError(f"{where}: the last turn has to be the assistant's")
    return turns[:-1], turns[-1]["content"]


def _turns(value: Any, where: str) -> Conversation:
    if not isinstance(value, list) or not all(
        isinstance(turn, dict) and isinstance(turn.get("role"), str) and isinstance(turn.get("content"), str)
        for turn in value
    ):
        raise UserError(
            f'{where}: expected a text or a list of turns {{"role": "user", "content": "..."}}, found '
            f"{type(value).__name__}: {json.dumps(value, default=str)[:80]}"
        )
    return [{"role": turn["role"], "content": turn["content"]} for turn in value]
