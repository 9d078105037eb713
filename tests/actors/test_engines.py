"""Engines that shard a network, on real Ray with gloo: they follow one process, resume bitwise, give it all away."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import ray
import torch
from rollouts import CLUSTER, expected, greedy, rollout_role
from rollouts import config as rollout_config
from small_models import VOCABULARY, hf_model, make_scorer

from actors.cluster.failures import RoleError
from actors.cluster.group import RoleGroup, WorkerGroup
from actors.roles.critic import Critic
from actors.roles.policy import Policy
from actors.roles.reference import Reference
from actors.roles.reward import Reward
from actors.rollout.worker import RolloutWorker
from actors.weights.source import WeightSource
from actors.weights.sync import WeightSync
from rewardranker.config.schema import (
    EngineConfig,
    LoraConfig,
    OptimConfig,
    PPOConfig,
    WeightSyncConfig,
)
from rewardranker.errors import UserError
from rewardranker.models import head
from rewardranker.models.batching import TokenSequence
from rewardranker.training.engine import TrainEngine
from rewardranker.training.objectives import PairObjective
from rewardranker.training.offloading import Offloaded
from rewardranker.training.ppo.experience import Experience, Samples, build_experience
from rewardranker.training.ppo.rewards import RunningMoments
from rewardranker.training.ranks import Rank
from rewardranker.training.setup import NetworkSetup

# Workers cannot import a test module: Ray shall send what is defined here by value.
ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])

STEPS = 5
ENGINES = {
    "torch": EngineConfig(),
    "deepspeed-0": EngineConfig("deepspeed", zero_stage=0),
    "deepspeed-2": EngineConfig("deepspeed", zero_stage=2),
    "deepspeed-3": EngineConfig("deepspeed", zero_stage=3, gradient_checkpointing=True),
    "fsdp2": EngineConfig("fsdp2", gradient_checkpointing=True),
}
SHARDED = [name for name in ENGINES if name != "torch"]


@pytest.fixture(scope="module")
def rollout(ray_local: None, models: list[str]) -> Iterator[RoleGroup[RolloutWorker]]:
    role = rollout_role("transformers", models[1], 1)
    yield role
    role.group.shutdown()


def setup(path: str, engine: EngineConfig, trained: bool = True) -> NetworkSetup:
    """Rates at which five updates move weights by 0.05, and an epsilon that keeps rounding errors small."""
    optim = OptimConfig(lr=0.01, eps=1e-3, schedule="constant", warmup=0) if trained else None
    made = NetworkSetup(path, path, engine, 64, optim=optim, total_steps=STEPS, seed=7)
    return replace(made, objective=PairObjective(margin=0.1), lora=engine.lora.of("policy") if trained else None)


def adapted(name: str) -> EngineConfig:
    """An engine of :data:`ENGINES`, with LoRA."""
    return replace(ENGINES[name], lora=LoraConfig(rank=4, alpha=16))


def rows(step: int) -> list[TokenSequence]:
    """Skewed: the longest answer has more tokens than all the others together."""
    rng = np.random.default_rng(step)
    lengths = [(3, 60), (5, 2), (2, 2), (7, 1), (4, 1), (6, 6), (3, 10), (5, 3)]
    return [
        TokenSequence(tuple(rng.integers(2, 60, p).tolist()), (*rng.integers(2, 60, r).tolist(), 1))
        for p, r in lengths
    ]


def pairs(step: int) -> list[tuple[TokenSequence, TokenSequence]]:
    made = rows(step)
    return [(a, replace(b, prompt_ids=a.prompt_ids)) for a, b in zip(made[::2], made[1::2], strict=True)]


def experience(made: list[TokenSequence], step: int) -> Experience:
    rng = np.random.default_rng(100 + step)

    def numbers() -> list[np.ndarray]:
        return [rng.normal(-3, 0.3, len(s.response_ids)).astype(np.float32) for s in made]

    scores, finished = torch.linspace(-1, 1, len(made)), torch.ones(len(made), dtype=torch.bool)
    samples = Samples(made, scores, finished, numbers(), numbers(), numbers())
    return build_experience(samples, RunningMoments(), 0.1, PPOConfig())[0]


def learn(kind: str, role: RoleGroup, step: int) -> dict[str, float]:
    """One step of the role, over two minibatches in PPO."""
    if kind == "reward":
        return role.all(Reward.learn, pairs(step))[0]
    made = rows(step)
    method, names = (Policy.update, Policy.LEARNS_FROM) if kind == "policy" else (Critic.update, Critic.LEARNS_FROM)
    shares = experience(made, step).shares([[0, 1, 2, 3], [4, 5, 6, 7]], names, role.world)
    return role.submit_each(method, shares, PPOConfig()).get()[0]


def answers(kind: str, role: RoleGroup) -> np.ndarray:
    """What the role says of three rows, of which two ranks get two and one, and of a single one."""
    methods: dict[str, tuple[Any, tuple[float, ...]]] = {
        "policy": (Policy.logprobs, (0.9,)),
        "critic": (Critic.values, ()),
        "reward": (Reward.score, ()),
    }
    method, args = methods[kind]
    found = [*role.sharded(method, rows(9)[:3], *args), *role.sharded(method, rows(9)[3:4], *args)]
    return np.concatenate([np.atleast_1d(row) for row in found])


def in_memory(network: torch.nn.Module) -> None:
    """Weights that are still parts of their file are read from it, so that their memory can be given back."""
    for parameter in network.parameters():
        if not parameter.data.untyped_storage().resizable():
            parameter.data = parameter.data.clone()


class Chunked(Policy):
    """A policy whose head reads seven tokens at a time, so that ranks need it unequally often."""

    def __init__(self, made: NetworkSetup, rank: Rank) -> None:
        head.CHUNK_BYTES = 7 * 4 * VOCABULARY
        super().__init__(made, rank)
        in_memory(self.network)


class Guess(Critic):
    def __init__(self, made: NetworkSetup, rank: Rank) -> None:
        super().__init__(made, rank)
        in_memory(self.network)


class Score(Reward):
    def __init__(self, made: NetworkSetup, rank: Rank) -> None:
        super().__init__(made, rank)
        in_memory(self.network)


class Gauge:
    """What tensors hold in a worker, but for what was moved to the host's memory."""

    def __init__(self, rank: Rank) -> None:
        pass

    def resident(self) -> int:
        gc.collect()
        found = gc.get_objects()
        away = [numbers for o in found if type(o) is Offloaded for _, _, numbers in o._away if numbers is not None]
        tensors = [o for o in found if type(o) in (torch.Tensor, torch.nn.Parameter) and o.device.type == "cpu"]
        storages = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in tensors}
        return sum(storages.values()) - sum(numbers.nbytes for numbers in away)


