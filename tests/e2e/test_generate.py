"""`generate` as a person runs it: interrupted in the middle, and gone on with."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest
from cycle_runs import interrupted_at, run

from rewardranker.config.schema import DataConfig, FamilyConfig, TinyConfig
from rewardranker.models.tiny import build_tiny_model
from rewardranker.problems.family import family_corpus, family_corpus_texts
from rewardranker.problems.io import write_problems
from rewardranker.problems.pool import read_pool

FAMILY = FamilyConfig(train_problems=30, validation_problems=1, test_problems=1)
SETTINGS = ["generation.n=3", "generation.max_new_tokens=24", "generation.prompts_per_shard=1"]


def kept(out: Path) -> list[Path]:
    return sorted(out.parent.glob(f"{out.name}.*.shards/*.parquet"))


@pytest.mark.slow
def test_what_was_interrupted_goes_on_and_says_the_same_wherever_the_model_lies(tmp_path: Path) -> None:
    model, moved, problems = tmp_path / "model", tmp_path / "elsewhere" / "model", tmp_path / "problems.jsonl"
    build_tiny_model(TinyConfig(), model, family_corpus_texts(), 0)
    shutil.copytree(model, moved)
    write_problems(problems, family_corpus(DataConfig(family=FAMILY), 0).problems)
    whole, resumed = tmp_path / "whole.parquet", tmp_path / "resumed.parquet"

    def asked(model: Path, out: Path) -> list[str]:
        return ["generate", "--model", str(model), "--problems", str(problems), "--out", str(out), *SETTINGS]

    done = run(*asked(moved, whole))
    assert done.returncode == 0 and "96 candidates of 32 problems" in done.stdout and not kept(whole), done.stdout
    said = interrupted_at(lambda: len(kept(resumed)) > 1, signal.SIGINT, *asked(model, resumed))
    assert "The same command goes on" in said
    there = len(kept(resumed))
    assert 1 <= there < 32 and not resumed.exists()
    again = run(*asked(model, resumed))
    assert f"{there} of 32 shards are there already" in again.stdout and not kept(resumed), again.stdout
    expected, found = ([(c.problem_id, c.text, c.seed) for c in read_pool(out)] for out in (whole, resumed))
    assert found == expected
