"""The PPO loop over fakes of those it drives: who is asked when, and which row gets which pass rate."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import PreTrainedTokenizerBase

from actors.cluster.group import Pending
from actors.pipeline.ppo.driver import PPODriver
from actors.pipeline.ppo.execution import Execution, StepRows
from actors.pipeline.ppo.state import PPOState
from rewardranker.config.loading import load_config
from rewardranker.generation.types import Request, Response, Sampling
from rewardranker.models.batching import TokenSequence
from rewardranker.models.tiny import build_tokenizer
from rewardranker.problems.types import Candidate, Problem
from rewardranker.problems.verdict import Judgement, Verdict
from rewardranker.runs.metrics import read_metrics

STEPS = 4
SETTINGS = (
    f"ppo.steps={STEPS}",
    "ppo.prompts_per_step=2",
    "ppo.samples_per_prompt=2",
    "ppo.minibatch_size=4",
    "ppo.checkpoint_every=2",
)
PROBLEM = Problem(
    id="p", language="python", prompt="def f(x):\n", entry_point="f", style="program", tests=(), split="train"
)
PROBLEMS = [replace(PROBLEM, id=f"p{i}", group_id=f"p{i}") for i in range(6)]
Judge = Callable[[Sequence[tuple[Problem, str]]], list[Judgement]]


@dataclass
class Network:
    """All roles in one: numbers that depend on the rows alone."""

    loaded: list[str] = field(default_factory=list)

    def logprobs(self, rows: list[TokenSequence], temperature: float) -> list[np.ndarray]:
        return [np.full(len(row.response_ids), -1.0, np.float32) for row in rows]

    def values(self, rows: list[TokenSequence]) -> list[np.ndarray]:
        return [np.zeros(len(row.response_ids), np.float32) for row in rows]

    def score(self, rows: list[TokenSequence]) -> list[float]:
        return [float(len(row)) for row in rows]

    def update(self, *_: Any) -> dict[str, float]:
        return {"actor/first_ratio": 1.0}

    def save(self, directory: str) -> None:
        metrics = read_metrics(Path(directory).parents[1])
        (Path(directory) / "rows").write_text(repr([row["step"] for row in metrics]))

    def load(self, directory: str) -> None:
        self.loaded.append(Path(directory).name)


class Here:
    """A role in this process, which tells when it was asked and when somebody waited."""

    world = 1

    def __init__(self, log: list[str], name: str) -> None:
        self.role, self._log, self._name = Network(), log, name

    def submit_all(self, method: Callable[..., Any], *args: Any) -> Pending[Any]:
        what = f"{self._name}.{method.__name__}"
        self._log.append(f"ask {what}")

        def answer() -> list[Any]:
            self._log.append(f"wait {what}")
            return [getattr(self.role, method.__name__)(*args)]

        return Pending(answer)

    def submit_each(self, method: Callable[..., Any], shares: Sequence[Any], *args: Any) -> Pending[Any]:
        return self.submit_all(method, shares[0], *args)

    def submit_rows(self, method: Callable[..., Any], *args: Any) -> Pending[Any]:
        whole = self.submit_all(method, *args)
        return Pending(lambda: whole.get()[0])

    def all(self, method: Callable[..., Any], *args: Any) -> list[Any]:
        found: list[Any] = self.submit_all(method, *args).get()
        return found


class Sampler:
    """Engines that write the same program, longer with each sample."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, log: list[str]) -> None:
        self._words, self._log = tokenizer.encode("return x + 1"), log

    def generate(self, requests: list[Request], sampling: Sampling) -> list[Response]:
        self._log.append("generate")
        texts = [self._words * (1 + i) for i in range(len(requests))]
        return [Response(ids, np.full(len(ids), -1.0, np.float32), "length", 0) for ids in texts]


def right(count: int, items: Sequence[Any]) -> list[Judgement]:
    """The first ``count`` programs are right."""
    return [Judgement(Verdict.OK if i < count else Verdict.WRONG) for i in range(len(items))]


def counting() -> Judge:
    """Judges one program more right in every step."""
    asked: list[int] = []

    def judge(items: Sequence[Any]) -> list[Judgement]:
        asked.append(1)
        return right(len(asked) - 1, items)

    return judge


