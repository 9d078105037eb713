"""Scoring pools: who is asked, what is refused, and rankers that compare candidates with each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest
from made_pools import candidates, problem

from rewardranker.errors import UserError
from rewardranker.problems.types import Candidate, Problem
from rewardranker.reranking.baselines import OracleRanker
from rewardranker.reranking.execution import MajorityRanker, votes
from rewardranker.reranking.stored import StoredRanker
from rewardranker.statistics.metrics import best_of_n, rerank_at_k
from rewardranker.tables.ranked import Chance, Method, rank_pool

PROBLEMS = {f"humaneval/{n}": problem(n) for n in range(3)}


class Says:
    """Whatever it was told to."""

    def __init__(self, scores: Sequence[float], name: str = "says") -> None:
        self.name, self.scores = name, list(scores)

    def score(self, problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
        return self.scores


def test_chance_and_oracle_are_the_ends() -> None:
    """Two of four right: a random pick is right in 1/2; of two, one is in 1 - C(2,2)/C(4,2) = 5/6."""
    groups = {"humaneval/0": candidates(0, "o1 x2 x3 o4")}
    found = rank_pool("p", groups, PROBLEMS, [Chance(), StoredRanker("r"), OracleRanker()], ns=[2])
    one = found.problems["humaneval/0"]
    assert [one.solved("random", n) for n in (1, 2, None)] == pytest.approx([0.5] * 3)
    assert one.solved("oracle", 2) == pytest.approx(5 / 6)
    assert one.solved("r", 2) == pytest.approx(best_of_n([1, 2, 3, 4], [1, 0, 0, 1], 2))
    assert one.solved("r", 3, k=2) == pytest.approx(rerank_at_k([1, 2, 3, 4], [1, 0, 0, 1], 3, 2))
    assert one.solved("r") == 1.0
    assert found.resampled == frozenset()
    assert found.indifferent == {"random"}
    assert one.lengths.tolist() == [1, 2, 3, 4]


def signed(spec: str) -> list[Candidate]:
    """``"oa xb"``: verdict and signature."""
    found = candidates(0, " ".join(part[0] for part in spec.split()))
    for candidate, part in zip(found, spec.split(), strict=True):
        candidate.signature = part[1:]
    return found


def test_rankers_that_look_around_are_asked_about_every_draw() -> None:
    """Signatures x x y z, only y right, n = 2. Of the six draws {x,x} is wrong, {x,y} twice a tie (1/2), {x,z} twice
    wrong, {y,z} a tie: 3/2 / 6 = 1/4. The closed form over votes in the whole pool would prefer x to y in {x,y},
    which nobody who sees two candidates could: 1/2 / 6 = 1/12."""
    group = signed("xx xx oy xz")
    correct = [0, 0, 1, 0]
    draws = list(combinations(range(4), 2))
    brute = [best_of_n(votes([group[i] for i in draw]), [correct[i] for i in draw], 2) for draw in draws]
    assert np.mean(brute) == pytest.approx(1 / 4)
    assert best_of_n(votes(group), correct, 2) == pytest.approx(1 / 12)
    found = rank_pool(
        "p", {"humaneval/0": group}, PROBLEMS, [MajorityRanker(), OracleRanker()], ns=[2], method=Method(draws=3000)
    )
    assert found.resampled == {"majority"}
    one = found.problems["humaneval/0"]
    assert one.solved("majority", 2) == pytest.approx(1 / 4, abs=0.02)  # standard error .5/sqrt(3000) = .009
    assert one.solved("majority", 1) == 1 / 4  # no choice, no draws
    assert one.solved("majority") == 0.0  # of all four the two x win
    assert one.solved("oracle", 2) == pytest.approx(1 / 2)


def test_draws_are_the_same_for_every_ranker_and_depend_on_the_seed() -> None:
    group = signed("oa oa xb xb xc oc xd oe")

    def solved(seed: int) -> list[float]:
        class Again(MajorityRanker):
            name = "again"

        rankers = [MajorityRanker(), Again()]
        found = rank_pool("p", {"humaneval/0": group}, PROBLEMS, rankers, ns=[3], method=Method(seed=seed, draws=7))
        return [found.problems["humaneval/0"].solved(ranker.name, 3) for ranker in rankers]

    assert solved(0)[0] == solved(0)[1] == solved(0)[0]
    assert len({tuple(solved(seed)) for seed in range(5)}) > 1


def test_unjudgeable_candidates_shorten_a_problem_and_are_counted() -> None:
    groups = {
        "humaneval/0": candidates(0, "o1 x2 I9"),
        "humaneval/1": candidates(1, "I1 N2 I3"),
        "humaneval/2": candidates(2, "x1 o2 x3"),
    }
    found = rank_pool("p", groups, PROBLEMS, [StoredRanker("r")], ns=[3])
    assert list(found.problems) == ["humaneval/0", "humaneval/2"]
    assert found.dropped == ("humaneval/1",)
    assert found.never_judged == {"INFRA": 3, "NO_TOOLCHAIN": 1}
    assert found.candidates == 9
    short = found.problems["humaneval/0"]
    assert (short.sampled, len(short.correct), short.solved("r", 3), short.solved("r", 3, k=3)) == (3, 2, 0.0, 1.0)


def test_in_a_partial_pool_only_problems_with_n_judged_candidates_count_at_n() -> None:
    """An endpoint lost one of three answers of problem 1, the judge one of problem 0, and all but one of 2."""
    groups = {
        "humaneval/0": candidates(0, "o1 x2 I9"),
        "humaneval/1": candidates(1, "o1 x2"),
        "humaneval/2": candidates(2, "x1 I2 N3"),
    }
    with pytest.raises(UserError, match=r"1 of 3 problems have fewer: humaneval/1 has 2; .* or for partial results"):
        rank_pool("p", groups, PROBLEMS, [Chance()], ns=[1, 3])
    found = rank_pool("p", groups, PROBLEMS, [Chance(), StoredRanker("r")], ns=[1, 2, 3], method=Method(partial=True))
    assert [list(found.reaching(n)) for n in (1, 2, 3)] == [list(groups), list(groups)[:2], []]
    assert found.problems["humaneval/1"].solved("r", 2) == 0.0
    whole = rank_pool("p", {"humaneval/0": groups["humaneval/0"]}, PROBLEMS, [Chance()], ns=[3])
    assert list(whole.reaching(3)) == ["humaneval/0"]  # not partial: of what the judge left of its three


def test_what_cannot_be_compared_is_refused() -> None:
    groups = {"humaneval/0": candidates(0, "o1 x2")}
    chance = [Chance()]
    with pytest.raises(UserError, match="pool p: n = 3 candidates asked, but 1 of 1 problems have fewer: human"):
        rank_pool("p", groups, PROBLEMS, chance, ns=[3])
    with pytest.raises(UserError, match="n must be at least 1"):
        rank_pool("p", groups, PROBLEMS, chance, ns=[0])
    with pytest.raises(UserError, match="ranker says on problem humaneval/0 gave NaN"):
        rank_pool("p", groups, PROBLEMS, [Says([1.0, math.nan])])
    with pytest.raises(UserError, match="gave 1 scores for 2 candidates"):
        rank_pool("p", groups, PROBLEMS, [Says([1.0])])
    with pytest.raises(UserError, match="different names .* twice: says"):
        rank_pool("p", groups, PROBLEMS, [Says([1, 2]), Says([2, 1])])
    with pytest.raises(UserError, match="1 of its problems are not among the 0 given: humaneval/0"):
        rank_pool("p", groups, {}, chance)
    with pytest.raises(UserError, match="without a verdict; judge it first"):
        rank_pool("p", {"humaneval/0": candidates(0, "o1 ?2")}, PROBLEMS, chance)
    with pytest.raises(UserError, match="none of its 1 problems has a judged candidate"):
        rank_pool("p", {"humaneval/0": candidates(0, "I1")}, PROBLEMS, chance)


def test_minus_infinity_is_a_score() -> None:
    groups = {"humaneval/0": candidates(0, "o1 x2")}
    found = rank_pool("p", groups, PROBLEMS, [Says([0.0, -math.inf])])
    assert found.problems["humaneval/0"].solved("says") == 1.0
