"""Who computes what of a minibatch: decided once, so that all ranks go through the same number of forward passes."""

from __future__ import annotations

from collections.abc import Sequence

from rewardranker.models.batching import microbatches

#: Row indices by rank and micro-batch; an empty micro-batch is a filler, which weighs nothing.
Shares = list[list[list[int]]]


def share_out(lengths: Sequence[int], ranks: int, budget: int) -> Shares:
    """Divides rows over ranks by their tokens, and each rank's over micro-batches, equally many on every rank.

    The next longest row goes to the rank with the fewest tokens so far (Graham 1969): no two ranks are further
    apart than one row is long. A rank with fewer micro-batches than another cuts its own smaller; only where that is
    no longer possible it gets fillers.

    Args:
        lengths: tokens of each row, at least 1.
        budget: padded tokens in one micro-batch; a row that exceeds it has one of its own.
    """
    mine: list[list[int]] = [[] for _ in range(ranks)]
    tokens = [0] * ranks
    for row in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        rank = min(range(ranks), key=lambda r: (tokens[r], r))
        mine[rank].append(row)
        tokens[rank] += lengths[row]
    shares = [[[own[i] for i in group] for group in microbatches([lengths[i] for i in own], budget)] for own in mine]
    count = max(len(groups) for groups in shares)
    return [_cut(groups, count) for groups in shares]


def _cut(groups: list[list[int]], count: int) -> list[list[int]]:
    """The same rows in ``count`` groups: the largest are halved, and what is still missing is empty."""
    while len(groups) < count:
        place = max(range(len(groups)), key=lambda i: len(groups[i]), default=None)
        if place is None or len(groups[place]) < 2:
            return groups + [[]] * (count - len(groups))
        half = len(groups[place]) // 2
        groups = [*groups[:place], groups[place][:half], groups[place][half:], *groups[place + 1 :]]
    return groups
