"""The benchmark beside TRL: its examples and its page; it was run for real where its results were made."""

from __future__ import annotations

from collections import Counter

from scripts import script

BENCHMARK = script("training")


def test_pairs_are_of_one_problem_and_each_wrong_program_lost_to_two_right_ones() -> None:
    pairs = BENCHMARK.minibatch("reward", 3)
    assert pairs == BENCHMARK.minibatch("reward", 3) != BENCHMARK.minibatch("reward", 4)
    assert len(set(pairs)) == len(pairs) == 12 and len({row.prompt_ids for pair in pairs for row in pair}) == 1
    right, wrong = (Counter(pair[side] for pair in pairs) for side in (0, 1))
    assert set(wrong.values()) == {2} and len(wrong) == 6 and not right.keys() & wrong.keys()
    assert BENCHMARK.tokens(pairs) == sum(len(row) for pair in pairs for row in pair)


def test_the_page_has_the_median_ratio_with_its_spread_and_what_both_sides_say_of_the_first_loss() -> None:
    losses = 0.69311, 0.69312
    row = BENCHMARK.Row("reward", "TRL", 4, (900.0, 300.0), (2.0, 6.0), (80.0, 90.0), [2.5, 4.0, 3.0], [3.0], losses)
    line = "| reward | TRL, batch 4 | 900 | 300 | **3.00** | 2.50 to 4.00 | 3.00 | 80 | 90 | 0.69311 | 0.69312 |"
    assert BENCHMARK.page([row], "facts").splitlines()[-1] == line
