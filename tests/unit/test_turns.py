"""Who has the devices that training workers and engines share, over fakes that note what is asked of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from actors.cluster.group import Pending
from actors.cluster.ranks import Seat, engine_seats
from actors.pipeline.turns import Turns
from rewardranker.config.loading import load_config
from rewardranker.errors import UserError


class Role:
    def __init__(self, name: str, log: list[str]) -> None:
        self._name, self._log = name, log

    def part(self, name: str, kind: type) -> Role:
        assert name == "engine"
        return self

    def submit_all(self, method: Callable[..., Any], keep_weights: bool = False) -> Pending[None]:
        self._log.append(f"{self._name} {method.__name__}" + (" but its weights" if keep_weights else ""))
        return Pending(lambda: None)


class Engines:
    def __init__(self, log: list[str]) -> None:
        self._log = log

    def sleep(self, keep_weights: bool) -> None:
        self._log.append("engines sleep" + ("" if keep_weights else " without weights"))

    def wake(self, weights_alone: bool) -> None:
        self._log.append("engines wake" + (" for weights" if weights_alone else ""))


def made(shared: bool) -> tuple[Turns, list[str]]:
    log: list[str] = []
    roles: dict[str, Any] = {name: Role(name, log) for name in ("policy", "critic")}
    turns = Turns(roles, shared)
    turns.sample()  # engines are made while networks are away
    turns.engines = Engines(log)
    return turns, log


def test_a_step_hands_the_devices_over_twice_and_each_time_whoever_leaves_goes_first() -> None:
    turns, log = made(shared=True)
    assert log == ["policy offload", "critic offload"]
    log.clear()
    turns.sample()
    assert log == []
    turns.learn(weights_follow=True)
    assert log == ["engines sleep without weights", "policy reload", "critic reload"]
    log.clear()
    turns.send()
    assert log == ["policy offload but its weights", "critic offload", "engines wake for weights"]
    log.clear()
    turns.sample()
    assert log == ["policy offload", "critic offload", "engines wake"]
    log.clear()
    turns.learn()  # for a checkpoint: the next samples are of the weights that the engines have
    turns.learn()
    assert log == ["engines sleep", "policy reload", "critic reload"]
    assert turns.spent()["timing_s/turns"] > 0 == turns.spent()["timing_s/turns"]


def test_a_checkpoint_after_a_sync_wakes_engines_whole_before_they_sleep_with_their_weights() -> None:
    turns, log = made(shared=True)
    turns.learn()
    turns.send()
    log.clear()
    turns.learn()
    assert log == [
        "policy offload", "critic offload", "engines wake", "engines sleep", "policy reload", "critic reload"
    ]  # fmt: skip


def test_workers_that_were_stopped_begin_with_networks() -> None:
    turns, log = made(shared=True)
    turns.begin_anew()
    log.clear()
    turns.learn()
    assert log == []


def test_nothing_is_asked_where_everyone_has_devices_of_their_own() -> None:
    turns, log = made(shared=False)
    for turn in (turns.learn, turns.send, turns.sample):
        turn()
    assert log == [] and turns.spent() == {}


def test_an_engine_has_the_devices_of_neighbours_on_one_node() -> None:
    ranks = [Seat("a", (0,)), Seat("a", (1,)), Seat("b", (0,)), Seat("b", (1,))]
    assert engine_seats(ranks, 4, 1) == ranks
    assert engine_seats(ranks, 1, 2) == [Seat("a", (0, 1))]
    assert engine_seats(ranks, 2, 2) == [Seat("a", (0, 1)), Seat("b", (0, 1))]
    assert engine_seats([Seat("a", ())], 1, 0) == [Seat("a", ())]
    with pytest.raises(UserError, match="of training workers 0 to 1, which are on a, b, and an engine cannot span"):
        engine_seats(ranks[1:], 1, 2)


GPUS = ("cluster.gpus_per_rank=1", "rollout.gpus_per_worker=1")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (("cluster.placement=disaggregated",), "take turns with workers that host all roles; set cluster.placement"),
        (
            ("rollout.mode=one_step_off",),
            "engines would sample while networks learn, on one device; set rollout.mode",
        ),
        (("generation.backend=ray_data",), "generation.backend=ray_data, which starts engines of its own"),
        (
            (*GPUS, "weight_sync.transport=nccl"),
            "one device cannot be two ranks of it; set weight_sync",
        ),
        (
            ("rollout.engine=vllm", "model.tiny.heads=2"),
            "vLLM gives memory back on GPUs alone, and rollout.gpus_per_worker is 0",
        ),
        (GPUS[:1], "gpus_per_rank=1 and rollout.gpus_per_worker=0: engines use the GPUs of training workers"),
        ((*GPUS, "rollout.workers=2"), "rollout.workers=2 of 1 devices each, and cluster.ranks=1: there are no more"),
    ],
)
def test_devices_that_cannot_be_shared_are_refused_by_name(settings: tuple[str, ...], said: str) -> None:
    with pytest.raises(UserError, match=f"^cluster.share_devices=true with .*{said}"):
        load_config(None, ["cluster.share_devices=true", *settings])
    load_config(None, list(settings))
