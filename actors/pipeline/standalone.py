"""Candidates from any model for any problems, without a run directory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from actors.cluster.dispatch import chunked
from actors.pipeline.runtime import Runtime
from actors.pipeline.shards import Plan, require_room, sample_shard
from rewardranker.config.schema import Config
from rewardranker.generation.candidates import cut_off, describe_cut_off
from rewardranker.models.loading import load_tokenizer, model_name, require_policy
from rewardranker.models.quiet import quiet_transformers
from rewardranker.paths import AnyPath
from rewardranker.problems.io import check_problems, read_problems
from rewardranker.problems.pool import read_pool, write_pool
from rewardranker.problems.types import Problem
from rewardranker.runs.atomic import remove_tree, tree_hash
from rewardranker.runs.console import Console
from rewardranker.runs.shards import missing_shards, shard_path
from rewardranker.training.demand import GENERATE
from rewardranker.training.sizes import samples_by_transformers


def generate_pool(config: Config, problems_file: AnyPath, out: AnyPath, console: Console) -> None:
    """Samples ``generation.n`` candidates per problem from ``model.path`` and writes them, not judged.

    Shards lie beside ``out`` until all are there: the same call after an interruption goes on from them. Samples
    depend on the model's name and not on where it lies.
    """
    model = config.model.path
    require_policy(model, "--model", samples_by_transformers(config))
    quiet_transformers()
    problems = read_problems(problems_file)
    check_problems(problems)
    plan = Plan.from_config(config, model, model_name(model), "generate", config.generation.n)
    directory = kept_shards(config, plan, Path(problems_file), Path(out))
    require_room(config, plan, problems, load_tokenizer(model))
    shards = chunked(problems, config.generation.prompts_per_shard)
    missing = missing_shards(directory, len(shards))
    if len(missing) < len(shards):
        console.say(f"{len(shards) - len(missing)} of {len(shards)} shards are there already, in {directory}")
    if missing:
        _sample(config, plan, {i: shards[i] for i in missing}, directory, console)
    pool = [c for i in range(len(shards)) for c in read_pool(shard_path(directory, i))]
    write_pool(out, pool, problems)
    remove_tree(directory)
    console.say(f"{out}: {len(pool):,} candidates of {len(problems):,} problems, {cut_off(pool):.1%} of them cut off")
    if long := describe_cut_off(pool):
        console.warn(long)


def kept_shards(config: Config, plan: Plan, problems_file: Path, out: Path) -> Path:
    """Where the shards of ``out`` lie: another place for whatever would make other samples."""
    model = Path(plan.model_path)
    made_of = {
        "plan": asdict(replace(plan, model_path="")),
        "model": tree_hash(model) if model.is_dir() else plan.model_path,
        "problems": tree_hash(problems_file),
        "engine": [config.rollout.engine, config.model.dtype],
        "shards": config.generation.prompts_per_shard,
    }
    digest = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:12]
    return out.with_name(f"{out.name}.{digest}.shards")


def _sample(
    config: Config, plan: Plan, shards: Mapping[int, list[Problem]], directory: Path, console: Console
) -> None:
    with Runtime(config, console, uses=GENERATE) as runtime:
        rollouts, tokenizer = runtime.rollouts(plan.model_path), load_tokenizer(plan.model_path)
        total = plan.n * sum(map(len, shards.values()))
        with console.progress("generate", total, "programs") as advance:
            generate = partial(rollouts.generate, advance=advance)
            for i, problems in shards.items():
                write_pool(shard_path(directory, i), sample_shard(plan, problems, tokenizer, generate), problems)
