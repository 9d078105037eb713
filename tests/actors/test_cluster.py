"""What a run asks for is compared with the cluster before anything starts."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from actors.cluster.start import preflight, reserve, start_ray
from rewardranker.config.loading import load_config
from rewardranker.config.schema import ClusterConfig
from rewardranker.errors import UserError
from rewardranker.training.demand import GENERATE, WHOLE


def test_more_ranks_than_the_cluster_has(ray_local: None) -> None:
    with pytest.raises(UserError, match=r"asked for 103 CPUs \(100 x 1 for training, .* Ray has 2 here\. Lower"):
        large = ["cluster.ranks=100", "sft.minibatch_size=128", "reward.minibatch_size=128"]
        preflight(load_config(None, large), WHOLE)
    with pytest.raises(UserError, match="asked for 1 GPUs"):
        preflight(load_config(None, ["cluster.gpus_per_rank=1"]), WHOLE)
    preflight(load_config(), GENERATE)


def test_what_is_taken_is_waited_for_no_longer_than_allowed(ray_local: None) -> None:
    with pytest.raises(UserError, match=r"late: 1 bundles of .* were not free within .*=0.5 s"):
        reserve("late", [{"CPU": 64.0}], ClusterConfig(placement_timeout_s=0.5))


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Somebody listens, and says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_dead_address_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for address, reason in (
        ("127.0.0.1:9", "refused"),
        ("ray://127.0.0.1:9", "refused"),
        ("nowhere.invalid:6379", "known|resolution"),
        ("127.0.0.1", "HOST:PORT"),
        ("127.0.0.1:0x9", "HOST:PORT"),
    ):
        with pytest.raises(
            UserError, match=rf"cluster.address={address}: no Ray cluster answers there \(.*({reason})"
        ):
            start_ray(ClusterConfig(address=address))
        monkeypatch.setenv("RAY_ADDRESS", address)
        with pytest.raises(UserError, match=rf"RAY_ADDRESS={address}: .* or unset it"):
            start_ray(ClusterConfig())


@pytest.mark.slow
def test_a_port_that_is_no_cluster_is_named_within_a_minute(silent_port: int) -> None:
    with pytest.raises(UserError, match=f"cluster.address=127.0.0.1:{silent_port}: no Ray cluster answers there"):
        start_ray(ClusterConfig(address=f"127.0.0.1:{silent_port}"))


@pytest.mark.parametrize("variable", ["TMPDIR", "RAY_TMPDIR"])
def test_a_directory_too_long_for_sockets_is_named(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "/tmp/" + "long/" * 20)
    with pytest.raises(UserError, match=rf"{variable}=/tmp/long.* too long .* RAY_TMPDIR=/tmp"):
        start_ray(ClusterConfig())
