"""Stages of an evaluation: guards; pools from a local model or an endpoint, judged, probed, scored by networks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from actors.pipeline.candidates import check_judged, sample_pool
from actors.pipeline.context import Context
from actors.pipeline.shards import Plan, plan_settings, sample_shard
from actors.roles.reference import Reference
from actors.roles.reward import Reward
from rewardranker.config.endpoint import EndpointConfig, shaping
from rewardranker.config.schema import Config
from rewardranker.errors import UserError
from rewardranker.evaluation.benchmarks import Benchmark
from rewardranker.evaluation.guards import guard_submissions, judged_guards
from rewardranker.evaluation.plan import readings, sampling_of
from rewardranker.generation.candidates import cut_off
from rewardranker.generation.endpoint import EndpointReport, sample_endpoint
from rewardranker.judge import judge_candidates
from rewardranker.models.batching import TokenSequence
from rewardranker.models.limits import Limits, describe_unread
from rewardranker.models.loading import load_tokenizer, model_name
from rewardranker.problems.benchmarks import benchmark_solutions
from rewardranker.problems.io import first_few
from rewardranker.problems.pool import read_pool, write_pool
from rewardranker.problems.types import Candidate, Problem
from rewardranker.reranking.evidence import Probes, probe_candidates, probes_for
from rewardranker.reranking.generated_tests import GeneratedTest, ask_for_tests, generated_tests
from rewardranker.reranking.numbers import store
from rewardranker.reranking.reading import reader_of
from rewardranker.reranking.reviewer import review_sequence
from rewardranker.runs.atomic import write_json
from rewardranker.runs.directory import Stage
from rewardranker.training.setup import NetworkSetup

POOL, TESTS, GUARDS = "pool.parquet", "tests.json", "guards.parquet"
#: In a set's folder of the problems' stage: as they are put to the generator, and as their loader gave them.
PROMPTED, PLAIN = "problems.jsonl", "plain.jsonl"
#: The key under which a pool holds Coder-Reviewer's second pass.
REVIEW = "review_sum"

#: Model-written tests by problem id, the most frequent first.
Tests = Mapping[str, Sequence[GeneratedTest]]


def guarded(context: Context, benchmark: Benchmark) -> Path:
    """The stage that judges programs whose verdicts are known. Leaves ``guards.parquet``."""

    def work(stage: Stage) -> None:
        known = benchmark_solutions(benchmark.own.name, benchmark.source)
        guards = judged_guards(benchmark.plain, known, context.runtime.executors.run)
        write_pool(stage.path / GUARDS, guards, benchmark.plain)
        for one in guard_submissions(guards, benchmark.language):
            right = sum(candidate.verdict == "OK" for candidate in one.candidates)
            stage.metrics |= {one.row: right, f"{one.row}_programs": len(one.candidates)}

    settings, inputs = {"judge": context.judges(benchmark.plain)}, {"problems": context.data / PLAIN}
    return context.stage(f"guards-{benchmark.name}", settings, inputs, work)


def written_tests(context: Context, benchmark: Benchmark) -> Path:
    """The stage in which the generator writes tests for each problem, as CodeT has it. Leaves ``tests.json``.

    Every pool of the problems, whatever its seed, is run on the same tests.
    """
    config = context.config
    plan = replace(_plan(context, benchmark, config.run.seed), purpose="tests", n=config.benchmark.generated_tests)

    def work(stage: Stage) -> None:
        questions = [replace(p, prompt=ask_for_tests(p), prefix="", stop_tokens=()) for p in benchmark.plain]
        generate = context.runtime.rollouts(plan.model_path).generate
        texts: dict[str, list[str]] = {problem.id: [] for problem in benchmark.plain}
        for answer in sample_shard(plan, questions, context.tokenizer, generate):
            texts[answer.problem_id].append(answer.text)
        found = {problem.id: generated_tests(texts[problem.id], problem.entry_point) for problem in benchmark.plain}
        rows = {name: [[test.condition, test.count] for test in tests.tests] for name, tests in found.items()}
        write_json(stage.path / TESTS, rows)
        stage.metrics |= {
            "tests": sum(len(tests.tests) for tests in found.values()),
            "refused": sum(tests.refused.total() for tests in found.values()),
        }

    settings = context.settings(benchmark=benchmark.name, chat=benchmark.chat, plan=plan_settings(plan))
    return context.stage(f"tests-{benchmark.name}", settings, _inputs(context, PLAIN), work)


def read_tests(stage: Path | None) -> Tests:
    """What :func:`written_tests` left; none of no stage."""
    if stage is None:
        return {}
    rows = json.loads((stage / TESTS).read_text())
    return {name: [GeneratedTest(condition, count) for condition, count in found] for name, found in rows.items()}


def sampled(context: Context, benchmark: Benchmark, seed: int, tests: Path | None) -> Path:
    """The stage that samples, judges and probes. Leaves ``pool.parquet``.

    Args:
        tests: the stage of the model-written tests to run programs on.
    """
    config, title = context.config, f"{benchmark.title}, seed {seed}"

    def work(stage: Stage) -> None:
        if config.endpoint.base_url:
            endpoint = _endpoint(config, benchmark, seed, config.endpoint.temperature)
            pool = _from_endpoint(context, benchmark, endpoint, f"seed-{seed}", stage)
        else:
            plan = _plan(context, benchmark, seed)
            pool = sample_pool(context, benchmark.problems, plan, stage.path / "judged.parquet", title)
        asked = len(benchmark.problems) * config.generation.n
        stage.metrics |= {"candidates": len(pool), "asked": asked, "cut_off": cut_off(pool)}
        if benchmark.language == "python":
            known = read_tests(tests)
            plain = {problem.id: problem for problem in benchmark.plain}
            probes = {name: _probes(benchmark, problem, known.get(name, ())) for name, problem in plain.items()}
            probe_candidates(pool, plain, probes, context.runtime.executors.run)
        write_pool(stage.path / POOL, pool, benchmark.plain)

    inputs = _inputs(context, PROMPTED, PLAIN) | ({"tests": tests / TESTS} if tests is not None else {})
    return context.stage(f"sample-{benchmark.name}-{seed}", _settings(context, benchmark, seed), inputs, work)


def greedy(context: Context, benchmark: Benchmark) -> Path:
    """The stage of one greedy answer for each problem. Leaves ``pool.parquet``."""
    config = context.config

    def work(stage: Stage) -> None:
        if config.endpoint.base_url:
            answers = _from_endpoint(context, benchmark, _endpoint(config, benchmark, 0, 0.0), "greedy", stage)
            write_pool(stage.path / POOL, answers, benchmark.plain)
        else:
            plan = _plan(context, benchmark, config.run.seed).greedy()
            sample_pool(context, benchmark.problems, plan, stage.path / POOL, f"{benchmark.title}, greedy")

    settings = _settings(context, benchmark, config.run.seed)
    return context.stage(f"greedy-{benchmark.name}", settings, _inputs(context, PROMPTED), work)


def scored(context: Context, benchmark: Benchmark, seed: int, pool: Path) -> Path:
    """The stage that adds the numbers of networks to a pool. Leaves ``pool.parquet``.

    Networks read the problems as their loader gave them, which is what they were trained on, and not as one harness
    or another puts them to the generator; how they read is what their training recorded.
    """
    config, plain = context.config, {problem.id: problem for problem in benchmark.plain}
    rankers, how = config.benchmark.rankers, readings(config)

    def work(stage: Stage) -> None:
        candidates = read_pool(pool / POOL)
        for name, model in rankers.items():
            role = context.runtime.role("reward", Reward, _setup(context, model))
            limits = Limits.of_model(model)
            read = reader_of(how[name], load_tokenizer(model), limits)
            unread = store(
                candidates, plain, read,
                lambda rows, role=role: role.sharded(Reward.score, rows),  # type: ignore[misc]
                name, limits,
            )  # fmt: skip
            if unread:
                context.console.warn(f"{name}: {describe_unread(unread, len(candidates))}")
        if config.benchmark.reviewer:
            _review(context, candidates, plain)
        write_pool(stage.path / POOL, candidates, benchmark.plain)

    # The content of what is on the hub is not looked at: its name stands for it.
    models = {f"ranker_{name}": Path(model) for name, model in rankers.items() if Path(model).is_dir()}
    settings = context.settings(
        "reward",
        benchmark=benchmark.name,
        seed=seed,
        reviewer=config.benchmark.reviewer,
        rankers=dict(rankers),
        read={name: asdict(one) for name, one in how.items()},
    )
    inputs = {"pool": pool / POOL, "plain": context.data / PLAIN, **models}
    return context.stage(f"score-{benchmark.name}-{seed}", settings, inputs, work)


def _settings(context: Context, benchmark: Benchmark, seed: int) -> Mapping[str, object]:
    config = context.config
    own = {"benchmark": benchmark.name, "chat": benchmark.chat, "judge": context.judges(benchmark.problems)}
    remote = {"endpoint": shaping(config.endpoint)} if config.endpoint.base_url else {}
    return context.settings("generation", seed=seed, **own, **remote)


def _inputs(context: Context, *files: str) -> dict[str, Path]:
    inputs = {Path(name).stem: context.data / name for name in files}
    model = Path(context.config.model.path)
    return inputs | ({"model": model} if model.is_dir() and not context.config.endpoint.base_url else {})


def _plan(context: Context, benchmark: Benchmark, seed: int) -> Plan:
    config, path = context.config, context.config.model.path
    sampling = sampling_of(config, benchmark)
    return Plan(path, model_name(path), "evaluate", config.generation.n, sampling, seed, benchmark.chat)


def _endpoint(config: Config, benchmark: Benchmark, seed: int, temperature: float) -> EndpointConfig:
    """The endpoint's settings for one pool."""
    style, tokens = "chat" if benchmark.chat else "completions", sampling_of(config, benchmark).max_new_tokens
    return replace(config.endpoint, seed=seed, temperature=temperature, style=style, max_new_tokens=tokens)


