"""How an evaluation's stages hang together: what is sampled once, what networks read, what a stage depends on."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from evaluations import Here, Place, manifest, stage

from rewardranker.errors import UserError
from rewardranker.evaluation.benchmarks import benchmarks_of
from rewardranker.evaluation.pools import Entries
from rewardranker.generation.candidates import scored_sequence
from rewardranker.models.batching import TokenSequence, collate
from rewardranker.models.loading import load_policy, load_scorer, load_tokenizer
from rewardranker.models.scoring import PolicyNetwork, ScorerNetwork
from rewardranker.problems.io import read_problems
from rewardranker.problems.pool import read_pool, write_pool
from rewardranker.problems.types import Candidate, Problem
from rewardranker.problems.verdict import Judgement, Verdict
from rewardranker.reranking.lever_text import verifier_sequence
from rewardranker.reranking.reviewer import review_sequence
from rewardranker.runs.atomic import tree_hash
from rewardranker.tables.comparison import compare_rankers


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(tmp_path, monkeypatch)


def test_every_seed_is_run_on_the_same_tests(place: Place) -> None:
    """Six texts of one assert each: a problem's counts sum to 6, and they are sampled once, for all seeds. What an
    earlier run left lying around has no say. The tests are right, so CodeT finds a correct program where one is.
    """
    config = place.config("humaneval")
    config.benchmark.seeds, config.benchmark.generated_tests = [3, 4], 6
    for name in (".replaced-02-sample-humaneval_python-3-1", ".work-02-sample-humaneval_python-3"):
        left = place.folder / "runs" / "e" / name
        left.mkdir(parents=True)
        (left / "tests.json").write_text(json.dumps({f"humaneval/{i}": [99] * 8 for i in range(3)}))
    run = place.evaluate(config)
    tests = json.loads((stage(run, "tests-humaneval_python") / "tests.json").read_text())
    assert {name: sum(count for _, count in found) for name, found in tests.items()} == {
        f"humaneval/{i}": 6 for i in range(3)
    }
    asked = [seed for prompt, seed in place.started[0].sampled if "check the correctness" in prompt]
    assert len(asked) == len(set(asked)) == 3 * 6
    for seed in (3, 4):
        for candidate in read_pool(stage(run, f"sample-humaneval_python-{seed}") / "pool.parquet"):
            found = tests[candidate.problem_id]
            passed = list(range(len(found))) if candidate.verdict == "OK" else []
            assert candidate.passed_generated == passed
    table = json.loads((run / "tables" / "humaneval.json").read_text())
    solved = {row["ranker"]: row["scores"]["python"]["solved"] for row in table["rows"]}
    assert solved["codet"] == solved["generated_tests"] == solved["oracle"] > solved["random"]
    config.benchmark.seeds = [3, 4, 5]
    place.evaluate(config)
    assert not [1 for prompt, _ in place.started[1].sampled if "check the correctness" in prompt]


def test_no_tests_are_written_where_none_are_asked_for(place: Place) -> None:
    run = place.evaluate(place.config("humaneval"))
    assert not list(run.glob("*tests*"))
    assert {c.passed_examples for c in read_pool(stage(run, "sample-humaneval_python-0") / "pool.parquet")} == {None}


def test_networks_read_the_problems_as_their_loaders_gave_them(place: Place) -> None:
    """Against the networks asked directly, outside all stages: the plain problem gives the stored numbers, and the
    problem as it was put to the generator gives others."""
    config = place.config("humaneval", "mbpp")
    names = ("rewardranker", "coderanker", "lever")
    config.benchmark.rankers = {name: str(place.folder / "ranker") for name in names}
    config.benchmark.reviewer = True
    run = place.evaluate(config)
    for asked in benchmarks_of(config.benchmark.sets, chat=False):
        pool = read_pool(stage(run, f"score-{asked.name}-0") / "pool.parquet")
        assert len(pool) == 2 * len(asked.plain)
        for key in (*names, "review_sum"):
            stored = np.array([candidate.scores[key] for candidate in pool])
            np.testing.assert_allclose(stored, by_hand(place, asked.plain, pool, key), rtol=1e-5, atol=1e-5)
            assert np.abs(stored - by_hand(place, asked.problems, pool, key)).max() > 1e-4, (asked.name, key)


def by_hand(place: Place, problems: list[Problem], pool: list[Candidate], key: str) -> Any:
    path = str(place.folder / ("model" if key == "review_sum" else "ranker"))
    tokenizer = load_tokenizer(path)
    load: Any = load_policy if key == "review_sum" else functools.partial(load_scorer, seed=0)
    network = load(path, "float32", "auto", "cpu")
    by_id, numbers = {problem.id: problem for problem in problems}, []
    for candidate in pool:
        problem = by_id[candidate.problem_id]
        if key == "review_sum":
            row = review_sequence(tokenizer, problem, candidate)
        elif key == "lever":
            row = verifier_sequence(tokenizer, problem, candidate, 1024)
        else:
            row = scored_sequence(problem, candidate.code, tokenizer, chat=False)
        numbers.append(review(network, row) if key == "review_sum" else score(network, row))
    return np.array(numbers)


@torch.no_grad()
def score(network: ScorerNetwork, row: TokenSequence) -> float:
    return float(network(collate([row]))[0])


@torch.no_grad()
def review(network: PolicyNetwork, row: TokenSequence) -> float:
    """Sum of log p(token | all before it) over the response."""
    ids = torch.tensor([[*row.prompt_ids, *row.response_ids]])
    logits = network.model(ids).logits[0].log_softmax(-1)
    first = len(row.prompt_ids)
    return sum(float(logits[i - 1, ids[0, i]]) for i in range(first, ids.shape[1]))


def test_a_score_depends_on_which_rankers_and_how_they_read(place: Place) -> None:
    """A name on the hub has no content that could be compared: the name itself is compared."""
    config = place.config("humaneval")
    config.benchmark.rankers = {"rewardranker": str(place.folder / "ranker")}
    run = place.evaluate(config)
    found = manifest(run, "score-humaneval_python-0")
    assert found["settings"]["rankers"] == config.benchmark.rankers
    read = {"kind": "rewardranker", "chat": False, "max_tokens": config.reward.max_tokens}
    assert found["settings"]["read"] == {"rewardranker": read}
    assert set(found["inputs"]) == {"pool", "plain", "ranker_rewardranker"}
    table = json.loads((run / "tables" / "humaneval.json").read_text())
    more = table["settings"]["more"]
    assert set(more) == {"prompts", "generator", "ranker rewardranker", "versions"}
    assert more["prompts"] == "style base, answers of at most 500 tokens (python)"
    for key, name in (("generator", "model"), ("ranker rewardranker", "ranker")):
        assert more[key] == f"{place.folder / name} (files {tree_hash(place.folder / name)})"
    assert f"torch {torch.__version__}" in more["versions"] and "rewardranker 0." in more["versions"]


def test_a_generator_of_a_run_is_called_after_its_stage(place: Place) -> None:
    config = place.config("humaneval")
    (place.folder / "04-ppo-1").mkdir()
    (place.folder / "model").rename(place.folder / "04-ppo-1" / "hf")
    config.model.path = str(place.folder / "04-ppo-1" / "hf")
    run = place.evaluate(config)
    table = json.loads((run / "tables" / "humaneval.json").read_text())
    assert "04-ppo-1" in {row["generator"] for row in table["rows"]}
    pool = read_pool(stage(run, "sample-humaneval_python-0") / "pool.parquet")
    assert {candidate.source for candidate in pool} == {"gen:04-ppo-1"}


def test_a_pool_that_was_made_for_other_data_has_no_table(place: Place) -> None:
    config = place.config("humaneval")
    run = place.evaluate(config)
    path = stage(run, "sample-humaneval_python-0") / "pool.parquet"
    problems = read_problems(stage(run, "problems") / "humaneval_python" / "plain.jsonl")
    write_pool(path, read_pool(path), [replace(problem, revision="other") for problem in problems])
    with pytest.raises(UserError, match="pools of different data revisions cannot share a table: .*other"):
        place.evaluate(config)


def test_one_pool_without_a_page_does_not_take_the_other_pages_away(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def compare(entries: Entries, *more: Any) -> Any:
        if entries.pools[0].seed == 3:
            raise UserError("nothing to compare")
        return compare_rankers(entries, *more)

    monkeypatch.setattr("actors.pipeline.evaluate_tables.compare_rankers", compare)
    config = place.config("humaneval")
    config.benchmark.seeds, config.benchmark.partial = [3, 4], True
    run = place.evaluate(config)
    pages = {path.name for path in (run / "tables").glob("*.md")}
    assert pages == {"humaneval.md", "rankers-humaneval-python-4.md"}
    assert "warning: no page for humaneval" in capsys.readouterr().out
    config.benchmark.partial = False
    with pytest.raises(UserError, match="nothing to compare"):
        place.evaluate(config)


def test_programs_that_could_not_be_judged_are_named_by_benchmark_and_language(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(items: list[tuple[Problem, str]]) -> list[Judgement]:
        return [Judgement(Verdict.INFRA, 0, 1, 0.0, "no sandbox") for _ in items]

    start = place._start

    def started(*args: Any) -> Here:
        here = start(*args)
        monkeypatch.setattr(type(here), "executors", SimpleNamespace(run=broken), raising=False)
        monkeypatch.setattr(type(here), "__enter__", lambda self: self)
        monkeypatch.setattr(type(here), "__exit__", lambda self, *error: None)
        return here

    monkeypatch.setattr("actors.pipeline.evaluate.Runtime", started)
    with pytest.raises(UserError, match="^humaneval in python, seed 0: 6 of 6 programs could not be judged"):
        place.evaluate(place.config("humaneval"))
