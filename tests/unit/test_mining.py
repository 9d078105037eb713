"""Triplets and hard negatives: what may be paired with what."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rewardranker.config.schema import MiningConfig
from rewardranker.errors import UserError
from rewardranker.mining.hard_negatives import hard_negatives, mined_triplets, rank_distinct
from rewardranker.mining.style import style_shares
from rewardranker.mining.triplets import check_triplets, first_triplets
from rewardranker.problems.types import Candidate, Problem, Test, Triplet
from rewardranker.problems.verdict import Verdict
from rewardranker.training.streams import Mix, Stream, steps_for

PROBLEM = Problem(
    id="p",
    source="s",
    language="python",
    prompt="# add\ndef f(a):",
    prefix="def f(a):",
    entry_point="f",
    style="function",
    tests=(Test("[1]", "2"),),
    split="train",
    group_id="g",
    licence="MIT",
    revision="1",
)


def program(body: str) -> str:
    return f"def f(a):\n return {body}\n"


def candidate(body: str, verdict: Verdict, score: float = 0.0) -> Candidate:
    return Candidate("p", "python", body, program(body), "gen:ppo_1", verdict=verdict, scores={"reward": score})


OK, WRONG, ERROR, TIMEOUT = Verdict.OK, Verdict.WRONG, Verdict.RUNTIME_ERROR, Verdict.TIMEOUT


def test_every_distinct_failure_meets_its_nearest_and_a_random_success() -> None:
    pool = [candidate("a+1", OK), candidate("1+a", OK), candidate("a+2", WRONG), candidate("a+2", WRONG)]
    pool += [candidate("x", ERROR), candidate("while", TIMEOUT), candidate("lost", Verdict.INFRA)]
    triplets = first_triplets(PROBLEM, pool, cap=99, seed=0)
    assert [(t.rejected, t.origin) for t in triplets] == [
        ("\n return a+2\n", "levenshtein"),
        ("\n return a+2\n", "random"),
        ("\n return x\n", "levenshtein"),
        ("\n return x\n", "random"),
    ]
    assert triplets[0].chosen == "\n return a+1\n"
    assert triplets == first_triplets(PROBLEM, pool, cap=99, seed=0)
    assert len(first_triplets(PROBLEM, pool, cap=3, seed=0)) == 3
    assert first_triplets(PROBLEM, pool[2:], cap=9, seed=0) == []


def test_hard_negatives_rank_high_or_above_a_passing_sibling() -> None:
    pool = [
        candidate("w1", WRONG, 9),
        candidate("ok", OK, 8),
        candidate("t", TIMEOUT, 7),
        candidate("w2", ERROR, 6),
        candidate("w3", WRONG, 5),
        candidate("ok2", OK, 4),
        candidate("w4", WRONG, 3),
    ]
    config = MiningConfig(max_rank=1, max_per_problem=9)
    assert [r.candidate.text for r in hard_negatives(pool, "reward", config)] == ["w1", "w2", "w3"]
    config = MiningConfig(max_rank=7, max_per_problem=2)
    assert [(r.candidate.text, r.rank) for r in hard_negatives(pool, "reward", config)] == [("w1", 1), ("w2", 4)]
    only_failures = [c for c in pool if c.verdict is WRONG]
    config = MiningConfig(max_rank=1, max_per_problem=9)
    assert [r.candidate.text for r in hard_negatives(only_failures, "reward", config)] == ["w1"]


def test_ranks_are_of_distinct_programs() -> None:
    pool = [candidate("a", WRONG, 1), candidate("a", WRONG, 1), candidate("b", OK, 2), candidate("c", OK, 2)]
    assert [r.candidate.text for r in rank_distinct(pool, "reward")] == ["b", "c", "a"]


def test_variants_differ_in_what_they_pair() -> None:
    pool = [candidate("a+1", OK, 1), candidate("a+3", WRONG, 2), candidate("a+4", WRONG, 0)]
    hard = hard_negatives(pool, "reward", MiningConfig(max_rank=1))

    def mined(variant: str) -> list[Triplet]:
        return mined_triplets(PROBLEM, pool, hard, [program("1 + a")], variant, 2, seed=0)

    (by_people,) = mined("hardnegatives")
    assert (by_people.chosen, by_people.chosen_source, by_people.origin) == (
        "\n return 1 + a\n",
        "human",
        "hard_negative",
    )
    (own,) = mined("selftraining")
    assert (own.chosen, own.chosen_source, own.origin) == ("\n return a+1\n", "gen:ppo_1", "self_training")
    assert own.rejected == by_people.rejected == "\n return a+3\n"
    assert own.iteration == 2
    assert len(mined("randomnegatives")) == 1 and mined("randomnegatives")[0].origin == "random"
    assert mined_triplets(PROBLEM, pool[1:], hard, [], "selftraining", 2, 0) == []


def test_nothing_of_the_benchmark_is_learnt() -> None:
    held_out = replace(PROBLEM, id="q", split="test")
    triplet = first_triplets(PROBLEM, [candidate("a+1", OK), candidate("a", WRONG)], 9, 0)[0]
    check_triplets([triplet], {"p": PROBLEM, "other": replace(held_out, group_id="h")})
    with pytest.raises(UserError, match="belongs to the validation or test split"):
        check_triplets([triplet], {"p": PROBLEM, "q": held_out})
    with pytest.raises(UserError, match="same program"):
        check_triplets([replace(triplet, rejected=triplet.chosen)], {"p": PROBLEM})
    with pytest.raises(UserError, match="no triplets"):
        check_triplets([], {})


def test_style_shares_report_what_gives_a_label_away() -> None:
    base = Triplet("p", "python", "", "return 1\r\n", "return 1\n", "random", 1)
    probe = style_shares([base, base])
    assert probe["carriage_returns"] == 1 and probe["tabs"] == 0.5 and probe["length"] == 1


def test_streams_pass_over_every_row_once_an_epoch() -> None:
    stream = Stream(list(range(10)), seed=1)
    first = stream.take(0, 10)
    assert sorted(first) == list(range(10)) and first != list(range(10))
    assert stream.take(3, 4) == first[3:7]
    assert stream.take(8, 6) == first[8:] + stream.take(10, 4)
    assert stream.take(10, 10) != first


def test_grouped_streams_keep_groups_together() -> None:
    rows = [f"{key}{i}" for i in range(3) for key in "abc"]
    taken = Stream(rows, seed=2, groups=[row[0] for row in rows]).take(0, 9)
    assert sorted(taken) == sorted(rows)
    assert [taken[i][0] for i in (0, 3, 6)] == [taken[i + 2][0] for i in (0, 3, 6)]


@pytest.mark.parametrize("groups", [None, [i // 3 for i in range(9)]])
def test_an_epoch_is_shuffled_once_and_a_stream_that_begins_anywhere_gives_the_same(groups: list[int] | None) -> None:
    class Counted(Stream[int]):
        shuffled = 0

        def _order_of(self, epoch: int) -> np.ndarray:
            self.shuffled += 1
            return super()._order_of(epoch)

    stream = Counted(range(9), 3, groups)
    taken = [stream.minibatch(step, 4) for step in range(7)]  # 28 rows: three epochs and one row
    assert stream.shuffled == 4
    assert [Stream(range(9), 3, groups).minibatch(step, 4) for step in range(7)] == taken


def test_mixes_hold_their_shares() -> None:
    mix = Mix(Stream(["old"] * 5, 0), Stream(["new"] * 3, 1), new_share=0.25)
    assert sorted(mix.minibatch(0, 8)) == ["new"] * 2 + ["old"] * 6
    assert steps_for(100, 10, steps=0, epochs=1.5) == 15
    assert steps_for(100, 10, steps=7, epochs=1.5) == 7
