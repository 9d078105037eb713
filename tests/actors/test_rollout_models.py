"""Where rollout engines get a model from: a directory or the hub, and only where they do not hold it already."""

from __future__ import annotations

import shutil
from pathlib import Path

import huggingface_hub
import pytest
import torch

from actors.pipeline.runtime import Runtime
from actors.rollout.worker import checkpoint_tensors
from rewardranker.config.schema import Config
from rewardranker.errors import UserError
from rewardranker.generation.types import Request, Sampling
from rewardranker.models.loading import copy_model
from rewardranker.runs.console import Console


def test_a_model_is_loaded_once_and_another_one_when_it_is_asked_for(
    ray_local: None, models: list[str], tmp_path: Path
) -> None:
    """The first model's directory is gone by the time it is asked for again: only who reads it anew notices."""
    first = tmp_path / "first"
    shutil.copytree(models[0], first)
    config = Config()
    config.rollout.engine, config.rollout.cpus_per_worker = "transformers", 0.25
    runtime = Runtime(config, Console())
    requests, sampling = [Request("p", (2, 5, 9), seed=i) for i in range(8)], Sampling(max_new_tokens=10)
    try:
        born = [r.token_ids for r in runtime.rollouts(str(first)).generate(requests, sampling)]
        first.rename(tmp_path / "elsewhere")
        assert [r.token_ids for r in runtime.rollouts(str(first)).generate(requests, sampling)] == born
        assert [r.token_ids for r in runtime.rollouts(models[1]).generate(requests, sampling)] != born
        with pytest.raises(UserError, match="could not be fetched from the hub"):
            runtime.rollouts(str(first))
        (tmp_path / "elsewhere").rename(first)
        assert [r.token_ids for r in runtime.rollouts(str(first)).generate(requests, sampling)] == born
    finally:
        runtime.stop_workers()


def test_a_name_on_the_hub_is_downloaded(models: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def download(name: str, allow_patterns: list[str]) -> str:
        asked.append((name, allow_patterns))
        return models[0]

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    found, there = dict(checkpoint_tensors("owner/name")), dict(checkpoint_tensors(models[0]))
    ((name, patterns),) = asked
    assert name == "owner/name" and {"*.json", "*.jinja", "model*.safetensors"} < set(patterns)
    assert found.keys() == there.keys() and len(found) > 5
    assert all(torch.equal(found[name], there[name]) for name in found)


def test_a_copy_of_a_model_is_whole_also_where_one_was_cut_off(models: list[str], tmp_path: Path) -> None:
    """Whatever form the weights have; folders beside them, such as checkpoints, are not the model's."""
    source, copy = tmp_path / "source", tmp_path / "copy"
    shutil.copytree(models[0], source)
    (source / "pytorch_model.bin").write_bytes(b"weights")
    (source / "checkpoints").mkdir()
    copy.mkdir()
    (copy / "config.json").write_text("{")
    copy_model(source, copy)
    files = {file.name: file.read_bytes() for file in source.iterdir() if file.is_file()}
    assert {file.name: file.read_bytes() for file in copy.iterdir()} == files and "pytorch_model.bin" in files


def test_what_cannot_be_had_is_said(models: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(name: str, allow_patterns: list[str]) -> str:
        raise OSError("no network\nand much more")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", offline)
    with pytest.raises(UserError, match="model owner/name could not be fetched from the hub: no network$"):
        list(checkpoint_tensors("owner/name"))
    shutil.copy(Path(models[0]) / "config.json", tmp_path)
    with pytest.raises(UserError, match="holds no .*safetensors"):
        list(checkpoint_tensors(str(tmp_path)))
