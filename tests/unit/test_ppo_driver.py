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
from actors.pipeline.turns import Turns
from rewardranker.config.loading import load_config
from rewardranker.generation.candidates import readable_candidates
from rewardranker.generation.types import Request, Response, Sampling
from rewardranker.models.batching import TokenSequence
from rewardranker.models.tiny import build_tokenizer
from rewardranker.problems.pool import read_pool
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


def logprob(version: int) -> float:
    """Of every token, by the policy after so many updates."""
    return -4 + 0.5 * version


@dataclass
class Network:
    """All roles in one: numbers that depend on the rows, and on how often it learnt.

    Attributes:
        fails: the update that raises.
    """

    loaded: list[str] = field(default_factory=list)
    updates: int = 0
    fails: int = 99

    def logprobs(self, rows: list[TokenSequence], temperature: float) -> list[np.ndarray]:
        return [np.full(len(row.response_ids), logprob(self.updates), np.float32) for row in rows]

    def values(self, rows: list[TokenSequence]) -> list[np.ndarray]:
        return [np.zeros(len(row.response_ids), np.float32) for row in rows]

    def score(self, rows: list[TokenSequence]) -> list[float]:
        return [float(len(row)) for row in rows]

    def update(self, *_: Any) -> dict[str, float]:
        self.updates += 1
        if self.updates == self.fails:
            raise RuntimeError("lost")
        return {"actor/first_ratio": 1.0}

    def save(self, directory: str) -> None:
        metrics = read_metrics(Path(directory).parents[1])
        (Path(directory) / "rows").write_text(repr([row["step"] for row in metrics]))
        (Path(directory) / "updates").write_text(str(self.updates))

    def load(self, directory: str) -> None:
        self.loaded.append(Path(directory).name)
        self.updates = int((Path(directory) / "updates").read_text())


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
    """Engines that write the same program, longer with each sample.

    Attributes:
        version: of the weights that they have.
        asked: the first request's seed of every call.
        learning: once set, it is waited for in every call but the first: until somebody learns, or gives up.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, log: list[str]) -> None:
        self._words, self._log = tokenizer.encode("return x + 1"), log
        self.version, self.asked, self.busy, self.abandoned = 0, list[int](), False, False
        self.learning: threading.Event | None = None

    def generate(self, requests: list[Request], sampling: Sampling) -> list[Response]:
        self._log.append("generate")
        self.asked.append(requests[0].seed)
        if self.learning and len(self.asked) > 1:
            self.busy = True
            assert self.learning.wait(60)
            self.learning.clear()
            self.busy = False
        texts = [self._words * (1 + i) for i in range(len(requests))]
        numbers = [np.full(len(ids), logprob(self.version), np.float32) for ids in texts]
        return [Response(ids, row, "length", self.version) for ids, row in zip(texts, numbers, strict=True)]

    def abandon(self) -> None:
        self.abandoned = True
        assert self.learning
        self.learning.set()


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

    def __post_init__(self) -> None:
        self.tokenizer = build_tokenizer(["def f(x):\n    return x + 1\n"], 64)
        self.sampler = Sampler(self.tokenizer, self.log)
        self.turns = Turns({}, shared=False)
        self.roles: dict[str, Any] = {n: Here(self.log, n) for n in ("policy", "critic", "reference", "reward")}

    def __call__(
        self, directory: Path, judge: Judge | None, *settings: str, steps: int = STEPS, stop: int = 99
    ) -> None:
        """Trains; ``stop``: the sync that fails."""
        config = load_config(None, [*SETTINGS, f"ppo.steps={steps}", *settings])
        tokenizer, roles = self.tokenizer, self.roles

        def sync(version: int) -> dict[str, float]:
            assert not self.sampler.busy, "weights are sent under a running generation"
            self.log.append("sync")
            self.versions.append(version)
            if version == stop:
                raise RuntimeError("stopped")
            self.sampler.version = version
            return {}

        known = {p.id: p for p in PROBLEMS}
        with Execution(judge or counting(), known) as execution:
            driver = PPODriver(
                config=config,
                name="ppo-1",
                problems=PROBLEMS,
                tokenizer=tokenizer,
                state=PPOState.begin(roles["policy"], roles["critic"], config.ppo.kl),
                reference=roles["reference"],
                turns=self.turns,
                reward=roles["reward"],
                readable=lambda candidates: readable_candidates(candidates, known, tokenizer, False, None),
                rollouts=self.sampler,
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


def one_step_off() -> Run:
    """A run whose engines sample ahead, and are not through before the critic has been asked to learn."""
    run = Run()
    run.sampler.learning = threading.Event()
    critic = run.roles["critic"]

    def learns(method: Callable[..., Any], shares: Sequence[Any], *args: Any) -> Pending[Any]:
        assert run.sampler.learning
        run.sampler.learning.set()
        return Here.submit_each(critic, method, shares, *args)

    critic.submit_each = learns
    return run


AHEAD = "rollout.mode=one_step_off"


def test_the_next_samples_are_drawn_while_a_step_learns_and_are_one_version_old(tmp_path: Path) -> None:
    """By hand: a token's log-probability rises by 0.5 with each update, so those of the version before weigh e^0.5
    = 1.648721, or the cap of 1.5. Between equal versions, in the first step, engine and trainer agree."""
    run = one_step_off()
    run(tmp_path / "free", None, AHEAD)
    assert run.versions == [1, 2, 3, 4] and len(run.sampler.asked) == len(set(run.sampler.asked)) == STEPS
    first, *later = rows(tmp_path / "free")
    assert first["rollout/logprob_gap_max"] == 0 and not {"rollout/staleness"} & first.keys()
    for row in later:
        assert not any("gap" in name for name in row)
        assert (row["rollout/staleness"], row["rollout/is_weight_truncated"]) == (1, 0)
        assert row["rollout/is_weight_mean"] == pytest.approx(1.648721)
    one_step_off()(tmp_path / "capped", None, AHEAD, "ppo.importance_cap=1.5")
    capped = rows(tmp_path / "capped")[1:]
    assert [row["rollout/is_weight_truncated"] for row in capped] == [1, 1, 1]
    assert [row["rollout/is_weight_mean"] for row in capped] == pytest.approx([1.5] * 3)
    in_turn = Run()
    in_turn(tmp_path / "sync", None)
    assert in_turn.sampler.asked == run.sampler.asked  # the same prompts and seeds in both
    assert not any("is_weight" in name or "stale" in name for row in rows(tmp_path / "sync") for name in row)


def test_a_checkpoint_holds_the_samples_that_were_drawn_ahead(tmp_path: Path) -> None:
    whole, cut, run = tmp_path / "whole", tmp_path / "cut", one_step_off()
    run(whole, None, AHEAD)
    with pytest.raises(RuntimeError, match="stopped"):
        one_step_off()(cut, None, AHEAD, stop=4)
    drawn = read_pool(cut / "checkpoints/step-000002/drawn.parquet")
    assert {candidate.weights_version for candidate in drawn} == {1}
    judge, resumed = counting(), one_step_off()
    resumed.sampler.asked.append(run.sampler.asked[2])  # not asked for again
    for _ in range(2):
        judge([])
    resumed(cut, judge, AHEAD)
    assert resumed.loaded == ["step-000002"] and resumed.versions == [2, 3, 4]
    assert resumed.sampler.asked == run.sampler.asked[2:]
    assert rows(cut) == rows(whole)


def test_a_run_that_ends_early_leaves_nobody_sampling(tmp_path: Path) -> None:
    run = one_step_off()
    run.roles["critic"].submit_each = run.roles["policy"].submit_each  # nobody tells the engines to come to an end
    run.roles["policy"].role.fails = 1
    with pytest.raises(RuntimeError, match="lost"):
        run(tmp_path, None, AHEAD)
    assert run.sampler.abandoned and not run.sampler.busy and run.versions == []


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
