"""Worker groups on real Ray with gloo: two ranks train as one does, and failures are named."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import time
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ray
import torch
from rollouts import CLUSTER
from small_models import make_scorer

from actors.cluster.dispatch import chunked, dispatch
from actors.cluster.failures import ChunkFailed, RoleError, WorkerLost
from actors.cluster.group import RoleGroup, WorkerGroup
from actors.cluster.worker import Worker
from actors.roles.critic import Critic
from actors.roles.policy import Policy
from actors.roles.reward import Reward
from rewardranker.config.schema import EngineConfig, OptimConfig, PPOConfig
from rewardranker.errors import UserError
from rewardranker.models.batching import TokenSequence
from rewardranker.training.objectives import PairObjective
from rewardranker.training.ppo.experience import Samples, build_experience
from rewardranker.training.ppo.rewards import RunningMoments
from rewardranker.training.ranks import Rank
from rewardranker.training.setup import NetworkSetup

# Workers cannot import a test module: Ray shall send what is defined here by value.
ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])


class Echo:
    """A role that shows who was called with what."""

    def __init__(self, rank: Rank) -> None:
        self.rank = rank

    def tag(self, rows: list[int]) -> list[tuple[int, int]]:
        return [(self.rank.index, row) for row in rows]

    def fail(self, rank: int, user: bool) -> None:
        if rank == self.rank.index:
            raise UserError("bad input") if user else ValueError("a bug")

    def sleep(self, rank: int, seconds: float) -> None:
        time.sleep(seconds if rank == self.rank.index else 0)

    def pid(self) -> int:
        return os.getpid()


def setup(
    path: str, optim: OptimConfig | None, microbatch_tokens: int = 64, engine: EngineConfig | None = None
) -> NetworkSetup:
    return NetworkSetup(
        path,
        path,
        engine or EngineConfig(),
        microbatch_tokens,
        optim=optim,
        total_steps=4,
        seed=7,
        objective=PairObjective(margin=0.1),
    )


def sequences() -> list[TokenSequence]:
    rng = np.random.default_rng(0)
    lengths = [(3, 4), (5, 9), (2, 2), (7, 12), (4, 1), (6, 6), (3, 10), (5, 3)]
    return [
        TokenSequence(tuple(rng.integers(2, 60, p).tolist()), (*rng.integers(2, 60, r).tolist(), 1))
        for p, r in lengths
    ]


def update_of(role: RoleGroup, kind: str, directory: Path, tokens: int) -> dict[str, torch.Tensor]:
    """What one optimiser update adds to every parameter."""
    rows = sequences()
    name = {"sft": "policy", "top layer": "reward"}.get(kind, kind)
    pairs = [(a, replace(b, prompt_ids=a.prompt_ids)) for a, b in zip(rows[::2], rows[1::2], strict=True)]
    states = []
    for when in ("before", "after"):
        if when == "after" and kind == "sft":
            metrics = role.all(Policy.learn, rows)
        elif when == "after" and name == "reward":
            metrics = role.all(Reward.learn, pairs)
        elif when == "after":
            made, names = experience(rows), Policy.LEARNS_FROM if kind == "policy" else Critic.LEARNS_FROM
            shares = made.shares([list(range(len(rows)))], names, role.world)
            metrics = role.submit_each(Policy.update, shares, PPOConfig()).get()
        role.all(Policy.save, str(directory))
        states.append(torch.load(directory / f"{name}.pt")["network"])
    assert all(m == metrics[0] for m in metrics)  # every rank reports the global numbers
    before, after = states
    return {key: after[key] - before[key] for key in before}


def experience(rows: list[TokenSequence]) -> Any:
    rng = np.random.default_rng(1)

    def numbers() -> list[np.ndarray]:
        return [rng.normal(-3, 0.3, len(s.response_ids)).astype(np.float32) for s in rows]

    scores, finished = torch.linspace(-1, 1, len(rows)), torch.ones(len(rows), dtype=torch.bool)
    samples = Samples(rows, scores, finished, numbers(), numbers(), numbers())
    return build_experience(samples, RunningMoments(), 0.1, PPOConfig())[0]


@pytest.mark.parametrize(
    ("kind", "factory"),
    [("sft", Policy), ("policy", Policy), ("critic", Critic), ("reward", Reward), ("top layer", Reward)],
)
def test_two_ranks_and_any_microbatches_train_as_one_rank_does(
    groups: dict[int, WorkerGroup], models: list[str], tmp_path: Path, kind: str, factory: Any
) -> None:
    """Losses are sums over a global denominator, so neither ranks nor micro-batches change a gradient.

    With so large an epsilon Adam moves weights in proportion to their gradients; with a small one it would blow
    up rounding errors wherever a gradient is almost zero.
    """
    optim = OptimConfig(lr=0.1, eps=1.0, schedule="constant", warmup=0, max_grad_norm=1e9)
    start = str(make_scorer(models[0], tmp_path / "scorer")) if kind == "critic" else models[0]
    found = []
    for ranks, tokens in ((1, 10_000), (1, 20), (2, 64)):
        directory = tmp_path / f"{ranks}-{tokens}"
        directory.mkdir()
        engine = EngineConfig(shared_prompts=True, trained_layers=1) if kind == "top layer" else EngineConfig()
        role = groups[ranks].build(kind, factory, setup(start, optim, tokens, engine))
        found.append(update_of(role, kind, directory, tokens))
    for key, expected in found[0].items():
        largest = float(expected.abs().max())
        below = kind == "top layer" and any(part in key for part in ("embed", "layers.0", "layers.1"))
        assert (largest > 1e-6) == (not below), key
        for other in found[1:]:
            torch.testing.assert_close(other[key], expected, rtol=0, atol=1e-3 * largest)


def test_training_goes_on_with_other_ranks(groups: dict[int, WorkerGroup], models: list[str], tmp_path: Path) -> None:
    """What one rank saved, two load and go on from, and the other way round: as if no one had been cut off."""
    optim, rows = OptimConfig(lr=0.1, eps=1.0, warmup=0), sequences()
    found = []
    for ranks in ((1, 1), (1, 2), (2, 1)):
        for number, count in enumerate(ranks):
            directory = tmp_path / f"{ranks}-{number}"
            directory.mkdir()
            role = groups[count].build("policy", Policy, setup(models[0], optim))
            if number:
                role.all(Policy.load, str(tmp_path / f"{ranks}-0"))
            reports = role.all(Policy.learn, rows)
            role.all(Policy.save, str(directory))
        found.append((torch.load(directory / "policy.pt")["network"], reports[0]))
    (expected, report), *others = found
    assert report["sft/lr"] < 0.1  # the schedule went on, too
    for weights, other in others:
        assert other == pytest.approx(report, rel=1e-4)
        for key, value in expected.items():
            torch.testing.assert_close(weights[key], value, rtol=0, atol=1e-4)


def test_rows_are_shared_out_and_come_back_in_order(groups: dict[int, WorkerGroup]) -> None:
    role = groups[2].build("echo", Echo)
    assert role.sharded(Echo.tag, [10, 11, 12]) == [(0, 10), (1, 11), (0, 12)]
    assert role.sharded(Echo.tag, [5]) == [(0, 5)]
    assert role.all(Echo.tag, [7]) == [[(0, 7)], [(1, 7)]]


def test_an_error_names_role_method_rank_node_and_process(groups: dict[int, WorkerGroup]) -> None:
    role = groups[2].build("echo", Echo)
    with pytest.raises(
        RoleError, match=r"^echo\.fail: rank 1 of 2 \(node .*, pid \d+\) raised ValueError: a bug$"
    ) as caught:
        role.all(Echo.fail, 1, False)
    assert "in fail" in str(caught.value.__cause__)  # the worker's traceback
    with pytest.raises(UserError, match="^bad input$"):
        role.all(Echo.fail, 0, True)


class Circular:
    """A role that refers to itself, as wrapped networks do, and holds a megabyte."""

    def __init__(self, device: str, rank: Rank) -> None:
        self.myself, self.held = self, torch.zeros(1 << 18, device=device)


GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda:0", marks=GPU)])
def test_a_dropped_role_leaves_nothing_behind(ray_local: None, device: str) -> None:
    """Neither in the process nor in what torch keeps of a device, which other processes could not use."""
    worker = Worker(0, 1, torch.get_num_threads())
    thresholds = gc.get_threshold()
    gc.set_threshold(0)  # Python's own rounds come when they come
    for leave in (worker.drop, lambda name: worker.build(name, Echo)):
        worker.build("role", Circular, device)
        held = weakref.ref(worker._roles["role"])
        leave("role")
        assert held() is None
        assert device == "cpu" or torch.cuda.memory_reserved() == 0
    gc.set_threshold(*thresholds)


def test_nobody_can_take_the_meeting_point_before_the_ranks_come(groups: dict[int, WorkerGroup]) -> None:
    address, port = groups[1].wait([groups[1].workers[0].open_meeting.remote(30.0)], "meeting point", 60)[0]
    with pytest.raises(OSError, match="in use"), socket.socket() as other:
        other.bind((address, port))


def test_a_worker_that_does_not_answer_in_time_is_lost(
    groups: dict[int, WorkerGroup], monkeypatch: pytest.MonkeyPatch
) -> None:
    role = groups[2].build("echo", Echo)
    monkeypatch.setattr(groups[2], "config", replace(groups[2].config, call_timeout_s=2))
    with pytest.raises(WorkerLost, match=r"echo\.sleep: rank 1 of 2 .* no answer within 2 s"):
        role.all(Echo.sleep, 1, 6.0)


def test_a_killed_worker_is_lost_and_named(ray_local: None) -> None:
    group = WorkerGroup("mortal", CLUSTER, 2, cpus=0.25, gpus=0, joined=False)
    role = group.build("echo", Echo)
    os.kill(role.wait_one(1, Echo.pid), signal.SIGKILL)
    with pytest.raises(WorkerLost, match=r"echo\.tag: rank 1 of 2 .* is lost"):
        role.all(Echo.tag, [1])
    group.restart(1)
    group.wait([group.build_on(1, "echo", Echo)], "echo: load", 60)
    assert role.all(Echo.tag, [1]) == [[(0, 1)], [(1, 1)]]
    group.shutdown()


class Fragile:
    """A stateless worker that dies of some chunks the first time, or every time, or hangs the first time."""

    def run(self, chunk: list[int], marks: str) -> list[int]:
        mark = Path(marks) / str(chunk[0])
        if chunk[0] < 0 or (chunk[0] == 3 and not mark.exists()):
            mark.touch()
            os._exit(1)
        if chunk[0] == 7 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGSTOP)
        if chunk[0] > 90:
            raise ValueError("a bug\nwith details")
        return [2 * x for x in chunk]


def test_a_dead_worker_s_chunk_is_given_out_again(ray_local: None, tmp_path: Path) -> None:
    def start() -> Any:
        return ray.remote(Fragile).options(num_cpus=0.1).remote()

    workers, said = [start(), start()], list[str]()

    def replaced(place: int, why: str) -> Any:
        said.append(why)
        ray.kill(workers[place])
        return start()

    def run(rows: list[int], limit_s: float = 60) -> list[list[int]]:
        chunks = chunked(rows, 1)
        return dispatch("test", workers, chunks, lambda w, c: w.run.remote(c, str(tmp_path)), replaced, limit_s)

    assert run(list(range(6))) == [[0], [2], [4], [6], [8], [10]]
    assert len(said) == 1 and said[0].startswith("test: worker ") and "is lost (The actor died" in said[0]
    assert run([7, 8], limit_s=10) == [[14], [16]]
    assert "is lost (nothing came within 10 s); it is started again, and its work given out again" in said[1]
    with pytest.raises(RoleError, match=r"^test: worker \d raised ValueError: a bug$"):
        run([1, 99])
    with pytest.raises(ChunkFailed, match="chunk 1 of 2 failed on 3 workers"):
        run([1, -1])
