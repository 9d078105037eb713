"""The ``train`` command: a reranker from a judged pool or preferences. No cycle: one process, one device."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerBase

from rewardranker.commands.judge_files import load_pool
from rewardranker.config.schema import EngineConfig, OptimConfig
from rewardranker.errors import UserError
from rewardranker.models.limits import Limits
from rewardranker.models.loading import load_tokenizer, quiet_transformers, require_start
from rewardranker.problems.io import require_folder
from rewardranker.problems.pool import revisions_of
from rewardranker.problems.sources import read_source
from rewardranker.reranking.examples import check_trainable, fitting, judged_pairs
from rewardranker.reranking.reading import reader
from rewardranker.reranking.record import write_record
from rewardranker.runs.atomic import commit_directory, remove_tree, tree_hash, write_json
from rewardranker.runs.console import Console
from rewardranker.training.objectives import Pair
from rewardranker.training.preferences import encoded, read_preferences
from rewardranker.training.rankers import KINDS, Budget, Lesson, new_ranker, train_ranker
from rewardranker.training.reranker import Reranker
from rewardranker.training.setup import NetworkSetup
from rewardranker.training.supervised import progress

#: Tokens whose gradients are computed together.
MICROBATCH_TOKENS = 8192
#: So many states of a training are saved while it runs, where it is long enough: never more than one in ten updates.
CHECKPOINTS = 10


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
class _Material:
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
    material = read(request, console)
    lesson = Lesson(request.kind, material.pairs, material.groups, Budget(request.steps, request.programs_per_step))
    optim = OptimConfig(lr=request.lr, warmup=0.1, weight_decay=0.01)
    engine = EngineConfig(shared_prompts=True, trained_layers=request.trained_layers)
    setup = NetworkSetup(
        request.model, request.model, engine, MICROBATCH_TOKENS, optim=optim, seed=request.seed, chat=material.chat
    )
    ranker = new_ranker(lesson, setup, request.device)
    asked = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(request).items()}
    asked["chat"] = material.chat
    working = _working_directory(request, asked, lesson, console)
    metrics = _train(request, ranker, lesson, working, console)
    record = {
        "optim": asdict(optim),
        "data": material.data,
        "pairs": len(lesson.pairs),
        "problems": len(set(lesson.groups)),
        "metrics": metrics,
    }
    finished = working / "hf"
    remove_tree(finished)
    ranker.export(str(finished))
    write_record(finished, asked, **record)
    commit_directory(finished, request.out)
    remove_tree(working)
    console.say(f"{request.out}: " + ", ".join(f"{name} {value:.4g}" for name, value in metrics.items()))


def _train(
    request: TrainRequest, ranker: Reranker, lesson: Lesson, working: Path, console: Console
) -> dict[str, float]:
    with console.progress(f"train {request.kind}", request.steps, "steps") as advance:
        every = max(10, request.steps // CHECKPOINTS)
        return train_ranker(ranker, lesson, working, every, progress(advance, "loss", console.warn))


def _working_directory(request: TrainRequest, asked: dict[str, Any], lesson: Lesson, console: Console) -> Path:
    """A hidden directory beside ``--out``, in which the same command goes on where it was cut off."""
    working = request.out.absolute().parent / f".{request.out.name}-training"
    model = Path(request.model)
    read = hashlib.sha256()
    for example in zip(lesson.pairs, lesson.groups, strict=True):
        read.update(repr(example).encode())
    same = {"asked": asked, "read": read.hexdigest(), "model": tree_hash(model) if model.is_dir() else ""}
    written = working / "asked.json"
    if written.is_file() and json.loads(written.read_text()) != same:
        console.say(f"{working} holds the beginning of another training: beginning anew")
        remove_tree(working)
    working.mkdir(exist_ok=True)
    write_json(written, same)
    return working


def _from_pool(request: TrainRequest, console: Console) -> _Material:
    assert request.problems is not None and request.pool is not None
    problems, pool = load_pool(request.problems, request.pool)
    check_trainable(request.kind, pool, str(request.pool))
    tokenizer, limits = _tokenizer(request, request.chat), Limits.of_model(request.model)
    longest = _longest(request, limits)
    plain, read = (reader(kind, tokenizer, request.chat, longest) for kind in ("rewardranker", request.kind))
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
            limits.check(row, f"{request.pool}: a program of {name}")
    return _Material(rows, names, request.chat, dict(revisions_of(pool, problems.values())))


def _from_preferences(request: TrainRequest, console: Console) -> _Material:
    name = request.preferences
    rows, revision = read_source(name, "default", "train")
    found, idle = read_preferences(rows, name)
    if not found:
        reasons = "".join(f", {count:,} with {reason}" for reason, count in idle.items())
        raise UserError(f"--preferences {name}: nothing to learn from in its {len(rows):,} rows{reasons}")
    chat = request.chat or not isinstance(found[0].prompt, str)
    tokenizer, limits = _tokenizer(request, chat), Limits.of_model(request.model)
    longest = _longest(request, limits)
    pairs, groups = encoded(found, tokenizer, chat, longest)
    left_out = idle + Counter({f"more than {longest:,} tokens": len(found) - len(pairs)})
    console.say(
        f"{name}: {len(pairs):,} of {len(rows):,} pairs, on {len(set(groups)):,} prompts"
        + "".join(f"; left out for {reason}: {count:,}" for reason, count in left_out.items())
    )
    for group, pair in zip(groups, pairs, strict=True):
        for row in pair:
            limits.check(row, f"{name}: an answer to {group[:60]!r}")
    return _Material(pairs, groups, chat, {name: [revision]})


def _tokenizer(request: TrainRequest, chat: bool) -> PreTrainedTokenizerBase:
    tokenizer = load_tokenizer(request.model)
    if chat and tokenizer.chat_template is None:
        lacking = f"the tokenizer of {request.model} has no chat template"
        if request.chat:
            raise UserError(f"--chat: {lacking}; leave --chat out")
        raise UserError(f"--preferences {request.preferences} holds conversations: {lacking}; take a chat model")
    return tokenizer


def _longest(request: TrainRequest, limits: Limits) -> int:
    return min(request.max_tokens, limits.positions or request.max_tokens)


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
