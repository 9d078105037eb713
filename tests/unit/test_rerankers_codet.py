"""The benchmark of rerankers on CodeT's samples: its arithmetic, and a small part of it for real."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scripts import script
from test_benchmarks import shared

from rewardranker.judge import Judge
from rewardranker.problems.pool import read_pool, write_pool
from rewardranker.problems.types import Candidate, Problem
from rewardranker.problems.verdict import Verdict
from rewardranker.reranking.generated import GeneratedCountRanker


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    return script("rerankers_codet")


def test_a_text_ends_where_something_else_begins(benchmark: ModuleType) -> None:
    assert benchmark.cut("    return 1\n\ndef g():\n    pass\nprint(1)") == "    return 1\n"
    assert (
        benchmark.cut("    if x:\n        # why\n        print(x)\n")
        == "    if x:\n        # why\n        print(x)\n"
    )
    assert benchmark.cut("    return 1\n# done\nclass A: pass") == "    return 1"


def groups() -> dict[str, list[Candidate]]:
    """Two problems, eight candidates each; the number of tests passed goes with being right, but not always."""
    generator = np.random.default_rng(0)
    found = {}
    for name in ("a", "b"):
        right = generator.random(8) < 0.4
        passed = [list(range(int(generator.integers(0, 3)) + ok)) for ok in right]
        found[name] = [
            Candidate(
                name, "python", "", "", "t", verdict=Verdict.OK if ok else Verdict.WRONG, passed_generated=tests
            )
            for ok, tests in zip(right, passed, strict=True)
        ]
    return found


def test_draws_agree_with_the_closed_forms(benchmark: ModuleType) -> None:
    """The mean of 4,000 draws is within four standard errors of the closed form, for each ranker and problem."""
    pool = groups()
    problems = {
        name: Problem(id=name, language="python", prompt="", entry_point="f", style="program", tests=(), split="test")
        for name in pool
    }
    rankers = [GeneratedCountRanker()]
    closed = benchmark.closed_form(pool, rankers, problems, 3)
    drawn = benchmark.by_draws(pool, rankers, problems, 3, 4000, seed=0)
    assert list(closed) == ["random", "generated_tests", "oracle"]
    for name, values in closed.items():
        error = drawn[name].std(axis=0, ddof=1) / np.sqrt(4000)
        assert (np.abs(drawn[name].mean(axis=0) - values) <= 4 * error + 1e-9).all(), name
    assert (closed["oracle"] >= closed["generated_tests"]).all()


def test_a_reference_is_met_or_missed(benchmark: ModuleType) -> None:
    """CodeT's .336 ± .013: .336 + .026 is met, .336 - .027 is not."""
    best = {name: np.array([mean]) for name, (mean, _) in benchmark.REFERENCE.items()}
    best["codet"], best["oracle"] = np.array([0.3619]), np.array([0.4])
    rows = {row[0]: row[-1] for row in benchmark.compared(best)}
    assert (rows["codet"], rows["oracle"], rows["random"], rows["exec_filter"]) == ("yes", "NO", "yes", "")


@pytest.mark.slow
def test_a_small_part_for_real(benchmark: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three problems, 20 samples each; the second time nothing is run, and scores that were added are ranked."""
    data = benchmark.load(shared("codet_pool/prompts.jsonl").parents[1])
    assert (len(data.problems), len(data.candidates)) == (164, 6560)
    names = ("humaneval/0", "humaneval/3", "humaneval/23")
    some = replace(
        data,
        problems={name: data.problems[name] for name in names},
        candidates=[c for c in data.candidates if c.problem_id in names and c.seed < 20],
        tests={name: data.tests[name] for name in names},
        probes={name: data.probes[name] for name in names},
    )
    pool = benchmark.judged(some, tmp_path, 1)
    right = [c for c in pool if c.verdict == Verdict.OK]
    assert 0 < len(right) < len(pool) == 60
    assert all(c.returns and not any(word.startswith("error") for word in c.returns[:1]) for c in right)
    for c in pool:
        c.scores["mine"] = float(c.verdict == Verdict.OK)
    write_pool(tmp_path / "pool.parquet", pool)

    found = benchmark.guards(some, tmp_path, 1)
    assert found == "HumanEval's own solutions: 3 of 3 OK; programs that return None: 0 of 3."
    monkeypatch.setattr(Judge, "_run", lambda *_: pytest.fail("a known program was run"))
    again = benchmark.judged(some, tmp_path, 1)
    assert again == pool == read_pool(tmp_path / "pool.parquet")
    page = benchmark.report(some, again, draws=3, seed=0, guarded="").partition("## Beside the reference")[0]
    lines = {line.split(" | ")[0].strip("| "): line for line in page.splitlines() if line.startswith("| ")}
    assert {"random", "codet", "mbr_exec_soft", "alphacode", "mine", "oracle"} <= set(lines)
    solved = {name: [float(cell.split()[0]) for cell in lines[name].split("|")[2:5]] for name in ("mine", "oracle")}
    assert solved["mine"] == solved["oracle"]
