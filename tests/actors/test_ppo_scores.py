"""What the reward model cannot read is no reason to end a PPO run, and minus infinity is no reward."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rewardranker.generation.candidates import readable_candidates, reward_scores
from rewardranker.models.batching import TokenSequence
from rewardranker.models.limits import Limits
from rewardranker.models.tiny import build_tokenizer
from rewardranker.problems.types import Candidate, Problem

PROBLEM = Problem(
    id="p", language="python", prompt="def f(x):\n", entry_point="f", style="program", tests=(), split="train"
)


def lengths(rows: list[TokenSequence]) -> list[float]:
    """A reward model that likes long texts."""
    return [float(len(row)) for row in rows]


def scored(limits: Limits | None) -> tuple[list[float], list[str]]:
    codes = ["    return x\n", "    return x" + " + 1" * 20 + "\n", "    return x + 1\n"]
    said: list[str] = []
    candidates = [Candidate("p", "python", code, f"def f(x):\n{code}", "ppo") for code in codes]
    problems = {"p": replace(PROBLEM, prefix="def f(x):\n")}
    tokenizer = build_tokenizer(["def f(x):\n    return x + 1\n"], 64)
    readable = readable_candidates(candidates, problems, tokenizer, False, limits)
    return reward_scores(readable, lengths(readable.shown), said.append), said


def test_a_program_that_cannot_be_read_gets_the_steps_lowest_score() -> None:
    free, quiet = scored(None)
    assert free[1] > free[2] > free[0] and not quiet
    limited, said = scored(Limits(1000, int(free[2])))
    assert limited == [free[0], free[0], free[2]]
    assert len(said) == 1 and "1 of 3 programs cannot be read by the model" in said[0]
    assert said[0].endswith("they get the step's lowest score")


@pytest.mark.parametrize("positions", [200, None])
def test_nothing_is_said_where_all_can_be_read(positions: int | None) -> None:
    assert scored(Limits(1000, positions)) == scored(None)
