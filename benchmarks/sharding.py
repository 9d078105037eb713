"""What a rank holds of a network that ranks share, and how fast whole weights leave it; on CPU, over gloo.

    python benchmarks/sharding.py --out benchmarks/results/sharding.md

For every engine and number of ranks: resident memory of a rank beyond what the process had before it loaded the
network, when it has loaded and divided it, and at its highest while it learns (what an engine imports, which is as
much as a small network, was there before: it had trained a tiny one; blocks that are freed go back to the kernel, as
in ``benchmarks/memory_plan.py``); and the rate of a weight sync to one
receiver over gloo beside a broadcast of as many bytes in one piece, by the same processes, in turn, and beside what a
sync from ranks that share the weights has to do first: to gather them.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import os
import shlex
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import psutil
import ray
import torch
from memory_plan import RETURNED
from transformers import LlamaConfig, LlamaForCausalLM

from actors.cluster.group import RoleGroup, WorkerGroup
from actors.cluster.ranks import find_store
from actors.cluster.start import start_ray
from actors.roles.policy import Policy
from actors.weights.buckets import Unpacker, sampled
from actors.weights.group import WeightGroup
from actors.weights.source import WeightSource
from actors.weights.sync import WeightSync
from rewardranker.config.schema import ClusterConfig, EngineConfig, OptimConfig, WeightSyncConfig
from rewardranker.generation.types import TensorMeta
from rewardranker.models.batching import TokenSequence
from rewardranker.models.tiny import build_tokenizer
from rewardranker.runs.atomic import write_text
from rewardranker.training.ranks import Rank
from rewardranker.training.setup import NetworkSetup

ENGINES = {
    "torch (DDP)": EngineConfig("torch"),
    "deepspeed, ZeRO 1": EngineConfig("deepspeed", zero_stage=1),
    "deepspeed, ZeRO 2": EngineConfig("deepspeed", zero_stage=2),
    "deepspeed, ZeRO 3": EngineConfig("deepspeed", zero_stage=3),
    "fsdp2": EngineConfig("fsdp2"),
}
#: Of a small model, with which a process finds what its engine imports; and of the one that is measured.
Paths = tuple[str, str]
MB = 2**20
VOCABULARY = 4096


class Measured(Policy):
    """A policy that knows what its process had before."""

    def __init__(self, setup: NetworkSetup, rank: Rank) -> None:
        self._before = _resident()
        super().__init__(setup, rank)
        self.weights = PlainSource.of(self.engine, setup.dtype)

    def held(self) -> float:
        """MB beyond that, now."""
        return (_resident() - self._before) / MB

    def gather(self) -> float:
        """Seconds in which the whole weights come together on rank 0, and nothing is sent."""
        begun = time.perf_counter()
        for _ in self.engine.full_parameters():
            pass
        return time.perf_counter() - begun

    def highest(self, minibatch: list[TokenSequence]) -> float:
        """MB beyond that, at most, while it learns; it has learnt once, so that moments are there."""
        self.learn(minibatch)
        peak, done = _resident(), threading.Event()

        def watch() -> None:
            nonlocal peak
            while not done.wait(0.002):
                peak = max(peak, psutil.Process().memory_info().rss)

        watcher = threading.Thread(target=watch)
        watcher.start()
        self.learn(minibatch)
        done.set()
        watcher.join()
        return (peak - self._before) / MB


class Taker:
    """A receiver that takes weights apart and keeps none; and, beside it, one broadcast of as many bytes."""

    def __init__(self, rank: Rank) -> None:
        self._metas: list[TensorMeta] = []

    def device(self) -> str:
        return "cpu"

    def weight_ranks(self) -> int:
        return 1

    def join_weight_group(
        self, address: str, port: int, first_rank: int, world: int, backend: str, timeout_s: float
    ) -> None:
        self._group = WeightGroup(find_store(address, port, timeout_s), first_rank, world, backend, "cpu", timeout_s)

    def begin_update(self, metas: list[TensorMeta]) -> None:
        self._metas, self._came = metas, dict[str, int]()

    def receive_weights(self, limit_bytes: int) -> None:
        unpacker = Unpacker(self._metas, sampled(self._metas))
        for bucket in self._group.receive(self._metas, limit_bytes):
            for _ in unpacker.take(bucket):
                pass
        unpacker.finish()
        self._came = unpacker.came

    def finish_update(self, version: int) -> list[dict[str, int]]:
        return [self._came]

    def take_plain(self, size: int) -> float:
        """Seconds that a broadcast of so many bytes takes."""
        begun = time.perf_counter()
        for _ in self._group.receive([("bytes", "uint8", (size,))], size):
            pass
        return time.perf_counter() - begun


class PlainSource(WeightSource):
    """A source that can also send as many bytes in one piece."""

    def send_plain(self, size: int) -> None:
        if self._group:
            self._group.send([torch.ones(size, dtype=torch.uint8)])


def _resident() -> int:
    """Bytes that this process holds, after what it has freed went back to the system."""
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    return int(psutil.Process().memory_info().rss)


@dataclass(frozen=True)
class Row:
    engine: str
    ranks: int
    held_mb: float
    highest_mb: float
    sync: float
    plain: float
    gathering: float


def make_model(directory: Path, hidden: int, layers: int) -> int:
    """A Llama with random weights; returns how many."""
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCABULARY,
            hidden_size=hidden,
            intermediate_size=4 * hidden,
            num_hidden_layers=layers,
            num_attention_heads=8,
            num_key_value_heads=8,
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=1,
            pad_token_id=0,
        )
    )
    model.save_pretrained(directory)
    build_tokenizer(["def f(x):"], 2048).save_pretrained(directory)
    return sum(parameter.numel() for parameter in model.parameters())


def minibatch() -> list[TokenSequence]:
    rng = np.random.default_rng(0)
    return [
        TokenSequence(tuple(rng.integers(2, 90, 16).tolist()), tuple(rng.integers(2, 90, 32).tolist()))
        for _ in range(8)
    ]


def measure(
    cluster: ClusterConfig, taker: RoleGroup[Taker], name: str, ranks: int, repeats: int, paths: Paths
) -> Row:
    """Memory in processes that give back what they free, as the memory plan is measured; rates in others."""
    small, setup = (
        NetworkSetup(path, path, ENGINES[name], 64, optim=OptimConfig(lr=1e-5), total_steps=100) for path in paths
    )
    with workers(cluster, ranks, RETURNED) as group:
        first = group.build("policy", Measured, small)
        first.all(Measured.highest, minibatch())
        first.drop()
        role = group.build("policy", Measured, setup)
        held = max(role.all(Measured.held))
        highest = max(role.all(Measured.highest, minibatch()))
    with workers(cluster, ranks, {}) as group:
        role = group.build("policy", Measured, setup)
        role.all(Measured.learn, minibatch())
        return Row(name, ranks, held, highest, *rates(role, taker, repeats))


@contextmanager
def workers(cluster: ClusterConfig, ranks: int, environment: dict[str, str]) -> Iterator[WorkerGroup]:
    """Processes of their own: what one engine left behind is not counted as the next one's."""
    group = WorkerGroup("policy", cluster, ranks, cpus=0.5, gpus=0, joined=True, environment=environment)
    try:
        yield group
    finally:
        group.shutdown()


