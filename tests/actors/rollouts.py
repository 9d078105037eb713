"""Rollout workers of small models, and what they must say."""

from __future__ import annotations

import os
import random
from pathlib import Path

import ray
from small_models import VOCABULARY, hf_greedy

from actors.cluster.group import RoleGroup, WorkerGroup
from actors.rollout.worker import RolloutWorker, rollout_environment
from rewardranker.config.schema import ClusterConfig, Config
from rewardranker.generation.types import Request, Sampling

CLUSTER = ClusterConfig(collective_timeout_s=120, placement_timeout_s=60, call_timeout_s=300)
EOS = (1,)
GREEDY = Sampling(temperature=0.0, max_new_tokens=12)


def config(engine: str, tensor_parallel: int = 0) -> Config:
    made = Config()
    made.rollout.tensor_parallel = tensor_parallel
    made.rollout.engine, made.rollout.cpus_per_worker = engine, 0.2
    made.rollout.max_model_len, made.rollout.kv_cache_mb, made.rollout.max_num_seqs = 256, 32, 32
    return made


def workers(name: str, count: int, environment: dict[str, str] | None = None, joined: bool = False) -> WorkerGroup:
    """Workers that find this file's modules."""
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    variables = {**(environment or {}), "PYTHONPATH": path}
    return WorkerGroup(name, CLUSTER, count, cpus=0.2, gpus=0, joined=joined, environment=variables)


def rollout_role(engine: str, model_path: str, count: int, tensor_parallel: int = 0) -> RoleGroup:
    made = config(engine, tensor_parallel)
    group = workers("rollout", count, rollout_environment(made, model_path))
    return group.build("rollout", RolloutWorker, made, model_path)


def requests() -> list[Request]:
    """Short prompts and two longer than vLLM's cache blocks, which a stale prefix cache would betray."""
    rng = random.Random(3)
    lengths = (3, 8, 20, 140, 150)
    return [Request(f"p{n}", tuple(rng.randrange(2, VOCABULARY) for _ in range(n)), n) for n in lengths]


def greedy(ranks: RoleGroup[RolloutWorker], rank: int) -> list[list[int]]:
    return [r.token_ids for r in ray.get(ranks.on(rank, RolloutWorker.generate, requests(), GREEDY), timeout=300)]


def expected(path: str) -> list[list[int]]:
    return [hf_greedy(path, r.prompt_ids, GREEDY.max_new_tokens, EOS) for r in requests()]
