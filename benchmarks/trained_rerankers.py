"""RewardRanker, CodeRanker and LEVER trained alike on a judged pool, each problem ranked by one that never saw it.

    python benchmarks/trained_rerankers.py --pool POOL --problems PROBLEMS --backbone MODEL --work runs/trained \\
        --out benchmarks/results/trained_rerankers.md

POOL has verdicts and, for LEVER, what each program returned (`Candidate.returns`); PROBLEMS are the problems that it
was made from. MODEL is a model directory, or `tiny` for a small one with random weights, made at run time.

The problems are split by group into folds. For each fold and each kind a network is trained on the other folds, from
the same backbone, on the same pairs, with the same budget (see `rewardranker/training/rankers.py`), and scores the
fold's candidates. So every problem is held out once, and the numbers are over all of them.

Smaller fractions of the training problems, with the same budget, give the learning curve. Further pools of other
problems (`--extra-pool`) add two points to it: a network that was trained on those alone, and one that goes on from
there, each training with the same budget again.

DIR/jobs keeps each training's scores: a run that was stopped goes on where it stopped. DIR/pool.parquet is POOL with
the scores added under the kinds' names (logits for CodeRanker and LEVER).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from trained_report import markdown, publish, summarise

from rewardranker.commands.judge_files import load_pool
from rewardranker.config.schema import EngineConfig, OptimConfig, TinyConfig
from rewardranker.errors import UserError
from rewardranker.models.batching import TokenSequence
from rewardranker.models.frozen import FrozenLayers
from rewardranker.models.layout import Layout
from rewardranker.models.loading import load_scorer, load_tokenizer, require_model
from rewardranker.models.quiet import quiet_transformers
from rewardranker.models.tiny import build_tiny_model
from rewardranker.problems.pool import group_by_problem, write_pool
from rewardranker.problems.types import Candidate, Problem
from rewardranker.reranking.examples import CandidatePair, check_trainable, fitting, judged_pairs
from rewardranker.reranking.lever_text import verifier_text
from rewardranker.reranking.numbers import Read, store
from rewardranker.reranking.reading import reader
from rewardranker.runs.atomic import tree_hash, write_json
from rewardranker.training.rankers import KINDS, Budget, Lesson, new_ranker, train_ranker
from rewardranker.training.reranker import Reranker
from rewardranker.training.setup import NetworkSetup

#: A network, and what training it showed.
Trained = tuple[Reranker, dict[str, float]]


@dataclass(frozen=True)
class Settings:
    """Everything that a number depends on, but for the data."""

    backbone: str
    trained_layers: int
    steps: int
    programs_per_step: int
    pairs_per_problem: int
    max_tokens: int
    lever_inputs: int
    lr: float
    warmup: float
    schedule: str
    weight_decay: float
    folds: int
    seed: int
    microbatch_tokens: int
    threads: int
    device: str


@dataclass(frozen=True)
class Data:
    """The pool that is ranked; and further judged candidates, which are only trained on."""

    problems: dict[str, Problem]
    pool: list[Candidate]
    extra: list[Candidate]


@dataclass(frozen=True)
class Job:
    """One training: a kind of reranker without fold ``fold``, on a fraction of the other problems.

    With ``extra`` it begins with the network that the further pools gave; fraction 0 is that network as it is.
    """

    kind: str
    fold: int
    fraction: float
    extra: bool = False

    @property
    def key(self) -> str:
        """Of its scores in the pool."""
        share = "" if self.fraction == 1 else f"@{self.fraction:g}"
        return f"{self.kind}{share}{'+extra' if self.extra else ''}"


def load(pool: Path, problems: Path, extra: Sequence[Sequence[Path]]) -> Data:
    """Raises :class:`UserError` where a further pool shares a problem or a group with the one that is ranked."""
    known, candidates = load_pool(problems, pool)
    groups = {known[name].group_id for name in group_by_problem(candidates)}
    more: list[Candidate] = []
    for pool_file, problems_file in extra:
        added, rows = load_pool(problems_file, pool_file)
        shared = sorted(name for name in added if name in known or added[name].group_id in groups)
        if shared:
            raise UserError(f"{problems_file}: {shared[0]} is, or is like, a problem that is held out: leave it away")
        known |= added
        more += rows
    return Data(known, candidates, more)


def group_order(data: Data, folds: int, seed: int) -> list[str]:
    """The groups of the pool at random; fold ``i`` of ``k`` is every ``k``-th from the ``i``-th."""
    groups = sorted({data.problems[name].group_id for name in group_by_problem(data.pool)})
    if not 2 <= folds <= len(groups):
        raise UserError(f"--folds {folds}: needs at least 2, and at most the {len(groups)} groups of problems")
    return [groups[i] for i in np.random.default_rng(seed).permutation(len(groups))]


def frozen_layers(setup: NetworkSetup, device: str) -> FrozenLayers | None:
    """What all trainings share of the backbone, where only some layers train."""
    if not setup.engine.trained_layers:
        return None
    network = load_scorer(setup.model_path, setup.dtype, setup.attention, device, 0, True, setup.shape)
    layout = Layout.of(network, setup.microbatch_tokens, setup.engine.shared_prompts)
    return FrozenLayers(network, setup.engine.trained_layers, layout)


def remember(frozen: FrozenLayers, texts: Sequence[TokenSequence]) -> float:
    """Asks the frozen layers about every distinct text, and says how far that is; returns the seconds."""
    begun, rows = time.monotonic(), list(dict.fromkeys(texts))
    for start in range(0, len(rows), 256):
        frozen.remember(rows[start : start + 256])
        done, seconds = min(start + 256, len(rows)), time.monotonic() - begun
        say(f"  frozen layers: {done:,} of {len(rows):,} texts, {seconds:.0f} s")
    return time.monotonic() - begun


def readers(settings: Settings) -> dict[str, Read]:
    """What each kind reads; kinds with the same reader share what the frozen layers say."""
    tokenizer = load_tokenizer(settings.backbone)
    plain, executed = (
        reader(kind, tokenizer, False, settings.max_tokens, settings.lever_inputs)
        for kind in ("rewardranker", "lever")
    )
    return {"rewardranker": plain, "coderanker": plain, "lever": executed}


def training_pairs(
    data: Data, candidates: Sequence[Candidate], groups: set[str], settings: Settings, plain: Read
) -> list[CandidatePair]:
    """Of those groups; the same for every kind: long programs are left out by the length of the plain text."""
    usable = [c for c in candidates if data.problems[c.problem_id].group_id in groups]
    pairs = judged_pairs(data.problems, usable, settings.pairs_per_problem, settings.seed)
    return fitting(pairs, data.problems, plain, settings.max_tokens)


def training_groups(job: Job, order: list[str], folds: int) -> set[str]:
    """A smaller fraction is the beginning of a larger one."""
    left = [group for group in order if group not in order[job.fold :: folds]]
    return set(left[: math.ceil(job.fraction * len(left))])


class Trainer:
    """What all trainings share; trains on the further pools once for each kind."""

    def __init__(self, data: Data, settings: Settings) -> None:
        self.data, self.settings = data, settings
        self.order = group_order(data, settings.folds, settings.seed)
        s = settings
        self.setup = NetworkSetup(
            s.backbone,
            s.backbone,
            EngineConfig(shared_prompts=True, trained_layers=s.trained_layers),
            s.microbatch_tokens,
            optim=OptimConfig(lr=s.lr, warmup=s.warmup, schedule=s.schedule, weight_decay=s.weight_decay),
            seed=s.seed,
        )
        self.frozen = frozen_layers(self.setup, s.device)
        self.read = readers(settings)
        self._after_extra: dict[str, Trained] = {}

    def run(self, job: Job) -> dict[str, Any]:
        """Trains and scores; returns the held-out candidates' places in the pool, their scores, and how it went."""
        pool, problems = self.data.pool, self.data.problems
        held_out = set(self.order[job.fold :: self.settings.folds])
        groups = training_groups(job, self.order, self.settings.folds)
        assert not held_out & groups
        pairs = self._pairs(pool, groups)
        begun = time.monotonic()
        ranker = self.after_extra(job.kind) if job.extra else None
        if job.fraction:
            ranker = self._train(job.kind, pairs, ranker)
        assert ranker is not None
        network, metrics = ranker
        trained = time.monotonic()
        places = [i for i, c in enumerate(pool) if problems[c.problem_id].group_id in held_out]
        candidates = [pool[i] for i in places]
        store(candidates, problems, self.read[job.kind], network.score, job.key)
        return {
            "places": places,
            "scores": [c.scores[job.key] for c in candidates],
            "metrics": metrics,
            "pairs": len(pairs),
            "training_problems": len({chosen.problem_id for chosen, _ in pairs}),
            "train_s": trained - begun,
            "score_s": time.monotonic() - trained,
        }

    def after_extra(self, kind: str) -> Trained:
        """The network that was trained on the further pools alone."""
        if kind not in self._after_extra:
            groups = {self.data.problems[c.problem_id].group_id for c in self.data.extra}
            self._after_extra[kind] = self._train(kind, self._pairs(self.data.extra, groups), None)
        return self._after_extra[kind]

    def read_frozen(self, kind: str) -> float:
        """Asks the frozen layers about every distinct text of the pool that is ranked, and forgets what they said of
        others; returns the seconds."""
        assert self.frozen is not None
        self.frozen.forget()
        return remember(self.frozen, [self.read[kind](self.data.problems[c.problem_id], c) for c in self.data.pool])

    def _pairs(self, candidates: Sequence[Candidate], groups: set[str]) -> list[CandidatePair]:
        return training_pairs(self.data, candidates, groups, self.settings, self.read["rewardranker"])

    def _train(self, kind: str, pairs: Sequence[CandidatePair], start: Trained | None) -> Trained:
        s, read = self.settings, self.read[kind]
        good_and_bad = [
            (read(self.data.problems[good.problem_id], good), read(self.data.problems[bad.problem_id], bad))
            for good, bad in pairs
        ]
        names = [good.problem_id for good, _ in pairs]
        lesson = Lesson(kind, good_and_bad, names, Budget(s.steps, s.programs_per_step))
        ranker = new_ranker(lesson, self.setup, s.device, start[0] if start else None, self.frozen)
        with TemporaryDirectory() as directory:
            return ranker, train_ranker(ranker, lesson, Path(directory))


