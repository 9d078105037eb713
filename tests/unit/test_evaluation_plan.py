"""An evaluation is refused before it has sampled anything, and says beforehand how it would sample."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import networks_made
import pytest
from benchmark_data import PHP, add_mbpp_row, humaneval_row, multipl_e_row, write_lines
from rich.console import Console as RichConsole
from transformers import AutoModelForSequenceClassification
from typer.testing import CliRunner

from rewardranker.cli import app
from rewardranker.config.schema import BenchmarkSet, Config, TinyConfig
from rewardranker.errors import UserError
from rewardranker.evaluation import plan as plan_module
from rewardranker.evaluation.plan import describe_evaluation, plan_evaluation, readings, sampling_of
from rewardranker.judge.languages.toolchain import Toolchain
from rewardranker.models.loading import load_tokenizer, model_name, require_scorer
from rewardranker.models.tiny import build_tiny_model
from rewardranker.reranking.record import Reading, write_record

Change = Callable[[Config], object]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("planned")
    write_lines(folder / "humaneval.jsonl", [humaneval_row(i) for i in range(4)])
    write_lines(folder / "php.jsonl", [multipl_e_row(i, "php") | PHP for i in range(4)])
    write_lines(folder / "mbpp.jsonl", [add_mbpp_row(i) for i in (2, 3, 4, 11, 12)])
    build_tiny_model(TinyConfig(32, 1, 2, 128), folder / "model", ["a b"], seed=0)
    scorer = AutoModelForSequenceClassification.from_pretrained(folder / "model", num_labels=1)
    scorer.save_pretrained(folder / "ranker")
    load_tokenizer(str(folder / "model")).save_pretrained(folder / "ranker")
    AutoModelForSequenceClassification.from_pretrained(folder / "model", num_labels=3).save_pretrained(
        folder / "three"
    )
    return folder


def config(place: Path, *names: str) -> Config:
    made = Config()
    made.model.path = str(place / "model")
    for name in names or ("humaneval", "php", "mbpp"):
        kind = "multipl_e_humaneval" if name == "php" else name
        made.benchmark.sets.append(BenchmarkSet(kind, str(place / f"{name}.jsonl")))
    return made


def remote(made: Config) -> None:
    made.endpoint.base_url, made.endpoint.model = "http://localhost:1/v1", "m"


def set_to(**changes: Any) -> Change:
    return lambda made: vars(made.benchmark).update(changes)


def both(*changes: Change) -> Change:
    return lambda made: [change(made) for change in changes]


def ranker(place: Path, name: str, directory: str) -> Change:
    return lambda made: made.benchmark.rankers.update({name: str(place / directory)})


def test_what_is_well_is_planned(place: Path) -> None:
    made = config(place)
    ranker(place, "rewardranker_2", "ranker")(made)
    made.benchmark.baseline = "rewardranker_2"
    plan = plan_evaluation(made)
    assert [one.title for one in plan.benchmarks] == ["humaneval in python", "humaneval in php", "mbpp in python"]
    assert plan.left_out == {}


def test_a_ranker_without_its_head_stops_a_dry_run(place: Path, tmp_path: Path) -> None:
    """Called a scorer by its config, and the head has another name in the file, or is not there."""
    for name, change in (
        ("renamed", networks_made.renamed("score.", "v_head.")),
        ("absent", networks_made.without("score.")),
    ):
        shutil.copytree(place / "ranker", tmp_path / name)
        networks_made.rewrite(tmp_path / name, change)
        words = [f"model.path={place / 'model'}", f"benchmark.sets=[{{name: mbpp, source: {place / 'mbpp.jsonl'}}}]"]
        asked = ["evaluate", "--dry-run", *words, f"benchmark.rankers.rewardranker={tmp_path / name}"]
        result = CliRunner().invoke(app, asked)
        assert isinstance(result.exception, UserError)
        assert "1 tensor not there: score.weight" in str(result.exception)
        assert f"benchmark.rankers.rewardranker={tmp_path / name}" in str(result.exception)


@pytest.mark.parametrize(
    ("sets", "change", "message"),
    [
        ((), set_to(seeds=[]), r"benchmark.seeds=\[\]: needs at least one seed"),
        ((), set_to(seeds=[1, 2, 1]), r"benchmark.seeds=\[1, 2, 1\]: .* each of them once"),
        ((), both(remote, set_to(reviewer=True)), "benchmark.reviewer=true with endpoint.base_url"),
        ((), both(remote, set_to(generated_tests=5)), "benchmark.generated_tests=5 with endpoint.base_url"),
        ((), lambda made: setattr(made.model, "path", ""), "evaluate needs a generator"),
        (
            (),
            set_to(baseline="rewardranker"),
            "benchmark.baseline=rewardranker: humaneval in python will have no such",
        ),
        (("humaneval",), set_to(baseline="greedy"), "benchmark.baseline=greedy: .*but random, first"),
        ((), set_to(baseline="mbr_exec"), "benchmark.baseline=mbr_exec: humaneval in php will have no such"),
        (("humaneval", "mbpp"), set_to(baseline="alphacode"), "alphacode: mbpp in python will have no such"),
        (("humaneval",), set_to(baseline="codet"), "benchmark.baseline=codet: humaneval in python"),
        (("humaneval",), set_to(baseline="reviewer_sum"), "benchmark.baseline=reviewer_sum"),
        (
            ("humaneval",),
            both(remote, set_to(baseline="logprob"), lambda made: setattr(made.endpoint, "logprobs", False)),
            "benchmark.baseline=logprob",
        ),
    ],
)
def test_what_would_fail_later_is_refused_at_once(
    place: Path, sets: tuple[str, ...], change: Change, message: str
) -> None:
    made = config(place, *sets)
    change(made)
    with pytest.raises(UserError, match=message):
        describe_evaluation(made)


@pytest.mark.parametrize(
    "change",
    [
        set_to(baseline="mbr_exec"),
        set_to(baseline="alphacode"),
        set_to(baseline="codet", generated_tests=3),
        set_to(baseline="reviewer_sum", reviewer=True),
        both(remote, set_to(baseline="logprob")),
    ],
)
def test_a_baseline_that_will_be_there_is_not_refused(place: Path, change: Change) -> None:
    made = config(place, "humaneval")
    change(made)
    assert len(plan_evaluation(made).benchmarks) == 1


@pytest.mark.parametrize(
    ("directory", "message"),
    [
        ("model", "benchmark.rankers.lever={place}/model is no reward model: it holds a LlamaForCausalLM"),
        ("three", "benchmark.rankers.lever={place}/three is no reward model: it gives 3 numbers"),
        ("absent", "benchmark.rankers.lever={place}/absent: no such directory"),
    ],
)
def test_what_is_no_ranker_is_named_by_its_setting(place: Path, directory: str, message: str) -> None:
    made = config(place, "humaneval")
    ranker(place, "lever", directory)(made)
    with pytest.raises(UserError, match=message.format(place=place)):
        plan_evaluation(made)


def test_a_ranker_that_cannot_be_read_from_the_hub_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(path: str) -> None:
        raise OSError("We couldn't connect\nand more")

    monkeypatch.setattr("rewardranker.models.loading.AutoConfig.from_pretrained", offline)
    with pytest.raises(
        UserError, match="^benchmark.rankers.r=owner/name: .* could not be read: We couldn't connect$"
    ):
        require_scorer("owner/name", "benchmark.rankers.r")


def test_how_rankers_read_follows_the_model_unless_it_is_said(place: Path) -> None:
    made = config(place, "humaneval")
    ranker(place, "rewardranker", "ranker")(made)
    assert not readings(made)["rewardranker"].chat
    made.model.chat = True
    assert readings(made)["rewardranker"].chat
    with pytest.raises(UserError, match="has no chat template.* benchmark.rankers_chat=false"):
        plan_evaluation(made)
    made.benchmark.rankers_chat = False
    assert not readings(made)["rewardranker"].chat and plan_evaluation(made).benchmarks[0].chat


def test_how_rankers_read_is_what_their_training_recorded(place: Path) -> None:
    made = config(place, "humaneval")
    ranker(place, "rewardranker", "ranker")(made)
    write_record(place / "ranker", {"kind": "rewardranker", "chat": False, "max_tokens": 77})
    made.model.chat = True  # of the generator
    assert readings(made) == {"rewardranker": Reading("rewardranker", False, 77)}
    made.benchmark.rankers_chat = True
    with pytest.raises(UserError, match="rankers_chat=true asks for problems with .*training.json says .* without"):
        plan_evaluation(made)
    made.benchmark.rankers_chat = None
    made.benchmark.rankers = {"coderanker_2": str(place / "ranker")}
    with pytest.raises(UserError, match="rankers.coderanker_2 uses .* as coderanker, but .* as rewardranker"):
        plan_evaluation(made)


def without(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine that lacks a language's tools."""
    ask = plan_module.toolchain_of

    def toolchain_of(one: Any, remote: str = "") -> Toolchain:
        return Toolchain(("it",), "") if one.name == language else ask(one, remote)

    monkeypatch.setattr(plan_module, "toolchain_of", toolchain_of)


