"""Rerankers trained on one judged pool, chosen on a second and tested on others, over several seeds.

    python benchmarks/real_rerankers.py --backbone MODEL --train POOL PROBLEMS --validation POOL PROBLEMS \\
        --test humaneval POOL PROBLEMS --recipes rewardranker coderanker rewardranker:lr=2e-4 \\
        --work runs/real --out benchmarks/results/real_rerankers.md

A recipe is a kind of reranker and what differs from the defaults of :class:`Recipe`. Each is trained with every seed
on the first pool alone. Beside its own scores it is tried as a sum with the generator's mean log-probability, whose
weight is chosen on the validation pool; so is the recipe that the page names first. No choice looks at a test pool.

DIR/jobs keeps the scores of each training: what was stopped goes on where it stopped. With trained layers fewer than
the backbone's, what the others say of a text is computed once for all recipes and seeds that train as many.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from real_report import markdown, summarise
from trained_report import publish
from trained_rerankers import frozen_layers, remember, say

from rewardranker.commands.judge_files import load_pool
from rewardranker.config.schema import POOLINGS, EngineConfig, OptimConfig, ScorerShape
from rewardranker.errors import UserError
from rewardranker.models.batching import TokenSequence
from rewardranker.models.frozen import FrozenLayers
from rewardranker.models.loading import load_tokenizer, require_model
from rewardranker.models.quiet import quiet_transformers
from rewardranker.problems.pool import judged_of
from rewardranker.problems.types import Candidate, Problem
from rewardranker.problems.verdict import Verdict
from rewardranker.reranking.examples import check_trainable, fitting, judged_pairs
from rewardranker.reranking.reading import reader
from rewardranker.runs.atomic import tree_hash, write_json
from rewardranker.runs.seeds import derive_seed
from rewardranker.training.head_start import HeadStart
from rewardranker.training.rankers import KINDS, Budget, Lesson, new_ranker, train_ranker
from rewardranker.training.reranker import Reranker
from rewardranker.training.setup import NetworkSetup


@dataclass(frozen=True)
class Recipe:
    """How one reranker is trained; its name is what it was asked for by.

    Attributes:
        depth: of the backbone's layers the reranker has the first so many; 0: all.
        layers: of these the last so many train; 0: all.
        pooling: at which tokens of a program its score is read, ``last`` or ``mean``.
        head: penalty of the head's fit before anything trains; 0: it is drawn. ``steps=0`` leaves it at that.
        problems: of those with passing and failing programs so many are trained on, drawn by the seed; 0: all.
    """

    name: str
    kind: str
    depth: int = 0
    layers: int = 4
    pooling: str = "last"
    head: float = 0.0
    steps: int = 60
    programs: int = 64
    pairs: int = 16
    lr: float = 1e-4
    warmup: float = 0.1
    weight_decay: float = 0.01
    problems: int = 0


@dataclass(frozen=True)
class Pool:
    """Judged candidates of known problems; those that could not be judged are left out."""

    name: str
    problems: dict[str, Problem]
    candidates: list[Candidate]

    @property
    def open(self) -> list[int]:
        """Places of the candidates whose problem has passing and failing ones, so that it matters who is chosen."""
        passed: dict[str, set[bool]] = {}
        for c in self.candidates:
            passed.setdefault(c.problem_id, set()).add(c.verdict == Verdict.OK)
        return [place for place, c in enumerate(self.candidates) if len(passed[c.problem_id]) == 2]

    def drawn(self, count: int, seed: int) -> list[Candidate]:
        """The candidates of ``count`` problems that have passing and failing ones; of all problems if 0.

        Those of a smaller count are among those of a larger one.

        Raises:
            UserError: there are fewer.
        """
        if not count:
            return self.candidates
        names = sorted({self.candidates[place].problem_id for place in self.open})
        if count > len(names):
            raise UserError(f"problems={count}: {self.name} has {len(names)} with passing and failing programs")
        kept = set(sorted(names, key=lambda name: derive_seed(seed, "problems", name))[:count])
        return [c for c in self.candidates if c.problem_id in kept]


@dataclass(frozen=True)
class Setting:
    """What all trainings share."""

    backbone: str
    dtype: str
    chat: bool
    max_tokens: int
    microbatch_tokens: int


def recipe_of(text: str) -> Recipe:
    """``kind`` or ``kind:field=value,...``.

    Raises:
        UserError: no such kind or field, or a value that is no number.
    """
    kind, _, given = text.partition(":")
    if kind not in KINDS or kind == "lever":
        raise UserError(f"recipe {text!r}: {kind!r} is no kind; use {', '.join(k for k in KINDS if k != 'lever')}")
    types = {one.name: type(one.default) for one in fields(Recipe) if one.name not in ("name", "kind")}
    changed: dict[str, Any] = {}
    for part in filter(None, given.split(",")):
        name, _, value = part.partition("=")
        try:
            changed[name] = types[name](value)
        except (KeyError, ValueError) as error:
            known = ", ".join(types)
            raise UserError(f"recipe {text!r}: {part!r} is not FIELD=VALUE with a field of {known}") from error
    recipe = replace(Recipe(text, kind), **changed)
    if recipe.pooling not in POOLINGS:
        raise UserError(f"recipe {text!r}: pooling={recipe.pooling} is none of {', '.join(POOLINGS)}")
    if not recipe.steps and not recipe.head:
        raise UserError(f"recipe {text!r}: steps=0 and head=0 train nothing; give head=0.3, or steps")
    return recipe


def load(name: str, pool: Path, problems: Path) -> Pool:
    known, candidates = load_pool(problems, pool)
    check_trainable("", candidates, str(pool))
    return Pool(name, known, judged_of(candidates))


def require_apart(train: Pool, others: Sequence[Pool]) -> None:
    """Raises :class:`UserError` where a problem that is trained on, or one like it, is also in another pool."""
    groups = {problem.group_id for problem in train.problems.values()}
    for other in others:
        shared = sorted(name for name, one in other.problems.items() if one.group_id in groups)
        if shared:
            raise UserError(f"{other.name}: {shared[0]} is, or is like, a problem that is trained on: leave it away")


class Trainer:
    """Trains recipes; remembers what frozen layers say for recipes that train as many layers."""

    def __init__(self, setting: Setting, train: Pool, scored: Sequence[Pool], directory: Path) -> None:
        self._setting, self._train, self._scored, self._directory = setting, train, scored, directory
        self._read = reader("rewardranker", load_tokenizer(setting.backbone), setting.chat, setting.max_tokens)
        self._frozen: tuple[tuple[int, int], FrozenLayers] | None = None

    def run(self, recipe: Recipe, seed: int) -> dict[str, Any]:
        """Scores by pool, in its order, and how training went."""
        problems, read = self._train.problems, self._read
        pairs = judged_pairs(problems, self._train.drawn(recipe.problems, seed), recipe.pairs, seed)
        pairs = fitting(pairs, problems, read, self._setting.max_tokens)
        rows = [tuple(read(problems[c.problem_id], c) for c in pair) for pair in pairs]
        names = [good.problem_id for good, _ in pairs]
        budget = Budget(max(1, recipe.steps), recipe.programs)
        lesson = Lesson(recipe.kind, rows, names, budget)  # type: ignore[arg-type]
        setup = self._setup(recipe, seed)
        frozen, begun = self._frozen_layers(setup), time.monotonic()
        ranker = new_ranker(lesson, setup, frozen=frozen)
        if recipe.steps:
            with TemporaryDirectory() as directory:
                metrics = train_ranker(ranker, lesson, Path(directory), head_penalty=recipe.head)
        else:
            start = HeadStart(rows, names, recipe.head)
            metrics = ranker.start_head(start) | {"tokens": sum(map(len, start.rows()))}
        trained = time.monotonic()
        scores = {pool.name: self._scores(pool, ranker) for pool in self._scored}
        seconds = {"train_s": trained - begun, "score_s": time.monotonic() - trained}
        return {"scores": scores, "metrics": metrics, "pairs": len(pairs), "problems": len(set(names)), **seconds}

    def _scores(self, pool: Pool, ranker: Reranker) -> list[float]:
        """0 for candidates of problems that leave no choice: none of their candidates passes, or none fails."""
        scores = [0.0] * len(pool.candidates)
        for place, score in zip(pool.open, ranker.score(self._texts(pool)), strict=True):
            scores[place] = score
        return scores

    def _texts(self, pool: Pool) -> list[TokenSequence]:
        candidates = [pool.candidates[place] for place in pool.open]
        return [self._read(pool.problems[c.problem_id], c) for c in candidates]

    def _setup(self, recipe: Recipe, seed: int) -> NetworkSetup:
        s = self._setting
        optim = OptimConfig(lr=recipe.lr, warmup=recipe.warmup, weight_decay=recipe.weight_decay)
        engine = EngineConfig(shared_prompts=True, trained_layers=recipe.layers)
        shape = ScorerShape(recipe.depth, recipe.pooling)
        setup = NetworkSetup(s.backbone, s.backbone, engine, s.microbatch_tokens, s.dtype, seed=seed, chat=s.chat)
        return replace(setup, optim=optim, shape=shape)

    def _frozen_layers(self, setup: NetworkSetup) -> FrozenLayers | None:
        layers, depth = setup.engine.trained_layers, setup.shape.layers
        if not layers:
            return None
        if self._frozen is None or self._frozen[0] != (layers, depth):
            self._frozen = None  # before the next one is loaded: they are large
            frozen, kept = frozen_layers(setup, "cpu"), self._directory / f"below-{layers}-of-{depth or 'all'}.pt"
            assert frozen is not None
            if kept.is_file():
                frozen.load(kept)
            else:
                remember(frozen, [row for pool in (self._train, *self._scored) for row in self._texts(pool)])
                frozen.save(kept)
            self._frozen = (layers, depth), frozen
        return self._frozen[1]


def fingerprint(setting: Setting, pools: Sequence[Pool]) -> str:
    """Of the settings, the backbone's files and what is known of the candidates."""
    digest = hashlib.sha256(json.dumps(asdict(setting), sort_keys=True).encode())
    digest.update(tree_hash(Path(setting.backbone)).encode() if Path(setting.backbone).is_dir() else b"")
    for pool in pools:
        for c in pool.candidates:
            row = [pool.name, c.problem_id, pool.problems[c.problem_id].prompt, c.code, str(c.verdict)]
            digest.update(json.dumps(row).encode())
    return digest.hexdigest()[:16]


