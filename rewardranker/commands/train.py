"""The ``train`` command: a reranker from a judged pool or preferences. No cycle: one process, one device."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rewardranker.commands.judge_files import load_pool
from rewardranker.config.schema import OptimConfig
from rewardranker.errors import UserError
from rewardranker.models.layers import Backbone
from rewardranker.models.loading import quiet_transformers, require_start
from rewardranker.problems.io import require_folder
from rewardranker.problems.pool import revisions_of
from rewardranker.problems.sources import read_source
from rewardranker.reranking.examples import check_trainable, fitting, judged_pairs
from rewardranker.reranking.reading import reader
from rewardranker.reranking.record import write_record
from rewardranker.runs.atomic import commit_directory
from rewardranker.runs.console import Console
from rewardranker.training.objectives import Pair
from rewardranker.training.preferences import encoded, read_preferences
from rewardranker.training.rankers import KINDS, Budget, train_ranker


@dataclass(frozen=True)
class TrainRequest:
    """What the command was asked for; see its own help. Either ``problems`` and ``pool``, or ``preferences``."""

    kind: str
    model: str
    problems: Path | None
    pool: Path | None
    out: Path
    chat: bool = False
    steps: int = 100
    programs_per_step: int = 64
    pairs_per_problem: int = 16
    trained_layers: int = 0
    max_tokens: int = 1024
    lr: float = 1e-4
    seed: int = 0
    device: str = "cpu"
    preferences: str = ""


@dataclass(frozen=True)
class _Lesson:
    """What there is to learn from: pairs, the prompt of each, and what of them goes into the record."""

    pairs: list[Pair]
    groups: list[str]
    chat: bool
    data: dict[str, Any]


def run_train(request: TrainRequest, console: Console) -> None:
    """Trains a reranker and writes it, as a directory that ``from_pretrained`` loads, with ``training.json`` inside.

    Raises:
        UserError: options or files that are not what they should be, or nothing to learn from; nothing is written.
    """
    _check(request)
    quiet_transformers()
    read = _from_preferences if request.preferences else _from_pool
    backbone, lesson = read(request, console)
    budget = Budget(request.steps, request.programs_per_step)
    optim = OptimConfig(lr=request.lr, warmup=0.1, weight_decay=0.01)
    with console.progress(f"train {request.kind}", request.steps, "steps") as advance:
        ranker = train_ranker(
            request.kind, backbone, lesson.pairs, lesson.groups, budget, optim, request.seed,
            on_step=lambda step, metrics: advance(1, f"loss {metrics['loss']:.3f}"),
        )  # fmt: skip
    asked = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(request).items()}
    record = {
        "optim": asdict(optim),
        "data": lesson.data,
        "pairs": len(lesson.pairs),
        "problems": len(set(lesson.groups)),
        "metrics": ranker.metrics,
    }
    with TemporaryDirectory(dir=request.out.absolute().parent, prefix=f".{request.out.name}-") as folder:
        finished = Path(folder) / "model"
        ranker.save(finished, lesson.chat)
        write_record(finished, asked | {"chat": lesson.chat}, **record)
        commit_directory(finished, request.out)
    console.say(f"{request.out}: " + ", ".join(f"{name} {value:.4g}" for name, value in ranker.metrics.items()))


def _from_pool(request: TrainRequest, console: Console) -> tuple[Backbone, _Lesson]:
    assert request.problems is not None and request.pool is not None
    problems, pool = load_pool(request.problems, request.pool)
    check_trainable(request.kind, pool, str(request.pool))
    backbone = _backbone(request, request.chat)
    longest = _longest(request, backbone)
    plain, read = (reader(kind, backbone.tokenizer, request.chat, longest) for kind in ("rewardranker", request.kind))
    found = judged_pairs(problems, pool, request.pairs_per_problem, request.seed)
    # By the plain text's length for every kind, so that all kinds learn from the same pairs.
    pairs = fitting(found, problems, plain, longest)
    names = [good.problem_id for good, _ in pairs]
    console.say(
        f"{request.pool}: {len(found):,} pairs of a passing and a failing program, {len(found) - len(pairs):,} of "
        f"them too long; {len(set(names)):,} of {len(problems):,} problems to learn from"
    )
    rows = [(read(problems[good.problem_id], good), read(problems[bad.problem_id], bad)) for good, bad in pairs]
    for name, pair in zip(names, rows, strict=True):
        for row in pair:
            backbone.limits.check(row, f"{request.pool}: a program of {name}")
    return backbone, _Lesson(rows, names, request.chat, dict(revisions_of(pool, problems.values())))


def _from_preferences(request: TrainRequest, console: Console) -> tuple[Backbone, _Lesson]:
    name = request.preferences
    rows, revision = read_source(name, "default", "train")
    found, idle = read_preferences(rows, name)
    if not found:
        reasons = "".join(f", {count:,} with {reason}" for reason, count in idle.items())
        raise UserError(f"--preferences {name}: nothing to learn from in its {len(rows):,} rows{reasons}")
    chat = request.chat or not isinstance(found[0].prompt, str)
    backbone = _backbone(request, chat)
    longest = _longest(request, backbone)
    pairs, groups = encoded(found, backbone.tokenizer, chat, longest)
    left_out = idle + Counter({f"more than {longest:,} tokens": len(found) - len(pairs)})
    console.say(
        f"{name}: {len(pairs):,} of {len(rows):,} pairs, on {len(set(groups)):,} prompts"
        + "".join(f"; left out for {reason}: {count:,}" for reason, count in left_out.items())
    )
    for group, pair in zip(groups, pairs, strict=True):
        for row in pair:
            backbone.limits.check(row, f"{name}: an answer to {group[:60]!r}")
    return backbone, _Lesson(pairs, groups, chat, {name: [revision]})


def _backbone(request: TrainRequest, chat: bool) -> Backbone:
    backbone = Backbone(request.model, request.trained_layers, device=request.device)
    if chat and backbone.tokenizer.chat_template is None:
        lacking = f"the tokenizer of {request.model} has no chat template"
        if request.chat:
            raise UserError(f"--chat: {lacking}; leave --chat out")
        raise UserError(f"--preferences {request.preferences} holds conversations: {lacking}; take a chat model")
    return backbone


def _longest(request: TrainRequest, backbone: Backbone) -> int:
    return min(request.max_tokens, backbone.limits.positions or request.max_tokens)


def _check(request: TrainRequest) -> None:
    if request.kind not in KINDS:
        raise UserError(f"--kind {request.kind!r} is not known; it must be one of {', '.join(KINDS)}")
    if request.chat and request.kind == "lever":
        raise UserError("--chat: LEVER's verifier reads a text of its own form, never a chat; leave --chat out")
    pool = [name for name, path in (("--problems", request.problems), ("--pool", request.pool)) if path is not None]
    if request.preferences and pool:
        raise UserError(f"--preferences and {' and '.join(pool)} exclude each other: give the one or the other")
    if not request.preferences and len(pool) < 2:
        raise UserError("give --problems and --pool, a judged pool, or --preferences, pairs of your own")
    if request.preferences and request.kind != "rewardranker":
        raise UserError(
            f"--kind {request.kind} learns from programs that are right or wrong, and --preferences only says which "
            "of two is better: take --kind rewardranker, or a judged pool"
        )
    require_start(request.model, "--model")
    require_folder("--out", request.out)
    if request.out.exists():
        raise UserError(f"--out {request.out} exists; give another name, or remove it first")
    Budget(request.steps, request.programs_per_step).check()
