"""Right programs in unusual styles, against real compilers: what a judge must not take for wrong."""

from __future__ import annotations

import pytest
from attacks import Task
from attacks.tasks import problem
from honest import cpp, csharp, java
from judging import need

from rewardranker.judge import Judge
from rewardranker.problems.types import Problem
from rewardranker.problems.verdict import Verdict

PROGRAMS = {"cpp": cpp.PROGRAMS, "java": java.PROGRAMS, "csharp": csharp.PROGRAMS}


WRONG = {"cpp": cpp.WRONG, "java": java.WRONG, "csharp": csharp.WRONG}


@pytest.mark.parametrize("step", [pytest.param(4, id="some"), pytest.param(1, id="all", marks=pytest.mark.slow)])
@pytest.mark.parametrize("language", PROGRAMS)
def test_right_programs_are_right_in_every_style(judge: Judge, language: str, step: int) -> None:
    need(language)
    items, wrong = listed(language, PROGRAMS[language], step), listed(language, WRONG[language], step)
    results = dict(zip(items, judge.run(list(items.values())), strict=True))
    siblings = dict(zip(wrong, judge.run(list(wrong.values())), strict=True))
    refused = {
        name: (result.verdict, result.message) for name, result in results.items() if result.verdict is not Verdict.OK
    }
    assert refused == {}
    assert {result.level for result in results.values()} == {"L2"} and len(items) * step >= 30
    assert {name: result.verdict for name, result in siblings.items()} == dict.fromkeys(wrong, Verdict.WRONG)


def listed(language: str, programs: dict[Task, dict[str, str]], step: int) -> dict[str, tuple[Problem, str]]:
    """Every ``step``-th of them."""
    every = [
        (name, (problem(language, task), code)) for task, codes in programs.items() for name, code in codes.items()
    ]
    return dict(every[::step])
