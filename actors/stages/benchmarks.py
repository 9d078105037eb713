"""Pools of an evaluation: sampled from a local model or an endpoint, judged, probed, scored by trained rankers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from actors.candidates import Plan, check_infra, sample_pool, sample_shard
from actors.reference import Reference
from actors.reward import Reward
from actors.setup import RoleSetup
from actors.stages.context import Context
from rewardranker.config.endpoint import shaping
from rewardranker.errors import UserError
from rewardranker.evaluation.asking import Asked
from rewardranker.execution.judge import judge_fingerprint
from rewardranker.generation.candidates import judge_candidates, scored_sequence
from rewardranker.generation.endpoint import sample_endpoint
from rewardranker.generation.types import Sampling
from rewardranker.models.batching import TokenSequence
from rewardranker.models.loading import load_tokenizer
from rewardranker.problems.io import first_few
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


def written_tests(context: Context, asked: Asked) -> Path:
    """The stage in which the generator writes tests for Python's problems, as CodeT has it, once for pools of all
    seeds. Leaves ``tests.json``, the texts; none where none are asked for."""
    config = context.config

    def work(stage: Stage) -> None:
        texts: dict[str, list[str]] = {problem.id: [] for problem in asked.problems}
        if config.benchmark.generated_tests:
            questions = [replace(p, prompt=ask_for_tests(p), prefix="", stop_tokens=()) for p in asked.plain]
            plan = replace(_plan(context, asked, "tests"), n=config.benchmark.generated_tests)
            generate = context.runtime.rollouts(plan.model_path).generate
            for answer in sample_shard(config, plan, questions, context.tokenizer, generate):
                texts[answer.problem_id].append(answer.text)
        write_json(stage.path / TESTS, texts)

    settings = context.settings("generation", asked=asked.name, tests=config.benchmark.generated_tests)
    return context.stage(f"tests-{asked.name}", settings, _inputs(context, asked), work) / TESTS


def read_tests(path: Path, asked: Asked) -> dict[str, GeneratedTests]:
    """By problem id, what of the texts can be used."""
    entries = {problem.id: problem.entry_point for problem in asked.problems}
    return {name: generated_tests(texts, entries[name]) for name, texts in json.loads(path.read_text()).items()}


def sampled(context: Context, asked: Asked, seed: int, tests: Path | None) -> Path:
    """The stage that samples, judges and, given ``tests``, probes. Leaves ``pool.parquet``."""
    config, problems = context.config, {problem.id: problem for problem in asked.problems}

    def work(stage: Stage) -> None:
        if config.endpoint.base_url:
            pool = _from_endpoint(context, asked, seed, config.generation.n, stage)
        else:
            plan = _plan(context, asked, "evaluate")
            pool = sample_pool(context, asked.problems, plan, stage.path / "judged.parquet", asked.name)
        stage.metrics |= {"candidates": len(pool), "asked": len(problems) * config.generation.n}
        if tests is not None:
            known = read_tests(tests, asked)
            probes = {name: _probes(asked, problem, known[name].conditions) for name, problem in problems.items()}
            probe_candidates(pool, problems, probes, context.runtime.executors.run)
        write_pool(stage.path / POOL, pool)

    settings = _sampling_settings(context, asked) | {"pool_seed": seed}
    inputs = _inputs(context, asked) | ({"tests": tests} if tests is not None else {})
    return context.stage(f"sample-{asked.name}-{seed}", settings, inputs, work)


def greedy(context: Context, asked: Asked) -> Path:
    """The stage of one greedy answer for each problem. Leaves ``pool.parquet``."""
    config = context.config

    def work(stage: Stage) -> None:
        if config.endpoint.base_url:
            cold = replace(context, config=replace(config, endpoint=replace(config.endpoint, temperature=0.0)))
            write_pool(stage.path / POOL, _from_endpoint(cold, asked, 0, 1, stage))
        else:
            sample_pool(context, asked.problems, _plan(context, asked, "greedy"), stage.path / POOL, asked.name)

    return context.stage(f"greedy-{asked.name}", _sampling_settings(context, asked), _inputs(context, asked), work)


def scored(context: Context, asked: Asked, seed: int, pool: Path, rankers: Mapping[str, str]) -> Path:
    """The stage that adds the numbers of networks to a pool. Leaves ``pool.parquet``.

    They read the problems as the benchmark has them, as in training: however the generator was asked, a program is
    ranked by the task and not by the worked examples or instructions around it.
    """
    config, problems = context.config, {problem.id: problem for problem in asked.plain}

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
    # By name too: what lies behind a hub name has no files to hash.
    named = {"rankers": dict(rankers), "reviewer": config.benchmark.reviewer}
    settings = context.settings("reward", asked=asked.name, pool_seed=seed, **named)
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


def _sampling_settings(context: Context, asked: Asked) -> dict[str, object]:
    config = context.config
    judge = judge_fingerprint(asked.language, config.judge.remote_url)
    remote = {"endpoint": shaping(config.endpoint), "partial": config.benchmark.partial}
    return {
        **context.settings("generation", judge=judge, asked=asked.name),
        **(remote if config.endpoint.base_url else {}),
    }


def _from_endpoint(context: Context, asked: Asked, seed: int, n: int, stage: Stage) -> list[Candidate]:
    """Sampled through a journal beside the stages, which no change of a setting throws away; then judged.

    Raises:
        UserError: samples are missing, unless ``benchmark.partial``, which leaves their problems out.
    """
    config = replace(context.config.endpoint, seed=seed, style="chat" if asked.chat else "completions")
    if asked.max_new_tokens:
        config = replace(config, max_new_tokens=min(config.max_new_tokens, asked.max_new_tokens))
    kind = "greedy" if config.temperature == 0.0 else f"seed-{seed}"
    journal = context.run.path / "journals" / f"{asked.name}-{kind}.jsonl"
    journal.parent.mkdir(exist_ok=True)
    pool, report = sample_endpoint(config, asked.problems, n, journal, context.console)
    stage.metrics |= {"requests": report.requests, **vars(report.whole_journal)}
    if not report.complete:
        stage.metrics["problems_left_out"] = len(report.missing)
        if not context.config.benchmark.partial or len(report.missing) == len(asked.problems):
            raise UserError(
                f"{asked.name}: {sum(report.missing.values()):,} of {report.wanted:,} samples are missing, of "
                f"{len(report.missing):,} problems ({first_few(list(report.missing))}): {report.why_missing()}. What "
                "came is kept: the same command asks only for what is missing; benchmark.partial=true goes on with "
                "the other problems"
            )
        pool = [candidate for candidate in pool if candidate.problem_id not in report.missing]
    judge_candidates(pool, {problem.id: problem for problem in asked.problems}, context.runtime.executors.run)
    check_infra(pool, context.config.judge.max_infra_share, asked.name)
    return pool


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
