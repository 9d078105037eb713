"""What one GPU shows in eight minutes, in the order of worth; what there was no time for, or no memory, is said.

    python benchmarks/gpu.py --out benchmarks/results/gpu.md
    python benchmarks/gpu.py --device cpu --tiny --seconds 120        # the same, small, on any machine

Networks have random weights in published architectures: what is measured does not depend on what they have learnt.
Torch, transformers, peft and Ray are needed; vLLM, flash-attn and the quickstart are tried where they can be.

Tokens are real ones: no padding, and a prompt that answers share is counted once. A model's FLOPs are 2 N a token
for a forward pass, as many again for the gradients of what it read, and again for those of its weights where these
train (N: parameters but for the embedding that is looked up; attention's own are left out). Utilisation (MFU) is
that over what a product of large bf16 matrices reaches in the same run, not over a data sheet.
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from memory_plan import planned_bytes
from run_record import rows as table
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedConfig, Qwen2Config

from actors.roles.policy import Policy
from actors.rollout.transformers import TransformersEngine
from actors.weights.buckets import Unpacker, split
from rewardranker.config.schema import EngineConfig, LoraConfig, OptimConfig
from rewardranker.errors import UserError
from rewardranker.generation.types import Request, RolloutEngine, Sampling
from rewardranker.models.batching import TokenSequence
from rewardranker.models.quiet import quiet_transformers
from rewardranker.models.tiny import build_tokenizer
from rewardranker.runs.atomic import write_text
from rewardranker.runs.directory import package_versions
from rewardranker.training.ranks import Rank
from rewardranker.training.setup import NetworkSetup

ROOT = Path(__file__).resolve().parents[1]
GB = 1e9
Table = tuple[list[str], list[list[str]]]


def _llama(width: int, depth: int, inner: int, heads: int, vocabulary: int) -> PreTrainedConfig:
    shape = {"hidden_size": width, "num_hidden_layers": depth, "intermediate_size": inner}
    return LlamaConfig(
        **shape, num_attention_heads=heads, num_key_value_heads=heads, vocab_size=vocabulary,
        max_position_embeddings=16384, bos_token_id=None, eos_token_id=1, pad_token_id=0,
    )  # fmt: skip


#: The architectures of Qwen2.5-Coder-0.5B and of DeepSeek-Coder's two sizes.
SHAPES = {
    "0.5B": Qwen2Config(
        hidden_size=896, num_hidden_layers=24, intermediate_size=4864, num_attention_heads=14, num_key_value_heads=2,
        vocab_size=151936, max_position_embeddings=32768, tie_word_embeddings=True,
        bos_token_id=None, eos_token_id=1, pad_token_id=0,
    ),
    "1.3B": _llama(2048, 24, 5504, 16, 32256),
    "6.7B": _llama(4096, 32, 11008, 32, 32256),
    "tiny": _llama(64, 2, 128, 2, 512),
}  # fmt: skip


@dataclass
class Machine:
    """What is measured on, and where.

    Attributes:
        ends: when no further part begins, by ``time.monotonic``.
        made: directories of networks, by size.
    """

    device: str
    tiny: bool
    directory: Path
    ends: float
    made: dict[str, str] = field(default_factory=dict)

    @property
    def cuda(self) -> bool:
        return self.device.startswith("cuda")

    def model(self, size: str) -> str:
        """The directory of a network of random weights, made when it is first asked for."""
        size = "tiny" if self.tiny else size
        if size not in self.made:
            path = self.directory / size
            torch.manual_seed(0)
            with torch.device(self.device):
                model = AutoModelForCausalLM.from_config(SHAPES[size], dtype=torch.bfloat16)
            model.save_pretrained(path)
            build_tokenizer(["def f(x):"], SHAPES[size].max_position_embeddings).save_pretrained(path)
            self.made[size] = str(path)
            del model
            self.forget()
        return self.made[size]

    def rows(self, prompts: int, answers: int, prompt: int, answer: int) -> list[TokenSequence]:
        """Answers of random tokens and uneven lengths (``answer`` at most, half of it on average) to each prompt."""
        if self.tiny:
            prompts, answers, prompt, answer = 2, 2, prompt // 32, answer // 16
        rng = np.random.default_rng(0)

        def drawn(count: int) -> tuple[int, ...]:
            return tuple(rng.integers(2, 500, count).tolist())

        return [
            TokenSequence(shared, drawn(int(rng.integers(max(1, answer // 10), answer + 1))))
            for shared in [drawn(prompt) for _ in range(prompts)]
            for _ in range(answers)
        ]

    def policy(self, size: str, **changed: object) -> Policy:
        """One that is about to learn in bf16, unless something else is asked of its :class:`NetworkSetup`."""
        path = self.model(size)
        given = {"engine": EngineConfig(), "microbatch_tokens": 16384, "dtype": "bfloat16"} | changed
        optim = OptimConfig(lr=1e-5, warmup=0.0, schedule="constant")
        return Policy(NetworkSetup(path, path, optim=optim, total_steps=1000, **given), Rank(device=self.device))  # type: ignore[arg-type]

    def seconds(self, work: Callable[[], object]) -> float:
        """Of a second run of it: the first one finds kernels and memory."""
        work()
        self.wait()
        begun = time.perf_counter()
        work()
        self.wait()
        return time.perf_counter() - begun

    def peak(self, work: Callable[[], object]) -> float:
        """Bytes of the GPU in use at most meanwhile; ``benchmarks/memory_plan.py`` measures a process on CPU."""
        if not self.cuda:
            return 0.0
        torch.cuda.reset_peak_memory_stats()
        work()
        return float(torch.cuda.max_memory_allocated())

    def forget(self) -> None:
        gc.collect()
        if self.cuda:
            torch.cuda.empty_cache()

    def wait(self) -> None:
        if self.cuda:
            torch.cuda.synchronize()

    @cached_property
    def flops(self) -> float:
        """A second, of a product of large bf16 matrices."""
        side = 256 if self.tiny else 8192
        a, b = (torch.randn(side, side, dtype=torch.bfloat16, device=self.device) for _ in range(2))
        times = 3 if self.tiny else 20
        return 2 * side**3 * times / self.seconds(lambda: [a @ b for _ in range(times)])


def real_tokens(rows: Sequence[TokenSequence]) -> int:
    """A prompt that several answers share counts once."""
    return sum(map(len, {row.prompt_ids for row in rows})) + sum(len(row.response_ids) for row in rows)


def losses(machine: Machine) -> Table:
    """The same updates in fp32 and in bf16 (weights of the optimiser in fp32 in both)."""
    data, found = machine.rows(8, 4, 256, 256), []
    updates = 4 if machine.tiny else 20
    for dtype in ("float32", "bfloat16"):
        policy = machine.policy("0.5B", dtype=dtype)
        found.append([policy.learn(data)["sft/loss"] for _ in range(updates)])
        del policy
        machine.forget()
    shown = sorted({0, updates // 4, updates // 2, updates - 1})
    body = [
        [str(k + 1), f"{found[0][k]:.4f}", f"{found[1][k]:.4f}", f"{found[1][k] / found[0][k] - 1:+.2%}"]
        for k in shown
    ]
    return ["update", "loss, fp32", "loss, bf16", "differs by"], body


def layouts(machine: Machine) -> Table:
    """One update, eight answers to a prompt: padded rows and shared prompts, by kernels of attention."""
    data, body = machine.rows(16, 8, 512, 512), []
    kernels = ["sdpa", "eager", *(["flash_attention_2"] if machine.cuda and find_spec("flash_attn") else [])]
    for kernel in kernels:
        for shared in (False, True):
            policy = machine.policy("0.5B", attention=kernel, engine=EngineConfig(shared_prompts=shared))
            first = policy.learn(data)  # of the same weights in every line
            seconds = machine.seconds(partial(policy.learn, data))
            rate = f"{real_tokens(data) / seconds:,.0f}"
            layout = (
                "padded rows" if not shared else "shared prompts" if policy.layout.shared_prompts else "cannot share"
            )
            body.append([kernel, layout, rate, f"{first['sft/loss']:.4f}", f"{first['sft/grad_norm']:.4f}"])
            del policy
            machine.forget()
    return ["attention", "layout", "tokens/s", "first loss", "first gradient's norm"], body


def updates(machine: Machine) -> Table:
    """Updates of whole networks, and of LoRA's additions: speed, and memory as planned and as measured."""
    body, asked = [], [("0.5B", 0), ("0.5B", 16), ("1.3B", 0), ("1.3B", 16), ("6.7B", 16)]
    for size, rank in asked[:2] if machine.tiny else asked:
        try:
            body.append(_update(machine, size, rank))
        except torch.OutOfMemoryError:
            body.append([size, _trains(rank), "out of memory", "", "", "", ""])
        machine.forget()
    return ["model", "trains", "tokens/s", "MFU", "planned, GB", "measured, GB", "ratio"], body