FACTORIES = {"policy": Chunked, "critic": Guess, "reward": Score}


#: All of them; those that are not slow shard everything.
CASES = [
    pytest.param(name, kind, marks=[] if kind == "policy" and name in SHARDED[-2:] else [pytest.mark.slow])
    for kind in FACTORIES
    for name in ENGINES
]


@pytest.fixture(scope="module")
def starts(models: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    scorer = str(make_scorer(models[0], tmp_path_factory.mktemp("scorer")))
    return {"policy": models[0], "critic": scorer, "reward": scorer}


@pytest.fixture(scope="module")
def alone(groups: dict[int, WorkerGroup], starts: dict[str, str]) -> dict[str, tuple[np.ndarray, dict[str, float]]]:
    """What one process says after five steps, and the numbers of the last."""
    found = {}
    for kind, factory in FACTORIES.items():
        role = groups[1].build(kind, factory, setup(starts[kind], ENGINES["torch"]))
        metrics = [learn(kind, role, step) for step in range(STEPS)][-1]
        found[kind] = answers(kind, role), metrics
    return found


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_two_ranks_follow_one_process_and_resume_bitwise(
    groups: dict[int, WorkerGroup],
    starts: dict[str, str],
    alone: dict[str, tuple[np.ndarray, dict[str, float]]],
    tmp_path: Path,
    name: str,
    kind: str,
) -> None:
    made = setup(starts[kind], ENGINES[name])
    role = groups[2].build(kind, FACTORIES[kind], made)
    before = answers(kind, role)
    for step in range(STEPS):
        if step == 2:
            role.all(FACTORIES[kind].save, str(tmp_path))
        metrics = learn(kind, role, step)
    expected, numbers = alone[kind]
    found = answers(kind, role)
    assert np.abs(found - before).max() > 0.05
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3)
    assert metrics == pytest.approx(numbers, rel=1e-3, abs=1e-4)

    gauge = groups[2].build("gauge", Gauge)
    role.part("engine", TrainEngine).all(TrainEngine.offload)  # type: ignore[type-abstract]
    left = gauge.all(Gauge.resident)
    role.drop()
    assert max(np.subtract(left, gauge.all(Gauge.resident))) < 2000

    again = groups[2].build(kind, FACTORIES[kind], made)
    again.all(FACTORIES[kind].load, str(tmp_path))
    engine = again.part("engine", TrainEngine)  # type: ignore[type-abstract]
    for step in range(2, STEPS):
        # Between updates its memory is for others.
        engine.all(TrainEngine.offload, keep_weights=True)
        engine.all(TrainEngine.offload)
        with pytest.raises(RoleError, match="the network is offloaded: reload it before it computes"):
            answers(kind, again)
        engine.all(TrainEngine.reload)
        resumed = learn(kind, again, step)
    assert resumed == metrics
    np.testing.assert_array_equal(answers(kind, again), found)