def fingerprint(settings: Settings, problems: Mapping[str, Problem], candidates: Sequence[Candidate]) -> str:
    """Of the settings, the backbone's files and what is known of the candidates, their scores aside."""
    digest = hashlib.sha256(json.dumps(asdict(settings), sort_keys=True).encode())
    if Path(settings.backbone).is_dir():
        digest.update(tree_hash(Path(settings.backbone)).encode())
    for c in candidates:
        problem = problems[c.problem_id]
        digest.update(json.dumps([problem.id, problem.prompt, c.code, str(c.verdict), c.returns]).encode())
    return digest.hexdigest()[:16]


def run_all(jobs: Sequence[Job], data: Data, settings: Settings, work: Path) -> dict[Job, dict[str, Any]]:
    """Every job's result, from its file or by training; kinds that read the same follow each other."""
    trainer = Trainer(data, settings)
    plain = fingerprint(settings, data.problems, data.pool)
    extra = fingerprint(settings, data.problems, [*data.pool, *data.extra])
    results: dict[Job, dict[str, Any]] = {}
    known: Read | None = None
    for job in jobs:
        path = work / "jobs" / (extra if job.extra else plain) / f"{job.key}-{job.fold}.json"
        if not path.is_file():
            frozen_s = 0.0
            if settings.trained_layers and known is not trainer.read[job.kind]:
                frozen_s = trainer.read_frozen(job.kind)
                known = trainer.read[job.kind]
            path.parent.mkdir(parents=True, exist_ok=True)
            write_json(path, trainer.run(job) | {"frozen_s": frozen_s})
        results[job] = json.loads(path.read_text())
        r = results[job]
        say(
            f"{job.key}, fold {job.fold}: {r['pairs']:,} pairs, loss {r['metrics']['loss']:.3f}, {r['train_s']:.0f} s"
        )
    return results


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def check(data: Data, kinds: Sequence[str], curve_kinds: Sequence[str]) -> None:
    """Raises :class:`UserError` for candidates without what the kinds need."""
    for kind in kinds:
        check_trainable(kind, data.pool, "--pool")
        if data.extra:
            check_trainable(kind if kind in curve_kinds else "", data.extra, "--extra-pool")


