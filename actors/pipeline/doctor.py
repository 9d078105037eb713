"""Does this cluster do what a config asks? Each check does the thing, small, and says what it found."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import ray
import torch
import torch.distributed as dist

from actors.cluster.start import preflight
from actors.pipeline.runtime import Runtime
from actors.rollout.worker import choose_engine
from rewardranker.config.schema import Config
from rewardranker.errors import UserError
from rewardranker.judge import sandbox_description, toolchain_of
from rewardranker.judge.languages import LANGUAGES
from rewardranker.problems.types import Problem, Test
from rewardranker.runs.console import Console
from rewardranker.training.demand import NOTHING, WHOLE, Uses
from rewardranker.training.ranks import Rank

MEGABYTES = 16


class Echo:
    """A role that only talks to its peers."""

    def __init__(self, rank: Rank) -> None:
        self._rank = rank

    def exchange(self) -> float:
        """All-reduces ones; returns megabytes per second."""
        block = torch.ones(MEGABYTES << 18, device=self._rank.device)
        begun = time.monotonic()
        if self._rank.world > 1:
            dist.all_reduce(block)
        if float(block[0]) != self._rank.world:
            raise RuntimeError(f"all-reduce over {self._rank.world} ranks gave {float(block[0])}")
        return MEGABYTES / (time.monotonic() - begun)


def examine(config: Config, console: Console) -> bool:
    """Prints one line per check; true when all passed."""
    passed = True

    def check(name: str, examined: Callable[[], str]) -> None:
        nonlocal passed
        try:
            console.say(f"ok      {name:<12} {examined()}")
        except Exception as error:
            # Whatever is wrong, the other checks are still worth knowing.
            passed = False
            console.say(f"FAILED  {name:<12} {error}")

    try:
        with Runtime(config, console, uses=NOTHING) as runtime:
            check("resources", lambda: _resources(config))
            check("collectives", lambda: _collectives(runtime))
            check("rollout", lambda: f"engine {choose_engine(config)}")
            check("judge", lambda: _judge(runtime))
            for line in _languages(config.judge.remote_url):
                console.say(line)
    except UserError as error:
        console.say(f"FAILED  resources    {error}")
        return False
    return passed


def _resources(config: Config) -> str:
    preflight(config, WHOLE)
    nodes = [node for node in ray.nodes() if node["Alive"]]
    kinds = {kind: sum(node["Resources"].get(kind, 0.0) for node in nodes) for kind in ("CPU", "GPU")}
    return f"{len(nodes)} node(s), {kinds['CPU']:g} CPUs, {kinds['GPU']:g} GPUs"


def _collectives(runtime: Runtime) -> str:
    preflight(runtime.config, Uses(("policy",), engines=False, judge=False))
    role = runtime.role("policy", Echo)
    rates = role.all(Echo.exchange)
    runtime.stop_workers()  # the judge may need their cores
    return f"{role.world} rank(s), {np.mean(rates):,.0f} MB/s on {', '.join(sorted(set(role.group.places)))}"


def _judge(runtime: Runtime) -> str:
    preflight(runtime.config, Uses((), engines=False, judge=True))
    problem = Problem(
        id="doctor/add",
        source="doctor",
        language="python",
        prompt="",
        entry_point="f",
        style="function",
        tests=(Test("[1, 2]", "3"),),
    )
    programs = ["def f(a, b):\n    return a + b\n", "def f(a, b):\n    return a - b\n"]
    verdicts = [str(j.verdict) for j in runtime.executors.run([(problem, code) for code in programs])]
    if verdicts != ["OK", "WRONG"]:
        raise RuntimeError(f"a right and a wrong program were judged {verdicts}")
    return sandbox_description(runtime.config.judge.minimum_tier, runtime.config.judge.remote_url)


def _languages(remote: str) -> list[str]:
    """What programs can be judged in on this node, or on the remote machine. A language that is missing fails
    nothing: few runs need all."""
    lines = []
    for name, language in LANGUAGES.items():
        found = toolchain_of(language, remote)
        if found.missing:
            remedy = "" if remote else "; `make toolchains` installs it"
            lines.append(f"none    {name:<12} lacks {', '.join(found.missing)}{remedy}")
        else:
            lines.append(f"ok      {name:<12} {found.version}")
    return lines
