"""The ``rerank`` command: its files, its options, what it writes and prints."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from judging import problem
from typer.testing import CliRunner

from rewardranker.cli import app
from rewardranker.commands.rerank import RerankRequest, catalogue_help, run_rerank, summary
from rewardranker.config.schema import TinyConfig
from rewardranker.errors import UserError
from rewardranker.generation.candidates import scored_sequence
from rewardranker.models.batching import collate
from rewardranker.models.loading import load_scorer, load_tokenizer
from rewardranker.models.tiny import build_tiny_model
from rewardranker.problems.io import read_json_lines, write_problems
from rewardranker.problems.pool import pool_revisions, read_pool, write_pool
from rewardranker.problems.types import Candidate, Problem
from rewardranker.problems.verdict import Verdict
from rewardranker.reranking.catalogue import CATALOGUE
from rewardranker.runs.console import Console

HUMANEVAL = [
    {
        "task_id": f"HumanEval/{number}",
        "prompt": 'def twice(x):\n    """Twice x."""\n',
        "entry_point": "twice",
        "canonical_solution": "    return 2 * x\n",
        "test": "def check(candidate):\n    assert candidate(1) == 2\n",
    }
    for number in (0, 1, 2)
]
LINES = [
    {"problem_id": "HumanEval/1", "text": "    return x + x + 0\n", "mine": [1], "logprobs": [-1, -3.0]},
    {"problem_id": "HumanEval/0", "text": "    return 2 * x\n", "logprobs": [-2.5]},
    {"problem_id": "HumanEval/1", "text": "    return 1\n", "logprobs": None},
    {"problem_id": "Python/1", "text": "    return 2 * x\n", "logprobs": [-0.5], "score": 7},
]


def lines(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def request(tmp_path: Path, candidates: list[Any] = LINES, **options: Any) -> RerankRequest:
    data = lines(tmp_path / "data.jsonl", HUMANEVAL)
    given = {"benchmark": "humaneval", "ranker": "shortest", **options}
    return RerankRequest(data, lines(tmp_path / "candidates.jsonl", candidates), tmp_path / "out.jsonl", **given)


def pool_request(tmp_path: Path, pool: list[Candidate], **options: Any) -> RerankRequest:
    write_problems(tmp_path / "problems.jsonl", [task("p/0"), task("p/1")])
    write_pool(tmp_path / "pool.parquet", pool)
    files = tmp_path / "problems.jsonl", tmp_path / "pool.parquet", tmp_path / "out.parquet"
    return RerankRequest(*files, **options)


def task(name: str) -> Problem:
    return problem(id=name, prompt="return a + b\n")


def candidate(code: str, name: str = "p/0", **fields: Any) -> Candidate:
    return Candidate(name, "python", code, code, "gen:test", **fields)


def words(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().out.split())


def test_lines_come_back_best_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Programs are the prompt's function with the text, so their lengths differ as those of the texts do."""
    run_rerank(request(tmp_path), Console())
    rows = read_json_lines(tmp_path / "out.jsonl")
    given = [LINES[i] for i in (2, 3, 0, 1)]
    assert [row["rank"] for row in rows] == [1, 2, 3, 1] and {row["ranker"] for row in rows} == {"shortest"}
    assert [{**row, "score": 0} for row in rows] == [
        {**line, "ranker": "shortest", "score": 0, "rank": row["rank"]} for line, row in zip(given, rows, strict=True)
    ]
    lengths = [len(line["text"]) for line in given]
    assert [row["score"] - rows[0]["score"] for row in rows] == [lengths[0] - length for length in lengths]
    printed = words(capsys)
    assert "1 of the 3 problems" in printed and "4 candidates, best first by shortest" in printed


