"""A network's numbers for candidates, from either of two places: the network itself, or the pool.

A ranker with a network is told where its numbers come from when it is made, and never loads a network. On a few
candidates at hand, :class:`Computed` asks the network. A whole pool is cheaper in one batch, mixed over its problems:
:func:`store` writes the numbers into the pool, and :func:`stored` reads them from there.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence

from rewardranker.generation.candidates import candidate_names
from rewardranker.models.batching import TokenSequence
from rewardranker.models.limits import Limits, Unread, score_readable
from rewardranker.problems.types import Candidate, Problem
from rewardranker.reranking.stored import stored_scores

#: One number per candidate of a problem, in their order.
Numbers = Callable[[Problem, Sequence[Candidate]], list[float]]
#: What the network reads of a candidate.
Read = Callable[[Problem, Candidate], TokenSequence]
#: One number per sequence, in their order; batches as it likes.
Score = Callable[[list[TokenSequence]], list[float]]


class Computed:
    """Numbers from the network, each distinct sequence once per call."""

    def __init__(self, read: Read, score: Score) -> None:
        self._read, self._score = read, score

    def __call__(self, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
        rows = [self._read(problem, candidate) for candidate in candidates]
        return _once_each(rows, self._score)


def stored(key: str) -> Numbers:
    """Numbers that :func:`store` wrote earlier.

    Raises (when called):
        UserError: a candidate has no such number, or NaN; names its problem.
    """
    return functools.partial(_stored, key)


def store(
    pool: Sequence[Candidate],
    problems: Mapping[str, Problem],
    read: Read,
    score: Score,
    key: str,
    limits: Limits | None = None,
) -> list[Unread]:
    """Fills in ``scores[key]`` of a whole pool; each distinct program is read once, and seen once by the network.

    What is beyond the limits gets the lowest score, and is returned.
    """
    rows: dict[tuple[str, str, tuple[str, ...]], TokenSequence] = {}
    keys = [(candidate.problem_id, candidate.code, tuple(candidate.returns)) for candidate in pool]
    for own, candidate in zip(keys, pool, strict=True):
        if own not in rows:
            rows[own] = read(problems[candidate.problem_id], candidate)
    found = score_readable([rows[own] for own in keys], candidate_names(pool), score, limits)
    for candidate, number in zip(pool, found.scores, strict=True):
        candidate.scores[key] = number
    return found.unread


def _once_each(rows: Sequence[TokenSequence], score: Score) -> list[float]:
    distinct = list(dict.fromkeys(rows))
    known = dict(zip(distinct, score(distinct), strict=True))
    return [known[row] for row in rows]


def _stored(key: str, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
    return stored_scores(candidates, key)
