"""Executor actors: judging programs side by side, away from the training processes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ray

from actors.cluster.dispatch import chunked, dispatch
from rewardranker.config.schema import JudgeConfig
from rewardranker.judge import Judge, VerdictCache
from rewardranker.problems.types import Problem
from rewardranker.problems.verdict import Judgement
from rewardranker.runs.console import Advance

CHUNK = 64
#: A program may be run three times over: once in its turn, and alone where the first result is in doubt.
RUNS = 3
Item = tuple[Problem, str]


class Executor:
    """One judge in one process. Runs as a Ray actor; holds nothing that a new one would lack."""

    def __init__(self, cache: str, minimum_tier: str, remote: str) -> None:
        self._fresh = Judge(workers=1, minimum_tier=minimum_tier, remote=remote)
        known = VerdictCache(Path(cache)) if cache else None
        self._judge = Judge(1, known, minimum_tier, remote=remote) if known else self._fresh

    def run(self, items: list[Item], fresh: bool) -> list[Judgement]:
        return (self._fresh if fresh else self._judge).run(items)


class ExecutorPool:
    """A judge made of ``config.executors`` actors; ``lost`` is told of each that is about to be replaced."""

    def __init__(
        self, config: JudgeConfig, cache: Path | None, lost: Callable[[str], None] = lambda why: None
    ) -> None:
        self._config, self._lost = config, lost
        self._cache = str(cache) if cache and config.cache else ""
        self._workers = [self._start() for _ in range(config.executors)]

    def _start(self) -> Any:
        options = {"num_cpus": self._config.cpus_per_executor}
        judge = self._config.minimum_tier, self._config.remote_url
        return ray.remote(Executor).options(**options).remote(self._cache, *judge)

    def _replace(self, place: int, why: str) -> Any:
        self._lost(why)
        ray.kill(self._workers[place])
        return self._start()

    def run(
        self,
        items: Sequence[Item],
        advance: Advance | None = None,
        fresh: bool = False,
    ) -> list[Judgement]:
        """Judges whole programs; results in the order of the items.

        Args:
            advance: called with the number of programs judged by each finished chunk.
            fresh: run them, whatever the cache says.
        """
        distinct = list(dict.fromkeys((problem.id, code) for problem, code in items))
        by_id = {problem.id: problem for problem, _ in items}
        judgements: list[Judgement] = []
        parts = dispatch(
            "judge",
            self._workers,
            chunked([(by_id[problem_id], code) for problem_id, code in distinct], CHUNK),
            lambda worker, chunk: worker.run.remote(chunk, fresh),
            self._replace,
            60.0 + RUNS * CHUNK * max((problem.limits.wall_s for problem, _ in items), default=0.0),
            (lambda part: advance(len(part))) if advance else None,
        )
        for part in parts:
            judgements.extend(part)
        known = dict(zip(distinct, judgements, strict=True))
        return [known[problem.id, code] for problem, code in items]

    def shutdown(self) -> None:
        for worker in self._workers:
            ray.kill(worker)
