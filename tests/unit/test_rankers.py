"""Rankers on candidates small enough to rank by eye."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from rewardranker.errors import UserError
from rewardranker.problems.types import Candidate, Problem
from rewardranker.problems.verdict import Verdict
from rewardranker.reranking.api import rank
from rewardranker.reranking.baselines import OracleRanker, RandomRanker
from rewardranker.reranking.execution import MajorityRanker
from rewardranker.reranking.logprob import LogprobRanker
from rewardranker.reranking.protocol import Ranker
from rewardranker.reranking.stored import StoredRanker


def problem(name: str = "p") -> Problem:
    return Problem(id=name, language="python", prompt="", entry_point="f", style="function", tests=(), split="test")


def candidate(**fields: object) -> Candidate:
    return Candidate("p", "python", "", "", "gen:test", **fields)  # type: ignore[arg-type]


class Fixed:
    name = "fixed"

    def __init__(self, scores: list[float]) -> None:
        self._scores = scores

    def score(self, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
        return self._scores


def test_random_depends_on_the_problem_and_the_seed_only() -> None:
    pool = [candidate() for _ in range(5)]
    first = RandomRanker().score(problem("a"), pool)
    assert first == RandomRanker().score(problem("a"), pool)
    assert first != RandomRanker().score(problem("b"), pool)
    assert first != RandomRanker(seed=1).score(problem("a"), pool)


def test_random_picks_every_place_equally_often() -> None:
    """2000 problems, 4 candidates: 500 each, standard deviation sqrt(2000 * .25 * .75) = 19."""
    pool = [candidate() for _ in range(4)]
    firsts = [rank(problem(str(i)), pool, RandomRanker())[0] for i in range(2000)]
    assert all(abs(firsts.count(place) - 500) < 80 for place in range(4))


def test_logprob_is_a_mean_and_not_a_sum() -> None:
    pool = [candidate(logprobs=[-1.0]), candidate(logprobs=[-0.5] * 10), candidate()]
    assert LogprobRanker().score(problem(), pool) == [-1.0, -0.5, -math.inf]
    assert rank(problem(), pool, LogprobRanker()) == [1, 0, 2]


def test_majority_counts_equal_behaviour_but_not_its_absence() -> None:
    pool = [candidate(signature=s) for s in ("", "a", "b", "a", "", "")]
    assert MajorityRanker().score(problem(), pool) == [0, 2, 1, 2, 0, 0]
    assert rank(problem(), pool, MajorityRanker()) == [1, 3, 2, 0, 4, 5]


def test_oracle_takes_ok_only_and_insists_on_verdicts() -> None:
    pool = [candidate(verdict=v) for v in (Verdict.WRONG, Verdict.OK, Verdict.INFRA)]
    assert OracleRanker().score(problem(), pool) == [0, 1, 0]
    with pytest.raises(UserError, match="1 of 2 candidates of problem p"):
        OracleRanker().score(problem(), [candidate(), pool[0]])


def test_stored_reads_its_key_and_names_the_problem_that_lacks_it() -> None:
    ranker = StoredRanker("rewardranker_1")
    pool = [
        candidate(scores={"rewardranker_1": -2.0, "other": 5.0}),
        candidate(scores={"rewardranker_1": 3.0}),
    ]
    assert ranker.name == "rewardranker_1"
    assert ranker.score(problem(), pool) == [-2.0, 3.0]
    with pytest.raises(UserError, match=r"problem p, candidate 0: no score 'rewardranker_1' .*found: other"):
        ranker.score(problem(), [candidate(scores={"other": 1.0})])
    with pytest.raises(UserError, match="problem p, candidate 0: score 'rewardranker_1' is NaN"):
        ranker.score(problem(), [candidate(scores={"rewardranker_1": math.nan})])


def test_rank_is_stable_and_takes_any_ranker() -> None:
    pool = [candidate() for _ in range(4)]
    ranker: Ranker = Fixed([1.0, 2.0, -math.inf, 2.0])
    assert rank(problem(), pool, ranker) == [1, 3, 0, 2]
    assert rank(problem(), [], Fixed([])) == []


def test_rank_refuses_what_cannot_be_ranked() -> None:
    with pytest.raises(ValueError, match="ranker fixed gave 1 scores for 2 candidates of p"):
        rank(problem(), [candidate(), candidate()], Fixed([1.0]))
    with pytest.raises(UserError, match=r"ranker fixed gave NaN for candidate 1 \(from 0\) of problem p;"):
        rank(problem(), [candidate(), candidate()], Fixed([1.0, math.nan]))
