"""Pools as tables use them: judged candidates with every ranker's scores, checked once.

All tables are built from this, so a ranker is asked in one place, through its protocol, and what cannot be
compared is refused in one place.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from rewardranker.errors import UserError
from rewardranker.problems.io import first_few
from rewardranker.problems.pool import judged_of
from rewardranker.problems.types import Candidate, Problem
from rewardranker.problems.verdict import NEVER_LABELS, Verdict
from rewardranker.reranking.protocol import Ranker
from rewardranker.statistics.metrics import best_of_n, rerank_at_k

Groups = Mapping[str, Sequence[Candidate]]
Draw = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Method:
    """How a table's numbers are computed.

    Attributes:
        baseline: the ranker that others are compared with, on the same pools.
        bootstrap: resamples of problem groups.
        seed: of the bootstrap and of the draws.
        draws: of ``n`` candidates per problem, for rankers whose scores depend on which ones were drawn.
        partial: go on with the problems that all pools of a language share, and of which each has ``n`` judged
            candidates; the others are left out, and counted.
    """

    baseline: str = "random"
    bootstrap: int = 10_000
    seed: int = 0
    draws: int = 20
    partial: bool = False


class Chance:
    """A random pick, exactly: all candidates are equal, and ties count as their expectation."""

    name = "random"

    def score(self, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
        return [0.0] * len(candidates)


@dataclass(frozen=True)
class RankedProblem:
    """One problem's judged candidates.

    Attributes:
        sampled: candidates that the pool holds, judged or not.
        correct: ``[N]`` 0 or 1.
        lengths: ``[N]`` characters of the programs.
        scores: ``[N]`` by ranker.
        draws: by ranker and ``n``: scores and correctness of random ``n``-subsets, scored anew. Only for rankers
            that compare candidates with each other, for whom the closed forms do not hold.
    """

    problem: Problem
    sampled: int
    correct: np.ndarray
    lengths: np.ndarray
    scores: Mapping[str, np.ndarray]
    draws: Mapping[tuple[str, int], Sequence[Draw]] = field(default_factory=dict)

    def solved(self, ranker: str, n: int | None = None, k: int = 1) -> float:
        """Probability that one of the ranker's ``k`` best of ``n`` candidates is correct.

        ``n`` is capped at the candidates that were judged; ``None`` means all of them.
        """
        n = min(n or len(self.correct), len(self.correct))
        k = min(k, n)
        if n == 1:  # no choice
            return float(self.correct.mean())
        drawn = self.draws.get((ranker, n), [(self.scores[ranker], self.correct)])
        if k == 1:
            return float(np.mean([best_of_n(scores, correct, n) for scores, correct in drawn]))
        return float(np.mean([rerank_at_k(scores, correct, n, k) for scores, correct in drawn]))


@dataclass(frozen=True)
class RankedPool:
    """A pool that every ranker was asked about.

    Attributes:
        problems: by id, those with at least one judged candidate.
        dropped: ids of those without.
        candidates: how many the pool holds.
        never_judged: how many of them the judge could not judge, by verdict (``INFRA``, ``NO_TOOLCHAIN``).
        resampled: rankers that compare candidates, see :attr:`RankedProblem.draws`.
        indifferent: rankers that gave all candidates of every problem the same score, though some problem has
            several: their rows say nothing.
        partial: see :meth:`reaching`.
    """

    name: str
    problems: dict[str, RankedProblem]
    dropped: tuple[str, ...]
    candidates: int
    never_judged: dict[str, int]
    resampled: frozenset[str]
    indifferent: frozenset[str]
    partial: bool = False

    def reaching(self, n: int) -> dict[str, RankedProblem]:
        """By id, the problems that count in a column of ``n`` candidates.

        In a partial pool those with ``n`` judged candidates, whatever took the others: a choice among fewer is
        not what such a column says it is. Otherwise all of them: every problem had its ``n``, and the few that
        lost some to the judge choose among the rest, for which tables count them.
        """
        if not self.partial:
            return self.problems
        return {key: one for key, one in self.problems.items() if len(one.correct) >= n}


def rank_pool(
    name: str,
    candidates: Groups,
    problems: Mapping[str, Problem],
    rankers: Sequence[Ranker],
    ns: Sequence[int] = (),
    method: Method | None = None,
) -> RankedPool:
    """Asks every ranker about the judged candidates of every problem.

    Candidates that could not be judged are left out and counted.

    Where ``ns`` asks for fewer candidates than there are, every candidate is also scored alone, which tells the
    rankers that compare candidates from those that do not. For one that runs a network, write its scores into the
    pool once and pass a :class:`rewardranker.reranking.stored.StoredRanker`.

    Args:
        candidates: by problem id.
        problems: by id; may be more than the pool has.
        ns: how many candidates the table will let rankers choose from, other than all.
        method: its draws, for rankers that need them; where ``partial``, problems with fewer candidates than an ``n``
            are taken too, see :meth:`RankedPool.reaching`.

    Raises:
        UserError: two rankers of one name, a problem that is not in ``problems``, unjudged candidates, fewer
            candidates than an ``n`` (unless ``partial``), none left at all, or a ranker whose scores are NaN or
            too few.
    """
    method = method or Method()
    _check_names(rankers)
    groups = judged(name, candidates)
    unknown = [problem for problem in groups if problem not in problems]
    if unknown:
        raise UserError(
            f"pool {name}: {len(unknown)} of its problems are not among the {len(problems)} given: "
            f"{first_few(unknown)}; pass the problems that the pool was made from"
        )
    _check_enough(name, candidates, ns, method.partial)
    scores = {
        ranker.name: {key: _scores(name, ranker, problems[key], group) for key, group in groups.items()}
        for ranker in rankers
    }
    choices = sorted({n for n in ns if n > 1})
    around = [r for r in rankers if _looks_around(name, r, problems, groups, scores[r.name], choices)]
    verdicts = Counter(str(c.verdict) for group in candidates.values() for c in group)
    return RankedPool(
        name=name,
        problems={
            key: RankedProblem(
                problem=problems[key],
                sampled=len(candidates[key]),
                correct=_correct(group),
                lengths=np.array([len(c.code) for c in group]),
                scores={ranker: found[key] for ranker, found in scores.items()},
                draws={
                    (r.name, n): _draws(name, r, problems[key], group, _subsets(problems[key], len(group), n, method))
                    for r in around
                    for n in choices
                    if n < len(group)
                },
            )
            for key, group in groups.items()
        },
        dropped=tuple(key for key in candidates if key not in groups),
        candidates=verdicts.total(),
        never_judged={str(v): verdicts[v] for v in sorted(NEVER_LABELS)},
        resampled=frozenset(r.name for r in around),
        indifferent=frozenset(ranker for ranker, found in scores.items() if _indifferent(found)),
        partial=method.partial,
    )


def judged(pool: str, candidates: Groups) -> dict[str, list[Candidate]]:
    """Per problem the candidates that the judge could judge; problems without any are left out.

    Raises:
        UserError: a candidate without a verdict, or nothing left.
    """
    groups = {}
    for problem_id, group in candidates.items():
        if any(c.verdict is None for c in group):
            raise UserError(f"pool {pool}: problem {problem_id} has candidates without a verdict; judge it first")
        kept = judged_of(group)
        if kept:
            groups[problem_id] = kept
    if not groups:
        raise UserError(f"pool {pool}: none of its {len(candidates)} problems has a judged candidate")
    return groups


def _check_names(rankers: Sequence[Ranker]) -> None:
    twice = [name for name, count in Counter(ranker.name for ranker in rankers).items() if count > 1]
    if twice:
        raise UserError(f"rankers must have different names to be told apart in a table; twice: {first_few(twice)}")


def _check_enough(pool: str, candidates: Groups, ns: Sequence[int], partial: bool) -> None:
    if any(n < 1 for n in ns):
        raise UserError(f"pool {pool}: n must be at least 1, asked for {', '.join(map(str, ns))}")
    most = max(ns, default=1)
    short = [f"{key} has {len(group)}" for key, group in candidates.items() if len(group) < most]
    if short and not partial:
        raise UserError(
            f"pool {pool}: n = {most} candidates asked, but {len(short)} of {len(candidates)} problems have fewer: "
            f"{first_few(short)}; sample more, ask for a smaller n, or for partial results, which leave such "
            f"problems out at n = {most}"
        )


def _scores(pool: str, ranker: Ranker, problem: Problem, group: Sequence[Candidate]) -> np.ndarray:
    found = ranker.score(problem, group)
    where = f"pool {pool}: ranker {ranker.name} on problem {problem.id}"
    if len(found) != len(group):
        raise UserError(f"{where} gave {len(found)} scores for {len(group)} candidates; it must give one for each")
    if any(math.isnan(score) for score in found):
        raise UserError(f"{where} gave NaN; check the model behind it, and score again")
    return np.asarray(found, dtype=np.float64)


def _looks_around(
    pool: str,
    ranker: Ranker,
    problems: Mapping[str, Problem],
    groups: Groups,
    scores: Mapping[str, np.ndarray],
    choices: Sequence[int],
) -> bool:
    """Whether, on some problem that leaves a choice of whom to draw, a candidate's score is another one alone."""
    for key, group in groups.items():
        if not choices or choices[0] >= len(group):
            continue
        for candidate, full in zip(group, scores[key], strict=True):
            (alone,) = _scores(pool, ranker, problems[key], [candidate])
            # A network's scores move a little with what shares its batch.
            if not np.isclose(alone, full, rtol=1e-4, atol=1e-4):
                return True
    return False


def _draws(
    pool: str, ranker: Ranker, problem: Problem, group: Sequence[Candidate], subsets: Sequence[Sequence[int]]
) -> list[Draw]:
    correct = _correct(group)
    return [(_scores(pool, ranker, problem, [group[i] for i in chosen]), correct[list(chosen)]) for chosen in subsets]


def _subsets(problem: Problem, size: int, n: int, method: Method) -> list[list[int]]:
    """The same draws for every ranker, so that they are compared on the same candidates."""
    names = (f"{method.seed}/{number}/{problem.language}/{problem.id}/{n}" for number in range(method.draws))
    return [sorted(random.Random(name).sample(range(size), n)) for name in names]


def _indifferent(scores: Mapping[str, np.ndarray]) -> bool:
    several = any(len(found) > 1 for found in scores.values())
    return several and all((found == found[0]).all() for found in scores.values())


def _correct(group: Sequence[Candidate]) -> np.ndarray:
    return np.array([int(c.verdict == Verdict.OK) for c in group])
