"""Rollouts are executed beside the training: no step waits for its pass rate, and no row is written without it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from rewardranker.judge import JudgeFunction, judge_candidates
from rewardranker.problems.pool import judged_of
from rewardranker.problems.types import Candidate, Problem

Metrics = dict[str, float]


class Execution:
    """Executes one batch after the other in a thread of its own, while the context lasts."""

    def __init__(self, judge: JudgeFunction, problems: Mapping[str, Problem]) -> None:
        self._judge, self._problems = judge, problems
        self._thread = ThreadPoolExecutor(1)

    def submit(self, candidates: list[Candidate]) -> Future[Metrics]:
        """The pass rate of candidates, where any could be judged, and the time that it took."""
        return self._thread.submit(self._execute, candidates)

    def _execute(self, candidates: list[Candidate]) -> Metrics:
        begun = time.monotonic()
        judge_candidates(candidates, self._problems, self._judge)
        passed = [c.verdict == "OK" for c in judged_of(candidates)]
        rate = {"rollout/pass_rate": float(np.mean(passed))} if passed else {}
        return rate | {"timing_s/execute": time.monotonic() - begun}

    def __enter__(self) -> Execution:
        return self

    def __exit__(self, *_: object) -> None:
        # What has not begun is left out; the rest is waited for, since it must not outlive the executors.
        self._thread.shutdown(cancel_futures=True)


class StepRows:
    """Rows of metrics, written in the order of the steps, each when all of it is known."""

    def __init__(self, write: Callable[[int, Metrics], None]) -> None:
        self._write = write
        self._held: deque[tuple[int, Metrics, Future[Metrics] | None]] = deque()
        self._pass_rate: float | None = None

    def add(self, step: int, metrics: Metrics, executed: Future[Metrics] | None) -> None:
        """Takes a step's row, and writes those of which nothing is missing."""
        self._held.append((step, metrics, executed))
        while self._held and ((late := self._held[0][2]) is None or late.done()):
            self._write_first()

    def finish(self) -> None:
        """Waits for what is missing, and writes all rows."""
        while self._held:
            self._write_first()

    def note(self, metrics: Metrics) -> str:
        """For people: how the step went, and the newest pass rate that is known."""
        note = f"score {metrics['critic/score/mean']:+.2f}  KL {metrics['kl/sequence']:.2f}"
        return note if self._pass_rate is None else f"{note}  pass {self._pass_rate:.2f}"

    def _write_first(self) -> None:
        step, metrics, executed = self._held.popleft()
        late = executed.result() if executed else {}
        self._pass_rate = late.get("rollout/pass_rate", self._pass_rate)
        self._write(step, metrics | late)
