"""The ``train`` command: from a judged pool to a directory that ``rerank`` reads."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from judging import problem
from typer.testing import CliRunner

from rewardranker.cli import app
from rewardranker.commands.rerank import RerankRequest, run_rerank
from rewardranker.commands.train import TrainRequest, run_train
from rewardranker.config.schema import TinyConfig
from rewardranker.errors import UserError
from rewardranker.models.tiny import build_tiny_model
from rewardranker.problems.io import write_problems
from rewardranker.problems.pool import read_pool, write_pool
from rewardranker.problems.types import Candidate
from rewardranker.problems.verdict import Verdict
from rewardranker.runs.console import Console
from rewardranker.training.reranker import Reranker

RIGHT, WRONG = "def f(a):\n    return a + 1\n", "def f(a):\n    return a - 1\n"


@pytest.fixture
def request_(tmp_path: Path) -> TrainRequest:
    """Six problems, solved by adding, one of which nothing passed."""
    texts = [RIGHT, WRONG, *(f"n{i}" for i in range(6))]
    build_tiny_model(TinyConfig(hidden=32, layers=2, heads=2, max_positions=128), tmp_path / "model", texts, seed=0)
    problems = [replace(problem(), id=f"p{i}", prompt=f"n{i}\n") for i in range(6)]
    pool = [
        Candidate(
            p.id, "python", code, code, "made", verdict=verdict, returns=["int 2" if code == RIGHT else "int 0"]
        )
        for p in problems
        for code, verdict in ((WRONG, Verdict.WRONG), (RIGHT, Verdict.WRONG if p.id == "p5" else Verdict.OK))
    ]
    write_problems(tmp_path / "problems.jsonl", problems)
    write_pool(tmp_path / "pool.parquet", pool, problems)
    return TrainRequest(
        "rewardranker", str(tmp_path / "model"), tmp_path / "problems.jsonl", tmp_path / "pool.parquet",
        tmp_path / "ranker", steps=20, programs_per_step=8, lr=1e-2,
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["rewardranker", "coderanker", "lever"])
def test_what_is_trained_is_written_with_its_record(request_: TrainRequest, kind: str) -> None:
    run_train(replace(request_, kind=kind), Console())
    record = json.loads((request_.out / "training.json").read_text())
    assert record["asked"]["kind"] == kind and record["optim"]["lr"] == 1e-2 and record["optim"]["warmup"] == 0.1
    assert record["problems"] == 5  # nothing passed for the sixth
    assert record["pairs"] == 10  # the nearest passing program and a random one: here the same
    assert record["metrics"]["programs"] == 160 and record["metrics"]["loss"] < 0.4
    assert not list(request_.out.parent.glob(".ranker-*"))


def test_rerank_reads_it_and_puts_what_passed_first(request_: TrainRequest) -> None:
    run_train(request_, Console())
    out = request_.out.parent / "ranked.parquet"
    run_rerank(RerankRequest(request_.problems, request_.pool, out, model=str(request_.out)), Console())
    assert [c.code for c in read_pool(out)] == [RIGHT, WRONG] * 6


def test_the_same_command_gives_the_same_bytes(request_: TrainRequest) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for name in ("one", "two"):
            run_train(replace(request_, out=request_.out.parent / name, trained_layers=1, steps=3), Console())
    finally:
        torch.set_num_threads(threads)
    one, two = ((request_.out.parent / name / "model.safetensors").read_bytes() for name in ("one", "two"))
    assert one == two


def test_the_same_command_goes_on_where_it_was_cut_off(
    request_: TrainRequest, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cut off in the 12th of 20 updates, after the checkpoint of the 10th; another command begins anew."""
    whole = replace(request_, out=request_.out.parent / "whole", trained_layers=1)
    run_train(whole, Console())
    learn, done = Reranker.learn, 0

    def counted(self: Reranker, minibatch: list[object]) -> dict[str, float]:
        nonlocal done
        done += 1
        if done == 12:
            raise KeyboardInterrupt
        return learn(self, minibatch)

    monkeypatch.setattr(Reranker, "learn", counted)
    asked = replace(request_, trained_layers=1)
    with pytest.raises(KeyboardInterrupt):
        run_train(asked, Console())
    assert not asked.out.exists()
    run_train(asked, Console())
    assert done == 12 + 10
    files = [(out / "model.safetensors").read_bytes() for out in (asked.out, whole.out)]
    assert files[0] == files[1]
    metrics = [json.loads((out / "training.json").read_text())["metrics"] for out in (asked.out, whole.out)]
    assert metrics[0] == metrics[1]

    done = 0
    other = replace(asked, out=asked.out.parent / "other")
    with pytest.raises(KeyboardInterrupt):
        run_train(other, Console())
    run_train(replace(other, seed=1), Console())
    assert done == 12 + 20 and "beginning anew" in capsys.readouterr().out
    assert not list(asked.out.parent.glob(".*-training"))


@pytest.mark.parametrize(
    "change, message",
    [
        ({"kind": "bert"}, "--kind 'bert' is not known; it must be one of rewardranker, coderanker, lever"),
        ({"kind": "lever", "chat": True}, "--chat: LEVER's verifier"),
        ({"chat": True}, "has no chat template"),
        ({"model": "./none"}, "--model=./none: no such directory"),
        ({"programs_per_step": 3}, "an even number of programs"),
        ({"trained_layers": 9}, "the backbone has 2 layers"),
        ({"max_tokens": 2}, "no pairs to train on"),
    ],
)
def test_what_cannot_be_trained_is_refused_and_nothing_is_written(
    request_: TrainRequest, change: dict[str, object], message: str
) -> None:
    with pytest.raises(UserError, match=message.replace(".", r"\.")):
        run_train(replace(request_, **change), Console())  # type: ignore[arg-type]
    assert not request_.out.exists()


def test_pools_that_teach_nothing_are_refused(request_: TrainRequest) -> None:
    pool = read_pool(request_.pool)
    write_pool(request_.pool, [replace(c, returns=[]) for c in pool])
    with pytest.raises(UserError, match="no candidate has `returns`"):
        run_train(replace(request_, kind="lever"), Console())
    write_pool(request_.pool, [replace(c, verdict=None) for c in pool])
    with pytest.raises(UserError, match="12 of 12 candidates have no verdict"):
        run_train(request_, Console())


def test_a_reranker_that_is_there_is_not_overwritten(request_: TrainRequest) -> None:
    request_.out.mkdir()
    with pytest.raises(UserError, match="exists"):
        run_train(request_, Console())
    assert list(request_.out.iterdir()) == []


def test_options_arrive(request_: TrainRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[TrainRequest] = []
    monkeypatch.setattr("rewardranker.commands.train.run_train", lambda request, console: seen.append(request))
    options = {
        "kind": "lever", "model": "m", "problems": "p.jsonl", "pool": "c.parquet", "out": "o", "steps": 2,
        "programs-per-step": 4, "pairs-per-problem": 5, "trained-layers": 6, "max-tokens": 7, "lr": 8.0, "seed": 9,
        "device": "cuda:0",
    }  # fmt: skip
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    answer = CliRunner().invoke(app, ["train", *words, "--chat"])
    assert answer.exit_code == 0, answer.output
    assert seen == [
        TrainRequest(
            "lever", "m", Path("p.jsonl"), Path("c.parquet"), Path("o"), True, 2, 4, 5, 6, 7, 8.0, 9, "cuda:0"
        )
    ]
