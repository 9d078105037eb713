"""Weights from a trainer into rollout workers, over each transport, judged by what they generate then."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import ray
import torch
from ray import ObjectRef
from ray.actor import ActorHandle
from rollouts import EOS, expected, greedy, requests, rollout_role
from small_models import buckets_of, hf_logprobs, hf_model

from actors.cluster.failures import RoleError
from actors.cluster.group import RoleGroup, WorkerGroup
from actors.rollout.worker import RolloutWorker
from actors.weights.buckets import Unpacker, byte_size, checksum, differing, held_checksums, meta_of, sampled, split
from actors.weights.source import WeightSource
from actors.weights.sync import Ranks, Receiver, WeightSync, WeightSyncError
from rewardranker.config.schema import WeightSyncConfig
from rewardranker.errors import UserError
from rewardranker.generation.types import Request, Sampling
from rewardranker.training.ranks import Rank


class TrainerRole:
    """Stands for the policy: a source of one model's weights."""

    def __init__(self, rank: Rank) -> None:
        self.rank = rank

    def load(self, path: str) -> None:
        model = hf_model(path)
        self.weights = WeightSource(model.named_parameters)


class Spoilt(WeightSource):
    """The last byte of every bucket is lost on the way."""

    def _packed(self, limit_bytes: int, device: str) -> Iterator[torch.Tensor | None]:
        for bucket in super()._packed(limit_bytes, device):
            assert bucket is not None
            bucket[-1] ^= 1
            yield bucket


class SpoilingRole(TrainerRole):
    def load(self, path: str) -> None:
        self.weights = Spoilt(hf_model(path).named_parameters)


@pytest.fixture(scope="module")
def policy(groups: dict[int, WorkerGroup]) -> RoleGroup:
    return groups[1].build("policy", TrainerRole)


@pytest.fixture(scope="module")
def rollouts(ray_local: None, models: list[str]) -> Iterator[RoleGroup]:
    role = rollout_role("transformers", models[0], 2)
    yield role
    role.group.shutdown()


def weights(policy: RoleGroup[TrainerRole]) -> RoleGroup[WeightSource]:
    return policy.part("weights", WeightSource)


@pytest.mark.parametrize(("transport", "target"), [("object_store", 1), ("gloo", 2), ("auto", 0)])
def test_rollouts_generate_as_the_new_weights_do(
    policy: RoleGroup, rollouts: RoleGroup, models: list[str], transport: str, target: int
) -> None:
    policy.all(TrainerRole.load, models[target])
    assert all(greedy(rollouts, rank) != expected(models[target]) for rank in range(2))
    sync = WeightSync(WeightSyncConfig(transport=transport, bucket_mb=1, timeout_s=60))
    metrics = sync.sync(weights(policy), rollouts, 40 + target)
    for rank in range(2):
        assert greedy(rollouts, rank) == expected(models[target])
    assert rollouts.all(RolloutWorker.weights_version) == [40 + target] * 2
    size = sum(p.numel() * 4 for p in hf_model(models[0]).parameters())
    assert metrics["weight_sync/mb"] == size / 2**20 > 2  # several buckets
    assert metrics["weight_sync/mb_per_s"] == pytest.approx(metrics["weight_sync/mb"] / metrics["timing_s/sync"])


def test_a_group_serves_several_syncs_and_is_made_anew_for_other_rollouts(
    policy: RoleGroup, rollouts: RoleGroup, models: list[str]
) -> None:
    sync = WeightSync(WeightSyncConfig(transport="gloo", bucket_mb=1, timeout_s=60))
    for version, target, places in [(1, 1, [0, 1]), (2, 2, [0, 1]), (3, 1, [1])]:
        policy.all(TrainerRole.load, models[target])
        # A policy that is loaded again has left its group; the driver's role object says so.
        source = weights(policy)
        sync.sync(source, rollouts, version, places)
        assert greedy(rollouts, 1) == expected(models[target])
    sync.sync(source, rollouts, 4, [1])
    assert rollouts.all(RolloutWorker.weights_version) == [2, 4]


