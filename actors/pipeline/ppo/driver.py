"""The PPO loop, and a step of it in two halves: from prompts to samples, and from samples to new weights."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from transformers import PreTrainedTokenizerBase

from actors.cluster.group import Pending
from actors.pipeline.ppo.checks import check_first_minibatch, logprob_gap
from actors.pipeline.ppo.execution import Execution, Metrics, StepRows
from actors.pipeline.ppo.protocols import Role, Rollouts
from actors.pipeline.ppo.state import PPOState
from actors.roles.critic import Critic
from actors.roles.policy import Policy
from actors.roles.reference import Reference
from actors.roles.reward import Reward
from rewardranker.config.schema import Config
from rewardranker.generation import candidates as made
from rewardranker.generation.types import Sampling
from rewardranker.models.batching import TokenSequence
from rewardranker.models.limits import Limits, Readable
from rewardranker.problems.types import Candidate, Problem
from rewardranker.runs.checkpoints import Checkpoints
from rewardranker.runs.console import Advance
from rewardranker.runs.metrics import MetricWriter
from rewardranker.runs.seeds import derive_seed
from rewardranker.training.ppo.experience import Samples, build_experience, minibatch_plan


@dataclass(frozen=True)
class Rollout:
    """What the first half of a step leaves to the second: samples, and what is being computed about them."""

    candidates: list[Candidate]
    sequences: list[TokenSequence]
    readable: Readable
    scores: Pending[list[float]]
    reference: Pending[list[np.ndarray]]
    executed: Future[Metrics] | None


@dataclass
class PPODriver:
    """One PPO run; ``limits`` are the reward model's."""

    config: Config
    name: str
    problems: Sequence[Problem]
    tokenizer: PreTrainedTokenizerBase
    state: PPOState
    reference: Role[Reference]
    reward: Role[Reward]
    rollouts: Rollouts
    execution: Execution | None
    sync: Callable[[int], Metrics]
    warn: Callable[[str], None]
    limits: Limits | None = None
    timings: Metrics = field(default_factory=dict)

    def run(self, directory: Path, advance: Advance) -> Metrics:
        """Trains, from the newest whole checkpoint in ``directory`` if there is one; leaves metrics there.

        Returns:
            The means of the last tenth of the steps.
        """
        ppo, checkpoints, start = self.config.ppo, Checkpoints(directory / "checkpoints", self.warn), 0
        if newest := checkpoints.newest():
            start, path = newest
            self.state.load(path)
            self.sync(start)
        writer = MetricWriter(directory, resume_at=start)
        rows = StepRows(writer.write)
        advance(start, before=True)
        for step in range(start, ppo.steps):
            with self._timed("step"):
                rollout = self.begin(step)
                metrics = self.learn(step, rollout) | self.sync(step + 1)
            speed = sum(len(s.response_ids) for s in rollout.sequences) / self.timings["timing_s/step"]
            rows.add(step, metrics | self.timings | {"perf/throughput": speed}, rollout.executed)
            advance(1, rows.note(metrics))
            if (step + 1) % ppo.checkpoint_every == 0 and step + 1 < ppo.steps:
                rows.finish()
                checkpoints.save(step + 1, self.state.save)
        rows.finish()
        writer.close()
        return writer.tail_means(ppo.steps)

    def begin(self, step: int) -> Rollout:
        """Prompts, rollouts, scoring, judging; waits for the samples alone."""
        ppo, seed, chat = self.config.ppo, self.config.run.seed, self.config.model.chat
        rng = np.random.default_rng(derive_seed(seed, self.name, "prompts", step))
        chosen = [self.problems[i] for i in rng.choice(len(self.problems), ppo.prompts_per_step, replace=False)]
        by_id = {problem.id: problem for problem in chosen}
        requests = made.requests_for(chosen, ppo.samples_per_prompt, self.tokenizer, chat, seed, self.name, step)
        with self._timed("gen"):
            responses = self.rollouts.generate(requests, Sampling(ppo.temperature, max_new_tokens=ppo.max_new_tokens))
        candidates = made.to_candidates(requests, responses, by_id, self.tokenizer, self.name)
        pairs = zip(requests, responses, strict=True)
        sequences = [TokenSequence(q.prompt_ids, tuple(r.token_ids)) for q, r in pairs]
        readable = made.readable_candidates(candidates, by_id, self.tokenizer, chat, self.limits)
        scores = self.reward.submit_rows(Reward.score, readable.shown)
        reference = self.reference.submit_rows(Reference.logprobs, sequences, ppo.temperature)
        executed = self.execution.submit(candidates) if self.execution else None
        return Rollout(candidates, sequences, readable, scores, reference, executed)

    def learn(self, step: int, rollout: Rollout) -> Metrics:
        """Advantages from what is known of the samples, then the updates of critic and policy."""
        ppo, sequences = self.config.ppo, rollout.sequences
        policy, critic = self.state.policy, self.state.critic
        with self._timed("infer"):
            coming = policy.submit_rows(Policy.logprobs, sequences, ppo.temperature)
            guessing = critic.submit_rows(Critic.values, sequences) if critic else None
            scores = made.reward_scores(rollout.readable, rollout.scores.get(), self.warn)
            old, ref, values = coming.get(), rollout.reference.get(), guessing.get() if guessing else None
        gap = logprob_gap([c.logprobs for c in rollout.candidates], old, ppo, self.warn)
        finished = torch.tensor([c.finish_reason == "stop" for c in rollout.candidates])
        samples = Samples(sequences, torch.tensor(scores), finished, old, ref, values)
        experience, metrics = build_experience(samples, self.state.moments, self.state.kl.coef, ppo)
        seed = derive_seed(self.config.run.seed, self.name, "minibatches", step)
        plan = minibatch_plan(len(sequences), ppo.minibatch_size, ppo.inner_epochs, seed)
        with self._timed("update"):
            warm = step >= ppo.critic_warmup_steps
            updates = []
            if critic:
                shares = experience.shares(plan, Critic.LEARNS_FROM, critic.world)
                updates.append(critic.submit_each(Critic.update, shares, ppo))
            if warm:
                shares = experience.shares(plan, Policy.LEARNS_FROM, policy.world)
                updates.append(policy.submit_each(Policy.update, shares, ppo))
            for update in updates:
                metrics |= update.get()[0]
        if warm:
            check_first_minibatch(step, metrics, self.config.model.dtype)
        self.state.kl.update(metrics["kl/sequence"], len(sequences))
        return metrics | gap

    @contextmanager
    def _timed(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self.timings[f"timing_s/{name}"] = time.monotonic() - begun