def rates(role: RoleGroup[Measured], taker: RoleGroup[Taker], repeats: int) -> tuple[float, float, float]:
    """MB a second of a sync, of a broadcast in one piece, and of gathering; medians."""
    source = role.part("weights", WeightSource)
    sync = WeightSync(WeightSyncConfig(transport="gloo", bucket_mb=32))
    found: list[tuple[float, float, float]] = []
    for number in range(repeats + 1):
        told = sync.sync(source, taker, number)
        megabytes = told["weight_sync/mb"]
        sending = [source.on(rank, PlainSource.send_plain, int(megabytes * MB)) for rank in range(role.world)]
        seconds = ray.get(taker.on(0, Taker.take_plain, int(megabytes * MB)))
        ray.get(sending)
        gathered = role.all(Measured.gather)[0]
        found.append((told["weight_sync/mb_per_s"], megabytes / seconds, megabytes / gathered))
    synced, plain, gathering = (statistics.median(one) for one in zip(*found[1:], strict=True))  # the first connects
    return synced, plain, gathering


def table(rows: list[Row], weights: int, asked: argparse.Namespace, load: float) -> str:
    lines = [
        "# Networks that ranks share",
        "",
        f"A Llama of {weights / 1e6:.0f} M parameters, {weights * 4 / MB:.0f} MB of weights in fp32: with gradients "
        f"and AdamW's two moments {weights * 16 / MB:.0f} MB. MB of the rank that has most; rates are medians of "
        f"{asked.repeats}. Gathering: whole weights on rank 0, where ranks share them, and nothing is sent.",
        "",
        "| engine | ranks | loaded, MB | learning, at most | of DDP's | sync, MB/s | broadcast | ratio | gathering |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    whole = {row.ranks: row.highest_mb for row in rows if row.engine.startswith("torch")}
    for row in rows:
        share = f"{row.highest_mb / whole[row.ranks]:.2f}" if row.ranks in whole else ""
        memory = f"{row.held_mb:.0f} | {row.highest_mb:.0f} | {share}"
        shared = "fsdp2" in row.engine or "3" in row.engine
        rates = f"{row.sync:.0f} | {row.plain:.0f} | {row.sync / row.plain:.2f}"
        rates += f" | {row.gathering:.0f}" if shared else " | "
        lines.append(f"| {row.engine} | {row.ranks} | {memory} | {rates} |")
    versions = f"torch {torch.__version__}, deepspeed {version('deepspeed')}, {os.cpu_count()} cores"
    busy = f"load {load:.1f} when it began, {os.getloadavg()[0]:.1f} when it ended"
    chosen = f"--ranks {' '.join(map(str, asked.ranks))} --engines {shlex.join(asked.engines)}"
    size = f"--hidden {asked.hidden} --layers {asked.layers} --repeats {asked.repeats}"
    command = f"python benchmarks/sharding.py {chosen} {size}"
    return "\n".join([*lines, "", f"`{command}`; {versions}, {busy}."]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/sharding.md"))
    parser.add_argument("--ranks", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--engines", nargs="+", default=list(ENGINES), choices=list(ENGINES))
    parser.add_argument("--hidden", type=int, default=640)
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=5)
    asked = parser.parse_args()
    load = os.getloadavg()[0]
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    cluster = ClusterConfig(num_cpus=8, cpus_per_rank=0.5, collective_timeout_s=600)
    start_ray(cluster)
    with tempfile.TemporaryDirectory() as directory:
        small, path = (str(Path(directory) / name) for name in ("small", "measured"))
        make_model(Path(small), 64, 2)
        weights = make_model(Path(path), asked.hidden, asked.layers)
        taker = WorkerGroup("taker", cluster, 1, cpus=0.5, gpus=0, joined=False).build("taker", Taker)
        rows = []
        for ranks in asked.ranks:
            for name in asked.engines:
                rows.append(measure(cluster, taker, name, ranks, asked.repeats, (small, path)))
                print(rows[-1], flush=True)
    write_text(asked.out, table(rows, weights, asked, load))
    print(asked.out.read_text())


if __name__ == "__main__":
    main()
