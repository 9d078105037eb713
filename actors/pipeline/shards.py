"""What to sample, and one shard of it: what both ways of making large batches share, actor pools and Ray Data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerBase

from rewardranker.config.schema import Config
from rewardranker.generation.candidates import Generate, requests_for, to_candidates
from rewardranker.generation.types import Sampling
from rewardranker.paths import AnyPath
from rewardranker.problems.types import Candidate, Problem


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


def shard_path(directory: Path, index: int) -> Path:
    """Where shard ``index`` of a pool lies."""
    return directory / f"shard-{index:05d}.parquet"


def missing_shards(directory: Path, count: int) -> list[int]:
    """The shards of a pool that are not there yet; makes the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    return [i for i in range(count) if not shard_path(directory, i).exists()]


def plan_settings(plan: Plan) -> dict[str, Any]:
    """What a stage's manifest says of a plan: the model is among its inputs, seed and chat stand beside it."""
    return {k: v for k, v in asdict(plan).items() if k not in ("model_path", "seed", "chat")}