def _from_endpoint(
    context: Context, benchmark: Benchmark, endpoint: EndpointConfig, kind: str, stage: Stage
) -> list[Candidate]:
    """Sampled through a journal beside the stages, which no change of a setting throws away; then judged.

    With ``benchmark.partial`` the stage may lack samples; it is incomplete then, and the next run asks for them.

    Args:
        kind: names the journal; ``greedy`` is one answer for each problem.

    Raises:
        UserError: samples did not come, unless ``benchmark.partial``; those that did are in the journal.
    """
    n = 1 if kind == "greedy" else context.config.generation.n
    title = f"{benchmark.title}, {kind.replace('-', ' ')}"
    journal = context.run.path / "journals" / f"{benchmark.name}-{kind}.jsonl"
    journal.parent.mkdir(exist_ok=True)
    pool, report = sample_endpoint(endpoint, benchmark.problems, n, journal, context.console)
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
    judge_candidates(pool, {problem.id: problem for problem in benchmark.problems}, context.runtime.executors.run)
    check_judged(context, pool, title)
    return pool


def _missing(title: str, report: EndpointReport, journal: Path) -> str:
    return (
        f"{title}: {sum(report.missing.values()):,} of {report.wanted:,} samples are missing, of "
        f"{len(report.missing):,} problems ({first_few(sorted(report.missing))}): {report.why_missing()}. What came "
        f"is in {journal}: the same command asks for what is missing and nothing else; benchmark.partial=true goes "
        "on without it"
    )


def _probes(benchmark: Benchmark, problem: Problem, tests: Sequence[GeneratedTest]) -> Probes:
    """MBPP's prompts hold the very tests that decide: as examples they would tell a ranker the verdict. Their inputs
    stay, as LEVER has it."""
    probes = probes_for(problem, [test.condition for test in tests])
    return replace(probes, examples=()) if benchmark.table == "mbpp" else probes


def _setup(context: Context, model: str) -> NetworkSetup:
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