def test_one_replaced_rollout_is_brought_up_to_date(
    policy: RoleGroup, rollouts: RoleGroup, models: list[str]
) -> None:
    policy.all(TrainerRole.load, models[2])
    rollouts.all(RolloutWorker.load_checkpoint, models[0], 60)
    assert greedy(rollouts, 0) == greedy(rollouts, 1) == expected(models[0])
    WeightSync(WeightSyncConfig(transport="gloo", timeout_s=60)).send_to(weights(policy), rollouts, 1, 61)
    assert rollouts.all(RolloutWorker.weights_version) == [60, 61]
    assert greedy(rollouts, 0) == expected(models[0])
    assert greedy(rollouts, 1) == expected(models[2])


@pytest.mark.parametrize("transport", ["object_store", "gloo"])
def test_what_arrives_otherwise_than_it_was_sent_is_named(
    policy: RoleGroup, rollouts: RoleGroup, models: list[str], transport: str
) -> None:
    spoiling = policy.group.build("spoiling", SpoilingRole)
    spoiling.all(TrainerRole.load, models[2])
    sync = WeightSync(WeightSyncConfig(transport=transport, bucket_mb=1, timeout_s=60))
    with pytest.raises(
        WeightSyncError, match=r"of 8 tensors that were compared.*rollout 0: .*model\.norm\.weight; rollout 1: "
    ) as caught:
        sync.sync(weights(spoiling), rollouts, 1)
    assert caught.value.rollouts == (0, 1)


def test_an_engine_that_did_not_load_what_came_is_noticed() -> None:
    sent = {"a": torch.randn(3, 5), "b": torch.randn(700, 1000), "c": torch.randn(4).bfloat16()}
    metas = [meta_of(*named) for named in sent.items()]
    sums = {name: checksum(tensor) for name, tensor in sent.items()}
    assert held_checksums(metas, sent) == sums and not differing(sums, sums)
    zeroed = sent["b"].clone()
    zeroed[350:] = 0
    assert differing(sums, held_checksums(metas, {**sent, "b": zeroed})) == ["b"]
    # Of another type it is held otherwise: then what came counts, and where nothing did, it is missing.
    other = {**sent, "c": sent["c"].float()}
    assert held_checksums(metas, other, came=sums) == sums
    assert differing(sums, held_checksums(metas, other)) == ["c"]


def test_the_sample_is_spread_from_the_first_tensor_to_the_last() -> None:
    metas = [(str(k), "float32", (1,)) for k in range(100)]
    names = sampled(metas)
    assert len(names) == len(set(names)) == 8 and names[0] == "0" and names[-1] == "99"
    assert [sampled(metas[:count]) for count in (0, 1, 3)] == [[], ["0"], ["0", "1", "2"]]


@dataclass(frozen=True)
class Pair:
    """A sound rollout and a faulty one, as ranks 0 and 1."""

    sound: Ranks[Receiver]
    faulty: ActorHandle
    world: int = 2
    members: tuple[str, ...] = ("sound", "faulty")

    def on(self, rank: int, method: Any, *args: Any) -> ObjectRef:
        return self.sound.on(0, method, *args) if rank == 0 else getattr(self.faulty, method.__name__).remote(*args)


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
    ids=["dies", "hangs", "raises"],
)
def test_a_failing_rollout_is_named(
    policy: RoleGroup, rollouts: RoleGroup, models: list[str], kind: str, timeout_s: float, message: str
) -> None:
    policy.all(TrainerRole.load, models[0])
    bad = faulty(kind)
    ray.get(bad.device.remote(), timeout=120)
    sync = WeightSync(WeightSyncConfig(transport="object_store", timeout_s=timeout_s))
    with pytest.raises(WeightSyncError, match=message) as caught:
        sync.sync(weights(policy), Pair(rollouts, bad), 1)
    assert caught.value.rollouts == (1,)
    ray.kill(bad)
    # The rollout that was left in mid-update takes part in the next one.
    sync.sync(weights(policy), rollouts, 50, [0])
    assert greedy(rollouts, 0) == expected(models[0])


def test_a_failing_trainer_is_named(policy: RoleGroup, rollouts: RoleGroup) -> None:
    nothing_loaded = policy.group.build("empty", TrainerRole)
    sync = WeightSync(WeightSyncConfig(transport="object_store", timeout_s=60))
    with pytest.raises(WeightSyncError, match="weights.metas: policy rank 0 failed") as caught:
        sync.sync(weights(nothing_loaded), rollouts, 1)
    assert caught.value.rollouts == ()


