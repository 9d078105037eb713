"""What makes a stage another stage, and what is only how it is done."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any, cast

import pytest
from judging import problem
from rich.console import Console as RichConsole

from actors.pipeline import candidates
from actors.pipeline.candidates import check_toolchains
from actors.pipeline.context import Context
from actors.pipeline.runtime import Runtime
from actors.pipeline.shards import Plan
from actors.pipeline.stages.evaluation import run_evaluation
from actors.pipeline.stages.mining import run_first_triplets, run_mining, run_pool
from actors.pipeline.stages.training import run_ppo
from rewardranker.config.loading import load_config
from rewardranker.errors import UserError
from rewardranker.judge import judge_fingerprint
from rewardranker.problems.io import write_problems
from rewardranker.runs.console import Console
from rewardranker.runs.directory import RunDirectory, Stage


class Settings:
    """A run directory that remembers what stages are to be told apart by, and does none."""

    def stage(self, name: str, settings: Mapping[str, Any], inputs: Mapping[str, Path], work: object) -> Path:
        self.found = json.loads(json.dumps(settings))
        return Path(name)


def context(data: Path, *overrides: str) -> tuple[Context, Settings]:
    run = Settings()
    config = load_config(None, [f"run.root={data}", *overrides])
    return Context(config, cast(RunDirectory, run), cast(Runtime, None), Console(), data), run


def pool(context: Context, directory: Path) -> None:
    run_pool(
        context,
        "pool",
        context.split("train"),
        Plan.from_config(context.config, directory, "sft", "validation", 1).greedy(),
    )


@pytest.mark.parametrize(
    "stage",
    [
        run_first_triplets,
        pool,
        lambda context, path: run_mining(context, "mine-2", 2, ["hardnegatives"], path, path),
        lambda context, path: run_evaluation(context, {"sft": path}, {}, {}),
    ],
    ids=["triplets", "pool", "mining", "evaluation"],
)
def test_a_stage_names_the_judges_of_the_languages_that_it_judges(
    stage: Callable[[Context, Path], object], tmp_path: Path
) -> None:
    tasks = [
        problem(id=f"{language} {split}", language=language, split=split)
        for language in ("java", "php")
        for split in ("train", "test")
    ]
    write_problems(tmp_path / "problems.jsonl", tasks)
    made, run = context(tmp_path)
    stage(made, tmp_path)
    judges = run.found.get("judge") or run.found["plan"]["judge"]
    assert judges == {language: judge_fingerprint(language) for language in ("java", "php")}


def test_ppo_one_step_off_is_another_stage_than_in_turn_and_a_resumed_run_says_so(tmp_path: Path) -> None:
    said: list[str] = []

    def run(mode: str, work: Callable[[Stage], None]) -> None:
        made, told = context(tmp_path, f"rollout.mode={mode}")
        run_ppo(made, "ppo-1", tmp_path, tmp_path)
        directory = RunDirectory(made.config, said.append)
        try:
            directory.stage("ppo-1", told.found, {}, work)
        finally:
            directory.close()

    def cut_off(stage: Stage) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        run("one_step_off", cut_off)
    run("sync", lambda stage: None)
    run("one_step_off", lambda stage: None)
    begins, _, again, *_ = said
    assert "begins anew, what was left unfinished is of other settings" in begins
    assert begins.endswith(": setting rollout_mode one_step_off -> sync")
    assert "runs again, changed: setting rollout_mode sync -> one_step_off" in again


def test_a_larger_cluster_does_no_stage_again(tmp_path: Path) -> None:
    """Ranks and workers are how a stage is done; another seed is another stage."""
    more = ["cluster.ranks=4", "cluster.role_ranks.policy=8", "rollout.workers=3", "judge.executors=7"]
    settings = [context(tmp_path, *overrides)[0].settings("ppo") for overrides in ([], more, ["run.seed=1"])]
    assert settings[0] == settings[1] != settings[2]


def test_lora_of_a_role_is_a_setting_of_the_stages_that_train_it(tmp_path: Path) -> None:
    """And of no other; where it is off, nothing tells of it."""

    def of(*overrides: str) -> list[Mapping[str, Any]]:
        made, _ = context(tmp_path, *overrides)
        return [made.settings("ppo", **made.adapted("policy", "critic")), made.settings("sft", **made.adapted("sft"))]

    plain = of()
    assert "lora" not in str(plain)
    critic, whole = of("engine.lora.rank=8", "engine.lora.role_ranks.sft=0", "engine.lora.dropout=0.1"), of()
    assert set(critic[0]["lora"]) == {"policy", "critic"} and critic[0]["lora"]["critic"]["dropout"] == 0
    assert critic[1] == plain[1] == whole[1]


def test_languages_that_cannot_be_run_are_named_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything trains; of a cluster that is joined nothing is known here, and nothing refused."""
    found = [replace(problem(), id=language, language=language) for language in ("cpp", "java", "python")]
    write_problems(tmp_path / "problems.jsonl", found)
    monkeypatch.setattr(candidates, "missing_tools", lambda language, _: ("javac",) if language == "java" else ())
    with pytest.raises(UserError, match=r"java lacks javac\. .*data.options.languages=\[cpp,python\]"):
        check_toolchains(context(tmp_path)[0])
    joined, _ = context(tmp_path, "cluster.address=auto")
    said = StringIO()
    joined.console = Console(RichConsole(file=said, width=400))
    check_toolchains(joined)
    assert "java lacks javac" in said.getvalue() and "Other nodes were not asked" in said.getvalue()