@pytest.mark.slow
def test_what_two_ranks_saved_goes_on_with_another_number(
    groups: dict[int, WorkerGroup],
    starts: dict[str, str],
    alone: dict[str, tuple[np.ndarray, dict[str, float]]],
    tmp_path: Path,
) -> None:
    """FSDP2 divides anew; DeepSpeed says that it cannot."""
    four = WorkerGroup("four", CLUSTER, 4, cpus=0.25, gpus=0, joined=True)
    for name in ("fsdp2", "deepspeed-2"):
        made, place = setup(starts["policy"], ENGINES[name]), str(tmp_path / name)
        Path(place).mkdir()
        role = groups[2].build("policy", Policy, made)
        for step in range(2):
            learn("policy", role, step)
        role.all(Policy.save, place)
        for group in (groups[1], four):
            again = group.build("policy", Policy, made)
            if name != "fsdp2":
                with pytest.raises(UserError, match=f"of 2 ranks cannot go on with {len(group.workers)}; give it"):
                    again.all(Policy.load, place)
                continue
            again.all(Policy.load, place)
            metrics = [learn("policy", again, step) for step in range(2, STEPS)][-1]
            np.testing.assert_allclose(answers("policy", again), alone["policy"][0], rtol=0, atol=1e-3)
            assert metrics == pytest.approx(alone["policy"][1], rel=1e-3, abs=1e-4)
    four.shutdown()


@pytest.mark.slow
@pytest.mark.parametrize("name", SHARDED[-2:])
def test_rollouts_and_exports_get_all_of_a_sharded_policy(
    groups: dict[int, WorkerGroup], models: list[str], rollout: RoleGroup[RolloutWorker], tmp_path: Path, name: str
) -> None:
    """Over both transports; frozen networks are divided, too."""
    role = groups[2].build("policy", Policy, setup(models[0], ENGINES[name]))
    learn("policy", role, 0)
    role.all(Policy.export, str(tmp_path))
    said = expected(str(tmp_path))
    for version, transport in enumerate(("object_store", "gloo")):
        rollout.all(RolloutWorker.load_checkpoint, models[1], 90)
        assert greedy(rollout, 0) != said
        config = WeightSyncConfig(transport=transport, bucket_mb=1, timeout_s=120)
        metrics = WeightSync(config).sync(role.part("weights", WeightSource), rollout, version)
        assert greedy(rollout, 0) == said
        assert metrics["weight_sync/mb"] == sum(p.numel() * 4 for p in hf_model(models[0]).parameters()) / 2**20

    scorer = groups[2].build("reward", Reward, setup(models[0], ENGINES[name]))
    learn("reward", scorer, 0)
    scorer.all(Reward.export, str(tmp_path / "scorer"))
    frozen = groups[2].build("frozen", Reward, setup(str(tmp_path / "scorer"), ENGINES[name], trained=False))
    plain = groups[1].build("plain", Reward, setup(str(tmp_path / "scorer"), ENGINES["torch"], trained=False))
    np.testing.assert_allclose(answers("reward", frozen), answers("reward", scorer), rtol=0, atol=1e-5)
    np.testing.assert_allclose(answers("reward", plain), answers("reward", scorer), rtol=0, atol=1e-5)
    with pytest.raises(RoleError, match="this reranker is frozen"):
        frozen.all(Reward.learn, pairs(0))
    reference = groups[2].build("reference", Reference, setup(str(tmp_path), ENGINES[name], trained=False))
    found = np.concatenate(reference.sharded(Reference.logprobs, rows(9)[:3], 0.9))
    np.testing.assert_allclose(found, answers("policy", role)[: len(found)], rtol=0, atol=1e-4)