def _update(machine: Machine, size: str, rank: int) -> list[str]:
    data = machine.rows(16, 4, 512, 512)
    engine = EngineConfig(gradient_checkpointing=True, lora=LoraConfig(rank=rank))
    policy = machine.policy(size, engine=engine, lora=engine.lora.of("sft"))
    measured = machine.peak(lambda: policy.learn(data))
    rate = real_tokens(data) / machine.seconds(lambda: policy.learn(data))
    model = policy.network.model
    embedding = 0 if model.config.tie_word_embeddings else model.get_input_embeddings().weight.numel()
    count = sum(p.numel() for p in model.parameters()) - embedding
    utilisation = (4 if rank else 6) * count * rate / machine.flops
    settings = ["sft.microbatch_tokens=16384", "sft.max_tokens=1024", "engine.gradient_checkpointing=true"]
    settings += ["model.dtype=bfloat16", f"engine.lora.rank={rank}", f"cluster.gpus_per_rank={int(machine.cuda)}"]
    planned = planned_bytes(machine.model(size), settings, "sft", "policy")
    memory = [
        f"{planned / GB:.2f}",
        *([f"{measured / GB:.2f}", f"{planned / measured:.2f}"] if measured else ["", ""]),
    ]
    return [size, _trains(rank), f"{rate:,.0f}", f"{utilisation:.1%}", *memory]


