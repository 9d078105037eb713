"""The ``train`` command: a reranker from a judged pool or preferences. No cycle: one process, one device."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rewardranker.commands.train_material import Material, TrainRequest, from_pool, from_preferences, repeats
from rewardranker.config.schema import POOLINGS, EngineConfig, OptimConfig, ScorerShape
from rewardranker.errors import Interrupted, UserError
from rewardranker.models.loading import model_name, require_start
from rewardranker.models.model_card import write_card
from rewardranker.models.quiet import quiet_transformers
from rewardranker.problems.io import require_folder
from rewardranker.reranking.record import write_record
from rewardranker.runs.atomic import commit_directory, remove_tree, tree_hash, write_json
from rewardranker.runs.console import Console
from rewardranker.runs.signals import end_as_by_ctrl_c
from rewardranker.runs.unfinished import left_in
from rewardranker.training.rankers import KINDS, Budget, Lesson, new_ranker, train_ranker
from rewardranker.training.reranker import Reranker
from rewardranker.training.setup import NetworkSetup
from rewardranker.training.supervised import progress

#: Tokens whose gradients are computed together.
MICROBATCH_TOKENS = 8192
#: So many states of a training are saved while it runs, where it is long enough: never more than one in ten updates.
CHECKPOINTS = 10


def run_train(request: TrainRequest, console: Console) -> None:
    """Trains a reranker and writes it, as a directory that ``from_pretrained`` loads, with ``training.json`` inside.

    Raises:
        UserError: options or files that are not what they should be, or nothing to learn from; nothing is written.
        Interrupted: by Ctrl-C; the same command goes on.
    """
    _check(request)
    quiet_transformers()
    material = (from_preferences if request.preferences else from_pool)(request, console)
    lesson = Lesson(request.kind, material.pairs, material.groups, Budget(request.steps, request.programs_per_step))
    optim = OptimConfig(lr=request.lr, warmup=0.1, weight_decay=0.01)
    engine = EngineConfig(shared_prompts=True, trained_layers=request.trained_layers)
    setup = NetworkSetup(
        request.model,
        request.model,
        engine,
        MICROBATCH_TOKENS,
        optim=optim,
        seed=request.seed,
        chat=material.chat,
        shape=ScorerShape(request.layers, request.pooling),
    )
    ranker = new_ranker(lesson, setup, request.device)
    seen = repeats(material, request.steps, request.programs_per_step)
    console.say(
        f"{request.kind}: {request.steps:,} updates of {request.programs_per_step // 2:,} pairs; each of the "
        f"{len(lesson.pairs):,} pairs is seen {_times(seen)}"
    )
    asked = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(request).items()}
    asked["chat"] = material.chat
    working = _working_directory(request, asked, lesson, console)
    with _interruptible(working):
        metrics = _train(request, ranker, lesson, working, console)
        validation, said = material.validate(ranker.score) if material.validate is not None else ({}, "")
    record = {
        "optim": asdict(optim),
        "data": material.data,
        "pairs": len(lesson.pairs),
        "problems": len(set(lesson.groups)),
        "counts": material.counts,
        "repeats": seen,
        "metrics": metrics,
        "validation": validation,
    }
    finished = working / "hf"
    remove_tree(finished)
    ranker.export(str(finished))
    write_record(finished, asked, **record)
    write_card(
        finished,
        request.kind,
        material.chat,
        _learnt(request, material, seen, said),
        answers=bool(request.preferences),
    )
    commit_directory(finished, request.out)
    remove_tree(working)
    console.say(
        f"{request.out}: {request.kind}, " + ", ".join(f"{name} {value:.4g}" for name, value in metrics.items())
    )
    if said:
        console.say(f"{request.out}: {said}")


def _times(seen: float) -> str:
    return f"{seen:,.0f} times" if seen >= 10 else f"{seen:.2g} times"


def _learnt(request: TrainRequest, material: Material, seen: float, said: str) -> dict[str, object]:
    """For the model's card."""
    data = "; ".join(f"{name} at revision {', '.join(found)}" for name, found in material.data.items())
    validation = {"validation": said} if said else {}
    return {
        "data": data,
        "began as": model_name(request.model),
        "problems": f"{len(set(material.groups)):,}",
        "pairs": f"{len(material.pairs):,}, each seen {_times(seen)}",
        "updates": f"{request.steps:,} of {request.programs_per_step:,} programs",
        **validation,
        "seed": request.seed,
    }


def _train(
    request: TrainRequest, ranker: Reranker, lesson: Lesson, working: Path, console: Console
) -> dict[str, float]:
    with console.progress(f"train {request.kind}", request.steps, "steps") as advance:
        every = max(10, request.steps // CHECKPOINTS)
        report = progress(advance, "loss", console.warn)
        return train_ranker(ranker, lesson, working, every, report, request.head_penalty)


@contextmanager
def _interruptible(working: Path) -> Iterator[None]:
    end_as_by_ctrl_c()
    try:
        yield
    except KeyboardInterrupt:
        kept = f"kept in {working}: {left_in(working)}"
        raise Interrupted(f"interrupted; {kept}. The same command goes on") from None


def _working_directory(request: TrainRequest, asked: dict[str, Any], lesson: Lesson, console: Console) -> Path:
    """A hidden directory beside ``--out``, in which the same command goes on where it was cut off."""
    out = Path(request.out).absolute()
    working = out.parent / f".{out.name}-training"
    model = Path(request.model)
    read = hashlib.sha256()
    for example in zip(lesson.pairs, lesson.groups, strict=True):
        read.update(repr(example).encode())
    same = {"asked": asked, "read": read.hexdigest(), "model": tree_hash(model) if model.is_dir() else ""}
    written = working / "asked.json"
    if written.is_file() and json.loads(written.read_text()) != same:
        console.say(f"{working} holds the beginning of another training: beginning anew")
        remove_tree(working)
    elif written.is_file():
        console.say(f"{request.out} goes on, it was cut off: from {left_in(working)}")
    working.mkdir(exist_ok=True)
    write_json(written, same)
    return working


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
    if not 0 <= request.validation < 1:
        raise UserError(f"--validation {request.validation}: a share of the problems, from 0 (none) to below 1")
    if request.pooling not in POOLINGS:
        raise UserError(f"--pooling {request.pooling!r} is not known; it must be one of {', '.join(POOLINGS)}")
    for option, given in (("--layers", request.layers), ("--head-penalty", request.head_penalty)):
        if given < 0:
            raise UserError(f"{option} {given}: must not be negative")
    require_start(request.model, "--model", ScorerShape(request.layers, request.pooling))
    require_folder("--out", request.out)
    if Path(request.out).exists():
        raise UserError(f"--out {request.out} exists; give another name, or remove it first")
    Budget(request.steps, request.programs_per_step).check()