@pytest.mark.slow
@pytest.mark.vllm
def test_an_engine_of_two_processes_gets_all_of_a_sharded_policy(
    groups: dict[int, WorkerGroup], models: list[str], tmp_path: Path
) -> None:
    """vLLM's tensor parallelism: both processes are ranks of the weight group, and end with their actor. Its tokens
    are those of the exported policy."""
    engine = rollout_role("vllm", models[1], 1, tensor_parallel=2)
    assert greedy(engine, 0) == expected(models[1])
    for version, (name, transport) in enumerate(
        [("deepspeed-3", "gloo"), ("fsdp2", "gloo"), ("fsdp2", "object_store")], start=1
    ):
        policy = groups[2].build("policy", Policy, setup(models[0], ENGINES[name]))
        learn("policy", policy, version)
        policy.all(Policy.export, str(tmp_path / str(version)))
        config = WeightSyncConfig(transport=transport, bucket_mb=1, timeout_s=120)
        WeightSync(config).sync(policy.part("weights", WeightSource), engine, version)
        assert greedy(engine, 0) == expected(str(tmp_path / str(version)))
        assert engine.all(RolloutWorker.weights_version) == [version]
    with pytest.raises(UserError, match="has 4 attention heads, which so many processes cannot share out"):
        engine.group.build("three", RolloutWorker, rollout_config("vllm", tensor_parallel=3), models[1])
    actor = psutil.Process(int(engine.group.places[0].rpartition("pid ")[2]))
    processes = [child for child in actor.children(recursive=True) if "vllm" in child.name().lower()]
    assert len(processes) >= 2
    engine.group.shutdown()
    _, alive = psutil.wait_procs(processes, timeout=30)
    assert not alive


@pytest.mark.parametrize("name", [pytest.param(n, marks=[] if n == "torch" else [pytest.mark.slow]) for n in ENGINES])
def test_what_lora_trains_is_all_that_is_saved_and_arrives_merged(
    groups: dict[int, WorkerGroup], models: list[str], rollout: RoleGroup[RolloutWorker], tmp_path: Path, name: str
) -> None:
    """Two ranks of every engine follow one process, resume bitwise, and send and export sums."""
    one = groups[1].build("policy", Policy, setup(models[0], adapted("torch")))
    role = groups[2].build("policy", Policy, setup(models[0], adapted(name)))
    reference = groups[2].build("reference", Reference, setup(models[0], adapted(name), trained=False))
    before = answers("policy", role)
    first = np.concatenate(reference.sharded(Reference.logprobs, rows(9)[:3], 0.9))
    np.testing.assert_allclose(first, before[: len(first)], rtol=0, atol=1e-5)
    for step in range(3):
        if step == 1:
            role.all(Policy.save, str(tmp_path))
        metrics, expected_metrics = learn("policy", role, step), learn("policy", one, step)
    found = answers("policy", role)
    assert np.abs(found - before).max() > 0.05
    np.testing.assert_allclose(found, answers("policy", one), rtol=0, atol=1e-3)
    assert metrics == pytest.approx(expected_metrics, rel=1e-3, abs=1e-4)
    still = np.concatenate(reference.sharded(Reference.logprobs, rows(9)[:3], 0.9))
    np.testing.assert_array_equal(still, first)

    saved = sum(file.stat().st_size for file in tmp_path.rglob("*") if file.is_file())
    assert saved < 0.9 * sum(
        p.numel() * 4 for p in hf_model(models[0]).parameters()
    )  # with two moments of what trains
    role.all(Policy.export, str(tmp_path / "hf"))
    rollout.all(RolloutWorker.load_checkpoint, models[1], 90)
    WeightSync(WeightSyncConfig(timeout_s=120)).sync(role.part("weights", WeightSource), rollout, 1)
    assert greedy(rollout, 0) == expected(str(tmp_path / "hf")) != expected(models[0])

    again = groups[2].build("policy", Policy, setup(models[0], adapted(name)))
    again.all(Policy.load, str(tmp_path))
    resumed = [learn("policy", again, step) for step in (1, 2)][-1]
    assert resumed == metrics
    np.testing.assert_array_equal(answers("policy", again), found)
