"""Shards on Ray: steps over them in actors; what to sample, and one shard of that, for actor pools and Ray Data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from typing import Any

import ray
from transformers import PreTrainedTokenizerBase

from actors.cluster.dispatch import dispatch
from rewardranker.config.schema import Config
from rewardranker.errors import UserError
from rewardranker.generation.candidates import Generate, requests_for, to_candidates
from rewardranker.generation.types import Sampling
from rewardranker.models.encoding import encode_prompt
from rewardranker.models.limits import Limits
from rewardranker.paths import AnyPath
from rewardranker.problems.types import Candidate, Problem
from rewardranker.runs.shards import Job, Step, make_shard
from rewardranker.training.sizes import samples_by_transformers


@dataclass(frozen=True)
class Plan:
    """What to sample: ``n`` candidates for each problem from the model in ``model_path``.

    ``source`` names the model in the candidates and is part of every request's seed, as are ``purpose`` and ``seed``.
    ``chat``: prompts are what a user says.
    """

    model_path: str
    source: str
    purpose: str
    n: int
    sampling: Sampling
    seed: int
    chat: bool

    @classmethod
    def from_config(cls, config: Config, model: AnyPath, source: str, purpose: str, n: int) -> Plan:
        g = config.generation
        sampling = Sampling(g.temperature, g.top_k, g.max_new_tokens)
        return cls(str(model), source, purpose, n, sampling, config.run.seed, config.model.chat)

    def greedy(self) -> Plan:
        """One answer for each problem, the most probable token each time."""
        return replace(self, purpose="greedy", n=1, sampling=Sampling(0.0, 0, self.sampling.max_new_tokens))


def sample_shard(
    plan: Plan, problems: Sequence[Problem], tokenizer: PreTrainedTokenizerBase, generate: Generate
) -> list[Candidate]:
    """Candidates for one shard, not judged."""
    seed = (plan.seed, plan.purpose, plan.source)
    requests = requests_for(problems, plan.n, tokenizer, plan.chat, *seed)
    responses = generate(requests, plan.sampling)
    return to_candidates(requests, responses, {p.id: p for p in problems}, tokenizer, f"gen:{plan.source}")


def require_room(config: Config, plan: Plan, problems: Sequence[Problem], tokenizer: PreTrainedTokenizerBase) -> None:
    """Raises :class:`UserError`, before the first answer is sampled, where prompts leave no room for one: an engine
    says so of a shard when it comes to it."""
    limit, setting = Limits.of_model(plan.model_path).positions, "positions of the model"
    if not samples_by_transformers(config):
        limit, setting = config.rollout.max_model_len, "rollout.max_model_len"
    # A token is a byte at least, or a blank put before, so that most need not be cut into tokens to be short.
    frame = len(encode_prompt(tokenizer, "", plan.chat)) + 1
    long = {
        problem.id: tokens
        for problem in problems
        if limit and len(problem.prompt.encode()) + frame >= limit
        if (tokens := len(encode_prompt(tokenizer, problem.prompt, plan.chat))) >= limit
    }
    if long:
        name, tokens = next(iter(long.items()))
        raise UserError(
            f"{len(long):,} of {len(problems):,} prompts leave no room for an answer ({setting}: {limit:,}); the "
            f"first, of {name}, has {tokens:,} tokens: raise it, or leave the problems out"
        )


def plan_settings(plan: Plan) -> dict[str, Any]:
    """What a stage's manifest says of a plan: the model is among its inputs, seed and chat stand beside it."""
    return {k: v for k, v in asdict(plan).items() if k not in ("model_path", "seed", "chat")}


class ShardWorker:
    """A step at work in one process. Runs as a Ray actor; holds nothing that a new one would lack."""

    def __init__(self, step: Step) -> None:
        self._step, self._open = step, ExitStack()
        self._work = self._open.enter_context(step.open())

    def make(self, job: Job) -> int:
        make_shard(self._step, self._work, job)
        return job.shard.index

    def close(self) -> None:
        self._open.close()


@dataclass(frozen=True)
class OnRay:
    """A :data:`rewardranker.runs.shards.Runner` with so many actors, on all nodes; directories are ones they share.

    Attributes:
        cpus, gpus: of an actor.
        timeout_s: within which one shard at least has to be made; else whoever is at work is replaced.
    """

    workers: int
    cpus: float = 1.0
    gpus: float = 0.0
    timeout_s: float = 3600.0

    def __call__(self, step: Step, jobs: Sequence[Job], done: Callable[[int], None]) -> None:
        actor: Any = ray.remote(ShardWorker).options(num_cpus=self.cpus, num_gpus=self.gpus)
        workers: list[Any] = [actor.remote(step) for _ in range(min(self.workers, len(jobs)))]

        def replaced(place: int, why: str) -> Any:
            ray.kill(workers[place])
            return actor.remote(step)

        try:
            dispatch(
                step.name, workers, jobs, lambda worker, job: worker.make.remote(job), replaced, self.timeout_s, done
            )
            ray.get([worker.close.remote() for worker in workers])
        finally:
            for worker in workers:
                ray.kill(worker)
