"""The ``train`` command: from a judged pool to a directory that ``rerank`` reads."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from judging import problem
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from typer.testing import CliRunner

from rewardranker.cli import app
from rewardranker.commands.rerank import RerankRequest, run_rerank
from rewardranker.commands.train import TrainRequest, run_train
from rewardranker.commands.train_material import from_pool
from rewardranker.config.schema import TinyConfig
from rewardranker.errors import Interrupted, UserError
from rewardranker.models.loading import load_tokenizer
from rewardranker.models.model_card import read_card
from rewardranker.models.tiny import build_tiny_model
from rewardranker.problems.io import read_problems, write_problems
from rewardranker.problems.pool import read_pool, write_pool
from rewardranker.problems.types import Candidate
from rewardranker.problems.verdict import Verdict
from rewardranker.reranking.scorer import Scorer
from rewardranker.reranking.stored import StoredRanker
from rewardranker.reranking.validation import Validation, held_out
from rewardranker.runs.console import Console
from rewardranker.tables.names import label
from rewardranker.training.reranker import Reranker

RIGHT, WRONG = "def f(a):\n    return a + 1\n", "def f(a):\n    return a - 1\n"


@pytest.fixture
def request_(tmp_path: Path) -> TrainRequest:
    """Six problems, solved by adding, one of which nothing passed."""
    texts = [RIGHT, WRONG, *(f"n{i}" for i in range(6))]
    build_tiny_model(TinyConfig(hidden=32, layers=2, heads=2, max_positions=128), tmp_path / "model", texts, seed=0)
    problems = [replace(problem(), id=f"p{i}", group_id=f"g{i}", prompt=f"n{i}\n") for i in range(6)]
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
        tmp_path / "ranker", steps=20, programs_per_step=8, lr=1e-2, validation=0.0,
    )  # fmt: skip


def check_card(directory: Path, kind: str, *parts: str) -> None:
    card = read_card(directory)
    assert card.data.pipeline_tag == "text-classification" and kind in card.data.tags
    for part in (f"With `{load_tokenizer(str(directory)).eos_token}`", "RewardRanker 0", *parts):
        assert part in card.text, part


@pytest.mark.parametrize(
    ("kind", "name"), [("rewardranker", "rewardranker"), ("coderanker", "coderanker"), ("lever", "lever_summing")]
)
def test_what_is_trained_is_recorded_and_ranks_here_and_elsewhere(
    request_: TrainRequest, kind: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two of six problems are held out. Without --ranker, ``rerank`` does what the directory records."""
    run_train(replace(request_, kind=kind, validation=0.3), Console())
    held = held_out([f"g{i}" for i in range(6)], 0.3, 0)
    learnt = 5 - len(held - {"g5"})  # nothing passed for the sixth
    record = json.loads((request_.out / "training.json").read_text())
    assert record["asked"]["kind"] == kind and record["optim"]["lr"] == 1e-2 and record["optim"]["warmup"] == 0.1
    assert record["problems"] == learnt and len(held) == 2
    assert record["pairs"] == 2 * learnt  # the nearest passing program and a random one: here the same
    assert record["metrics"]["programs"] == 160 and record["metrics"]["loss"] < 0.4
    found = record["validation"]
    assert (found["problems"], found["candidates"], found["random"]) == (2, 4, found["oracle"] / 2)
    assert found["solved"] == found["oracle"] > 0 and found["pair_accuracy"] == 1.0
    printed = " ".join(capsys.readouterr().out.split())
    assert f"{learnt} of 6 problems to learn from, 2 held out for validation" in printed
    assert f"each of the {2 * learnt} pairs is seen {80 / (2 * learnt):.2g} times" in printed
    assert f"{kind}, " in printed and "2 problems held out, 4 candidates: solved by the chosen one" in printed
    assert not list(request_.out.parent.glob(".ranker-*"))

    check_card(request_.out, kind, f"| pairs | {2 * learnt}, ", "| seed | 0 |", "test python at revision 1")
    out = request_.out.parent / "ranked.parquet"
    assert request_.problems is not None and request_.pool is not None
    asked = RerankRequest(request_.problems, request_.pool, out, model=str(request_.out))
    run_rerank(asked, Console())
    ranked = read_pool(out)
    assert [c.code for c in ranked] == [RIGHT, WRONG] * 6 and set(ranked[0].scores) == {kind, name}
    printed = " ".join(capsys.readouterr().out.split())
    assert (
        f"chosen by {label(name)}" in printed
        and f"best first by {name}, its scores in column score_{name}" in printed
    )
    scorer, tasks = Scorer(request_.out), {p.id: p for p in read_problems(request_.problems)}
    model, tokenizer = (
        one.from_pretrained(request_.out) for one in (AutoModelForSequenceClassification, AutoTokenizer)
    )
    for one in ranked[:2]:
        text = scorer.render(tasks[one.problem_id], one.code, one.returns)
        with torch.inference_mode():
            elsewhere = model(**tokenizer(text, return_tensors="pt")).logits.item()
        here = scorer.score_text(tasks[one.problem_id], one.code, one.returns)
        assert elsewhere == pytest.approx(one.scores[kind], abs=1e-4) and here == pytest.approx(elsewhere, abs=1e-4)
    again = replace(asked, model="", ranker=kind, candidates=out, out=out.with_name("again.parquet"))
    run_rerank(again, Console())  # by the numbers that the pool holds
    assert [c.scores for c in read_pool(again.out)] == [c.scores for c in ranked]
    other = "lever" if kind == "coderanker" else "coderanker"
    with pytest.raises(UserError, match=f"--ranker {other} uses .* as {other}, but .* was trained as {kind}"):
        run_rerank(replace(asked, ranker=other), Console())