def _trains(rank: int) -> str:
    return f"LoRA, rank {rank}" if rank else "all weights"


def sampling(machine: Machine) -> Table:
    """Answers of 256 tokens to prompts of 512, eight to a prompt."""
    length = 8 if machine.tiny else 256
    asked = machine.rows(16, 8, 512, 512)
    requests = [Request(str(i), row.prompt_ids, seed=i) for i, row in enumerate(asked)]
    body = []
    for size in ("0.5B",) if machine.tiny else ("0.5B", "6.7B"):
        for name, make in _engines(machine, size):
            body.append([size, name, f"{_rate(machine, make(), requests, length):,.0f}"])
            machine.forget()
    return ["model", "engine", "tokens/s"], body


def _rate(machine: Machine, engine: RolloutEngine, requests: list[Request], length: int) -> float:
    """Tokens a second."""
    given, counts = Sampling(temperature=1.0, top_k=0, max_new_tokens=length), []
    seconds = machine.seconds(
        lambda: counts.append(sum(len(one.token_ids) for one in engine.generate(requests, given)))
    )
    return counts[-1] / seconds


def _engines(machine: Machine, size: str) -> Iterator[tuple[str, Callable[[], RolloutEngine]]]:
    path, dtype = machine.model(size), "bfloat16"
    yield "transformers", lambda: TransformersEngine(path, dtype, "sdpa", machine.device, 262144, (1,))
    if machine.cuda and find_spec("vllm"):
        from actors.rollout.vllm import VLLMEngine
        from rewardranker.config.schema import RolloutConfig

        config = RolloutConfig(engine="vllm", kv_cache_mb=8192, max_num_seqs=128, max_model_len=2048)
        yield "vLLM", lambda: VLLMEngine(path, dtype, config, 0, (1,))


def transport(machine: Machine) -> Table:
    """Weights into buckets and out of them on the device, beside a copy of as many bytes."""
    policy = machine.policy("1.3B")
    source, limit = policy.weights, (1 if machine.tiny else 512) << 20
    metas = source.metas()

    def carry() -> None:
        unpacker = Unpacker(metas)
        for bucket in source._packed(limit, machine.device):
            assert bucket is not None
            unpacker.take(bucket)
        unpacker.finish()

    size = sum(p.numel() for p in policy.network.model.parameters()) * 2
    plain = torch.empty(size, dtype=torch.uint8, device=machine.device)
    carried, copied = machine.seconds(carry), machine.seconds(plain.clone)
    buckets = len(list(split(metas, limit)))
    body = [[f"{size / GB:.2f}", str(buckets), f"{size / carried / GB:.1f}", f"{size / copied / GB:.1f}"]]
    return ["GB, as bf16", "buckets", "packed and unpacked, GB/s", "one copy, GB/s"], body


