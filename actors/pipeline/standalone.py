"""Candidates from any model for any problems, without a run directory."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from actors.pipeline.runtime import Runtime
from actors.pipeline.shards import Plan, sample_shard
from rewardranker.config.schema import Config
from rewardranker.models.loading import load_tokenizer, require_policy
from rewardranker.models.quiet import quiet_transformers
from rewardranker.paths import AnyPath
from rewardranker.problems.io import check_problems, read_problems
from rewardranker.problems.pool import write_pool
from rewardranker.runs.console import Console
from rewardranker.training.demand import GENERATE
from rewardranker.training.sizes import samples_by_transformers


def generate_pool(config: Config, model: str, problems_file: AnyPath, out: AnyPath, console: Console) -> None:
    """Samples ``generation.n`` candidates per problem and writes them, not judged."""
    require_policy(model, "--model", samples_by_transformers(config))
    quiet_transformers()
    problems = read_problems(problems_file)
    check_problems(problems)
    n = config.generation.n
    plan = Plan.from_config(config, model, model, "generate", n)
    with Runtime(replace(config, model=replace(config.model, path=model)), console, uses=GENERATE) as runtime:
        rollouts = runtime.rollouts(model)
        with console.progress("generate", n * len(problems), "programs") as advance:
            generate = partial(rollouts.generate, advance=advance)
            pool = sample_shard(plan, problems, load_tokenizer(model), generate)
    write_pool(out, pool, problems)
    console.say(f"{out}: {len(pool):,} candidates of {len(problems):,} problems")
