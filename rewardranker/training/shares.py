"""Who computes what of a minibatch, so that no rank waits for another."""

from __future__ import annotations

from collections.abc import Sequence


def share_out(lengths: Sequence[int], ranks: int) -> list[list[int]]:
    """Row indices by rank, in order, divided by tokens.

    The next longest row goes to the rank with the fewest tokens so far (Graham 1969): no two ranks are further
    apart than one row is long.

    Args:
        lengths: tokens of each row, at least 1.
    """
    mine: list[list[int]] = [[] for _ in range(ranks)]
    tokens = [0] * ranks
    for row in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        rank = min(range(ranks), key=lambda r: (tokens[r], r))
        mine[rank].append(row)
        tokens[rank] += lengths[row]
    return [sorted(own) for own in mine]


def evened(groups: Sequence[list[int]], count: int) -> list[list[int]]:
    """The same rows in ``count`` micro-batches: the largest are halved; where none can be, empty ones are fillers."""
    even = list(groups)
    while len(even) < count:
        place = max(range(len(even)), key=lambda i: len(even[i]))
        if len(even[place]) < 2:
            return even + [[]] * (count - len(even))
        half = len(even[place]) // 2
        even[place : place + 1] = [even[place][:half], even[place][half:]]
    return even