def test_a_language_that_cannot_be_judged(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without("php", monkeypatch)
    made = config(place)
    with pytest.raises(
        UserError, match="1 of the 3 .* humaneval in php lacks it; install it .*benchmark.partial=true"
    ):
        plan_evaluation(made)
    made.benchmark.partial = True
    plan = plan_evaluation(made)
    assert [one.language for one in plan.benchmarks] == ["python", "python"]
    assert plan.left_out == {"humaneval in php": "it"}
    alone = config(place, "php")
    alone.benchmark.partial = True
    with pytest.raises(UserError, match="1 of the 1"):
        plan_evaluation(alone)


def shown(made: Config) -> str:
    console = RichConsole(width=120, record=True, file=io.StringIO())
    console.print(describe_evaluation(made))
    return console.export_text()


def test_the_dry_run_shows_what_will_really_be_used(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The base style ends answers at 500 tokens, mbpp_instruct at 512; ``generation`` has no say in an endpoint."""
    without("php", monkeypatch)
    made = config(place)
    made.benchmark.partial, made.generation.max_new_tokens, made.generation.temperature = True, 505, 0.3
    (base, _) = plan_evaluation(made).benchmarks
    assert sampling_of(made, base).max_new_tokens == 500 and sampling_of(made, base).temperature == 0.3
    text = shown(made)
    assert "base " in text and "500" in text and "mbpp_3shot" in text
    assert "generation: temperature 0.3, top_k 50, top_p 1" in text
    assert "left out: humaneval in php lacks it" in text
    remote(made)
    made.endpoint.max_new_tokens, made.endpoint.temperature, made.endpoint.top_p = 600, 0.9, 0.95
    text = shown(made)
    assert "endpoint: temperature 0.9, top_k 0, top_p 0.95" in text
    assert "mbpp_instruct" in text and "512" in text and "600" in text and "0.3" not in text


def test_a_model_directory_of_a_run_is_named_after_its_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert model_name(f"{tmp_path}/04-reward-1/hf") == model_name(f"{tmp_path}/04-reward-1/hf/") == "04-reward-1"
    assert model_name("HuggingFaceTB/SmolLM2-135M") == "SmolLM2-135M"
    (tmp_path / "05-ppo-1").mkdir()
    monkeypatch.chdir(tmp_path / "05-ppo-1")
    assert model_name("hf") == "05-ppo-1"