@dataclass
class Run:
    log: list[str] = field(default_factory=list)
    versions: list[int] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)

    def __call__(self, directory: Path, judge: Judge | None, steps: int = STEPS, stop: int = 99) -> None:
        """Trains; ``stop``: the sync that fails."""
        config = load_config(None, [*SETTINGS, f"ppo.steps={steps}"])
        tokenizer = build_tokenizer(["def f(x):\n    return x + 1\n"], 64)
        roles: dict[str, Any] = {n: Here(self.log, n) for n in ("policy", "critic", "reference", "reward")}

        def sync(version: int) -> dict[str, float]:
            self.log.append("sync")
            self.versions.append(version)
            if version == stop:
                raise RuntimeError("stopped")
            return {}

        with Execution(judge or counting(), {p.id: p for p in PROBLEMS}) as execution:
            driver = PPODriver(
                config=config,
                name="ppo-1",
                problems=PROBLEMS,
                tokenizer=tokenizer,
                state=PPOState.begin(roles["policy"], roles["critic"], config.ppo.kl),
                reference=roles["reference"],
                reward=roles["reward"],
                rollouts=Sampler(tokenizer, self.log),
                execution=execution,
                sync=sync,
                warn=self.log.append,
            )
            driver.run(directory, lambda count=1, note="", *, before=False: None)
        self.loaded = roles["policy"].role.loaded


def rows(directory: Path) -> list[dict[str, float]]:
    measured = ("timing_s/", "perf/")
    return [{k: v for k, v in row.items() if not k.startswith(measured)} for row in read_metrics(directory)]


def test_what_is_independent_is_asked_before_anything_is_waited_for(tmp_path: Path) -> None:
    run = Run()
    run(tmp_path, None, steps=1)
    inferred = ["reward.score", "reference.logprobs", "policy.logprobs", "critic.values"]
    first, second = run.log.index("wait reward.score"), run.log.index("ask critic.update")
    assert run.log[:first] == ["generate", *[f"ask {what}" for what in inferred]]
    assert sorted(run.log[first:second]) == sorted(f"wait {what}" for what in inferred)
    assert run.log[second:] == [
        "ask critic.update",
        "ask policy.update",
        "wait critic.update",
        "wait policy.update",
        "sync",
    ]


def test_no_step_waits_for_programs_and_every_row_has_its_own_pass_rate(tmp_path: Path) -> None:
    """The programs of the first step are executed when the last one before the checkpoint is through."""
    run, judge, late = Run(), counting(), []

    def slow(items: Sequence[Any]) -> list[Judgement]:
        if not late:
            waited = threading.Event()
            for _ in range(600):
                if run.versions[-1:] == [2]:
                    break
                waited.wait(0.05)
            late.append(run.versions[-1:] == [2])
        return judge(items)

    run(tmp_path, slow)
    assert late == [True]
    assert run.versions == [1, 2, 3, 4]
    found = rows(tmp_path)
    assert [row["step"] for row in found] == [0, 1, 2, 3]
    assert [row["rollout/pass_rate"] for row in found] == [0.0, 0.25, 0.5, 0.75]


def test_a_checkpoint_has_all_rows_before_it_and_a_resumed_run_the_rows_of_a_whole_one(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    Run()(whole, None)
    with pytest.raises(RuntimeError, match="stopped"):
        Run()(cut, None, stop=4)
    assert (cut / "checkpoints/step-000002/rows").read_text() == "[0, 1]"
    judge, resumed = counting(), Run()
    for _ in range(2):
        judge([])
    resumed(cut, judge)
    assert resumed.loaded == ["step-000002"] and resumed.versions == [2, 3, 4]
    assert rows(cut) == rows(whole)


def test_a_judge_that_fails_ends_the_run(tmp_path: Path) -> None:
    def broken(items: Sequence[Any]) -> list[Judgement]:
        raise ValueError("no sandbox")

    with pytest.raises(ValueError, match="no sandbox"):
        Run()(tmp_path, broken)


def test_what_could_not_be_judged_is_in_no_pass_rate() -> None:
    verdicts = {"a\n": Verdict.OK, "b\n": Verdict.WRONG, "c\n": Verdict.INFRA, "d\n": Verdict.TIMEOUT}

    def judge(items: Sequence[tuple[Problem, str]]) -> list[Judgement]:
        return [Judgement(verdicts[code]) for _, code in items]

    pool = [Candidate("p", "python", code, code, "gen") for code in verdicts]
    with Execution(judge, {"p": PROBLEM}) as execution:
        some, none = execution.submit(pool).result(), execution.submit(pool[2:3]).result()
    assert some["rollout/pass_rate"] == 1 / 3 and none.keys() == {"timing_s/execute"}


def test_rows_without_programs_are_written_at_once() -> None:
    written: list[int] = []
    held = StepRows(lambda step, metrics: written.append(step))
    held.add(0, {"critic/score/mean": 1.0}, None)
    assert written == [0]