def test_lever_needs_what_programs_returned(request_: TrainRequest) -> None:
    run_train(replace(request_, kind="lever", steps=1), Console())
    assert request_.problems is not None and request_.pool is not None
    pool, out = read_pool(request_.pool), request_.out.parent / "ranked.parquet"
    write_pool(request_.pool, [replace(c, returns=[]) for c in pool])
    asked = RerankRequest(request_.problems, request_.pool, out, model=str(request_.out))
    with pytest.raises(UserError, match=r"ranker lever needs what programs return \(returns\), which none of the 12"):
        run_rerank(asked, Console())
    with pytest.raises(UserError, match="--chat: LEVER's verifier reads a text of its own form"):
        run_rerank(replace(asked, ranker="lever", chat=True), Console())
    assert not out.exists()


def test_what_is_left_out_is_counted_by_reason(request_: TrainRequest, capsys: pytest.CaptureFixture[str]) -> None:
    """p0 timed out, p1 was not judged, p2 is of the test split, p3's programs are too long; p5 has no passing one;
    p6 is suspected: none of its programs defines what its tests call."""
    assert request_.problems is not None and request_.pool is not None
    pool, problems = read_pool(request_.pool), read_problems(request_.problems)
    pool[0].verdict, pool[2].verdict, pool[3].verdict = Verdict.TIMEOUT, None, None
    problems[2] = replace(problems[2], split="test")
    problems[3] = replace(problems[3], prompt="n3 " * 100)
    problems.append(replace(problems[5], id="p6", group_id="g6"))
    wrong = "the program does not define the function f"
    pool += [replace(c, problem_id="p6", verdict=Verdict.RUNTIME_ERROR, message=wrong) for c in pool[10:]]
    write_problems(request_.problems, problems)
    write_pool(request_.pool, pool, problems)
    material = from_pool(replace(request_, max_tokens=60), Console())
    assert set(material.groups) == {"p4"} and material.validate is None
    warned, *lines = capsys.readouterr().out.splitlines()
    assert warned.startswith("warning: suspected problems: p6.")
    lines = [line.partition("pool.parquet: ")[2] for line in lines]
    candidates, tasks, pairs = lines
    assert candidates == (
        "2 of 14 candidates to learn from; left out: 1 TIMEOUT, which is no label, 2 without a verdict, "
        "2 of the test split, 2 of a suspected problem, 3 of problems with no pair, "
        "2 too long, or paired with one that is"
    )
    assert tasks == (
        "1 of 7 problems to learn from; left out: 3 without a usable candidate, 1 with no failing program, "
        "1 with no passing program, 1 with too long programs alone"
    )
    assert pairs == "2 of 4 pairs to learn from; left out: 2 with more than 60 tokens"


