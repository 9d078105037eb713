"""Two hosts, which are network namespaces here: a policy learns on one, an engine samples on the other, and weights
travel over the link between them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from rewardranker.runs.metrics import read_metrics

ROOT = Path(__file__).parents[2]
NET, PORT = "10.77.0", 6399
HOSTS = ("rewardranker-0", "rewardranker-1")
RAY = [sys.executable, "-m", "ray.scripts.scripts", "start", "--num-cpus=2", "--disable-usage-stats"]
COMMAND = (
    f"ppo --config configs/smoke.yaml cluster.address={NET}.10:{PORT} cluster.cpus_per_rank=1 cluster.ranks=2 "
    "rollout.in_workers=false rollout.workers=1 rollout.cpus_per_worker=1 weight_sync.transport=gloo sft.steps=10 "
    "reward.steps=4 ppo.steps=3"
)


def ip(*words: str, check: bool = True) -> str:
    return subprocess.run(["ip", *words], check=check, capture_output=True, text=True).stdout


def within(host: str, command: list[str]) -> list[str]:
    return ["ip", "netns", "exec", host, *command]


def processes(host: str) -> list[psutil.Process]:
    """Those that are there still when they are looked at."""
    found = []
    for pid in ip("netns", "pids", host, check=False).split():
        with contextlib.suppress(psutil.NoSuchProcess):
            found.append(psutil.Process(int(pid)))
    return found


@pytest.fixture
def hosts() -> Iterator[tuple[str, str]]:
    """A Ray of two nodes, each of which sees the other over a link alone."""
    bridge = "rewardranker"
    try:
        ip("link", "add", bridge, "type", "bridge")
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no network namespaces can be made here: {error}")
    environment = {**os.environ, "RAY_AUTH_MODE": "disabled"}
    # Sockets of Ray have to fit into 107 characters.
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="hosts") as place:
        try:
            ip("link", "set", bridge, "up")
            for number, host in enumerate(HOSTS):
                ip("netns", "add", host)
                ip("link", "add", f"rranker{number}", "type", "veth", "peer", "name", "eth0", "netns", host)
                ip("link", "set", f"rranker{number}", "master", bridge, "up")
                ip("-n", host, "addr", "add", f"{NET}.1{number}/24", "dev", "eth0")
                ip("-n", host, "link", "set", "eth0", "up")
                ip("-n", host, "link", "set", "lo", "up")
            head = ["--head", f"--port={PORT}", f"--temp-dir={place}", "--include-dashboard=false"]
            for number, (host, more) in enumerate(zip(HOSTS, (head, [f"--address={NET}.10:{PORT}"]), strict=True)):
                command = [*RAY, f"--node-ip-address={NET}.1{number}", "--object-store-memory=200000000", *more]
                subprocess.run(within(host, command), check=True, capture_output=True, env=environment)
            yield HOSTS
        finally:
            for host in HOSTS:
                for process in processes(host):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.kill()
                ip("netns", "del", host, check=False)
            ip("link", "del", bridge, check=False)


def workers(host: str) -> int:
    """Processes on a host in which a role or an engine lives."""
    found = []
    for process in processes(host):
        with contextlib.suppress(psutil.NoSuchProcess):
            found.append("".join(process.cmdline()[:1]))
    return sum(name.startswith("ray::Worker") for name in found)


def received(host: str) -> int:
    """Bytes that came over the link."""
    return int(ip("netns", "exec", host, "cat", "/sys/class/net/eth0/statistics/rx_bytes"))


@pytest.mark.slow
def test_weights_travel_over_the_link(hosts: tuple[str, str], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "rewardranker.cli", *COMMAND.split(), f"run.root={tmp_path}"]
    environment = {**os.environ, "RAY_AUTH_MODE": "disabled"}
    seen = set()
    with (tmp_path / "log").open("w") as log:
        run = subprocess.Popen(within(hosts[0], command), cwd=ROOT, env=environment, stdout=log, stderr=log)
        while run.poll() is None:
            time.sleep(0.5)
            seen.add(tuple(workers(host) for host in hosts))
    assert run.returncode == 0, (tmp_path / "log").read_text()
    # Two ranks on one host and the engine on the other; Ray chooses which.
    assert seen & {(2, 1), (1, 2)} and not any(sum(counts) > 3 for counts in seen)
    (stage,) = (tmp_path / "smoke").glob("*-ppo-1")
    steps = read_metrics(stage)
    assert len(steps) == 3
    sent = 1e6 * sum(step["weight_sync/mb"] for step in steps)
    assert 0 < sent < max(received(host) for host in hosts)
