"""The PPO loop, and a step of it in two halves: from prompts to samples, and from samples to new weights."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedTokenizerBase

from actors.cluster.group import Pending
from actors.pipeline.ppo.ahead import Ahead
from actors.pipeline.ppo.checks import check_first_minibatch, logprob_gap, staleness
from actors.pipeline.ppo.execution import Execution, Metrics, StepRows
from actors.pipeline.ppo.protocols import Role, Rollouts
from actors.pipeline.ppo.state import PPOState
from actors.pipeline.turns import Turns
from actors.roles.critic import Critic
from actors.roles.policy import Policy
from actors.roles.reference import Reference
from actors.roles.reward import Reward
from rewardranker.config.schema import Config
from rewardranker.generation import candidates as made
from rewardranker.generation.types import Request, Response, Sampling
from rewardranker.models.batching import TokenSequence
from rewardranker.models.limits import Readable
from rewardranker.problems.pool import read_pool, write_pool
from rewardranker.problems.types import Candidate, Problem
from rewardranker.runs.checkpoints import Checkpoints
from rewardranker.runs.console import Advance
from rewardranker.runs.metrics import MetricWriter
from rewardranker.runs.seeds import derive_seed
from rewardranker.training.ppo.experience import Experience, Samples, build_experience, minibatch_plan

#: In a checkpoint: the samples of its next step, where they were drawn ahead.
DRAWN = "drawn.parquet"


@dataclass(frozen=True)
class Rollout:
    """What the first half of a step leaves to the second: samples, those of one prompt side by side."""

    candidates: list[Candidate]
    sequences: list[TokenSequence]

    @classmethod
    def of(cls, requests: Sequence[Request], candidates: list[Candidate]) -> Rollout:
        pairs = zip(requests, candidates, strict=True)
        return cls(candidates, [TokenSequence(q.prompt_ids, tuple(c.token_ids)) for q, c in pairs])


@dataclass
class PPODriver:
    """One PPO run; ``readable`` makes of candidates what the reward model reads, in its own tokens."""

    config: Config
    name: str
    problems: Sequence[Problem]
    tokenizer: PreTrainedTokenizerBase
    state: PPOState
    reference: Role[Reference]
    reward: Role[Reward]
    readable: Callable[[Sequence[Candidate]], Readable]
    rollouts: Rollouts
    execution: Execution | None
    sync: Callable[[int], Metrics]
    turns: Turns
    warn: Callable[[str], None]
    timings: Metrics = field(default_factory=dict)

    def run(self, directory: Path, advance: Advance) -> Metrics:
        """Trains, from the newest whole checkpoint in ``directory`` if there is one; leaves metrics there.

        Returns:
            The means of the last tenth of the steps.
        """
        ppo, checkpoints, start = self.config.ppo, Checkpoints(directory / "checkpoints", self.warn), 0
        drawn: Rollout | None = None
        if newest := checkpoints.newest():
            start, path = newest
            drawn = self._load(start, path)
            self._send(start)
        writer = MetricWriter(directory, resume_at=start)
        rows = StepRows(writer.write)
        advance(start, before=True)
        with Ahead(self._generate, self.rollouts.abandon) as ahead:
            for step in range(start, ppo.steps):
                self.timings.clear()
                with self._timed("step"):
                    rollout = drawn or self.begin(step)
                    coming = self.begin_beside(step + 1, ahead) if self._lag and step + 1 < ppo.steps else None
                    executed = self.execution.submit(rollout.candidates) if self.execution else None
                    metrics = self.learn(step, rollout)
                    drawn = coming.get() if coming else None
                    metrics |= self._send(step + 1)
                speed = sum(len(s.response_ids) for s in rollout.sequences) / self.timings["timing_s/step"]
                rows.add(step, metrics | self.timings | self.turns.spent() | {"perf/throughput": speed}, executed)
                advance(1, rows.note(metrics))
                if (step + 1) % ppo.checkpoint_every == 0 and step + 1 < ppo.steps:
                    rows.finish()
                    checkpoints.save(step + 1, partial(self._save, drawn))
        rows.finish()
        writer.close()
        self.turns.learn(weights_follow=True)
        return writer.tail_means(ppo.steps)

    def begin(self, step: int) -> Rollout:
        """From prompts to samples, by the weights that the engines have."""
        requests = self._requests(step)
        return self._rollout(requests, self._generate(requests))

    def begin_beside(self, step: int, ahead: Ahead) -> Pending[Rollout]:
        """:meth:`begin`, while something else is done."""
        requests = self._requests(step)
        drawing = ahead.begin(requests)

        def get() -> Rollout:
            with self._timed("wait"):
                responses = drawing.result()
            return self._rollout(requests, responses)

        return Pending(get)

    def learn(self, step: int, rollout: Rollout) -> Metrics:
        """From samples to new weights: what is known of the samples, advantages, updates of critic and policy."""
        self.turns.learn(weights_follow=True)
        ppo, candidates, sequences = self.config.ppo, rollout.candidates, rollout.sequences
        policy, critic = self.state.policy, self.state.critic
        stale = staleness(step, candidates, self._lag)
        readable = self.readable(candidates)
        with self._timed("infer"):
            scoring = self.reward.submit_rows(Reward.score, readable.shown)
            referring = self.reference.submit_rows(Reference.logprobs, sequences, ppo.temperature)
            coming = policy.submit_rows(Policy.logprobs, sequences, ppo.temperature)
            guessing = critic.submit_rows(Critic.values, sequences) if critic else None
            scores = made.reward_scores(readable, scoring.get(), self.warn)
            old, ref, values = coming.get(), referring.get(), guessing.get() if guessing else None
        sampled = [candidate.logprobs for candidate in candidates]
        # Weights of two versions differ by right.
        gap = {"rollout/staleness": float(stale)} if stale else logprob_gap(sampled, old, ppo, self.warn)
        finished = torch.tensor([c.finish_reason == "stop" for c in candidates])
        samples = Samples(sequences, torch.tensor(scores), finished, old, ref, values, sampled if stale else None)
        experience, metrics = build_experience(samples, self.state.moments, self.state.kl.coef, ppo)
        warm = step >= ppo.critic_warmup_steps
        metrics |= self._update(step, experience, warm)
        if warm:
            check_first_minibatch(step, metrics, self.config.model.dtype)
        self.state.kl.update(metrics["kl/sequence"], len(sequences))
        return metrics | gap

    def _update(self, step: int, experience: Experience, warm: bool) -> Metrics:
        """Critic and, after its warm-up, policy learn at the same time."""
        ppo, policy, critic, metrics = self.config.ppo, self.state.policy, self.state.critic, Metrics()
        seed = derive_seed(self.config.run.seed, self.name, "minibatches", step)
        plan = minibatch_plan(len(experience.sequences), ppo.minibatch_size, ppo.inner_epochs, seed)
        with self._timed("update"):
            updates = []
            if critic:
                shares = experience.shares(plan, Critic.LEARNS_FROM, critic.world)
                updates.append(critic.submit_each(Critic.update, shares, ppo))
            if warm:
                shares = experience.shares(plan, Policy.LEARNS_FROM, policy.world)
                updates.append(policy.submit_each(Policy.update, shares, ppo))
            for update in updates:
                metrics |= update.get()[0]
        return metrics

    def _requests(self, step: int) -> list[Request]:
        """For a step's samples: its prompts are drawn, its seeds derived."""
        ppo, seed, chat = self.config.ppo, self.config.run.seed, self.config.model.chat
        rng = np.random.default_rng(derive_seed(seed, self.name, "prompts", step))
        chosen = [self.problems[i] for i in rng.choice(len(self.problems), ppo.prompts_per_step, replace=False)]
        return made.requests_for(chosen, ppo.samples_per_prompt, self.tokenizer, chat, seed, self.name, step)

    def _generate(self, requests: list[Request]) -> list[Response]:
        ppo = self.config.ppo
        self.turns.sample()
        with self._timed("gen"):
            return self.rollouts.generate(requests, Sampling(ppo.temperature, max_new_tokens=ppo.max_new_tokens))

    def _rollout(self, requests: list[Request], responses: list[Response]) -> Rollout:
        candidates = made.to_candidates(requests, responses, self._by_id, self.tokenizer, self.name)
        return Rollout.of(requests, candidates)

    def _send(self, version: int) -> Metrics:
        """The engines get the policy's weights."""
        self.turns.send()
        return self.sync(version)

    def _save(self, drawn: Rollout | None, directory: Path) -> None:
        """Writes a checkpoint's files."""
        self.turns.learn()
        self.state.save(directory)
        if drawn:
            write_pool(directory / DRAWN, drawn.candidates)

    def _load(self, step: int, directory: Path) -> Rollout | None:
        """Restores what :meth:`_save` wrote before ``step``."""
        self.turns.learn()
        self.state.load(directory)
        return Rollout.of(self._requests(step), read_pool(directory / DRAWN)) if self._lag else None

    @cached_property
    def _by_id(self) -> dict[str, Problem]:
        return {problem.id: problem for problem in self.problems}

    @property
    def _lag(self) -> int:
        """By how many versions samples are older than the weights that learn from them."""
        return 1 if self.config.rollout.mode == "one_step_off" else 0

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self.timings[f"timing_s/{name}"] = time.monotonic() - begun
