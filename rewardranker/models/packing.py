"""Several responses to one prompt in one line of a batch, in which they do not see each other.

Programs of one problem share their prompt, which is often longer than they are. Together they run it once, and less
is padded: with 8 to 16 short programs a line, a step costs two thirds of a padded batch's.
Scores and gradients are those of every response alone after the prompt, where a network attends to what the mask says
and to nothing else: :func:`rewardranker.models.behaviour.packs_leak` asks it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rewardranker.models.batching import Line, TokenSequence

#: Attention between responses is computed and thrown away, which grows with the square of a line's length.
LINE_TOKENS = 1024


@dataclass
class Lines:
    """Distinct rows, those with the same prompt in lines of at most ``limit`` tokens.

    A row longer than that gets a line of its own, and a row that comes again is run once (Ouyang et al. 2022,
    section 3.5).
    """

    limit: int = LINE_TOKENS
    rows: dict[TokenSequence, int] = field(default_factory=dict)  # and the line that it is in
    lengths: list[int] = field(default_factory=list)
    newest: dict[tuple[int, ...], int] = field(default_factory=dict)  # by prompt

    @property
    def size(self) -> int:
        """Tokens with padding."""
        return len(self.lengths) * max(self.lengths, default=0)

    def plus(self, rows: Iterable[TokenSequence]) -> Lines:
        """These lines and further rows."""
        grown = Lines(self.limit, dict(self.rows), list(self.lengths), dict(self.newest))
        for row in rows:
            if row not in grown.rows:
                grown._add(row)
        return grown

    def _add(self, row: TokenSequence) -> None:
        at = self.newest.get(row.prompt_ids)
        if at is None or self.lengths[at] + len(row.response_ids) > self.limit:
            self.newest[row.prompt_ids] = at = len(self.lengths)
            self.lengths.append(len(row.prompt_ids))
        self.rows[row] = at
        self.lengths[at] += len(row.response_ids)


def plan_lines(rows: Sequence[TokenSequence], limit: int = LINE_TOKENS) -> list[Line]:
    """Lines that hold every distinct row once: as few as may be, and of like length, for a batch pads them."""
    by_prompt: dict[tuple[int, ...], list[TokenSequence]] = {}
    for row in rows:
        by_prompt.setdefault(row.prompt_ids, []).append(row)
    return [line for mine in by_prompt.values() for line in _even_lines(mine, limit)]


def _even_lines(rows: Sequence[TokenSequence], limit: int) -> list[Line]:
    fewest = len(Lines(limit).plus(rows).lengths)
    tightest = bisect_left(range(limit), True, key=lambda tokens: len(Lines(tokens).plus(rows).lengths) <= fewest)
    placed = Lines(tightest).plus(rows).rows
    return [tuple(row for row, at in placed.items() if at == line) for line in range(fewest)]


def packed_microbatches(examples: Sequence[Sequence[TokenSequence]], token_budget: int) -> list[list[int]]:
    """Indices of examples, each of which is some rows, in groups whose lines stay within ``token_budget``.

    Those with the same prompt come together, and prompts with lines of like length; an example larger than the budget
    gets a group of its own.
    """
    by_prompt: dict[tuple[int, ...], list[int]] = {}
    for i, rows in enumerate(examples):
        by_prompt.setdefault(rows[0].prompt_ids, []).append(i)

    def longest_line(members: list[int]) -> int:
        return min(LINE_TOKENS, max(Lines().plus(row for i in members for row in examples[i]).lengths))

    groups: list[list[int]] = []
    lines = Lines()
    for members in sorted(by_prompt.values(), key=longest_line, reverse=True):
        for i in members:
            grown = lines.plus(examples[i])
            if not groups or grown.size > token_budget:
                groups.append([])
                grown = Lines().plus(examples[i])
            groups[-1].append(i)
            lines = grown
    return groups
