"""Weights from a trainer into rollout workers, over each transport, judged by what they generate then."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ray
import torch
from ray import ObjectRef
from ray.actor import ActorHandle
from small_models import VOCABULARY, hf_greedy, hf_logprobs, hf_model

from actors.rollout.worker import start_rollouts
from actors.weight_buckets import Unpacker, byte_size, split
from actors.weight_source import WeightSource
from actors.weight_sync import WeightSync, WeightSyncError
from rewardranker.config.schema import Config, WeightSyncConfig
from rewardranker.errors import UserError
from rewardranker.generation.types import Request, Sampling

EOS = (1,)
GREEDY = Sampling(temperature=0.0, max_new_tokens=12)


class TrainerHost:
    """Stands for the worker that hosts the policy: a source of one model's weights."""

    def load(self, path: str) -> None:
        model = hf_model(path)
        self.weights = WeightSource(model.named_parameters)

    def call(self, method: str, *args: Any) -> Any:
        target: Any = self
        for part in method.split("."):
            target = getattr(target, part)
        return target(*args)


def trainer_host() -> ActorHandle:
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    options = {"num_cpus": 0.4, "runtime_env": {"env_vars": {"PYTHONPATH": path, "OMP_NUM_THREADS": "1"}}}
    return ray.remote(TrainerHost).options(**options).remote()


@dataclass
class Policy:
    host: ActorHandle

    def call_rank0(self, method: str, *args: Any) -> ObjectRef:
        return self.host.call.remote(method, *args)


def config(engine: str) -> Config:
    made = Config()
    made.rollout.engine, made.rollout.cpus_per_worker = engine, 0.4
    made.rollout.max_model_len, made.rollout.kv_cache_mb, made.rollout.max_num_seqs = 256, 32, 16
    return made


@pytest.fixture(scope="module")
def policy(ray_local: None) -> Iterator[Policy]:
    host = trainer_host()
    yield Policy(host)
    ray.kill(host)


@pytest.fixture(scope="module")
def rollouts(ray_local: None, models: list[str]) -> Iterator[list[ActorHandle]]:
    workers = rollout_workers(config("transformers"), models[0], 2)
    yield workers
    for worker in workers:
        ray.kill(worker)


def requests() -> list[Request]:
    """Short prompts and two longer than vLLM's cache blocks, which a stale prefix cache would betray."""
    rng = random.Random(3)
    lengths = (3, 8, 20, 140, 150)
    return [Request(f"p{n}", tuple(rng.randrange(2, VOCABULARY) for _ in range(n)), n) for n in lengths]


def greedy(worker: ActorHandle) -> list[list[int]]:
    return [r.token_ids for r in ray.get(worker.generate.remote(requests(), GREEDY), timeout=300)]


def expected(path: str) -> list[list[int]]:
    return [hf_greedy(path, r.prompt_ids, GREEDY.max_new_tokens, EOS) for r in requests()]


@pytest.mark.parametrize(("transport", "target"), [("object_store", 1), ("gloo", 2), ("auto", 0)])
def test_rollouts_generate_as_the_new_weights_do(
    policy: Policy, rollouts: list[ActorHandle], models: list[str], transport: str, target: int
) -> None:
    ray.get(policy.on(0, "load", models[target]), timeout=300)
    assert all(greedy(worker) != expected(models[target]) for worker in rollouts)
    sync = WeightSync(WeightSyncConfig(transport=transport, bucket_mb=1, timeout_s=60))
    metrics = sync.sync(policy, rollouts, 40 + target)
    for worker in rollouts:
        assert greedy(worker) == expected(models[target])
        assert ray.get(worker.weights_version.remote()) == 40 + target
    size = sum(p.numel() * 4 for p in hf_model(models[0]).parameters())
    assert metrics["weight_sync/mb"] == size / 2**20 > 2  # several buckets
    assert metrics["weight_sync/mb_per_s"] == pytest.approx(metrics["weight_sync/mb"] / metrics["timing_s/sync"])


def test_a_group_serves_several_syncs_and_is_made_anew_for_other_rollouts(
    policy: Policy, rollouts: list[ActorHandle], models: list[str]
) -> None:
    sync = WeightSync(WeightSyncConfig(transport="gloo", bucket_mb=1, timeout_s=60))
    ray.get(policy.on(0, "load", models[1]), timeout=300)
    for version, members in enumerate([rollouts, rollouts, rollouts[1:]]):
        sync.sync(policy, members, version)
        assert [ray.get(w.weights_version.remote()) for w in members] == [version] * len(members)
        assert greedy(members[-1]) == expected(models[1])


def faulty(kind: str) -> ActorHandle:
    """A rollout that dies, hangs or raises when an update begins; defined here, so Ray ships it by value."""

    class Faulty:
        def device(self) -> str:
            return "cpu"

        def begin_update(self, metas: Any) -> None:
            if kind == "dies":
                os._exit(1)
            if kind == "hangs":
                time.sleep(60)
            raise ValueError("no room for these tensors")

    return ray.remote(Faulty).options(num_cpus=0.1).remote()


