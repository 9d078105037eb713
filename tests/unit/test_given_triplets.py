"""A cycle whose first triplets are those that ``rewardranker triplets`` left: never held whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import cast

import pytest
from rich.console import Console as RichConsole

from actors.pipeline.context import Context
from actors.pipeline.runtime import Runtime
from actors.pipeline.stages.data import build_data
from actors.pipeline.stages.mining import run_first_triplets
from actors.pipeline.stages.training import TripletFiles, _compared
from rewardranker.commands.triplets import TripletsRequest, run_triplets
from rewardranker.config.loading import load_config
from rewardranker.errors import UserError
from rewardranker.runs.console import Console
from rewardranker.runs.directory import RunDirectory
from rewardranker.runs.shards import counts_in
from rewardranker.training.corpus import Corpus

SOURCE = [
    "data.source=made_contests",
    "data.options.made=6",
    "data.options.made_held_out=2",
    "model.tiny.max_positions=900",
]


class NoWorkers:
    """A runtime for stages that need none."""

    def retrying(self, name: str, work: Callable[[], None], *more: object) -> None:
        work()

    def free_roles(self) -> None: ...


def told() -> tuple[Console, StringIO]:
    said = StringIO()
    return Console(RichConsole(file=said, width=300)), said


@pytest.fixture
def given(tmp_path: Path) -> tuple[Context, Path, StringIO]:
    """A run with its data, and triplets of the same source, in its model's tokens."""
    console, said = told()
    out = tmp_path / "cf"
    config = load_config(
        None,
        [*SOURCE, f"run.root={tmp_path}", f"data.triplets={out}", "ppo.prompts_per_step=4", "ppo.minibatch_size=32"],
    )
    run = RunDirectory(config, console.say)
    context = Context(config, run, cast(Runtime, NoWorkers()), console, build_data(config, run))
    model = load_config(None, [*SOURCE, f"model.path={context.base_model}"])
    run_triplets(TripletsRequest(out, labels="given", workers=1), model, told()[0])
    return context, out, said


def test_they_are_counted_and_their_tokens_are_taken_as_they_are(given: tuple[Context, Path, StringIO]) -> None:
    context, out, said = given
    found = run_first_triplets(context, Path("none"))
    total = sum(n for name, n in counts_in(out / "triplets").items() if name.startswith("triplets: "))
    (manifest,) = context.run.path.glob("*-triplets-1/manifest.json")
    metrics = json.loads(manifest.read_text())["metrics"]
    assert found == out / "triplets" and metrics["triplets"] == total == len(Corpus(out / "corpus"))
    assert sum(metrics[f"triplets/{language}"] for language in ("cpp", "java", "python")) == total
    corpus, old = _compared(context, TripletFiles((found,)), context.run.path / "corpus")
    assert old == len(corpus) == total and "tokenise: 1 of 1 shards are there already" in said.getvalue()
    assert corpus[0] == Corpus(out / "corpus")[0]
    context.config.reward.max_tokens = 300  # what is left beside them is of other pairs then
    before = (out / "corpus" / "shard-00000.arrow").read_bytes()
    shorter, _ = _compared(context, TripletFiles((found,)), context.run.path / "other")
    assert len(shorter) < total and (out / "corpus" / "shard-00000.arrow").read_bytes() == before


def test_what_is_held_out_is_refused(given: tuple[Context, Path, StringIO]) -> None:
    context, _, _ = given
    name, one = next((name, one) for name, one in context.problems.items() if one.split == "train")
    context.problems[name] = replace(one, id="another name of it", split="test")
    with pytest.raises(UserError, match="belongs to the validation or test split of this run"):
        run_first_triplets(context, Path("none"))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ([], "holds no triplets/: give the directory"),
        (
            ["data.instruction=In {language}."],
            "with data.instruction: prompts of these triplets have no such last line",
        ),
    ],
)
def test_what_cannot_be_meant_is_said(tmp_path: Path, more: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        config = load_config(None, [f"data.triplets={tmp_path}", *more])
        context = Context(config, cast(RunDirectory, None), cast(Runtime, NoWorkers()), told()[0], tmp_path)
        run_first_triplets(context, Path("none"))
