"""Candidates from any model for any problems, without a run directory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from actors.pipeline.runtime import Runtime
from rewardranker.config.schema import Config
from rewardranker.generation.candidates import requests_for, to_candidates
from rewardranker.generation.types import Sampling
from rewardranker.models.loading import load_tokenizer, quiet_transformers, require_policy
from rewardranker.problems.io import check_problems, read_problems
from rewardranker.problems.pool import write_pool
from rewardranker.runs.console import Console
from rewardranker.training.sizes import samples_by_transformers


def generate_pool(config: Config, model: str, problems_file: Path, out: Path, console: Console) -> None:
    """Samples ``generation.n`` candidates per problem and writes them, not judged."""
    require_policy(model, "--model", samples_by_transformers(config))
    quiet_transformers()
    problems = read_problems(problems_file)
    check_problems(problems)
    g = config.generation
    tokenizer = load_tokenizer(model)
    requests = requests_for(problems, g.n, tokenizer, config.model.chat, config.run.seed, "generate", model)
    sampling = Sampling(g.temperature, g.top_k, g.max_new_tokens)
    settings = replace(config, model=replace(config.model, path=model))
    with Runtime(settings, console) as runtime:
        rollouts = runtime.rollouts(model)
        with console.progress("generate", len(requests), "programs") as advance:
            responses = rollouts.generate(requests, sampling, advance)
    by_id = {p.id: p for p in problems}
    write_pool(out, to_candidates(requests, responses, by_id, tokenizer, f"gen:{model}"), problems)
    console.say(f"{out}: {len(requests):,} candidates of {len(problems):,} problems")
