"""The PPO loop: what the driver does at every step, from prompts to new weights in the rollout engines."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from transformers import PreTrainedTokenizerBase

from actors.cluster.group import RoleGroup
from actors.pipeline.ppo_checks import check_first_minibatch, logprob_gap
from actors.rollout.pool import RolloutPool
from rewardranker.config.schema import Config
from rewardranker.generation.candidates import judge_candidates, requests_for, score_all, to_candidates
from rewardranker.generation.types import Sampling
from rewardranker.judge import JudgeFunction
from rewardranker.models.batching import TokenSequence
from rewardranker.models.limits import Limits
from rewardranker.problems.types import Candidate, Problem
from rewardranker.runs.atomic import write_json
from rewardranker.runs.seeds import derive_seed
from rewardranker.training.ppo.experience import build_experience, minibatch_plan
from rewardranker.training.ppo.kl import KLController
from rewardranker.training.ppo.rewards import RunningMoments

SCORE = "reward_model"


class Sync(Protocol):
    def __call__(self, version: int) -> dict[str, float]: ...


@dataclass
class PPODriver:
    """One PPO run. ``critic`` is ``None`` for the estimators that need none; ``limits`` are the reward model's."""

    config: Config
    name: str
    problems: Sequence[Problem]
    tokenizer: PreTrainedTokenizerBase
    policy: RoleGroup
    reference: RoleGroup
    critic: RoleGroup | None
    reward: RoleGroup
    rollouts: RolloutPool
    judge: JudgeFunction
    sync: Sync
    warn: Callable[[str], None]
    limits: Limits | None = None
    timings: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.kl = KLController.from_config(self.config.ppo.kl)
        self.moments = RunningMoments()

    def step(self, step: int) -> dict[str, float]:
        """Samples, scores, estimates advantages, updates critic and policy, and sends the weights out."""
        ppo, begun = self.config.ppo, time.monotonic()
        with self._timed("gen"):
            candidates, sequences = self._rollout(step)
        with self._timed("reward"):
            by_id = {p.id: p for p in self.problems}
            read = (partial(self.reward.sharded, "score"), self.tokenizer, self.config.model.chat, SCORE, self.limits)
            score_all(candidates, by_id, *read, self.warn)
        with self._timed("execute"):
            passed = self._execute(candidates, by_id)
        with self._timed("logprobs"):
            old = self.policy.sharded("logprobs", sequences, ppo.temperature)
            ref = self.reference.sharded("logprobs", sequences, ppo.temperature)
            values = self.critic.sharded("values", sequences) if self.critic else None
        gap = logprob_gap([c.logprobs for c in candidates], old, ppo, self.warn)
        experience, metrics = build_experience(
            sequences,
            torch.tensor([c.scores[SCORE] for c in candidates]),
            torch.tensor([c.finish_reason == "stop" for c in candidates]),
            old,
            ref,
            values,
            self.moments,
            self.kl.coef,
            ppo,
        )
        seed = derive_seed(self.config.run.seed, self.name, "minibatches", step)
        plan = minibatch_plan(len(sequences), ppo.minibatch_size, ppo.inner_epochs, seed)
        with self._timed("update_critic"):
            if self.critic:
                metrics |= self.critic.all("update", experience, plan, ppo)[0]
        with self._timed("update_actor"):
            if step >= ppo.critic_warmup_steps:
                metrics |= self.policy.all("update", experience, plan, ppo)[0]
                check_first_minibatch(step, metrics, self.config.model.dtype)
        self.kl.update(metrics["kl/sequence"], len(sequences))
        with self._timed("sync"):
            metrics |= self.sync(step + 1)
        tokens = sum(len(s.response_ids) for s in sequences)
        metrics |= {**passed, **gap, **self.timings, "perf/throughput": tokens / (time.monotonic() - begun)}
        return metrics

    def _rollout(self, step: int) -> tuple[list[Candidate], list[TokenSequence]]:
        ppo, seed = self.config.ppo, self.config.run.seed
        rng = np.random.default_rng(derive_seed(seed, self.name, "prompts", step))
        order = rng.choice(len(self.problems), ppo.prompts_per_step, replace=False)
        chosen = [self.problems[i] for i in order]
        chat = self.config.model.chat
        requests = requests_for(chosen, ppo.samples_per_prompt, self.tokenizer, chat, seed, self.name, step)
        sampling = Sampling(ppo.temperature, ppo.top_k, ppo.max_new_tokens)
        responses = self.rollouts.generate(requests, sampling)
        by_id = {p.id: p for p in chosen}
        candidates = to_candidates(requests, responses, by_id, self.tokenizer, self.name)
        pairs = zip(requests, responses, strict=True)
        return candidates, [TokenSequence(q.prompt_ids, tuple(r.token_ids)) for q, r in pairs]

    def _execute(self, candidates: list[Candidate], problems: dict[str, Problem]) -> dict[str, float]:
        if not self.config.ppo.execute_rollouts:
            return {}
        judge_candidates(candidates, problems, self.judge)
        return {"rollout/pass_rate": float(np.mean([c.verdict == "OK" for c in candidates]))}

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self.timings[f"timing_s/{name}"] = time.monotonic() - begun

    def save(self, directory: Path) -> None:
        """Everything that the next step depends on."""
        for role in (self.policy, self.critic):
            if role:
                role.all("save", str(directory))
        write_json(directory / "driver.json", {"kl": self.kl.state(), "moments": self.moments.state()})

    def load(self, directory: Path, state: dict[str, Any]) -> None:
        for role in (self.policy, self.critic):
            if role:
                role.all("load", str(directory))
        self.kl, self.moments = KLController(**state["kl"]), RunningMoments(**state["moments"])