def turns(machine: Machine) -> Table:
    """A trained network leaves the device and comes back, with its moments."""
    policy = machine.policy("1.3B")
    policy.learn(machine.rows(2, 2, 128, 128))
    before = [parameter.clone() for parameter in policy.network.parameters()]
    held = sum(p.numel() * p.element_size() for p in policy.network.parameters()) * 3
    machine.wait()
    times = []
    for move in (policy.engine.offload, policy.engine.reload):
        begun = time.perf_counter()
        move()
        machine.wait()
        times.append(time.perf_counter() - begun)
    same = all(torch.equal(a, b) for a, b in zip(before, policy.network.parameters(), strict=True))
    told = [f"{held / GB:.2f}", *(f"{held / seconds / GB:.1f}" for seconds in times), "yes" if same else "NO"]
    return ["GB with moments", "offloaded, GB/s", "reloaded, GB/s", "every bit as before"], [told]


def quickstart(machine: Machine) -> Table:
    """The whole cycle on this device, through Ray."""
    config = "configs/smoke.yaml" if machine.tiny else "configs/quickstart.yaml"
    command = [sys.executable, "-m", "rewardranker.cli", "cycle", "--config", config]
    command += [f"run.root={machine.directory}", f"cluster.gpus_per_rank={1 if machine.cuda else 0}"]
    command += ["cluster.ranks=1", "rollout.in_workers=true"] if machine.cuda else []
    begun = time.monotonic()
    limit = max(1.0, machine.ends - begun)
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return ["config", "came to"], [[config, f"not finished in {limit:.0f} s"]]
    last = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    stages = [line for line in last if line[:2].isdigit()] or last
    return ["config", "seconds", "exit", "last stage"], [
        [config, f"{time.monotonic() - begun:.0f}", str(done.returncode), " ".join(stages[-1:])[:150]]
    ]


#: Of the page, by the name that ``--parts`` takes; in the order of worth.
PARTS: dict[str, tuple[str, Callable[[Machine], Table]]] = {
    "losses": ("bf16 against fp32", losses),
    "layouts": ("Packing against padding, kernels of attention", layouts),
    "updates": ("Updates and their memory", updates),
    "sampling": ("Sampling", sampling),
    "transport": ("Weights on their way", transport),
    "turns": ("Offload and reload", turns),
    "quickstart": ("The quickstart", quickstart),
}


def page(machine: Machine, parts: Sequence[str]) -> Iterator[str]:
    """Markdown, part by part, as they end."""
    name = torch.cuda.get_device_name() if machine.cuda else f"CPU, {os.cpu_count()} cores"
    versions = ", ".join(f"{package} {number}" for package, number in package_versions().items())
    size = " Everything is tiny: it shows that the parts run, and no speed." if machine.tiny else ""
    yield f"# One GPU\n\n{name}; {versions}. `python benchmarks/gpu.py`.{size}"
    assert __doc__
    yield __doc__.strip().split("\n\n")[-1].replace("\n", " ")
    yield f"A product of bf16 matrices reaches {machine.flops / 1e12:.2f} TFLOPS."
    for part in parts:
        title, measure = PARTS[part]
        if time.monotonic() > machine.ends:
            yield f"## {title}\n\nNot run: no time was left."
            continue
        begun = time.monotonic()
        try:
            told = table(*measure(machine))
        except (RuntimeError, ValueError, ImportError, OSError, UserError) as error:
            told = f"Failed: {type(error).__name__}: {' '.join(str(error).split())[:300]}"
        machine.forget()
        yield f"## {title}\n\n{told}\n\n{time.monotonic() - begun:.0f} s."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda:0" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--tiny", action="store_true", help="Networks of two layers: whether it runs.")
    parser.add_argument("--seconds", type=float, default=480, help="No part begins after so many.")
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--out", type=Path, help="Markdown, written anew after each part.")
    asked = parser.parse_args()
    quiet_transformers()
    with tempfile.TemporaryDirectory() as directory:
        machine = Machine(asked.device, asked.tiny, Path(directory), time.monotonic() + asked.seconds)
        told: list[str] = []
        for part in page(machine, asked.parts):
            told.append(part)
            print(part, end="\n\n", flush=True)
            if asked.out:
                write_text(asked.out, "\n\n".join(told) + "\n")


if __name__ == "__main__":
    main()