def run_all(
    recipes: Sequence[Recipe], seeds: Sequence[int], setting: Setting, pools: Sequence[Pool], work: Path
) -> dict[str, list[dict[str, Any]]]:
    """By recipe, a result for each seed: from its file, or by training. The first pool is trained on."""
    directory = work / "jobs" / fingerprint(setting, pools)
    directory.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(setting, pools[0], pools[1:], directory)
    results: dict[str, list[dict[str, Any]]] = {recipe.name: [] for recipe in recipes}
    for recipe in sorted(recipes, key=lambda one: (one.layers, one.depth)):
        for seed in seeds:
            path = directory / f"{hashlib.sha256(repr(recipe).encode()).hexdigest()[:12]}-{seed}.json"
            if not path.is_file():
                write_json(path, {"recipe": asdict(recipe), "seed": seed} | trainer.run(recipe, seed))
            result = json.loads(path.read_text())
            results[recipe.name].append(result)
            say(f"{recipe.name}, seed {seed}: loss {result['metrics']['loss']:.3f}, {result['train_s']:.0f} s")
    return results


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--backbone", required=True, help="Model directory or hub name.")
    add("--train", nargs=2, type=Path, required=True, metavar=("POOL", "PROBLEMS"))
    add("--validation", nargs=2, type=Path, required=True, metavar=("POOL", "PROBLEMS"))
    add("--test", nargs=3, action="append", required=True, metavar=("NAME", "POOL", "PROBLEMS"))
    add("--recipes", nargs="+", default=["rewardranker", "coderanker"], help="KIND or KIND:field=value,...")
    add("--seeds", type=int, default=5)
    add("--no-chat", dest="chat", action="store_false", help="Problems outside the tokenizer's chat template.")
    add("--dtype", choices=("float32", "bfloat16"), default="float32")
    add("--max-tokens", type=int, default=1024)
    add("--microbatch-tokens", type=int, default=8192)
    add("--threads", type=int, default=torch.get_num_threads())
    add("--work", type=Path, default=Path("runs/real"))
    add("--out", type=Path, help="Markdown file to write; a JSON file is written beside it.")
    add("-n", type=int, default=10, help="Candidates to choose from.")
    return parser.parse_args()


def main() -> None:
    given = arguments()
    quiet_transformers()
    torch.set_num_threads(given.threads)
    require_model(given.backbone)
    recipes = [recipe_of(text) for text in given.recipes]
    train, validation = load("train", *given.train), load("validation", *given.validation)
    tests = [load(name, Path(pool), Path(problems)) for name, pool, problems in given.test]
    require_apart(train, [validation, *tests])
    setting = Setting(given.backbone, given.dtype, given.chat, given.max_tokens, given.microbatch_tokens)
    pools = [train, validation, *tests]
    results = run_all(recipes, range(given.seeds), setting, pools, given.work)
    told = asdict(setting) | {"backbone": Path(given.backbone).name, "threads": given.threads, "seeds": given.seeds}
    summary = summarise([(pool.name, pool.candidates, pool.problems) for pool in pools], results, told, given.n)
    publish(markdown(summary), summary, given.out)


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(f"error: {error}")
