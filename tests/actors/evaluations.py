"""Whole evaluations in this process: real stages, networks and verdicts, with a generator that is told its answers.

Only Ray's processes are not there, and what samples: a made model's text would be noise, and no two pools of it could
be told from pools that went wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from benchmark_data import add_mbpp_row, humaneval_row
from transformers import AutoModelForSequenceClassification

from actors.pipeline import evaluate
from rewardranker.config.schema import BenchmarkSet, Config, TinyConfig
from rewardranker.generation.types import Request, Response, Sampling
from rewardranker.judge import Judge
from rewardranker.models.loading import load_tokenizer
from rewardranker.models.tiny import build_tiny_model
from rewardranker.problems.io import write_json_lines
from rewardranker.runs.console import Console
from rewardranker.training.demand import Uses
from rewardranker.training.ranks import Rank


def answer(prompt: str, seed: int) -> str:
    """Right programs, and of tests those that the seed chooses: ``f(1, x) == 1 + x`` for x from 0 to 7."""
    if "check the correctness of" in prompt:
        name = prompt.split()[-2]
        return f"{name}(1, {seed % 8}) == {1 + seed % 8}"
    if prompt.endswith("[BEGIN]"):
        name = re.findall(r"shift1[0-9]", prompt)[-1]
        return f"\ndef {name}(a):\n    return a + {name[5:]}\n[DONE]"
    return f"\n    return a + b + {seed % 2}\n\n"


@dataclass
class Here:
    """The runtime's part in one process.

    Attributes:
        sampled: every request, with the prompt's text.
    """

    config: Config
    console: Console
    cache: Path
    sampled: list[tuple[str, int]] = field(default_factory=list)

    def __enter__(self) -> Here:
        self._judge = Judge()
        self.executors = SimpleNamespace(run=self._judge.run)
        return self

    def __exit__(self, *error: object) -> None:
        self._judge.close()

    def rollouts(self, model_path: str) -> Here:
        self._tokenizer = load_tokenizer(model_path)
        return self

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[Response]:
        responses = []
        for request in requests:
            prompt = self._tokenizer.decode(request.prompt_ids)
            self.sampled.append((prompt, request.seed))
            ids = [*self._tokenizer.encode(answer(prompt, request.seed)), self._tokenizer.eos_token_id]
            responses.append(Response(ids, np.full(len(ids), -0.5, np.float32), "stop", 0))
        return responses

    def role(self, name: str, factory: Callable[..., Any], *args: Any) -> Any:
        made = factory(*args, Rank())
        return SimpleNamespace(sharded=lambda method, rows, *more: method(made, list(rows), *more))

    def retrying(
        self, what: str, work: Callable[[], Any], left: Callable[[], str], keep: Callable[[str], None]
    ) -> Any:
        return work()

    def free_roles(self) -> None:
        pass


class Place:
    """A folder with data, a generator and a ranker; runs evaluations in it."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.started: list[Here] = []
        rows = {
            "humaneval": [humaneval_row(i) for i in range(3)],
            "mbpp": [add_mbpp_row(i) for i in (2, 3, 4, 11, 12)],
        }
        for name, own in rows.items():
            write_json_lines(folder / f"{name}.jsonl", own)
        texts = [str(value) for own in rows.values() for row in own for value in row.values()]
        texts += [
            "def (# check the correctness of add0\nassert ",
            "\n[BEGIN]",
            '\n\n```python\n  """',
            " shift11 shift12",
        ]
        texts += [answer(f"check the correctness of add{i}\nassert", seed) for i in range(3) for seed in range(8)]
        texts += [answer(f"shift1{i} [BEGIN]", 0) for i in range(10)] + [answer("", 0), answer("", 1)]
        build_tiny_model(TinyConfig(32, 1, 2, 2048), folder / "model", texts, seed=0)
        scorer = AutoModelForSequenceClassification.from_pretrained(folder / "model", num_labels=1)
        scorer.save_pretrained(folder / "ranker")
        load_tokenizer(str(folder / "model")).save_pretrained(folder / "ranker")
        monkeypatch.setattr(evaluate, "Runtime", self._start)

    def _start(self, config: Config, console: Console, cache: Path, uses: Uses) -> Here:
        self.started.append(Here(config, console, cache))
        return self.started[-1]

    def config(self, *names: str) -> Config:
        made = Config()
        made.run.root, made.run.name = str(self.folder / "runs"), "e"
        made.model.path = str(self.folder / "model")
        made.benchmark.sets = [BenchmarkSet(name, str(self.folder / f"{name}.jsonl")) for name in names]
        made.benchmark.greedy = False
        made.generation.n, made.evaluation.bootstrap = 2, 50
        return made

    def evaluate(self, config: Config) -> Path:
        return evaluate.evaluate_benchmarks(config, Console())


def stage(run: Path, name: str) -> Path:
    (found,) = run.glob(f"[0-9][0-9]-{name}")
    return found


def manifest(run: Path, name: str) -> dict[str, Any]:
    return dict(json.loads((stage(run, name) / "manifest.json").read_text()))
