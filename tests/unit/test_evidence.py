"""Evidence of execution, filled in by the real judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from judging import problem

from rewardranker.errors import UserError
from rewardranker.judge import Judge
from rewardranker.problems.types import Candidate, Problem, Test
from rewardranker.problems.verdict import Judgement, Verdict
from rewardranker.reranking.evidence import PROBE_LIMITS, Probes, probe_candidates, probes_for

TASK = problem("program", (Test("assert f(2) == 4"),), prompt=">>> f(1)\n2\n", setup="assert False, 'not run'")
DOUBLE, SQUARE, LOOP = (
    "def f(x): return 2 * x",
    "def f(x): return x ** 2",
    "def f(x):\n    while x: pass\n    return 0",
)
TESTS = ("f(2) == 4", "f(3) == 9", "f([1]) == [1, 1]", "f(0)", "not f(0)")


def candidate(code: str, **more: str) -> Candidate:
    return Candidate("test/program", more.pop("language", "python"), code, code, "gen:test", **more)  # type: ignore[arg-type]


def test_probes_of_a_problem() -> None:
    probes = probes_for(TASK, TESTS)
    assert probes == Probes(("f(2)", "f(3)", "f([1])", "f(0)", "f(1)"), TESTS, ("f(1) == 2",))
    assert probes.expressions[:2] == ("f(2)", "f(3)") and probes.expressions[-1] == "not not (f(1) == 2)"
    assert probes_for(TASK) == Probes(("f(1)",), (), ("f(1) == 2",))


def test_what_three_programs_show(judge: Judge) -> None:
    """double: 2x is 4 at 2, [1, 1] at [1], 0 at 0; f(1) is 2, as the example says. square: 9 at 3 as well, an error
    at [1]. The loop ends at 0 alone: it hits three limits before."""
    pool = [candidate(DOUBLE), candidate(SQUARE), candidate(LOOP), candidate("def f(:"), candidate(DOUBLE)]
    seen: list[int] = []

    def run(items: Sequence[tuple[Problem, str]]) -> list[Judgement]:
        seen.append(len(items))
        return judge.run(items)

    counts = probe_candidates(pool, {TASK.id: TASK}, {TASK.id: probes_for(TASK, TESTS)}, run)
    double, square, loop, broken, again = pool
    assert double.returns == ["int 4", "int 6", "list [1, 1]", "int 0", "int 2"]
    assert square.returns == ["int 4", "int 9", "error TypeError", "int 0", "int 1"]
    assert loop.returns == ["timeout"] * 5  # f(0) as well: after three, the rest is not run
    assert broken.returns == ["error SyntaxError"] * 5
    assert [c.passed_generated for c in pool] == [[0, 2, 4], [0, 1, 4], [], [], [0, 2, 4]]
    assert [c.passed_examples for c in pool] == [True, False, False, False, True]
    assert again.returns == double.returns and seen == [4]  # equal programs are run once
    assert counts == {"OK": 1, "RUNTIME_ERROR": 1, "TIMEOUT": 1, "COMPILE_ERROR": 1}
    assert all(c.verdict is None for c in pool)


def test_without_examples_it_is_not_known_whether_they_pass(judge: Judge) -> None:
    task = replace(TASK, prompt="")
    pool = [candidate(DOUBLE)]
    probe_candidates(pool, {task.id: task}, {task.id: probes_for(task, ["f(1) == 2"])}, judge.run)
    assert (pool[0].returns, pool[0].passed_generated, pool[0].passed_examples) == (["int 2"], [0], None)


def test_what_our_own_machinery_fails_to_run_is_left_unknown() -> None:
    pool = [candidate(DOUBLE), Candidate("other", "cobol", "", "", "human")]

    def run(items: Sequence[tuple[Problem, str]]) -> list[Judgement]:
        return [Judgement(Verdict.INFRA) for _ in items]

    assert probe_candidates(pool, {TASK.id: TASK}, {TASK.id: probes_for(TASK, TESTS)}, run) == {"INFRA": 1}
    assert (pool[0].returns, pool[0].passed_generated, pool[0].passed_examples) == ([], [], None)


def test_nothing_to_probe_runs_nothing() -> None:
    def run(items: Sequence[tuple[Problem, str]]) -> list[Judgement]:
        assert not items
        return []

    assert not probe_candidates([candidate(DOUBLE)], {TASK.id: TASK}, {TASK.id: Probes()}, run)


def test_what_cannot_be_probed_is_named(judge: Judge) -> None:
    probes, problems = {TASK.id: Probes(("f(1)",))}, {TASK.id: TASK}
    with pytest.raises(UserError, match="problem test/program is in ruby; only Python"):
        probe_candidates([candidate("", language="ruby")], problems, probes, judge.run)
    with pytest.raises(UserError, match="has probes but is not among the 0 loaded"):
        probe_candidates([candidate("")], {}, probes, judge.run)
    with pytest.raises(UserError, match="test/program: the probe 'f.x' is refused"):
        probe_candidates([candidate("")], problems, {TASK.id: Probes(("f.x",))}, judge.run)


def test_a_probe_s_limits_are_for_short_calls(judge: Judge) -> None:
    """The problem's own limits are for its tests; a sum over a hundred million numbers is no short call."""
    pool = [candidate("def f(x): return sum(range(x))")]
    probe_candidates(pool, {TASK.id: TASK}, {TASK.id: Probes(("f(10)", "f(10 ** 9)", "f(4)"))}, judge.run)
    assert pool[0].returns == ["int 45", "timeout", "int 6"]
    assert PROBE_LIMITS.cpu_s < 1