@pytest.mark.vllm
def test_vllm_generates_as_the_new_weights_do(policy: RoleGroup, models: list[str]) -> None:
    role = rollout_role("vllm", models[0], 1)
    assert greedy(role, 0) == expected(models[0])
    for version, (transport, target) in enumerate([("object_store", 1), ("gloo", 2), ("gloo", 1)], start=1):
        policy.all(TrainerRole.load, models[target])
        WeightSync(WeightSyncConfig(transport=transport, bucket_mb=1, timeout_s=60)).sync(
            weights(policy), role, version
        )
        assert greedy(role, 0) == expected(models[target]), transport
        assert role.all(RolloutWorker.weights_version) == [version]
    role.all(RolloutWorker.load_checkpoint, models[0], 9)
    assert greedy(role, 0) == expected(models[0])

    sampling = Sampling(temperature=0.7, max_new_tokens=100)
    responses = role.wait_one(0, RolloutWorker.generate, requests(), sampling)
    for request, response in zip(requests(), responses, strict=True):
        reference = hf_logprobs(models[0], request.prompt_ids, response.token_ids, 0.7).numpy()
        assert np.abs(response.logprobs - reference).max() < 1e-4
        assert response.finish_reason == ("stop" if response.token_ids[-1] in EOS else "length")
    again = role.wait_one(0, RolloutWorker.generate, requests()[::-1], sampling)
    assert [r.token_ids for r in again[::-1]] == [r.token_ids for r in responses]

    # More tokens than vLLM reads at once: cut prompts of seeded requests would end in an error of torch's on a CPU.
    long = [Request(f"long {i}", (2 + i, *range(2, 99), *range(2, 99), *range(2, 40)), seed=i) for i in range(64)]
    short = Sampling(temperature=0.7, max_new_tokens=8)
    first = role.wait_one(0, RolloutWorker.generate, long, short)
    second = role.wait_one(0, RolloutWorker.generate, long[::-1], short)
    assert [r.token_ids for r in second[::-1]] == [r.token_ids for r in first]

    with pytest.raises(UserError, match="prompt of long has 256 tokens; with rollout.max_model_len=256"):
        role.wait_one(0, RolloutWorker.generate, [Request("long", (2,) * 256, 0)], sampling)
    metas = weights(policy).wait_one(0, WeightSource.metas)
    with pytest.raises(RoleError, match=r"missing \['model.layers.1.self_attn.k_proj.weight'\]"):
        role.all(RolloutWorker.begin_update, [m for m in metas if "1.self_attn.k_proj" not in m[0]])
    role.all(RolloutWorker.begin_update, metas)
    with pytest.raises(RoleError, match="before 29 announced tensors had come"):
        role.all(RolloutWorker.finish_update, 10)
    role.group.shutdown()


def test_buckets_hold_whole_tensors_of_any_alignment_and_size(ray_local: None) -> None:
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
        for bucket in buckets_of(source, limit):
            sizes.append(len(bucket))
            got.update(unpacker.take(torch.from_numpy(bucket.copy())))
        unpacker.finish()
        assert all(torch.equal(got[name], tensor) for name, tensor in tensors.items())
        assert sizes == [byte_size(part) for part in split(source.metas(), limit)]
        assert sum(sizes) == 3 + 80 + 14 + 8 + 48
        assert all(size <= limit for size in sizes) or limit < 80
    assert source.begin_buckets(1) == len(tensors) and source.begin_buckets(10_000) == 1


def test_a_bucket_that_ends_inside_a_tensor_is_refused() -> None:
    unpacker = Unpacker([("a", "float32", (4,)), ("b", "float32", (4,))])
    with pytest.raises(ValueError, match="a bucket of 20 bytes holds 16 bytes of announced tensors"):
        unpacker.take(torch.zeros(20, dtype=torch.uint8))
    with pytest.raises(ValueError, match="a bucket of 40 bytes holds 32"):
        Unpacker(unpacker.metas).take(torch.zeros(40, dtype=torch.uint8))


def test_a_source_that_changes_its_order_is_noticed(ray_local: None) -> None:
    names = iter([("a", "b"), ("b", "a")])
    source = WeightSource(lambda: iter([(name, torch.zeros(2)) for name in next(names)]))
    source.metas()
    with pytest.raises(RuntimeError, match=r"announced \('a'.* then found \('b'"):
        buckets_of(source, 100)
