"""SFT, reward models and PPO updates beside TRL's trainers; scoring beside one forward pass for each program. On CPU.

    pip install --no-deps --target trl trl==1.16.0
    pip install --no-deps --target trl_ppo trl==1.8.0
    python benchmarks/training.py --trl trl --trl-ppo trl_ppo --out benchmarks/results/training.md

TRL is no dependency of the project; it was measured in these versions: 1.16 has no PPOTrainer any more, 1.8 had one.
Both sides have the same Llama, the same examples in the same order, fp32, AdamW with the same settings, no dropout,
no gradient checkpointing and one thread. Each is a process that waits while the other computes: one update here, one
there, and so on, and a ratio is of two neighbours. TRL's batch on a device is the fastest of those tried. Of a
PPOTrainer's step only the update is timed: what it samples is given.

Tokens are those of the examples, however often a side computes them: a program that is in three pairs counts three
times, and so does the prompt before it. Losses of the first update are compared, which should be equal.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    LlamaConfig,
    LlamaForCausalLM,
    TrainerCallback,
)

from rewardranker.config.schema import EngineConfig, OptimConfig, PPOConfig
from rewardranker.models.batching import TokenSequence
from rewardranker.models.loading import load_scorer, load_tokenizer
from rewardranker.models.tiny import build_tokenizer
from rewardranker.runs.atomic import write_text
from rewardranker.training.objectives import Pair, PairObjective
from rewardranker.training.ppo.experience import Samples, build_experience
from rewardranker.training.ppo.rewards import RunningMoments
from rewardranker.training.ranks import Rank
from rewardranker.training.reranker import Reranker
from rewardranker.training.setup import NetworkSetup

VOCABULARY, EOS = 16384, 1
BUDGET = 4096
RATE = 1e-4
#: Before what a child says to its parent; libraries print, too.
MARK = "@"
#: Beginnings of prompts and programs, so long in tokens: uniform between these.
PROMPTS, PROGRAMS = (100, 300), (40, 160)


@dataclass(frozen=True)
class Job:
    """One side of one task: what a child does."""

    task: str
    side: str
    models: str
    updates: int
    batch: int = 1
    trl: str = ""

    def path(self, kind: str) -> str:
        return str(Path(self.models) / kind)


def make_models(directory: Path, hidden: int, layers: int) -> int:
    """A Llama with random weights and a scorer of the same decoder; returns the Llama's number of weights."""
    torch.manual_seed(0)
    shape = {"hidden_size": hidden, "intermediate_size": 8 * hidden // 3, "num_hidden_layers": layers}
    config = LlamaConfig(
        **shape, vocab_size=VOCABULARY, num_attention_heads=hidden // 64, num_key_value_heads=hidden // 64,
        tie_word_embeddings=True, bos_token_id=None, eos_token_id=EOS, pad_token_id=0,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    model.save_pretrained(directory / "policy")
    load_scorer(directory / "policy", "float32", "auto", "cpu", seed=7).model.save_pretrained(directory / "scorer")
    for kind in ("policy", "scorer"):
        build_tokenizer(["def f(x):"], 2048).save_pretrained(directory / kind)
    return sum(parameter.numel() for parameter in model.parameters())


def drawn(rng: random.Random, lengths: tuple[int, int]) -> tuple[int, ...]:
    return tuple(rng.randrange(100, VOCABULARY) for _ in range(rng.randint(*lengths)))


def programs(rng: random.Random, count: int) -> list[TokenSequence]:
    """Of one problem."""
    prompt = drawn(rng, PROMPTS)
    return [TokenSequence(prompt, (*drawn(rng, PROGRAMS), EOS)) for _ in range(count)]


def pairs(rng: random.Random) -> list[Pair]:
    """Of one problem with six right and six wrong programs, each of which lost to two right ones: the nearest and one
    at random are what a problem's programs are paired with."""
    found = programs(rng, 12)
    return [(right, wrong) for wrong in found[6:] for right in rng.sample(found[:6], 2)]


def minibatch(task: str, update: int) -> list[Any]:
    """Examples of one update of a task."""
    rng = random.Random(update)
    if task == "reward":
        return pairs(rng)
    if task == "sft":  # an epoch's order is random: prompts are rarely shared
        return [row for _ in range(16) for row in programs(rng, 1)]
    if task == "ppo":
        return [row for _ in range(4) for row in programs(rng, 4)]
    return [row for _ in range(4) for row in programs(rng, 10)]  # scoring


def tokens(examples: list[Any]) -> int:
    return sum(sum(map(len, example)) if isinstance(example, tuple) else len(example) for example in examples)


def setup(job: Job, kind: str, optim: bool = True) -> NetworkSetup:
    config = OptimConfig(lr=RATE, schedule="constant", warmup=0.0)
    path = job.path(kind)
    made = NetworkSetup(path, path, EngineConfig(), BUDGET, optim=config if optim else None, total_steps=job.updates)
    return replace(made, objective=PairObjective())


def our_updates(job: Job) -> Iterator[float]:
    """Makes the task's updates, one for each that is asked for; yields their losses."""
    if job.task == "reward":
        reranker = Reranker(setup(job, "scorer"), Rank())
        for update in range(job.updates):
            yield reranker.learn(minibatch("reward", update))["loss"]
    elif job.task == "sft":
        policy = import_module("actors.roles.policy").Policy(setup(job, "policy"), Rank())
        for update in range(job.updates):
            yield policy.learn(minibatch("sft", update))["sft/loss"]
    elif job.task == "ppo":
        yield from our_ppo(job)
    else:
        reranker = Reranker(setup(job, "scorer", optim=False), Rank())
        for update in range(job.updates):
            yield sum(reranker.score(minibatch("scoring", update)))


def our_ppo(job: Job) -> Iterator[float]:
    policy = import_module("actors.roles.policy").Policy(setup(job, "policy"), Rank())
    critic = import_module("actors.roles.critic").Critic(setup(job, "scorer"), Rank())
    for update in range(job.updates):
        rows = minibatch("ppo", update)

        def flat(value: float, rows: list[TokenSequence] = rows) -> list[np.ndarray]:
            return [np.full(len(row.response_ids), value, np.float32) for row in rows]

        old = -float(np.log(VOCABULARY))
        finished = torch.ones(len(rows), dtype=torch.bool)
        samples = Samples(rows, torch.linspace(-1, 1, len(rows)), finished, flat(old), flat(old), flat(0.0))
        experience = build_experience(samples, RunningMoments(), 0.05, PPOConfig())[0]
        plan = [list(range(len(rows)))]
        told = policy.update(experience.shares(plan, policy.LEARNS_FROM, 1)[0], PPOConfig())
        critic.update(experience.shares(plan, critic.LEARNS_FROM, 1)[0], PPOConfig())
        yield told["actor/entropy"]


@torch.inference_mode()
def plain_scores(job: Job) -> Iterator[float]:
    """What transformers makes of every program by itself, or of the ten of a problem padded to one length."""
    model = AutoModelForSequenceClassification.from_pretrained(job.path("scorer"), dtype=torch.float32).eval()
    for update in range(job.updates):
        rows = minibatch("scoring", update)
        total = 0.0
        for first in range(0, len(rows), job.batch):
            part = [[*row.prompt_ids, *row.response_ids] for row in rows[first : first + job.batch]]
            width = max(map(len, part))
            ids = torch.tensor([row + [0] * (width - len(row)) for row in part])
            mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in part])
            total += float(model(input_ids=ids, attention_mask=mask).logits.sum())
        yield total