def test_lines_by_what_they_carry(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_rerank(request(tmp_path, ranker="logprob"), Console())
    rows = read_json_lines(tmp_path / "out.jsonl")
    assert [(row["problem_id"], row["score"]) for row in rows] == [
        *(("Python/1", -0.5), ("HumanEval/1", -2.0), ("HumanEval/1", None), ("HumanEval/0", -2.5))
    ]
    assert "1 of 4 candidates lack log-probabilities, which logprob needs" in words(capsys)
    verdicts = [line | {"verdict": v} for line, v in zip(LINES, ("WRONG", "OK", "WRONG", "OK"), strict=True)]
    run_rerank(request(tmp_path, verdicts, ranker="oracle"), Console())
    assert [row["verdict"] for row in read_json_lines(tmp_path / "out.jsonl")] == ["OK", "WRONG", "WRONG", "OK"]
    # Two problems, one tied for best (HumanEval/1 has one OK of three: not tied; HumanEval/0 one candidate).
    assert "│ python │ 2 │ 4 │ 0 │ 2 │ 100.0% │ 66.7% │ 100.0% │" in words(capsys)


def test_a_pool_by_a_ranker_that_needs_no_model(tmp_path: Path) -> None:
    pool = [candidate("aaa"), candidate("b", "p/1"), candidate("a"), candidate("aa", scores={"old": 1.0})]
    asked = pool_request(tmp_path, pool, ranker="longest")
    run_rerank(asked, Console())
    written = read_pool(asked.out)
    assert [(c.problem_id, c.code) for c in written] == [("p/0", "aaa"), ("p/0", "aa"), ("p/0", "a"), ("p/1", "b")]
    assert [c.scores for c in written][1] == {"old": 1.0, "longest": 2.0}
    run_rerank(replace(asked, out=asked.candidates), Console())  # over itself
    assert read_pool(asked.candidates) == written


@pytest.fixture(scope="module")
def reward_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base, directory = tmp_path_factory.mktemp("base"), tmp_path_factory.mktemp("reward")
    build_tiny_model(TinyConfig(32, 1, 2, 128), base, ["def f ( x ) : return a + b * 2 - 1 \n"], seed=0)
    load_scorer(str(base), "float32", "auto", "cpu", seed=1).model.save_pretrained(directory)
    load_tokenizer(str(base)).save_pretrained(directory)
    return directory


def test_a_reward_model_orders_by_its_own_scores(tmp_path: Path, reward_model: Path) -> None:
    codes = [f"def f(a, b):\n return {tail}\n" for tail in ("a + b", "a * b", "2 - 1", "a + b", "a")]
    pool = [candidate(code, f"p/{place % 2}") for place, code in enumerate(codes)]
    asked = pool_request(tmp_path, pool, model=str(reward_model))
    run_rerank(asked, Console())
    written = read_pool(asked.out)
    network, tokenizer = (
        load_scorer(str(reward_model), "float32", "auto", "cpu", 0),
        load_tokenizer(str(reward_model)),
    )
    for c in written:
        row = scored_sequence(task(c.problem_id), c.code, tokenizer, chat=False)
        with torch.inference_mode():
            alone = network(collate([row])).item()
        assert c.scores["rewardranker"] == pytest.approx(alone, abs=1e-4)
    for name in ("p/0", "p/1"):
        scores = [c.scores["rewardranker"] for c in written if c.problem_id == name]
        assert scores == sorted(scores, reverse=True) and len(set(scores)) > 1
    # Its scores are in the pool now, and rank it again without the model.
    again = replace(asked, model="", candidates=asked.out, out=tmp_path / "again.parquet")
    run_rerank(again, Console())
    assert again.out.read_bytes() == asked.out.read_bytes()


def test_a_reward_model_that_gives_nan_writes_nothing(tmp_path: Path, reward_model: Path) -> None:
    broken = tmp_path / "broken"
    network = load_scorer(str(reward_model), "float32", "auto", "cpu", 0)
    with torch.no_grad():
        network.model.score.weight[:] = math.nan
    network.model.save_pretrained(broken)
    load_tokenizer(str(reward_model)).save_pretrained(broken)
    asked = pool_request(tmp_path, [candidate("def f(x):\n return 1\n")], model=str(broken))
    with pytest.raises(UserError, match="score 'rewardranker' is NaN; check the model that wrote it"):
        run_rerank(asked, Console())
    assert not asked.out.exists()


def test_a_model_without_a_head_is_no_reward_model(tmp_path: Path) -> None:
    build_tiny_model(TinyConfig(32, 1, 2, 128), tmp_path / "causal", ["a b"], seed=0)
    asked = pool_request(tmp_path, [candidate("a")], model=str(tmp_path / "causal"))
    with pytest.raises(UserError, match="causal is no reward model: it holds a LlamaForCausalLM"):
        run_rerank(asked, Console())


POOL = [candidate("a"), candidate("b", "p/1")]


@pytest.mark.parametrize(
    ("pool", "options", "message"),
    [
        (
            [candidate("a", "p/7")],
            {"ranker": "first"},
            "row 1: there is no problem 'p/7' among the 2 that were given; give the problems",
        ),
        ([], {"ranker": "first"}, "holds no candidates"),
        ([candidate("a", scores={"s": math.nan})], {"ranker": "first"}, "has NaN as its score by s"),
        (POOL, {}, "--ranker rewardranker needs --model"),
        (POOL, {"ranker": "fist"}, "ranker 'fist' is not known; .* did you mean first"),
        (POOL, {"ranker": "majority"}, "ranker majority needs results of execution"),
        ([candidate("a", logprobs=[math.nan])], {"ranker": "logprob"}, "ranker logprob gave NaN for candidate 0"),
        (
            POOL,
            {"ranker": "first", "model": "m"},
            "--model is for --ranker rewardranker, --ranker coderanker, --ranker lever; --ranker first uses no model",
        ),
        (POOL, {"ranker": "first", "chat": True}, "--chat says how --model was trained"),
        (POOL, {"ranker": "first", "language": "php"}, "--language chooses a benchmark's problems"),
        (POOL, {"ranker": "first", "benchmark": "humanevil"}, "--benchmark 'humanevil' is not known"),
        (POOL, {"ranker": "first", "language": "cobol"}, "--language 'cobol' is not known"),
        (POOL, {"ranker": "first", "out": Path("/nowhere/out.parquet")}, "folder /nowhere does not exist"),
        (POOL, {"ranker": "first", "out": Path("out.txt")}, "must end in .parquet or .jsonl"),
        (POOL, {"model": "/nowhere/model"}, "no such directory"),
    ],
)
def test_bad_pools_and_options(tmp_path: Path, pool: list[Candidate], options: dict[str, Any], message: str) -> None:
    asked = pool_request(tmp_path, pool)
    before = asked.candidates.read_bytes()
    with pytest.raises(UserError, match=message):
        run_rerank(replace(asked, **options), Console())
    assert not asked.out.exists() and asked.candidates.read_bytes() == before


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "holds no candidates"),
        ([{"problem_id": "HumanEval/7", "text": ""}], "no problem 'HumanEval/7' in --data"),
        (
            [LINES[0] | {"logprobs": [float("nan")]}],
            r"candidate 1 \(of humaneval/1\): logprobs must be a list of numbers",
        ),
        ([LINES[0], LINES[1] | {"logprobs": "low"}], r"candidate 2 \(of humaneval/0\): logprobs must be"),
        ([LINES[0] | {"verdict": "GOOD"}], "verdict must be one of OK, WRONG"),
        ([LINES[0] | {"signature": 3}], "signature must be text, found '3'"),
        ([LINES[0] | {"returns": [3]}], "returns must be a list of texts"),
        ([LINES[0] | {"passed_generated": [True]}], "passed_generated must be a list of indices"),
        ([LINES[0] | {"passed_examples": 1}], "passed_examples must be true or false"),
    ],
)
def test_bad_lines(tmp_path: Path, rows: list[Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        run_rerank(request(tmp_path, rows), Console())
    assert not (tmp_path / "out.jsonl").exists()


def test_the_summary_counts_only_what_was_wholly_judged() -> None:
    """By hand. a: judged, tied for best between right and wrong: solved 1/2, random 2/3, oracle 1. b: judged, all
    wrong: 0, 0, 0. c: one not judged (INFRA), so not counted. Means 25 %, 33.3 %, 50 %."""
    ok, wrong, infra = Verdict.OK, Verdict.WRONG, Verdict.INFRA
    given = [("a", 2.0, ok), ("a", 2.0, wrong), ("a", 1.0, ok), ("b", 1.0, wrong), ("c", 3.0, ok), ("c", 1.0, infra)]
    pool = [candidate(name, name, verdict=verdict, scores={"s": score}) for name, score, verdict in given]
    table = summary(pool, "s")
    assert [list(column.cells) for column in table.columns] == [
        *(["python"], ["3"], ["6"], ["1"], ["2"], ["25.0%"], ["33.3%"], ["50.0%"])
    ]
    unjudged = summary([candidate("a", scores={"s": 1.0})], "s")
    assert [list(column.cells)[0] for column in unjudged.columns] == ["python", "1", "1", "0", "0", "-", "-", "-"]


@pytest.mark.parametrize("names", [("--data", "--candidates"), ("--problems", "--pool")])
def test_the_command_line(tmp_path: Path, names: tuple[str, str]) -> None:
    asked = pool_request(tmp_path, POOL)
    files = (names[0], str(asked.data), names[1], str(asked.candidates), "--out", str(asked.out))
    answer = CliRunner().invoke(app, ["rerank", *files, "--ranker", "shortest"])
    assert answer.exit_code == 0, answer.output
    assert (
        "2 candidates, best first by shortest" in " ".join(answer.output.split()) and len(read_pool(asked.out)) == 2
    )
    answer = CliRunner().invoke(app, ["rerank", *files])
    assert isinstance(answer.exception, UserError)


def test_a_reranked_pool_still_says_what_it_was_made_for(tmp_path: Path) -> None:
    asked = pool_request(tmp_path, POOL, ranker="first")
    write_pool(asked.candidates, POOL, [task("p/0"), task("p/1")])
    run_rerank(asked, Console())
    assert pool_revisions(asked.out) == {"test python": ["1"]}
    write_problems(asked.data, [replace(task(name), revision="2") for name in ("p/0", "p/1")])
    with pytest.raises(UserError, match="made for test python at revision 1, but .* at revision 2"):
        run_rerank(asked, Console())


def test_the_help_names_every_ranker() -> None:
    answer = CliRunner().invoke(app, ["rerank", "--help"])
    shown = " ".join(answer.output.replace("│", " ").split())
    assert answer.exit_code == 0 and catalogue_help() in shown
    for name, entry in CATALOGUE.items():
        assert re.search(rf"\b{name}\b", catalogue_help())
        assert entry.need is None or f"(where candidates carry {entry.need.what})" in shown
