"""The memory plan against resident memory: policies and critics of three sizes, updated in processes of their own.

    python benchmarks/memory_plan.py --out benchmarks/results/memory_plan.md

Every process imports what a training worker imports and trains a tiny network, which is its baseline. Then it loads a
network, makes two updates of two micro-batches that fill ``ppo.microbatch_tokens``, and reads from the kernel the
most that was resident since it was loaded. Blocks of a megabyte and more are given back to the kernel as they are
freed (``MALLOC_MMAP_THRESHOLD_``); glibc's heap, left to itself, keeps some of them, which the last column shows.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from transformers import AutoConfig, LlamaConfig, LlamaForCausalLM

from rewardranker.config.loading import load_config
from rewardranker.config.schema import EngineConfig, OptimConfig
from rewardranker.models.batching import TokenSequence, collate
from rewardranker.models.loading import load_policy, load_scorer
from rewardranker.models.scoring import Network, PolicyNetwork
from rewardranker.training.demand import WHOLE
from rewardranker.training.engine import build_engine
from rewardranker.training.memory import plan_memory
from rewardranker.training.ranks import Rank
from rewardranker.training.setup import NetworkSetup

#: By millions of parameters: width, layers, vocabulary.
SIZES = {0: (64, 1, 100), 5: (256, 4, 8000), 20: (448, 6, 16000), 60: (768, 6, 24000)}
TOKENS = LENGTH = 1024
RETURNED = {"MALLOC_MMAP_THRESHOLD_": "1048576"}


@dataclass(frozen=True)
class Row:
    """MiB of one process beside its baseline, as planned and as measured."""

    parameters: int
    role: str
    checkpointed: bool
    planned: float
    measured: float
    baseline: float
    kept_by_heap: float


def made(size: int, directory: Path) -> str:
    """Writes a random Llama of about so many million parameters."""
    hidden, layers, vocabulary = SIZES[size]
    shape = {"hidden_size": hidden, "intermediate_size": 3 * hidden, "num_hidden_layers": layers}
    config = LlamaConfig(**shape, vocab_size=vocabulary, num_attention_heads=hidden // 64, tie_word_embeddings=True)
    LlamaForCausalLM(config).save_pretrained(directory)
    return str(directory)


def planned(path: str, role: str, checkpointed: bool) -> float:
    """Bytes of one rank of a role in PPO, by the plan of a config."""
    settings = [f"ppo.microbatch_tokens={TOKENS}", f"engine.gradient_checkpointing={str(checkpointed).lower()}"]
    return planned_bytes(path, [*settings, "weight_sync.bucket_mb=1"], "ppo", role)


def planned_bytes(path: str, settings: list[str], stage: str, role: str) -> float:
    """Of one rank, at its busiest."""
    plan = plan_memory(load_config(None, settings), WHOLE, AutoConfig.from_pretrained(path))
    [holding] = [h for h in plan.holdings if (h.task.stage, h.task.role) == (stage, role)]
    return holding.staying + holding.moving


def measure(path: str, role: str, checkpointed: bool) -> tuple[float, float]:
    """Bytes that two updates took at most in this process, and its baseline."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        _updates(made(0, Path(place)), role, checkpointed, 32)
    gc.collect()
    baseline = _status("VmRSS")
    _updates(path, role, checkpointed, LENGTH)
    return _status("VmHWM") - baseline, baseline


def _updates(path: str, role: str, checkpointed: bool, length: int) -> None:
    """Two, from when the network is loaded; then the peak of this process is counted anew."""
    engine = EngineConfig(gradient_checkpointing=checkpointed)
    setup = NetworkSetup(path, path, engine, TOKENS, optim=OptimConfig(), total_steps=2)
    network: Network
    if role == "policy":
        network = load_policy(path, "float32", "auto", "cpu", trained=True)
    else:
        network = load_scorer(path, "float32", "auto", "cpu", 0, trained=True)
    trainer = build_engine(setup, network, Rank())
    Path("/proc/self/clear_refs").write_text("5")  # from now on the peak is counted anew
    batch = collate([TokenSequence((2,), tuple(range(2, length + 1)))])
    for last in (False, True, False, True):
        trainer.backward(lambda: _numbers(trainer(batch, 1.0), network).square().sum(), last)
        if last:
            trainer.step()


def _numbers(said: object, network: Network) -> torch.Tensor:
    found = said[0] if isinstance(network, PolicyNetwork) else said  # type: ignore[index]
    assert isinstance(found, torch.Tensor)
    return found


def _status(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    [kib] = [int(line.split()[1]) for line in lines if line.startswith(f"{name}:")]
    return 1024.0 * kib


def run(size: int, heap: bool = True) -> list[Row]:
    """Policy and critic of a size, with and without gradient checkpointing; ``heap``: also with glibc's own way."""
    rows = []
    with tempfile.TemporaryDirectory() as place:
        path = made(size, Path(place))
        count = sum(p.numel() for p in LlamaForCausalLM.from_pretrained(path).parameters())
        for role in ("policy", "critic"):
            for checkpointed in (False, True):
                command = [sys.executable, __file__, "--measure", path, role, str(int(checkpointed))]
                found, baseline = _child(command, RETURNED)
                kept = _child(command, {})[0] - found if heap else 0.0
                mib = [one / 2**20 for one in (planned(path, role, checkpointed), found, baseline, kept)]
                rows.append(Row(count, role, checkpointed, *mib))
                print(rows[-1], flush=True)
    return rows


def _child(command: list[str], environment: dict[str, str]) -> list[float]:
    environment = {**os.environ, **environment, "OMP_NUM_THREADS": "1"}
    answer = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    found: list[float] = json.loads(answer.stdout.splitlines()[-1])
    return found


def page(rows: list[Row]) -> str:
    """Markdown."""
    lines = [
        "# The memory plan against resident memory",
        "",
        f"`python benchmarks/memory_plan.py`; CPU, fp32, one rank, micro-batches of {TOKENS:,} tokens in one row; "
        "MiB beside the baseline of a process that has imported what a worker imports.",
        "",
        "| parameters | role | checkpointed | planned | measured | ratio | baseline | kept by the heap |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        told = "yes" if row.checkpointed else "no"
        lines.append(
            f"| {row.parameters:,} | {row.role} | {told} | {row.planned:,.0f} | {row.measured:,.0f} | "
            f"{row.planned / row.measured:.2f} | {row.baseline:,.0f} | {row.kept_by_heap:,.0f} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES)[1:])
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.measure:
        path, role, checkpointed = asked.measure
        print(json.dumps(measure(path, role, checkpointed == "1")))
        return
    rows = [row for size in asked.sizes for row in run(size)]
    print(json.dumps([asdict(row) for row in rows]))
    if asked.out:
        asked.out.write_text(page(rows))


if __name__ == "__main__":
    main()
