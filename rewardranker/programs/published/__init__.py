"""What other people's harnesses make of a model's text: the program that they run, tests and all."""

from __future__ import annotations

from typing import Literal

from rewardranker.problems.types import Problem
from rewardranker.programs.published import deepseek, multipl_e


def published_program(problem: Problem, text: str, rules: Literal["multipl_e", "deepseek"]) -> str:
    """The program that a harness would run, for :meth:`rewardranker.judge.Judge.run_compat`."""
    return (multipl_e if rules == "multipl_e" else deepseek).program(problem, text)
