"""Rankers that need no network, and rankers with one: what they make of its numbers, and where these come from."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rewardranker.errors import UserError
from rewardranker.models.batching import TokenSequence
from rewardranker.models.tiny import build_tokenizer
from rewardranker.problems.types import Candidate, Problem
from rewardranker.reranking.api import rank
from rewardranker.reranking.baselines import FirstRanker, LengthRanker
from rewardranker.reranking.logprob import LogprobRanker, SumLogprobRanker
from rewardranker.reranking.networks import CodeRanker, RewardRanker, log_probability
from rewardranker.reranking.numbers import Computed, store, stored
from rewardranker.reranking.reviewer import ReviewerRanker, review_sequence


def problem(name: str = "p") -> Problem:
    return Problem(
        id=name, language="python", prompt="def f(x):\n", entry_point="f", style="program", tests=(), split="test"
    )


def candidate(code: str = "", problem_id: str = "p", **fields: object) -> Candidate:
    return Candidate(problem_id, "python", "", code, "gen:test", **fields)  # type: ignore[arg-type]


def test_first_takes_the_first_and_length_the_shortest_or_longest() -> None:
    pool = [candidate("aaa"), candidate("a"), candidate("aaaaa"), candidate("a")]
    assert rank(problem(), pool, FirstRanker()) == [0, 1, 2, 3]
    assert rank(problem(), pool, LengthRanker()) == [1, 3, 0, 2]
    assert rank(problem(), pool, LengthRanker(longest=True)) == [2, 0, 1, 3]
    assert LengthRanker().name == "shortest" and LengthRanker(longest=True).name == "longest"


def test_the_sum_of_log_probabilities_punishes_length_and_the_mean_does_not() -> None:
    pool = [candidate(logprobs=[-1.0]), candidate(logprobs=[-0.5] * 10), candidate()]
    assert SumLogprobRanker().score(problem(), pool) == [-1.0, -5.0, -math.inf]
    assert LogprobRanker().score(problem(), pool) == [-1.0, -0.5, -math.inf]


def test_coder_reviewer_by_hand() -> None:
    """Coder: sums -3 and -4, means -1.5 and -4. Reviewer: -6 and -2.

    alpha 1/2: (-6 - 3) / 2 = -4.5 and (-2 - 4) / 2 = -3. With means (reviews taken as means too): -3.75 and -3.
    alpha 1/4: -.25 * 6 - .75 * 3 = -3.75 and -.25 * 2 - .75 * 4 = -3.5. alpha 1: the reviews; alpha 0: the coder.
    """
    pool = [candidate(logprobs=[-1.0, -2.0]), candidate(logprobs=[-4.0])]

    def reviewer(p: Problem, candidates: Sequence[Candidate]) -> list[float]:
        return [-6.0, -2.0]

    assert ReviewerRanker(reviewer).score(problem(), pool) == [-4.5, -3.0]
    assert ReviewerRanker(reviewer, "mean").score(problem(), pool) == [-3.75, -3.0]
    assert ReviewerRanker(reviewer, alpha=0.25).score(problem(), pool) == [-3.75, -3.5]
    assert ReviewerRanker(reviewer, alpha=1.0).score(problem(), [candidate(), candidate()]) == [-6.0, -2.0]
    assert ReviewerRanker(reviewer, alpha=0.0).score(problem(), pool) == [-3.0, -4.0]
    assert ReviewerRanker(reviewer, "mean").name == "reviewer_mean"
    with pytest.raises(ValueError, match=r"alpha must be in \[0, 1\], got 2"):
        ReviewerRanker(reviewer, alpha=2)


def test_the_reviewer_reads_the_program_and_then_the_task() -> None:
    code = "def f(x):\n    return x\n"
    tokenizer = build_tokenizer([f"```python\n{code}```\n\nThe task that this program solves:\n\n"], 128)
    row = review_sequence(tokenizer, problem(), candidate(code))
    assert tokenizer.decode(list(row.prompt_ids)) == f"```python\n{code}```\n\nThe task that this program solves:\n\n"
    assert tokenizer.decode(list(row.response_ids)) == problem().prompt
    assert tokenizer.eos_token_id not in (*row.prompt_ids, *row.response_ids)


@given(st.floats(-800, 800))
def test_coderanker_gives_log_probabilities(logit: float) -> None:
    expected = float(torch.nn.functional.logsigmoid(torch.tensor(logit, dtype=torch.float64)))
    assert log_probability(logit) == pytest.approx(expected, rel=1e-12, abs=1e-300)


def test_coderanker_and_rewardranker_rank_by_their_network() -> None:
    pool = [candidate(scores={"net": s}) for s in (0.0, 1.0, -1.0)]
    assert CodeRanker(stored("net")).score(problem(), pool) == pytest.approx(
        [-0.693147, -0.313262, -1.313262], abs=1e-6
    )
    assert RewardRanker(stored("net")).score(problem(), pool) == [0.0, 1.0, -1.0]
    assert RewardRanker(stored("net"), "rewardranker_2").name == "rewardranker_2"
    with pytest.raises(UserError, match="problem p, candidate 0: no score 'other'"):
        CodeRanker(stored("other")).score(problem(), pool)


class Counting:
    """A network that says how long a sequence is, and remembers how often it was asked for what."""

    def __init__(self) -> None:
        self.asked: list[list[TokenSequence]] = []

    def __call__(self, rows: list[TokenSequence]) -> list[float]:
        self.asked.append(rows)
        return [float(len(row)) for row in rows]


def read(p: Problem, c: Candidate) -> TokenSequence:
    return TokenSequence(tuple(p.prompt.encode()), tuple(c.code.encode()))


def test_numbers_computed_and_stored_are_the_same_and_no_sequence_is_scored_twice() -> None:
    pool = [candidate("aa", "p"), candidate("a", "q"), candidate("aa", "p"), candidate("aaaa", "q")]
    problems = {name: problem(name) for name in ("p", "q")}
    network = Counting()
    store(pool, problems, read, network, "net")
    assert [len(rows) for rows in network.asked] == [3]  # one batch over both problems
    length = len(problem().prompt)
    assert [c.scores["net"] for c in pool] == [length + 2, length + 1, length + 2, length + 4]
    for name in problems:
        group = [c for c in pool if c.problem_id == name]
        computed = RewardRanker(Computed(read, Counting())).score(problems[name], group)
        assert computed == RewardRanker(stored("net")).score(problems[name], group)
    direct = Counting()
    RewardRanker(Computed(read, direct)).score(problems["p"], [pool[0], pool[2]])
    assert [len(rows) for rows in direct.asked] == [1]