@pytest.mark.parametrize(
    ("kind", "timeout_s", "message"),
    [
        ("dies", 60.0, "begin_update: rollout 1 failed: .*died"),
        ("hangs", 5.0, r"begin_update: waited 5 s \(weight_sync.timeout_s\) for rollout 1$"),
        ("raises", 60.0, "begin_update: rollout 1 failed: (.|\n)*no room for these tensors"),
    ],
)
def test_a_failing_rollout_is_named(
    policy: Policy, rollouts: list[ActorHandle], models: list[str], kind: str, timeout_s: float, message: str
) -> None:
    ray.get(policy.on(0, "load", models[0]), timeout=300)
    bad = faulty(kind)
    ray.get(bad.device.remote(), timeout=120)
    sync = WeightSync(WeightSyncConfig(transport="object_store", timeout_s=timeout_s))
    with pytest.raises(WeightSyncError, match=message) as caught:
        sync.sync(policy, [rollouts[0], bad], 1)
    assert caught.value.rollouts == (1,)
    ray.kill(bad)
    # The rollout that was left in mid-update takes part in the next one.
    sync.sync(policy, rollouts[:1], 50)
    assert greedy(rollouts[0]) == expected(models[0])


def test_a_failing_trainer_is_named(rollouts: list[ActorHandle]) -> None:
    host = trainer_host()
    sync = WeightSync(WeightSyncConfig(transport="object_store", timeout_s=60))
    with pytest.raises(WeightSyncError, match="weights.metas: policy rank 0 failed") as caught:
        sync.sync(Policy(host), rollouts, 1)  # nothing is loaded
    assert caught.value.rollouts == ()
    ray.kill(host)


@pytest.mark.vllm
@pytest.mark.slow
def test_vllm_generates_as_the_new_weights_do(policy: Policy, models: list[str]) -> None:
    [worker] = rollout_workers(config("vllm"), models[0], 1)
    ray.get(worker.ping.remote(), timeout=300)
    assert greedy(worker) == expected(models[0])
    for version, (transport, target) in enumerate([("object_store", 1), ("gloo", 2), ("gloo", 0)], start=1):
        ray.get(policy.on(0, "load", models[target]), timeout=300)
        WeightSync(WeightSyncConfig(transport=transport, bucket_mb=1, timeout_s=60)).sync(policy, [worker], version)
        assert greedy(worker) == expected(models[target]), transport
        assert ray.get(worker.weights_version.remote()) == version

    sampling = Sampling(temperature=0.7, max_new_tokens=100)
    responses = ray.get(worker.generate.remote(requests(), sampling), timeout=300)
    for request, response in zip(requests(), responses, strict=True):
        reference = hf_logprobs(models[0], request.prompt_ids, response.token_ids, 0.7).numpy()
        assert np.abs(response.logprobs - reference).max() < 1e-4
        assert response.finish_reason == ("stop" if response.token_ids[-1] in EOS else "length")
    again = ray.get(worker.generate.remote(requests()[::-1], sampling), timeout=300)
    assert [r.token_ids for r in again[::-1]] == [r.token_ids for r in responses]

    with pytest.raises(UserError, match="prompt of long has 256 tokens; with rollout.max_model_len=256"):
        ray.get(worker.generate.remote([Request("long", (2,) * 256, 0)], sampling), timeout=60)
    metas = ray.get(policy.on(0, "weights.metas"))
    with pytest.raises(ValueError, match=r"missing \['model.layers.1.self_attn.k_proj.weight'\]"):
        ray.get(worker.begin_update.remote([m for m in metas if "1.self_attn.k_proj" not in m[0]]))
    ray.get(worker.begin_update.remote(metas))
    with pytest.raises(ValueError, match="before 29 announced tensors had come"):
        ray.get(worker.finish_update.remote(9))
    ray.kill(worker)


def test_buckets_hold_whole_tensors_of_any_alignment_and_size() -> None:
    tensors = {
        "bytes": torch.arange(3, dtype=torch.uint8),
        "floats": torch.randn(4, 5),
        "half": torch.randn(7).bfloat16(),
        "scalar": torch.tensor(2.5, dtype=torch.float64),
        "transposed": torch.randn(6, 2).T,
    }
    source = WeightSource(lambda: iter(tensors.items()))
    for limit in (1, 60, 90, 10_000):
        unpacker = Unpacker(source.metas())
        sizes, got = [], {}
        for bucket in source.buckets(limit):
            sizes.append(len(bucket))
            got.update(unpacker.take(torch.from_numpy(bucket)))
        unpacker.finish()
        assert all(torch.equal(got[name], tensor) for name, tensor in tensors.items())
        assert sizes == [byte_size(part) for part in split(source.metas(), limit)]
        assert sum(sizes) == 3 + 80 + 14 + 8 + 48
        assert all(size <= limit for size in sizes) or limit < 80
    assert len(list(source.buckets(1))) == len(tensors) and len(list(source.buckets(10_000))) == 1


def test_a_bucket_that_ends_inside_a_tensor_is_refused() -> None:
    unpacker = Unpacker([("a", "float32", (4,)), ("b", "float32", (4,))])
    with pytest.raises(ValueError, match="a bucket of 20 bytes holds 16 bytes of announced tensors"):
        unpacker.take(torch.zeros(20, dtype=torch.uint8))
    with pytest.raises(ValueError, match="a bucket of 40 bytes holds 32"):
        Unpacker(unpacker.metas).take(torch.zeros(40, dtype=torch.uint8))


def test_a_source_that_changes_its_order_is_noticed() -> None:
    names = iter([("a", "b"), ("b", "a")])
    source = WeightSource(lambda: iter([(name, torch.zeros(2)) for name in next(names)]))
    source.metas()
    with pytest.raises(RuntimeError, match=r"announced \('a'.* then found \('b'"):
        list(source.buckets(100))
