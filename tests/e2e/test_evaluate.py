"""``rewardranker evaluate`` from problems to the paper's tables, with models made here and rows written here."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cycle_runs import run
from endpoint_server import EndpointServer, Json, Reply, choices
from transformers import AutoModelForSequenceClassification
from vllm_server import serving

from rewardranker.config.schema import TinyConfig
from rewardranker.models.loading import load_tokenizer
from rewardranker.models.tiny import build_tiny_model
from rewardranker.problems.pool import read_pool
from rewardranker.tables.rows import Table

PYTHON = 'def add(a: int, b: int) -> int:\n    """The sum.\n    >>> add(1, 2)\n    3\n    """\n'
ROWS = [
    {
        "name": f"HumanEval_{number}_add",
        "language": "php",
        "prompt": "<?php\n// The sum.\nfunction add($a, $b) {\n",
        "tests": "function candidate(...$args) { return add(...$args); }\n"
        "function test(): void {\n    if (candidate(1, 2) !== 3) { throw new Exception('no'); }\n}\n\ntest();",
        "stop_tokens": ["\nfunction"],
    }
    for number in (0, 1)
]
HUMANEVAL = [
    {
        "task_id": f"HumanEval/{number}",
        "prompt": PYTHON,
        "entry_point": "add",
        "canonical_solution": "    return a + b\n",
        "test": "def check(candidate):\n    assert candidate(1, 2) == 3\n    assert candidate(0, 5) == 5\n",
    }
    for number in (0, 1)
]
MBPP = [
    {
        "task_id": number,
        "text": f"Write a function to add {number} to a number.",
        "code": f"def shift(a):\r\n    return a + {number}\r\n",
        "test_list": [f"assert shift({i}) == {i + number}" for i in range(3)],
        "test_setup_code": "",
        "challenge_test_list": [],
    }
    for number in (2, 3, 4, 11, 12)
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, a tiny generator and a tiny reward model."""
    folder = tmp_path_factory.mktemp("evaluate")
    for name, rows in (("php", ROWS), ("humaneval", HUMANEVAL), ("mbpp", MBPP)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    texts = [PYTHON, HUMANEVAL[0]["canonical_solution"], ROWS[0]["prompt"], *(row["text"] for row in MBPP)]
    config = TinyConfig(hidden=64, layers=1, heads=2, max_positions=2048)
    build_tiny_model(config, folder / "model", [str(text) for text in texts], seed=0)
    scorer = AutoModelForSequenceClassification.from_pretrained(folder / "model", num_labels=1)
    scorer.save_pretrained(folder / "ranker")
    load_tokenizer(str(folder / "model")).save_pretrained(folder / "ranker")
    return folder


def sets(place: Path) -> str:
    named = {"multipl_e": "php", "humaneval": "humaneval", "mbpp": "mbpp"}
    return ", ".join(f"{{name: {name}, source: {place}/{file}.jsonl}}" for name, file in named.items())


@pytest.fixture(scope="module")
def local(place: Path) -> Iterator[Path]:
    arguments = [
        "evaluate", "--config", "configs/evaluate.yaml", f"model.path={place}/model", "model.chat=false",
        f"run.root={place}/runs", f"benchmark.sets=[{sets(place)}]", "generation.n=3", "generation.max_new_tokens=12",
        f"benchmark.rankers={{rewardranker: {place}/ranker, coderanker: {place}/ranker, lever: {place}/ranker}}",
        "benchmark.generated_tests=2", "benchmark.reviewer=true",
    ]  # fmt: skip
    answer = run(*arguments)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "Table 1" in answer.stdout and "Table 2" in answer.stdout
    again = run(*arguments)
    assert again.returncode == 0, again.stdout + again.stderr
    stages = [line for line in again.stdout.splitlines() if re.match(r"\d\d-", line)]
    assert stages and all(line.endswith("complete") for line in stages), stages
    yield place / "runs" / "evaluate"


@pytest.mark.slow
def test_both_tables_hold_every_ranker_and_the_guards(local: Path) -> None:
    tables = {name: json.loads((local / "tables" / f"{name}.json").read_text()) for name in ("humaneval", "mbpp")}
    for name, data in tables.items():
        table = Table.from_json(data)
        rows = {row.ranker: row for row in table.rows}
        always = {
            "random",
            "greedy",
            "first",
            "shortest",
            "logprob",
            "majority",
            "oracle",
            "rewardranker",
            "coderanker",
        }
        assert always | {"lever_argmax", "lever_voting", "reviewer_sum", "mbr_exec", "gold", "cheat"} <= set(rows)
        assert rows["gold"].scores["python"].solved == 1.0
        assert rows["cheat"].scores["python"].solved == 0.0
        assert not table.alarms()
        assert ("alphacode" in rows) == (name == "humaneval")  # MBPP's examples are its tests
        assert table.paper
    assert set(tables["humaneval"]["coverage"]) == {"python", "php"}
    for suffix in ("md", "html"):
        assert "RewardRanker" in (local / "tables" / f"humaneval.{suffix}").read_text()


@pytest.mark.slow
def test_pools_carry_verdicts_evidence_and_scores(local: Path) -> None:
    (path,) = local.glob("*-score-humaneval_python-0/pool.parquet")
    pool = read_pool(path)
    assert len(pool) == 6
    for candidate in pool:
        assert candidate.verdict is not None and candidate.logprobs
        assert set(candidate.scores) == {"rewardranker", "coderanker", "lever", "review_sum"}
    # Both seeds were run on the same tests, whatever this generator, which has learnt nothing, wrote.
    assert len(list(local.glob("*-tests-humaneval_python/tests.json"))) == 1
    seeds = {read_pool(path)[0].seed for path in local.glob("*-sample-humaneval_python-*/pool.parquet")}
    assert len(seeds) == 2


def test_the_same_command_with_an_endpoint(place: Path) -> None:
    """A server that knows the answer, and fails every other call at first."""
    right = {"role": "assistant", "content": f"```python\n{PYTHON}    return a + b\n```"}

    def behave(body: Json, number: int) -> Reply:
        return Reply({}, status=503) if number % 2 == 0 else Reply(choices(body, message=right))

    with EndpointServer(behave) as server:
        answer = run(
            "evaluate", "--config", "configs/evaluate.yaml", f"run.root={place}/remote",
            f"endpoint.base_url={server.url}", "endpoint.model=made", "generation.n=2", "benchmark.seeds=[0]",
            f"benchmark.sets=[{{name: humaneval, source: {place}/humaneval.jsonl}}]",
        )  # fmt: skip
    assert answer.returncode == 0, answer.stdout + answer.stderr
    table = Table.from_json(json.loads((place / "remote/evaluate/tables/humaneval.json").read_text()))
    assert {row.scores["python"].solved for row in table.rows if row.ranker in ("random", "greedy", "oracle")} == {
        1.0
    }
    assert len(list((place / "remote/evaluate/journals").glob("*.jsonl"))) == 2


@pytest.mark.slow
@pytest.mark.vllm
def test_the_same_command_with_vllms_own_server(place: Path) -> None:
    """As a base model (completions) and as one that is talked to (chat); log-probabilities come with the samples."""
    for style in ("chat", "completions"):
        name = f"vllm-{style}"
        with serving(place / "model", place / f"{name}.log", max_tokens=2048) as url:
            answer = run(
                "evaluate", "--config", "configs/evaluate.yaml", f"run.root={place}/remote", f"run.name={name}",
                f"endpoint.base_url={url}", "endpoint.model=tiny", f"endpoint.style={style}", "generation.n=2",
                f"benchmark.sets=[{sets(place)}]", "endpoint.max_new_tokens=12", "benchmark.rankers_chat=false",
                f"benchmark.rankers={{rewardranker: {place}/ranker}}",
            )  # fmt: skip
        assert answer.returncode == 0, answer.stdout + answer.stderr
        for benchmark in ("humaneval", "mbpp"):
            table = Table.from_json(json.loads((place / f"remote/{name}/tables/{benchmark}.json").read_text()))
            rows = {row.ranker: row for row in table.rows}
            assert {"greedy", "logprob", "rewardranker", "oracle"} <= set(rows) and not table.alarms()
            assert rows["gold"].scores["python"].solved == 1.0
        pools = [read_pool(path) for path in (place / "remote" / name).glob("*-sample-*/pool.parquet")]
        assert len(pools) == 6 and all(c.logprobs and c.verdict for pool in pools for c in pool)


def test_without_a_generator_it_says_what_to_set(place: Path) -> None:
    for more in ((), ("--dry-run",)):
        answer = run("evaluate", *more, f"run.root={place}/none")
        assert answer.returncode == 2
        assert "model.path" in answer.stderr and "endpoint.base_url" in answer.stderr
    assert not (place / "none").exists()
