"""The benchmark of trained rerankers, on a small pool that the judge judged, with a backbone made at run time."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from scripts import script

from rewardranker.config.schema import FamilyConfig, TinyConfig
from rewardranker.errors import UserError
from rewardranker.judge import Judge, judge_candidates
from rewardranker.models.tiny import build_tiny_model
from rewardranker.problems.family import Authors, build_family, family_corpus_texts
from rewardranker.problems.io import write_problems
from rewardranker.problems.pool import group_by_problem, read_pool, write_pool
from rewardranker.problems.types import Candidate, Problem
from rewardranker.problems.verdict import Verdict
from rewardranker.statistics.metrics import best_of_n

FAMILY = FamilyConfig(train_problems=12, validation_problems=1, test_problems=4)


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    return script("trained_rerankers")


def solutions(problems: list[Problem], count: int, judge: Judge) -> list[Candidate]:
    """Judged programs of simulated authors, with what they return on two inputs."""
    authors = Authors(FAMILY)
    pool = []
    for problem in problems:
        for code in authors.solutions(problem, count, seed=0):
            namespace: dict[str, object] = {}
            exec(code, namespace)  # the family's own programs
            found = [namespace["f"](xs) for xs in ([3, 1, 2], [-4, 0, 7, 7])]  # type: ignore[operator]
            returns = [f"{type(value).__name__} {value!r}" for value in found]
            pool.append(Candidate(problem.id, "python", code, code, "human", returns=returns))
    judge_candidates(pool, {p.id: p for p in problems}, judge.run)
    return pool


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, judge: Judge) -> dict[str, Path]:
    """A pool of 12 problems with 10 programs each, and a further pool of 4 problems."""
    folder = tmp_path_factory.mktemp("pools")
    problems = build_family(FAMILY)
    for name, split in (("pool", "train"), ("extra", "test")):
        chosen = [p for p in problems if p.split == split]
        write_problems(folder / f"{name}.problems.jsonl", chosen)
        write_pool(folder / f"{name}.parquet", solutions(chosen, 10, judge))
    return {p.name.removesuffix(p.suffix): p for p in folder.iterdir()}


def run(benchmark: ModuleType, monkeypatch: pytest.MonkeyPatch, files: dict[str, Path], *more: str) -> None:
    given = ["--pool", str(files["pool"]), "--problems", str(files["pool.problems"]), "--backbone", "tiny"]
    given += ["--trained-layers", "1", "--steps", "3", "--programs-per-step", "8", "--folds", "3", "-n", "4"]
    given += ["--threads", "1", *more]
    monkeypatch.setattr(sys, "argv", ["trained_rerankers.py", *given])
    threads = torch.get_num_threads()
    try:
        benchmark.main()
    finally:
        torch.set_num_threads(threads)


@pytest.mark.slow
def test_every_problem_is_scored_once_and_the_page_says_what_the_pool_says(
    benchmark: ModuleType, files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, out = tmp_path / "work", tmp_path / "page.md"
    more = ("--work", str(work), "--out", str(out), "--fractions", "0.5", "--curve-kinds", "coderanker")
    more += ("--extra-pool", str(files["extra"]), str(files["extra.problems"]))
    run(benchmark, monkeypatch, files, *more)
    keys = {"rewardranker", "coderanker", "coderanker@0.5", "coderanker@0+extra", "coderanker+extra", "lever"}
    pool = read_pool(work / "pool.parquet")
    assert all(set(c.scores) == keys for c in pool)
    jobs = {path.stem: json.loads(path.read_text()) for path in work.glob("jobs/*/*.json")}
    assert sorted(jobs) == sorted(f"{key}-{fold}" for key in keys for fold in range(3))
    for key in keys:
        places = Counter(place for fold in range(3) for place in jobs[f"{key}-{fold}"]["places"])
        assert places == Counter(range(len(pool)))
    assert len({job["pairs"] for name, job in jobs.items() if name.endswith("-0") and "@" not in name}) == 1
    assert {job["metrics"]["programs"] for job in jobs.values()} == {24}

    summary = json.loads(out.with_suffix(".json").read_text())
    groups = group_by_problem(pool).values()
    for row in summary["rows"]:
        if row["ranker"] in keys:
            scores = [[c.scores[row["ranker"]] for c in group] for group in groups]
            correct = [[int(c.verdict == Verdict.OK) for c in group] for group in groups]
            values = [best_of_n(s, y, 4) for s, y in zip(scores, correct, strict=True)]
            assert row["best_of_n"] == pytest.approx(np.mean(values))
            assert row["minus_random"] == pytest.approx(np.mean(values) - np.mean([np.mean(y) for y in correct]))
    names = [row["ranker"] for row in summary["rows"]]
    assert names[0] == "random" and names[-1] == "oracle" and {"lever_summing", "shortest"} <= set(names)
    assert "| coderanker | backbone | 0.5 |" in out.read_text()
    assert "| coderanker | further problems | 0 |" in out.read_text()
    alone = [jobs[f"coderanker@0+extra-{fold}"] for fold in range(3)]
    assert [job["pairs"] for job in alone] == [0, 0, 0]
    assert len({json.dumps(job["metrics"]) for job in alone}) == 1  # one network ranks all folds
    assert jobs["coderanker+extra-0"]["scores"] not in (jobs["coderanker-0"]["scores"], alone[0]["scores"])

    # Stopped and started again: nothing is trained twice, and the same comes out.
    page = out.read_text()
    monkeypatch.setattr(benchmark, "train_ranker", None)
    run(benchmark, monkeypatch, files, *more)
    assert out.read_text() == page


def test_training_problems_are_not_held_out_and_fractions_are_nested(
    benchmark: ModuleType, files: dict[str, Path]
) -> None:
    data = benchmark.load(files["pool"], files["pool.problems"], [])
    order = benchmark.group_order(data, 3, seed=0)
    assert sorted(order) == sorted({data.problems[c.problem_id].group_id for c in data.pool})
    settings = benchmark.Settings("", 1, 3, 8, 16, 10_000, 8, 1e-4, 0.1, "cosine", 0.0, 3, 0, 1024, 1, "cpu")

    def trained_on(fraction: float) -> set[str]:
        groups = benchmark.training_groups(benchmark.Job("lever", 0, fraction), order, 3)
        pairs = benchmark.training_pairs(data, data.pool, groups, settings, lambda p, c: c.code)
        assert all(good.problem_id == bad.problem_id for good, bad in pairs)
        return {data.problems[good.problem_id].group_id for good, _ in pairs}

    shares = [trained_on(fraction) for fraction in (0.25, 0.5, 1.0)]
    assert trained_on(0) == set()
    assert shares[0] < shares[1] < shares[2]
    assert not shares[2] & set(order[0::3])


def test_what_cannot_be_compared_is_refused(
    benchmark: ModuleType, files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = read_pool(files["pool"])

    def changed(**fields: object) -> dict[str, Path]:
        path = tmp_path / "changed.parquet"
        write_pool(path, [replace(c, **fields) for c in pool])  # type: ignore[arg-type]
        return files | {"pool": path}

    work = ("--work", str(tmp_path / "work"))
    with pytest.raises(UserError, match="--pool: 120 of 120 candidates have no verdict"):
        run(benchmark, monkeypatch, changed(verdict=None), *work)
    with pytest.raises(UserError, match="--pool: no candidate has `returns`"):
        run(benchmark, monkeypatch, changed(returns=[]), *work)
    with pytest.raises(UserError, match="is, or is like, a problem that is held out"):
        run(benchmark, monkeypatch, files, *work, "--extra-pool", str(files["pool"]), str(files["pool.problems"]))
    with pytest.raises(UserError, match="--folds 13: .* the 12 groups"):
        run(benchmark, monkeypatch, files, *work, "--folds", "13")
    with pytest.raises(UserError, match="--fractions .*: each must lie between 0 and 1"):
        run(benchmark, monkeypatch, files, *work, "--fractions", "1.5")


@pytest.mark.slow
def test_recipes_are_trained_on_one_pool_chosen_on_another_and_tested_on_a_third(
    files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test pool is the validation pool here, so that one table has to say what the other says."""
    program, out, model = script("real_rerankers"), tmp_path / "page.md", tmp_path / "model"
    build_tiny_model(TinyConfig(max_positions=512), model, family_corpus_texts(), 0)
    train, held_out = ([str(files[name]), str(files[f"{name}.problems"])] for name in ("pool", "extra"))
    recipes = ["rewardranker:layers=1,steps=2,programs=8", "coderanker:layers=0,steps=1,programs=8"]
    given = ["--backbone", str(model), "--train", *train, "--validation", *held_out, "--test", "held out", *held_out]
    given += ["--recipes", *recipes, "--seeds", "2", "--no-chat", "--threads", "1", "-n", "5"]
    given += ["--work", str(tmp_path / "work"), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["real_rerankers.py", *given])
    threads = torch.get_num_threads()
    program.main()
    jobs = [json.loads(path.read_text()) for path in (tmp_path / "work").glob("jobs/*/*.json")]
    done = sorted((job["recipe"]["name"], job["seed"]) for job in jobs)
    assert done == [(recipe, seed) for recipe in recipes[::-1] for seed in (0, 1)]
    summary = json.loads(out.with_suffix(".json").read_text())
    assert summary["tables"]["validation"] == summary["tables"]["held out"]
    rows = {row["ranker"]: row for row in summary["tables"]["held out"]}
    groups = group_by_problem(read_pool(files["extra"]))
    correct = [[float(c.verdict == Verdict.OK) for c in group] for group in groups.values()]
    assert rows["random"]["best_of_n"] == pytest.approx(np.mean([np.mean(row) for row in correct]))
    for name in recipes:
        scores = [job["scores"]["validation"] for job in jobs if job["recipe"]["name"] == name]
        by_hand = [best_of_n(own[10 * i : 10 * i + 10], row, 5) for own in scores for i, row in enumerate(correct)]
        assert rows[name]["best_of_n"] == pytest.approx(np.mean(by_hand))
    assert summary["chosen"] == max(recipes, key=lambda name: rows[name]["best_of_n"])
    text = out.read_text()
    for path in (tmp_path / "work").glob("jobs/*/*.pt"):
        path.unlink()  # no training looks for it again
    program.main()
    torch.set_num_threads(threads)
    assert out.read_text() == text and not [*(tmp_path / "work").glob("jobs/*/*.pt")]
    with pytest.raises(UserError, match="'layer=1' is not FIELD=VALUE with a field of depth, layers"):
        program.recipe_of("rewardranker:layer=1")
    with pytest.raises(UserError, match="steps=0 and head=0 train nothing"):
        program.recipe_of("rewardranker:steps=0")


def test_training_problems_are_of_no_other_pool_and_some_are_drawn_by_the_seed(files: dict[str, Path]) -> None:
    program = script("real_rerankers")
    pool = program.load("pool", files["pool"], files["pool.problems"])
    with pytest.raises(UserError, match="is, or is like, a problem that is trained on"):
        program.require_apart(pool, [pool])
    some, more = ({c.problem_id for c in pool.drawn(count, 0)} for count in (2, 4))
    assert some < more and (len(some), len(more)) == (2, 4) and pool.drawn(0, 0) is pool.candidates
    assert some != {c.problem_id for c in pool.drawn(2, 1)}
    with pytest.raises(UserError, match="problems=13: pool has .* with passing and failing programs"):
        pool.drawn(13, 0)
