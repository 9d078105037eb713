"""What a network can read: so many positions, and the tokens that have an embedding."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from transformers import AutoConfig, PreTrainedConfig

from rewardranker.errors import UserError
from rewardranker.models.batching import TokenSequence
from rewardranker.paths import AnyPath

#: The score of what a network cannot read: below every other, and not NaN, which would be an error.
UNREAD = -inf


@dataclass(frozen=True)
class Limits:
    """Of one network.

    Attributes:
        tokens: how many tokens have an embedding; ids from 0 on.
        positions: how many tokens a sequence may have; ``None`` where nothing in the network counts them.
    """

    tokens: int
    positions: int | None

    @classmethod
    def of(cls, config: PreTrainedConfig) -> Limits:
        """From a model's configuration."""
        text = config.get_text_config()
        return cls(text.vocab_size, _positions(text))

    @classmethod
    def of_model(cls, path: AnyPath) -> Limits:
        """From the configuration in a model directory, or of one on the hub."""
        return cls.of(AutoConfig.from_pretrained(path))

    def why_not(self, row: TokenSequence) -> str:
        """Why the network cannot read ``row``; empty where it can."""
        if self.positions is not None and len(row) > self.positions:
            return f"{len(row):,} tokens, and the model has {self.positions:,} positions"
        largest = max((*row.prompt_ids, *row.response_ids), default=0)
        if largest >= self.tokens:
            return (
                f"token {largest} of its tokenizer is outside the model's {self.tokens:,} embeddings, so that they "
                "do not belong together"
            )
        if not row.prompt_ids:
            return "its prompt is empty, and the tokenizer puts no token before it"
        return ""

    def check(self, row: TokenSequence, what: str) -> None:
        """Raises :class:`UserError`, naming ``what``, for a row that the network cannot read."""
        if reason := self.why_not(row):
            raise UserError(f"{what}: {reason}")


@dataclass(frozen=True)
class Unread:
    """A text that got no score: which it is, for people, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Readable:
    """Texts before a network: the distinct ones that it can read are ``shown``, and scored each once."""

    rows: Sequence[TokenSequence]
    shown: list[TokenSequence]
    unread: list[Unread]

    @classmethod
    def of(cls, rows: Sequence[TokenSequence], names: Sequence[str], limits: Limits | None) -> Readable:
        """
        Args:
            names: of the rows, for people.
            limits: the network's; ``None`` asks it about everything.

        Raises:
            UserError: it can read none of them.
        """
        reasons = [limits.why_not(row) if limits is not None else "" for row in rows]
        unread = [Unread(name, reason) for name, reason in zip(names, reasons, strict=True) if reason]
        if rows and len(unread) == len(rows):
            raise UserError(
                f"the model can read none of {len(rows):,} texts; the first, {unread[0].name}: {unread[0].reason}"
            )
        shown = list(dict.fromkeys(row for row, reason in zip(rows, reasons, strict=True) if not reason))
        return cls(rows, shown, unread)

    def scores(self, found: Sequence[float]) -> list[float]:
        """One score per row: what was ``found`` for those shown, :data:`UNREAD` for the others."""
        known = dict(zip(self.shown, found, strict=True))
        return [known.get(row, UNREAD) for row in self.rows]


@dataclass(frozen=True)
class Scored:
    """One score per row, and the rows among them that got none."""

    scores: list[float]
    unread: list[Unread]


def score_readable(
    rows: Sequence[TokenSequence],
    names: Sequence[str],
    score: Callable[[list[TokenSequence]], list[float]],
    limits: Limits | None,
) -> Scored:
    """Scores of all rows; what the network cannot read gets :data:`UNREAD` and costs the others nothing. See
    :class:`Readable`."""
    readable = Readable.of(rows, names, limits)
    return Scored(readable.scores(score(readable.shown)), readable.unread)


def describe_unread(unread: Sequence[Unread], of: int, what: str = "programs") -> str:
    """One line for people: how many of ``of`` texts got no score, and the first of them."""
    first = "; ".join(f"{one.name}: {one.reason}" for one in unread[:3])
    more = "; ..." if len(unread) > 3 else ""
    count = f"{len(unread):,} of {of:,} {what}"
    return f"{count} cannot be read by the model and are ranked last, without a score: {first}{more}"


def _positions(text: PreTrainedConfig) -> int | None:
    found = getattr(text, "max_position_embeddings", None)
    if not found or found < 0:
        return None
    stretched: dict[str, Any] = getattr(text, "rope_parameters", None) or {}
    factor, trained = stretched.get("factor"), stretched.get("original_max_position_embeddings")
    return max(int(found), int(factor * trained)) if factor and trained else int(found)
