"""``rewardranker evaluate``: any generator on public benchmarks, every ranker, and the paper's tables.

problems   each benchmark by language, put in the style of its prompt
guards     programs whose verdicts are known beforehand
tests      what the generator expects of programs, once for all pools (Python, for CodeT)
sample     a pool for every language and seed: generated, judged, probed
score      what trained networks say of every program
greedy     one answer for each problem
tables     every ranker on the same pools, beside the paper's rows
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from actors.pipeline.context import Context
from actors.pipeline.evaluate_tables import Evaluated, Served, Tables
from actors.pipeline.runtime import Runtime
from actors.pipeline.stages.benchmarks import (
    GUARDS,
    PLAIN,
    POOL,
    PROMPTED,
    greedy,
    guarded,
    read_tests,
    sampled,
    scored,
    written_tests,
)
from rewardranker.config.schema import Config
from rewardranker.evaluation.benchmarks import Benchmark
from rewardranker.evaluation.guards import guard_submissions
from rewardranker.evaluation.plan import plan_evaluation
from rewardranker.evaluation.pools import GREEDY, JudgedPool, Submission
from rewardranker.models.loading import model_name
from rewardranker.problems.data_card import data_card
from rewardranker.problems.io import write_problems
from rewardranker.problems.pool import pool_revisions, read_pool
from rewardranker.runs.console import Console
from rewardranker.runs.directory import RunDirectory, Stage
from rewardranker.training.demand import uses_of_evaluation


def evaluate_benchmarks(config: Config, console: Console) -> Path:
    """Runs every stage that is not complete, prints the tables; returns the run directory.

    Raises:
        UserError: see :func:`rewardranker.evaluation.plan.plan_evaluation`; samples that an endpoint did not
            give, unless ``benchmark.partial``.
        Interrupted: by Ctrl-C; the same call goes on.
    """
    plan = plan_evaluation(config, measure=True)
    for name, tools in plan.left_out.items():
        console.warn(f"{name} is left out (benchmark.partial): it cannot be judged here, for lack of {tools}")
    run = RunDirectory(config, console.say)
    console.show(data_card([problem for one in plan.benchmarks for problem in one.all]))
    with run.interruptible():
        problems = _problems(run, plan.benchmarks)
        with Runtime(config, console, run.path / ".verdicts", uses_of_evaluation(config)) as runtime:
            found = [
                _evaluated(Context(config, run, runtime, console, problems / one.name), one)
                for one in plan.benchmarks
            ]
    folder = run.path / "tables"
    Tables(config, found, plan.left_out, console).write(folder)
    console.say(f"tables: {folder}")
    run.close()
    return run.path


def generator_name(config: Config) -> str:
    """The generator's name for people."""
    return config.endpoint.model if config.endpoint.base_url else model_name(config.model.path)


def _problems(run: RunDirectory, benchmarks: Sequence[Benchmark]) -> Path:
    def work(stage: Stage) -> None:
        for one in benchmarks:
            (stage.path / one.name).mkdir()
            write_problems(stage.path / one.name / PROMPTED, one.problems)
            write_problems(stage.path / one.name / PLAIN, one.plain)
            stage.metrics[one.name] = len(one.problems)

    wanted = [
        {"name": one.name, "set": vars(one.own), "revision": one.all[0].revision, "style": one.style}
        for one in benchmarks
    ]
    return run.stage("problems", {"benchmarks": wanted}, {}, work)


def _evaluated(context: Context, benchmark: Benchmark) -> Evaluated:
    """Judges, samples, probes and scores whatever is not there yet."""
    own, language, generator = context.config.benchmark, benchmark.language, generator_name(context.config)
    found = Evaluated(benchmark)
    guards = guard_submissions(read_pool(guarded(context, benchmark) / GUARDS), language)
    tests = written_tests(context, benchmark) if own.generated_tests and language == "python" else None
    found.counts = {name: [test.count for test in written] for name, written in read_tests(tests).items()}
    for seed in own.seeds:
        stage = sampled(context, benchmark, seed, tests)
        found.served += _served(benchmark, f"seed {seed}", stage)
        if own.rankers or own.reviewer:
            stage = scored(context, benchmark, seed, stage)
        path = stage / POOL
        revision = ", ".join(sorted({one for recorded in pool_revisions(path).values() for one in recorded}))
        found.pools.append(
            JudgedPool(benchmark.table, language, generator, seed, benchmark.plain, read_pool(path), revision)
        )
    if own.greedy:
        stage = greedy(context, benchmark)
        found.served += _served(benchmark, GREEDY, stage)
        found.submissions.append(Submission(GREEDY, language, read_pool(stage / POOL), generator))
    found.submissions += guards
    return found


def _served(benchmark: Benchmark, what: str, stage: Path) -> list[Served]:
    """What an endpoint gave for a finished stage, which may be an earlier run's; nothing of a local model's."""
    metrics = json.loads((stage / "manifest.json").read_text())["metrics"]
    return [Served(f"{benchmark.language}, {what}", metrics)] if "requests" in metrics else []
