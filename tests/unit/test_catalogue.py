"""Rankers by name, on pools that carry what they need and on pools that do not; whole pools, best first."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from rewardranker.errors import UserError
from rewardranker.problems.types import Candidate, Problem
from rewardranker.problems.verdict import Verdict
from rewardranker.reranking.api import rank_pool
from rewardranker.reranking.catalogue import CATALOGUE, lacking, network_rankers, ranker_for, rankers_for

EVIDENCE = {"returns": ["int 1"], "passed_generated": [0], "passed_examples": True}
FULL = {"logprobs": [-1.0], "signature": "s", "verdict": Verdict.OK, **EVIDENCE}


def candidate(code: str = "", problem_id: str = "p", **fields: object) -> Candidate:
    return Candidate(problem_id, "python", code, code, "gen:test", **fields)  # type: ignore[arg-type]


def problem(name: str = "p") -> Problem:
    return Problem(id=name, language="python", prompt="", entry_point="f", style="function", tests=(), split="test")


def order(name: str, pool: Sequence[Candidate]) -> list[int]:
    places = {id(c): place for place, c in enumerate(pool)}
    return [places[id(c)] for c in rank_pool(pool, {"p": problem()}, ranker_for(name, pool))]


def test_every_name_makes_a_ranker_of_that_name() -> None:
    pool = [candidate(**FULL)]
    assert rankers_for(pool) == list(CATALOGUE)
    for name in CATALOGUE:
        ranker = ranker_for(name, pool)
        assert ranker.name == name and len(ranker.score(problem(), pool)) == 1


def test_each_ranks_by_its_own_rule() -> None:
    pool = [
        candidate("aaa", logprobs=[-3.0], signature="x", verdict=Verdict.WRONG),
        candidate("a", logprobs=[-1.0], signature="y", verdict=Verdict.WRONG),
        candidate("aaaa", logprobs=[-2.0], signature="y", verdict=Verdict.OK),
    ]
    assert order("first", pool) == [0, 1, 2]
    assert order("shortest", pool) == [1, 0, 2]
    assert order("longest", pool) == [2, 0, 1]
    assert order("logprob", pool) == [1, 2, 0]
    assert order("majority", pool) == [1, 2, 0]
    assert order("oracle", pool) == [2, 0, 1]
    assert sorted(order("random", pool)) == [0, 1, 2]


def test_names_of_networks_say_their_kind() -> None:
    names = [ranker.name for ranker in network_rankers(["rewardranker_2", "coderanker", "lever"])]
    assert names == ["rewardranker_2", "coderanker", "lever_argmax", "lever_summing", "lever_voting"]
    with pytest.raises(UserError, match=r"benchmark\.rankers\.mine: the name must begin with what kind"):
        network_rankers(["mine"])


@pytest.mark.parametrize(
    ("name", "what"), [("logprob", "log-probabilities"), ("majority", "results of execution"), ("oracle", "verdicts")]
)
def test_what_a_ranker_needs_and_the_pool_has_not(name: str, what: str) -> None:
    pool = [candidate(), candidate()]
    message = f"ranker {name} needs {what}.*, which none of the 2 candidates has: .*; this pool is enough for random,"
    with pytest.raises(UserError, match=message):
        ranker_for(name, pool)
    assert name not in rankers_for(pool)
    pool.append(candidate(**FULL))
    assert ranker_for(name, pool).name == name and name in rankers_for(pool) and lacking(name, pool) == 2


def test_scores_of_the_pool_are_rankers_too() -> None:
    pool = [candidate(scores={"mine": 1.0}), candidate(scores={"mine": 2.0, "other": 0.0})]
    assert order("mine", pool) == [1, 0] and lacking("mine", pool) == 0
    with pytest.raises(UserError, match=r"problem p, candidate 0: no score 'other' \(scores found: mine\)"):
        order("other", pool)


def test_unknown_names() -> None:
    with pytest.raises(UserError, match="'shortes' is not known.*; the pool holds no scores; did you mean shortest?"):
        ranker_for("shortes", [candidate()])
    with pytest.raises(UserError, match="'xyz' is not known; .* or one of the pool's own scores: b, mine$"):
        ranker_for("xyz", [candidate(scores={"mine": 1.0}), candidate(scores={"b": 1.0})])


class Halving:
    name = "halving"

    def __init__(self, worst: float) -> None:
        self._worst = worst

    def score(self, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
        return [self._worst if c.code == "bad" else len(c.code) / 2 for c in candidates]


def test_a_pool_is_ordered_problem_by_problem() -> None:
    codes = [("q", "a"), ("p", "aa"), ("q", "aaa"), ("p", "bad"), ("q", "bbb"), ("p", "aaaa")]
    pool = [candidate(code, name) for name, code in codes]
    ordered = rank_pool(pool, {name: problem(name) for name in "pq"}, Halving(-math.inf))
    assert [(c.problem_id, c.code, c.scores["halving"]) for c in ordered] == [
        *(("q", "aaa", 1.5), ("q", "bbb", 1.5), ("q", "a", 0.5)),
        *(("p", "aaaa", 2.0), ("p", "aa", 1.0), ("p", "bad", -math.inf)),
    ]
    assert {id(c) for c in ordered} == {id(c) for c in pool}


def test_scores_that_are_nan_leave_the_pool_as_it_was() -> None:
    pool = [candidate("a"), candidate("bad")]
    with pytest.raises(UserError, match=r"halving gave NaN for candidate 1 \(from 0\) of problem p"):
        rank_pool(pool, {"p": problem()}, Halving(math.nan))
    assert all(c.scores == {} for c in pool)