def backbone_directory(name: str, data: Data, work: Path, seed: int) -> str:
    """``name``, or the directory of a tiny model that knows the words of the pool."""
    if name != "tiny":
        require_model(name)
        return name
    directory = work / "tiny"
    if not (directory / "config.json").is_file():
        candidates = [*data.pool, *data.extra]
        texts = [verifier_text(data.problems[c.problem_id], c) for c in candidates]
        pieces = [part for t in texts for part in (t.description, t.program, t.execution)]
        build_tiny_model(TinyConfig(max_positions=4096), directory, pieces, seed)
    return str(directory)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--pool", type=Path, required=True)
    add("--problems", type=Path, required=True)
    add("--extra-pool", type=Path, nargs=2, action="append", default=[], metavar=("POOL", "PROBLEMS"))
    add("--backbone", required=True, help="Model directory, or tiny.")
    add("--work", type=Path, default=Path("runs/trained"))
    add("--out", type=Path, help="Markdown file to write; a JSON file is written beside it.")
    add("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    add("--fractions", type=float, nargs="*", default=[], help="Of the training problems, below 1: learning curve.")
    add("--curve-kinds", nargs="+", choices=KINDS, default=list(KINDS), help="Kinds with a learning curve.")
    add("--trained-layers", type=int, default=4, help="Last layers that train; 0 trains everything.")
    add("--steps", type=int, default=100)
    add("--programs-per-step", type=int, default=64)
    add("--pairs-per-problem", type=int, default=16)
    add("--max-tokens", type=int, default=1024)
    add("--lever-inputs", type=int, default=5, help="Probe inputs whose results LEVER's verifier reads.")
    add("--lr", type=float, default=1e-4)
    add("--warmup", type=float, default=0.1)
    add("--schedule", choices=("constant", "linear", "cosine"), default="cosine")
    add("--weight-decay", type=float, default=0.01)
    add("--folds", type=int, default=5)
    add("--seed", type=int, default=0)
    add("--microbatch-tokens", type=int, default=16384)
    add("--threads", type=int, default=torch.get_num_threads())
    add("--device", default="cpu")
    add("-n", type=int, default=10, help="Candidates to choose from.")
    add("--draws", type=int, default=20, help="Draws of n, for LEVER's selectors.")
    add("--max-problems", type=int, help="Use the first so many problems of the pool only.")
    return parser.parse_args()


def main() -> None:
    given = arguments()
    quiet_transformers()
    torch.set_num_threads(given.threads)
    data = load(given.pool, given.problems, given.extra_pool)
    if given.max_problems:
        kept = set(list(group_by_problem(data.pool))[: given.max_problems])
        data = Data(data.problems, [c for c in data.pool if c.problem_id in kept], data.extra)
    check(data, given.kinds, given.curve_kinds)
    if not all(0 < fraction < 1 for fraction in given.fractions):
        raise UserError(f"--fractions {given.fractions}: each must lie between 0 and 1; 1 is always run")
    names = {key for key in Settings.__dataclass_fields__ if key != "backbone"}
    settings = Settings(
        backbone=backbone_directory(given.backbone, data, given.work, given.seed),
        **{key: value for key, value in vars(given).items() if key in names},
    )
    points = [(1.0, False)]
    curve = [*points, *((fraction, False) for fraction in given.fractions)]
    curve += [(0.0, True), (1.0, True)] if data.extra else []
    jobs = [
        Job(kind, fold, fraction, extra)
        for kind in KINDS
        if kind in given.kinds
        for fraction, extra in (curve if kind in given.curve_kinds else points)
        for fold in range(settings.folds)
    ]
    results = run_all(jobs, data, settings, given.work)
    for job, result in results.items():
        for place, score in zip(result["places"], result["scores"], strict=True):
            data.pool[place].scores[job.key] = score
    write_pool(given.work / "pool.parquet", data.pool, data.problems.values())
    trainings = [asdict(job) | {"key": job.key} | results[job] for job in jobs]
    summary = summarise(data.pool, data.problems, data.extra, trainings, asdict(settings), given.n, given.draws)
    publish(markdown(summary), summary, given.out)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(f"error: {error}")