def test_problems_are_held_out_by_group_and_seed() -> None:
    groups = [f"g{i % 20}" for i in range(60)]
    held = held_out(groups, 0.1, 0)
    assert len(held) == 2 and held == held_out(groups[::-1], 0.1, 0)
    assert len({held_out(groups, 0.1, seed) for seed in range(9)}) > 1
    assert held_out(groups, 0.0, 0) == held_out(["one"] * 9, 0.1, 0) == frozenset()
    assert len(held_out(["a", "b"], 0.9, 0)) == 1  # something is left to learn from


def test_what_a_ranker_is_worth_by_hand() -> None:
    """a: the chosen one is right, both pairs in order. b: a tie between right and wrong. c: nothing passed.
    Solved (1 + 1/2 + 0) / 3, random (1/3 + 1/2 + 0) / 3, oracle 2/3, pairs (1 + 1/2) / 2."""
    given = [
        ("a", 3.0, True),
        ("a", 1.0, False),
        ("a", 2.0, False),
        ("b", 1.0, True),
        ("b", 1.0, False),
        ("c", 1.0, False),
    ]
    pool = [
        Candidate(name, "python", "", "", "made", verdict=Verdict.OK if ok else Verdict.WRONG, scores={"s": score})
        for name, score, ok in given
    ]
    found = Validation.of(StoredRanker("s"), {name: replace(problem(), id=name) for name in "abc"}, pool)
    assert (found.problems, found.candidates, found.choices) == (3, 6, 2)
    assert found.solved == pytest.approx(0.5) and found.random == pytest.approx(5 / 18)
    assert found.oracle == pytest.approx(2 / 3) and found.pair_accuracy == pytest.approx(0.75)


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
    with pytest.raises(Interrupted):
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
    with pytest.raises(Interrupted):
        run_train(other, Console())
    run_train(replace(other, seed=1), Console())
    assert done == 12 + 20 and "beginning anew" in capsys.readouterr().out
    assert not list(asked.out.parent.glob(".*-training"))


def test_one_layer_read_over_all_tokens_with_a_head_that_was_fitted(request_: TrainRequest) -> None:
    """What is kept is that network: its scores are the same when it is loaded again."""
    run_train(replace(request_, layers=1, pooling="mean", head_penalty=0.1, steps=2, lr=1e-5), Console())
    found = Scorer(request_.out)
    asked = read_problems(str(request_.problems))[0]
    assert found.score_text(asked, RIGHT) > found.score_text(asked, WRONG)
    assert "the number is the mean over the program's tokens" in read_card(Path(request_.out)).text
    config = json.loads((Path(request_.out) / "config.json").read_text())
    assert (config["num_hidden_layers"], config["score_pooling"]) == (1, "mean")


@pytest.mark.parametrize(
    "change, message",
    [
        ({"kind": "bert"}, "--kind 'bert' is not known; it must be one of rewardranker, coderanker, lever"),
        ({"kind": "lever", "chat": True}, "--chat: LEVER's verifier"),
        ({"chat": True}, "has no chat template"),
        ({"model": "./none"}, "--model=./none: no such directory"),
        ({"programs_per_step": 3}, "an even number of programs"),
        ({"trained_layers": 9}, "the backbone has 2 layers"),
        ({"layers": 3}, "3 layers are asked for, and it has 2; 0 takes all of them"),
        ({"layers": -1}, "--layers -1: must not be negative"),
        ({"pooling": "sum"}, "--pooling 'sum' is not known; it must be one of last, mean"),
        ({"max_tokens": 2}, "no pairs to train on"),
        ({"validation": 1.0}, "--validation 1.0: a share of the problems"),
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
        "device": "cuda:0", "validation": 0.25,
    }  # fmt: skip
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    answer = CliRunner().invoke(app, ["train", *words, "--chat"])
    assert answer.exit_code == 0, answer.output
    assert seen == [
        TrainRequest(
            "lever",
            "m",
            Path("p.jsonl"),
            Path("c.parquet"),
            Path("o"),
            True,
            2,
            4,
            5,
            6,
            7,
            8.0,
            9,
            "cuda:0",
            "",
            0.25,
        )
    ]
