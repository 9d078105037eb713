"""Pools of an evaluation: sampled from a local model or an endpoint, judged, probed, scored by trained rankers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from actors.pipeline.candidates import check_infra, sample_pool
from actors.pipeline.context import Context
from actors.pipeline.shards import Plan, plan_settings, sample_shard
from actors.roles.reference import Reference
from actors.roles.reward import Reward
from actors.roles.setup import RoleSetup
from rewardranker.config.endpoint import EndpointConfig, shaping
from rewardranker.errors import UserError
from rewardranker.evaluation.asking import Asked
from rewardranker.evaluation.planned import drawn
from rewardranker.generation.candidates import judge_candidates
from rewardranker.generation.endpoint import EndpointReport, sample_endpoint
from rewardranker.generation.types import Sampling
from rewardranker.models.batching import TokenSequence
from rewardranker.models.limits import Limits, describe_unread
from rewardranker.models.loading import load_tokenizer, model_name
from rewardranker.problems.io import first_few
from rewardranker.problems.pool import read_pool, write_pool
from rewardranker.problems.types import Candidate, Problem
from rewardranker.reranking.evidence import Probes, probe_candidates, probes_for
from rewardranker.reranking.generated_tests import GeneratedTest, ask_for_tests, generated_tests
from rewardranker.reranking.numbers import store
from rewardranker.reranking.reading import reader
from rewardranker.reranking.record import Reading
from rewardranker.reranking.reviewer import review_sequence
from rewardranker.runs.atomic import write_json
from rewardranker.runs.directory import Stage

POOL, TESTS = "pool.parquet", "tests.json"
#: In a set's folder of the problems' stage: as they are put to the generator, and as their loader gave them.
PUT, PLAIN = "problems.jsonl", "plain.jsonl"
#: The key under which a pool holds Coder-Reviewer's second pass.
REVIEW = "review_sum"

#: Model-written tests by problem id, the most frequent first.
Tests = Mapping[str, Sequence[GeneratedTest]]


def written_tests(context: Context, asked: Asked) -> Path:
    """The stage in which the generator writes tests for each problem, as CodeT has it. Leaves ``tests.json``.

    Every pool of the problems, whatever its seed, is run on the same tests.
    """
    plan = replace(_plan(context, asked, "tests"), n=context.config.benchmark.generated_tests)

    def work(stage: Stage) -> None:
        questions = [replace(p, prompt=ask_for_tests(p), prefix="", stop_tokens=()) for p in asked.plain]
        generate = context.runtime.rollouts(plan.model_path).generate
        texts: dict[str, list[str]] = {problem.id: [] for problem in asked.plain}
        for answer in sample_shard(context.config, plan, questions, context.tokenizer, generate):
            texts[answer.problem_id].append(answer.text)
        found = {problem.id: generated_tests(texts[problem.id], problem.entry_point) for problem in asked.plain}
        rows = {name: [[test.condition, test.count] for test in tests.tests] for name, tests in found.items()}
        write_json(stage.path / TESTS, rows)
        stage.metrics |= {
            "tests": sum(len(tests.tests) for tests in found.values()),
            "refused": sum(tests.refused.total() for tests in found.values()),
        }

    settings = context.settings(asked=asked.name, plan=plan_settings(plan))
    return context.stage(f"tests-{asked.name}", settings, _inputs(context, PLAIN), work)


def read_tests(stage: Path | None) -> Tests:
    """What :func:`written_tests` left; none of no stage."""
    if stage is None:
        return {}
    rows = json.loads((stage / TESTS).read_text())
    return {name: [GeneratedTest(condition, count) for condition, count in found] for name, found in rows.items()}


def sampled(context: Context, asked: Asked, seed: int, tests: Path | None) -> Path:
    """The stage that samples, judges and probes. Leaves ``pool.parquet``.

    Args:
        tests: the stage of the model-written tests to run programs on.
    """
    config, title = context.config, f"{asked.title}, seed {seed}"

    def work(stage: Stage) -> None:
        if config.endpoint.base_url:
            pool = _from_endpoint(context, asked, config.endpoint, f"seed-{seed}", seed, config.generation.n, stage)
        else:
            plan = _plan(context, asked, "evaluate")
            pool = sample_pool(context, asked.problems, plan, stage.path / "judged.parquet", title)
        stage.metrics |= {"candidates": len(pool), "asked": len(asked.problems) * config.generation.n}
        if asked.language == "python":
            known = read_tests(tests)
            probes = {problem.id: _probes(asked, problem, known.get(problem.id, ())) for problem in asked.plain}
            plain = {problem.id: problem for problem in asked.plain}
            probe_candidates(pool, plain, probes, context.runtime.executors.run)
        write_pool(stage.path / POOL, pool, asked.plain)

    inputs = _inputs(context, PUT, PLAIN) | ({"tests": tests / TESTS} if tests is not None else {})
    return context.stage(f"sample-{asked.name}-{seed}", _settings(context, asked, pool_seed=seed), inputs, work)


def greedy(context: Context, asked: Asked) -> Path:
    """The stage of one greedy answer for each problem. Leaves ``pool.parquet``."""
    config = context.config

    def work(stage: Stage) -> None:
        if config.endpoint.base_url:
            cold = replace(config.endpoint, temperature=0.0)
            write_pool(stage.path / POOL, _from_endpoint(context, asked, cold, "greedy", 0, 1, stage), asked.plain)
        else:
            plan = _plan(context, asked, "greedy")
            sample_pool(context, asked.problems, plan, stage.path / POOL, f"{asked.title}, greedy")

    return context.stage(f"greedy-{asked.name}", _settings(context, asked), _inputs(context, PUT), work)


def scored(
    context: Context,
    asked: Asked,
    seed: int,
    pool: Path,
    rankers: Mapping[str, str],
    how: Mapping[str, Reading],
) -> Path:
    """The stage that adds the numbers of networks to a pool. Leaves ``pool.parquet``.

    Networks read the problems as their loader gave them, which is what they were trained on, and not as one harness
    or another puts them to the generator; ``how`` they read is what their training recorded.
    """
    config, plain = context.config, {problem.id: problem for problem in asked.plain}

    def work(stage: Stage) -> None:
        candidates = read_pool(pool / POOL)
        for name, model in rankers.items():
            role = context.runtime.role("reward", Reward, _setup(context, model))
            read = reader(name, load_tokenizer(model), how[name].chat, how[name].max_tokens)
            unread = store(
                candidates, plain, read,
                lambda rows, role=role: role.sharded(Reward.score, rows),  # type: ignore[misc]
                name, Limits.of_model(model),
            )  # fmt: skip
            if unread:
                context.console.warn(f"{name}: {describe_unread(unread, len(candidates))}")
        if config.benchmark.reviewer:
            _review(context, candidates, plain)
        write_pool(stage.path / POOL, candidates, asked.plain)

    # The content of what is on the hub is not looked at: its name stands for it.
    models = {f"ranker_{name}": Path(model) for name, model in rankers.items() if Path(model).is_dir()}
    settings = context.settings(
        "reward",
        asked=asked.name,
        pool_seed=seed,
        reviewer=config.benchmark.reviewer,
        rankers=dict(rankers),
        read={name: asdict(one) for name, one in how.items()},
    )
    inputs = {"pool": pool / POOL, "plain": context.data / PLAIN, **models}
    return context.stage(f"score-{asked.name}-{seed}", settings, inputs, work)


def _settings(context: Context, asked: Asked, **more: int) -> Mapping[str, object]:
    config = context.config
    settings = context.settings("generation", judge=context.judges(asked.problems), asked=asked.name, **more)
    if not config.endpoint.base_url:
        return settings
    return {**settings, "endpoint": shaping(config.endpoint)}


def _inputs(context: Context, *files: str) -> dict[str, Path]:
    inputs = {Path(name).stem: context.data / name for name in files}
    model = Path(context.config.model.path)
    return inputs | ({"model": model} if model.is_dir() and not context.config.endpoint.base_url else {})


def _plan(context: Context, asked: Asked, purpose: str) -> Plan:
    config, path = context.config, context.config.model.path
    how = drawn(config, asked)
    if purpose == "greedy":
        return Plan(path, model_name(path), purpose, 1, Sampling(0.0, 0, how.max_new_tokens))
    sampling = Sampling(how.temperature, how.top_k, how.max_new_tokens)
    return Plan(path, model_name(path), purpose, config.generation.n, sampling)


def _from_endpoint(
    context: Context, asked: Asked, endpoint: EndpointConfig, kind: str, seed: int, n: int, stage: Stage
) -> list[Candidate]:
    """Sampled through a journal beside the stages, which no change of a setting throws away; then judged.

    With ``benchmark.partial`` the stage may lack samples; it is incomplete then, and the next run asks for them.

    Raises:
        UserError: samples did not come, unless ``benchmark.partial``; those that did are in the journal.
    """
    style, tokens = "chat" if asked.chat else "completions", drawn(context.config, asked).max_new_tokens
    config = replace(endpoint, seed=seed, style=style, max_new_tokens=tokens)
    title = f"{asked.title}, {kind.replace('-', ' ')}"
    journal = context.run.path / "journals" / f"{asked.name}-{kind}.jsonl"
    journal.parent.mkdir(exist_ok=True)
    pool, report = sample_endpoint(config, asked.problems, n, journal, context.console)
    if report.missing and not context.config.benchmark.partial:
        raise UserError(_missing(title, report, journal))
    stage.incomplete = bool(report.missing)
    stage.metrics |= {
        "missing": sum(report.missing.values()),
        "missing_problems": len(report.missing),
        "requests": report.requests,
        "prompt_tokens": report.whole_journal.prompt_tokens,
        "completion_tokens": report.whole_journal.completion_tokens,
        "cost": report.whole_journal.cost,
    }
    judge_candidates(pool, {problem.id: problem for problem in asked.problems}, context.runtime.executors.run)
    check_infra(pool, context.config.judge.max_infra_share, title)
    return pool


def _missing(title: str, report: EndpointReport, journal: Path) -> str:
    return (
        f"{title}: {sum(report.missing.values()):,} of {report.wanted:,} samples are missing, of "
        f"{len(report.missing):,} problems ({first_few(sorted(report.missing))}): {report.why_missing()}. What came "
        f"is in {journal}: the same command asks for what is missing and nothing else; benchmark.partial=true goes "
        "on without it"
    )


def _probes(asked: Asked, problem: Problem, tests: Sequence[GeneratedTest]) -> Probes:
    """MBPP's prompts hold the very tests that decide: as examples they would tell a ranker the verdict. Their inputs
    stay, as LEVER has it."""
    probes = probes_for(problem, [test.condition for test in tests])
    return replace(probes, examples=()) if asked.benchmark == "mbpp" else probes


def _setup(context: Context, model: str) -> RoleSetup:
    """A ranker reads with the tokenizer that it was trained with, whatever the generator's is."""
    return replace(context.setup(model, context.config.reward.microbatch_tokens), tokenizer_path=model)


def _review(context: Context, pool: list[Candidate], problems: Mapping[str, Problem]) -> None:
    """Coder-Reviewer's second pass, by the generator itself."""
    tokenizer = context.tokenizer
    role = context.runtime.role("reference", Reference, context.setup(context.base_model, 8192))

    def read(problem: Problem, candidate: Candidate) -> TokenSequence:
        return review_sequence(tokenizer, problem, candidate)

    def summed(rows: list[TokenSequence]) -> list[float]:
        return [float(found.sum()) for found in role.sharded(Reference.logprobs, rows, 1.0)]

    unread = store(pool, problems, read, summed, REVIEW, Limits.of_model(context.base_model))
    if unread:
        context.console.warn(f"{REVIEW}: {describe_unread(unread, len(pool))}")