class Watch:
    """Waits for the parent, and tells it what the time since then was and how much memory the process had at most."""

    def __init__(self) -> None:
        self._base = resident("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # from now on the peak is counted anew
        self._begun = (0.0, 0.0)

    def wait(self) -> None:
        if not sys.stdin.readline():
            sys.exit()
        self._begun = time.perf_counter(), time.process_time()

    def begin(self) -> None:
        """The clock starts now, and not when the parent spoke."""
        self._begun = time.perf_counter(), time.process_time()

    def tell(self, loss: float) -> None:
        wall, cpu = time.perf_counter() - self._begun[0], time.process_time() - self._begun[1]
        peak = (resident("VmHWM") - self._base) / 2**20
        print(f"{MARK}{json.dumps({'wall': wall, 'cpu': cpu, 'peak': peak, 'loss': loss})}", flush=True)


def resident(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024.0 * next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


class Pacer(TrainerCallback):
    """Has a Trainer wait for the parent between two updates."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._watch.wait()

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        if "loss" in (logs or {}):  # of the update that has just ended
            self._watch.tell(logs["loss"])
            self._watch.wait()


def common(job: Job, examples: int, place: str) -> dict[str, Any]:
    """Settings of all of TRL's trainers."""
    return {
        "output_dir": place, "per_device_train_batch_size": job.batch,
        "gradient_accumulation_steps": examples // job.batch, "learning_rate": RATE,
        "lr_scheduler_type": "constant", "weight_decay": 0.0, "adam_beta1": 0.9, "adam_beta2": 0.95,
        "max_grad_norm": 1.0, "gradient_checkpointing": False, "bf16": False, "use_cpu": True, "report_to": "none",
        "save_strategy": "no", "logging_steps": 1, "disable_tqdm": True,
    }  # fmt: skip


def trl_updates(job: Job, watch: Watch, place: str) -> None:
    """The task's updates by TRL's trainer."""
    trl = import_module("trl")
    tokenizer = load_tokenizer(job.path("policy"))
    examples = [example for update in range(job.updates) for example in minibatch(job.task, update)]
    settings = common(job, len(examples) // job.updates, place)
    settings |= {"max_steps": job.updates, "train_sampling_strategy": "sequential", "max_length": None}
    if job.task == "reward":
        columns = {
            name: [[*pair[side].prompt_ids, *pair[side].response_ids] for pair in examples]
            for side, name in enumerate(("chosen_ids", "rejected_ids"))
        }
        model = AutoModelForSequenceClassification.from_pretrained(job.path("scorer"), dtype=torch.float32)
        make, config = trl.RewardTrainer, trl.RewardConfig(**settings)
    else:
        columns = {
            "input_ids": [[*row.prompt_ids, *row.response_ids] for row in examples],
            "labels": [[-100] * len(row.prompt_ids) + list(row.response_ids) for row in examples],
        }
        model = AutoModelForCausalLM.from_pretrained(job.path("policy"), dtype=torch.float32)
        make, config = trl.SFTTrainer, trl.SFTConfig(**settings)
    data = Dataset.from_dict(columns)
    made = make(model=model, args=config, train_dataset=data, processing_class=tokenizer, callbacks=[Pacer(watch)])
    made.train()


def trl_ppo(job: Job, watch: Watch, place: str) -> None:
    """PPOTrainer's updates on samples that are given; its clock starts when it has prepared them."""
    ppo, module = import_module("trl.experimental.ppo"), import_module("trl.experimental.ppo.ppo_trainer")
    tokenizer = load_tokenizer(job.path("policy"))
    given = [minibatch("ppo", update) for update in range(job.updates)]
    answers = iter(given)

    def generation(model: Any, queries: torch.Tensor, *rest: Any) -> tuple[torch.Tensor, torch.Tensor]:
        rows = next(answers)
        width = max(len(row.response_ids) for row in rows)
        said = torch.tensor([[*row.response_ids] + [0] * (width - len(row.response_ids)) for row in rows])
        return torch.cat([queries, said], 1), torch.zeros(len(rows), width, VOCABULARY)

    module.batch_generation = generation
    language, scorer = (AutoModelForCausalLM, "policy"), (AutoModelForSequenceClassification, "scorer")
    networks = [
        kind.from_pretrained(job.path(path), dtype=torch.float32)
        for kind, path in (language, language, scorer, scorer)
    ]
    for network in networks[2:]:
        network.config.pad_token_id = 0
    settings = {**common(job, len(given[0]), place), "num_ppo_epochs": 1, "num_mini_batches": 1, "vf_coef": 1.0}
    settings |= {"total_episodes": sum(map(len, given)), "num_sample_generations": 0, "stop_token": "eos"}
    settings |= {"local_rollout_forward_batch_size": job.batch, "temperature": 1.0}
    data = Dataset.from_dict({"input_ids": [list(row.prompt_ids) for rows in given for row in rows]})
    tokenizer.padding_side = "left"
    made = ppo.PPOTrainer(
        args=ppo.PPOConfig(**settings), processing_class=tokenizer, model=networks[0], ref_model=networks[1],
        value_model=networks[2], reward_model=networks[3], train_dataset=data, callbacks=[Pacer(watch)],
    )  # fmt: skip
    made.dataloader = torch.utils.data.DataLoader(
        data, batch_size=len(given[0]), collate_fn=made.data_collator, shuffle=False
    )
    accumulate, seen = made.accelerator.accumulate, [-1]

    def accumulating(*networks: Any) -> Any:
        if seen[0] != made.state.episode:
            seen[0] = made.state.episode
            watch.begin()
        return accumulate(*networks)

    made.accelerator.accumulate = accumulating
    log = made.log
    made.log = lambda metrics, *rest: log({**metrics, "loss": metrics["policy/entropy_avg"]}, *rest)
    made.train()


def work(job: Job) -> None:
    """A child's life."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        if job.trl:
            sys.path.insert(0, job.trl)
            import_module("trl.trainer" if job.task != "ppo" else "trl.experimental.ppo")
        watch = Watch()
        if job.side == "TRL":
            (trl_ppo if job.task == "ppo" else trl_updates)(job, watch, place)
            return
        losses = our_updates(job) if job.side == "ours" else plain_scores(job)
        for _ in range(job.updates):
            watch.wait()
            watch.tell(next(losses))


class Child:
    """A process that makes one update whenever it is asked to."""

    def __init__(self, job: Job) -> None:
        self.job, self.log = job, tempfile.TemporaryFile("w+")  # noqa: SIM115, it ends with the process
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "ACCELERATE_USE_CPU": "true"}
        command = [sys.executable, __file__, "--child", json.dumps(asdict(job))]
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True
        )

    def update(self) -> dict[str, float]:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        for line in self._process.stdout:
            if line.startswith(MARK):
                told: dict[str, float] = json.loads(line[len(MARK) :])
                return told
        self.log.seek(0)
        raise RuntimeError(f"{self.job} ended: {self.log.read()[-3000:]}")

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


@dataclass(frozen=True)
class Row:
    """One task, us beside another: medians of all updates but the first; ``ratios`` of each pair of neighbours."""

    task: str
    other: str
    batch: int
    rates: tuple[float, float]
    cpu: tuple[float, float]
    peaks: tuple[float, float]
    ratios: list[float]
    cpu_ratios: list[float]
    losses: tuple[float, float]


def fastest(job: Job, batches: list[int]) -> int:
    """The batch on a device that a second update is fastest with."""
    seconds = {}
    for batch in batches if len(batches) > 1 else []:
        child = Child(replace(job, batch=batch, updates=2))
        child.update()
        seconds[batch] = child.update()["cpu"]
        child.end()
    print(job.task, job.side, "seconds by batch", seconds, flush=True)
    return min(seconds, key=seconds.__getitem__) if seconds else batches[0]


def compare(job: Job, other: str, batches: list[int], rounds: int) -> Row:
    mine = Child(replace(job, side="ours", trl=""))
    batch = fastest(replace(job, side=other), batches)
    theirs = Child(replace(job, side=other, batch=batch))
    told: list[list[dict[str, float]]] = [[], []]
    for number in range(rounds + 1):  # the first one warms up
        sides = [(0, mine), (1, theirs)]
        for place, child in sides if number % 2 else sides[::-1]:
            told[place].append(child.update())
    for child in (mine, theirs):
        child.end()
    sizes = [tokens(minibatch(job.task, number)) for number in range(1, rounds + 1)]

    def medians(value: Callable[[dict[str, float], int], float]) -> tuple[float, float]:
        first, second = ([value(one, n) for one, n in zip(side[1:], sizes, strict=True)] for side in told)
        return statistics.median(first), statistics.median(second)

    neighbours = list(zip(told[0][1:], told[1][1:], strict=True))
    return Row(
        job.task, other, batch, medians(lambda one, n: n / one["wall"]), medians(lambda one, n: one["cpu"]),
        (told[0][-1]["peak"], told[1][-1]["peak"]), [b["wall"] / a["wall"] for a, b in neighbours],
        [b["cpu"] / a["cpu"] for a, b in neighbours], (told[0][0]["loss"], told[1][0]["loss"]),
    )  # fmt: skip


def page(rows: list[Row], facts: str) -> str:
    head = "task | beside | tokens/s | theirs | ratio | spread | of CPU seconds | peak MB | theirs | loss | theirs"
    lines = ["# Training and scoring beside TRL", "", facts, "", f"| {head} |", "|---|---|" + "---:|" * 9]
    for row in rows:
        low, high = min(row.ratios), max(row.ratios)
        lines.append(
            f"| {row.task} | {row.other}, batch {row.batch} | {row.rates[0]:.0f} | {row.rates[1]:.0f} | "
            f"**{statistics.median(row.ratios):.2f}** | {low:.2f} to {high:.2f} | "
            f"{statistics.median(row.cpu_ratios):.2f} | {row.peaks[0]:.0f} | {row.peaks[1]:.0f} | "
            f"{row.losses[0]:.5f} | {row.losses[1]:.5f} |"
        )
    return "\n".join(lines) + "\n"


def facts_of(weights: int, asked: argparse.Namespace) -> str:
    versions = [f"torch {torch.__version__}", f"transformers {version('transformers')}"]
    for place in filter(None, (asked.trl, asked.trl_ppo)):
        versions += [f"TRL {found.name[4:-10]}" for found in Path(place).glob("trl-*.dist-info")]
    return (
        f"`python benchmarks/training.py`: a Llama of {weights / 1e6:.1f} M parameters, {', '.join(versions)}; one "
        f"thread of {os.cpu_count()} cores, load {asked.load:.1f} when it began and {os.getloadavg()[0]:.1f} when it "
        f"ended. {asked.rounds} pairs of neighbouring updates; ratio: the median, above 1 we are faster. Prompts "
        f"have {PROMPTS[0]} to {PROMPTS[1]} tokens, programs {PROGRAMS[0]} to {PROGRAMS[1]}. An update: reward, 12 "
        "pairs of 12 programs of a problem; sft, 16 programs, each of a problem of its own; ppo, 4 samples of each "
        "of 4 prompts, policy and critic; scoring, 10 candidates of each of 4 problems. Peak: what a process had at "
        "most beside what it had after its imports. Loss: the first update's, which both sides should say alike; of "
        "ppo the policy's entropy, of scoring the sum of the scores."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--trl", default="", help="directory that pip installed TRL in; nothing: scoring alone")
    parser.add_argument("--trl-ppo", default="", help="the same of a TRL with a PPOTrainer; nothing: no PPO")
    parser.add_argument("--tasks", nargs="+", default=["reward", "sft", "ppo", "scoring"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--hidden", type=int, default=384)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--batches", type=int, nargs="+", default=[2, 4, 12])
    parser.add_argument("--child", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        work(Job(**json.loads(asked.child)))
        return
    asked.load = os.getloadavg()[0]
    rows = []
    with tempfile.TemporaryDirectory() as place:
        weights = make_models(Path(place), asked.hidden, asked.layers)
        for task in asked.tasks:
            job = Job(task, "", place, asked.rounds + 1, trl=asked.trl_ppo if task == "ppo" else asked.trl)
            if task == "scoring":
                job = replace(job, trl="")
                rows += [compare(job, name, [size], asked.rounds) for name, size in SCORING.items()]
            elif job.trl:
                sizes = [size for size in asked.batches if len(minibatch(task, 0)) % size == 0] or [1]
                rows.append(compare(job, "TRL", sizes, asked.rounds))
            print(rows[-1:], flush=True)
    text = page(rows, facts_of(weights, asked))
    print(text)
    if asked.out:
        write_text(asked.out, text)


#: How transformers scores ten candidates, and how many of them at a time.
SCORING = {"a forward pass each": 1, "ten padded": 10}

if __name__ == "__main__":
    main()
