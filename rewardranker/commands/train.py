"""The ``train`` command: a reranker from a pool that has verdicts. No cycle, no cluster: one process, one device."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from rewardranker.commands.judge_files import load_pool
from rewardranker.config.schema import OptimConfig
from rewardranker.errors import UserError
from rewardranker.models.layers import Backbone
from rewardranker.models.loading import quiet_transformers, require_start
from rewardranker.problems.io import require_folder
from rewardranker.problems.pool import revisions_of
from rewardranker.reranking.reading import reader
from rewardranker.runs.atomic import commit_directory, write_json
from rewardranker.runs.console import Console
from rewardranker.training.examples import check_trainable, fitting, judged_pairs
from rewardranker.training.rankers import KINDS, Budget, train_ranker


@dataclass(frozen=True)
class TrainRequest:
    """What the command was asked for; see its own help."""

    kind: str
    model: str
    problems: Path
    pool: Path
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


def run_train(request: TrainRequest, console: Console) -> None:
    """Trains a reranker and writes it, as a directory that ``from_pretrained`` loads, with ``training.json`` inside.

    Raises:
        UserError: options or files that are not what they should be, or nothing to learn from; nothing is written.
    """
    _check(request)
    quiet_transformers()
    problems, pool = load_pool(request.problems, request.pool)
    check_trainable(request.kind, pool, str(request.pool))
    backbone = Backbone(request.model, request.trained_layers, device=request.device)
    if request.chat and backbone.tokenizer.chat_template is None:
        raise UserError(f"--chat: the tokenizer of {request.model} has no chat template; leave --chat out")
    longest = min(request.max_tokens, backbone.limits.positions or request.max_tokens)
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
    budget = Budget(request.steps, request.programs_per_step)
    optim = OptimConfig(lr=request.lr, warmup=0.1, weight_decay=0.01)
    with console.progress(f"train {request.kind}", request.steps, "steps") as advance:
        ranker = train_ranker(
            request.kind, backbone, rows, names, budget, optim, request.seed,
            on_step=lambda step, metrics: advance(1, f"loss {metrics['loss']:.3f}"),
        )  # fmt: skip
    record = {
        "asked": {name: str(value) if isinstance(value, Path) else value for name, value in asdict(request).items()},
        "optim": asdict(optim),
        "data": revisions_of(pool, problems.values()),
        "pairs": len(pairs),
        "problems": len(set(names)),
        "metrics": ranker.metrics,
    }
    with TemporaryDirectory(dir=request.out.absolute().parent, prefix=f".{request.out.name}-") as folder:
        finished = Path(folder) / "model"
        ranker.save(finished, request.chat)
        write_json(finished / "training.json", record)
        commit_directory(finished, request.out)
    console.say(f"{request.out}: " + ", ".join(f"{name} {value:.4g}" for name, value in ranker.metrics.items()))


def _check(request: TrainRequest) -> None:
    if request.kind not in KINDS:
        raise UserError(f"--kind {request.kind!r} is not known; it must be one of {', '.join(KINDS)}")
    if request.chat and request.kind == "lever":
        raise UserError("--chat: LEVER's verifier reads a text of its own form, never a chat; leave --chat out")
    require_start(request.model, "--model")
    require_folder("--out", request.out)
    if request.out.exists():
        raise UserError(f"--out {request.out} exists; give another name, or remove it first")
    Budget(request.steps, request.programs_per_step).check()
