"""Pools of an evaluation: sampled from a local model or an endpoint, judged, probed, scored by trained rankers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from actors.candidates import Plan, check_infra, sample_pool, sample_shard
from actors.reference import Reference
from actors.reward import Reward
from actors.setup import RoleSetup
from actors.stages.context import Context
from rewardranker.config.endpoint import shaping
from rewardranker.evaluation.asking import Asked
from rewardranker.execution.judge import judge_fingerprint
from rewardranker.generation.candidates import judge_candidates, scored_sequence
from rewardranker.generation.endpoint import sample_endpoint
from rewardranker.generation.types import Sampling
from rewardranker.models.batching import TokenSequence
from rewardranker.models.loading import load_tokenizer
from rewardranker.problems.pool import read_pool, write_pool
from rewardranker.problems.types import Candidate, Problem
from rewardranker.reranking.evidence import Probes, probe_candidates, probes_for
from rewardranker.reranking.generated_tests import GeneratedTests, ask_for_tests, generated_tests
from rewardranker.reranking.lever_text import verifier_sequence
from rewardranker.reranking.numbers import Read, store
from rewardranker.reranking.reviewer import review_sequence
from rewardranker.runs.atomic import write_json
from rewardranker.runs.directory import Stage

POOL, TESTS = "pool.parquet", "tests.json"
#: The key under which a pool holds Coder-Reviewer's second pass.
REVIEW = "review_sum"


@dataclass(frozen=True)
class Sampled:
    """A finished pool of one benchmark in one language with one seed.

    Attributes:
        test_counts: by problem id, how often each model-written test was sampled.
    """

    asked: Asked
    seed: int
    candidates: list[Candidate]
    test_counts: dict[str, list[int]]


def sampled(context: Context, asked: Asked, seed: int) -> Path:
    """The stage that samples, judges and probes. Leaves ``pool.parquet``, and ``tests.json`` where it made tests."""
    config, problems = context.config, {problem.id: problem for problem in asked.problems}

    def work(stage: Stage) -> None:
        if config.endpoint.base_url:
            pool = _from_endpoint(context, asked, seed, config.generation.n)
        else:
            pool = sample_pool(
                context, asked.problems, _plan(context, asked, "evaluate"), stage.path / "judged.parquet"
            )
        stage.metrics |= {"candidates": len(pool), "asked": len(problems) * config.generation.n}
        if asked.language == "python":
            tests = _tests(context, asked, stage)
            probes = {name: _probes(asked, problem, tests[name].conditions) for name, problem in problems.items()}
            probe_candidates(pool, problems, probes, context.runtime.executors.run)
            write_json(stage.path / TESTS, {name: list(found.counts) for name, found in tests.items()})
        write_pool(stage.path / POOL, pool)

    settings = context.settings(
        "generation",
        judge=judge_fingerprint(asked.language, config.judge.remote_url),
        asked=asked.name,
        pool_seed=seed,
    )
    extra = {"tests": config.benchmark.generated_tests, "endpoint": shaping(config.endpoint)}
    return context.stage(f"sample-{asked.name}-{seed}", {**settings, **extra}, _inputs(context, asked), work)


def greedy(context: Context, asked: Asked) -> Path:
    """The stage of one greedy answer for each problem. Leaves ``pool.parquet``."""
    config = context.config

    def work(stage: Stage) -> None:
        if config.endpoint.base_url:
            cold = replace(context, config=replace(config, endpoint=replace(config.endpoint, temperature=0.0)))
            write_pool(stage.path / POOL, _from_endpoint(cold, asked, 0, 1))
        else:
            sample_pool(context, asked.problems, _plan(context, asked, "greedy"), stage.path / POOL)

    settings = context.settings(
        "generation", judge=judge_fingerprint(asked.language, config.judge.remote_url), asked=asked.name
    )
    extra = {"endpoint": shaping(config.endpoint)}
    return context.stage(f"greedy-{asked.name}", {**settings, **extra}, _inputs(context, asked), work)


def scored(context: Context, asked: Asked, seed: int, pool: Path, rankers: Mapping[str, str]) -> Path:
    """The stage that adds the numbers of networks to a pool. Leaves ``pool.parquet``."""
    config, problems = context.config, {problem.id: problem for problem in asked.problems}

    def work(stage: Stage) -> None:
        candidates = read_pool(pool / POOL)
        for name, model in rankers.items():
            role = context.runtime.role("reward", Reward, _setup(context, model))
            read = _reader(name, model, asked.chat, config.reward.max_tokens)
            store(candidates, problems, read, lambda rows, role=role: role.sharded("score", rows), name)  # type: ignore[misc]
        if config.benchmark.reviewer:
            _review(context, candidates, problems)
        write_pool(stage.path / POOL, candidates)

    models = {f"ranker_{name}": Path(model) for name, model in rankers.items()}
    settings = context.settings("reward", asked=asked.name, pool_seed=seed, reviewer=config.benchmark.reviewer)
    return context.stage(f"score-{asked.name}-{seed}", settings, {"pool": pool / POOL, **models}, work)


def _inputs(context: Context, asked: Asked) -> dict[str, Path]:
    problems = {"problems": context.data / "problems.jsonl"}
    model = Path(context.config.model.path)
    return problems | ({"model": model} if model.is_dir() and not context.config.endpoint.base_url else {})


def _plan(context: Context, asked: Asked, purpose: str) -> Plan:
    generation, model = context.config.generation, context.config.model.path
    tokens = min(generation.max_new_tokens, asked.max_new_tokens or generation.max_new_tokens)
    if purpose == "greedy":
        return Plan(model, Path(model).name, purpose, 1, Sampling(0.0, 0, tokens))
    sampling = Sampling(generation.temperature, generation.top_k, tokens)
    return Plan(model, Path(model).name, purpose, generation.n, sampling)


def _from_endpoint(context: Context, asked: Asked, seed: int, n: int) -> list[Candidate]:
    """Sampled through a journal beside the stages, which no change of a setting throws away; then judged."""
    config = replace(context.config.endpoint, seed=seed, style="chat" if asked.chat else "completions")
    if asked.max_new_tokens:
        config = replace(config, max_new_tokens=min(config.max_new_tokens, asked.max_new_tokens))
    kind = "greedy" if config.temperature == 0.0 else f"seed-{seed}"
    journal = context.run.path / "journals" / f"{asked.name}-{kind}.jsonl"
    journal.parent.mkdir(exist_ok=True)
    pool, _ = sample_endpoint(config, asked.problems, n, journal, context.console)
    judge_candidates(pool, {problem.id: problem for problem in asked.problems}, context.runtime.executors.run)
    check_infra(pool, context.config.judge.max_infra_share, asked.name)
    return pool


def _tests(context: Context, asked: Asked, stage: Stage) -> dict[str, GeneratedTests]:
    """Tests that the generator writes for each problem, as CodeT has it; none where none are asked for."""
    n = context.config.benchmark.generated_tests
    texts: dict[str, list[str]] = {problem.id: [] for problem in asked.problems}
    if n and not context.config.endpoint.base_url:
        questions = [replace(p, prompt=ask_for_tests(p), prefix="", stop_tokens=()) for p in asked.plain]
        plan = replace(_plan(context, asked, "tests"), n=n)
        generate = context.runtime.rollouts(plan.model_path).generate
        for answer in sample_shard(context.config, plan, questions, context.tokenizer, generate):
            texts[answer.problem_id].append(answer.text)
    entries = {problem.id: problem.entry_point for problem in asked.problems}
    return {name: generated_tests(found, entries[name]) for name, found in texts.items()}


def _probes(asked: Asked, problem: Problem, tests: Sequence[str]) -> Probes:
    """MBPP's prompts hold the very tests that decide: as examples they would tell a ranker the verdict. Their inputs
    stay, as LEVER has it."""
    probes = probes_for(problem, tests)
    return replace(probes, examples=()) if asked.benchmark == "mbpp" else probes


def _setup(context: Context, model: str) -> RoleSetup:
    """A ranker reads with the tokenizer that it was trained with, whatever the generator's is."""
    return replace(context.setup(model, context.config.reward.microbatch_tokens), tokenizer_path=model)


def _reader(name: str, model: str, chat: bool, max_tokens: int) -> Read:
    tokenizer = load_tokenizer(model)
    if name.startswith("lever"):
        return lambda problem, candidate: verifier_sequence(tokenizer, problem, candidate, max_tokens)
    return lambda problem, candidate: scored_sequence(problem, candidate.code, tokenizer, chat)


def _review(context: Context, pool: list[Candidate], problems: Mapping[str, Problem]) -> None:
    """Coder-Reviewer's second pass, by the generator itself."""
    tokenizer = context.tokenizer
    role = context.runtime.role("reference", Reference, context.setup(context.base_model, 8192))

    def read(problem: Problem, candidate: Candidate) -> TokenSequence:
        return review_sequence(tokenizer, problem, candidate)

    def summed(rows: list[TokenSequence]) -> list[float]:
        return [float(found.sum()) for found in role.sharded("logprobs", rows, 1.0)]

    store(pool, problems, read, summed, REVIEW)
