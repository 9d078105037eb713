"""``rewardranker evaluate``: any generator on public benchmarks, every ranker, and the paper's tables.

problems   each benchmark by language, put in the style of its prompt
guards     programs whose verdicts are known beforehand
tests      what the generator expects of programs, once for all pools (Python, for CodeT)
sample     a pool for every language and seed: generated, judged, probed
score      what trained networks say of every program
tables     every ranker on the same pools, beside the paper's rows
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from actors.pipeline.context import Context
from actors.pipeline.evaluate_tables import Results, Served, write_tables
from actors.pipeline.runtime import Runtime
from actors.pipeline.stages.benchmarks import PLAIN, POOL, PUT, greedy, read_tests, sampled, scored, written_tests
from rewardranker.config.schema import Config
from rewardranker.evaluation.asking import Asked
from rewardranker.evaluation.guards import CHEAT, GOLD, cheats, references
from rewardranker.evaluation.planned import planned, readings
from rewardranker.evaluation.pools import GREEDY, JudgedPool, Submission
from rewardranker.generation.candidates import judge_candidates
from rewardranker.models.loading import model_name
from rewardranker.problems.benchmarks import benchmark_solutions
from rewardranker.problems.data_card import data_card
from rewardranker.problems.io import write_problems
from rewardranker.problems.pool import pool_revisions, read_pool, write_pool
from rewardranker.runs.console import Console
from rewardranker.runs.directory import RunDirectory, Stage

GUARDS = "guards.parquet"


@dataclass
class Evaluation:
    """One run of the command.

    Attributes:
        contexts: by name of what is asked: its problems, and the settings that fit its prompts.
    """

    config: Config
    asked: list[Asked]
    contexts: dict[str, Context]

    def run(self, results: Results) -> None:
        """Samples, judges, probes and scores whatever is not there yet."""
        for one in self.asked:
            self._pools(one, results)
        for one in self.asked:
            self._programs(one, results)

    def _pools(self, asked: Asked, results: Results) -> None:
        own, context, generator = self.config.benchmark, self.contexts[asked.name], generator_name(self.config)
        tests = written_tests(context, asked) if own.generated_tests and asked.language == "python" else None
        counts = {name: [test.count for test in found] for name, found in read_tests(tests).items()}
        results.counts.setdefault(asked.benchmark, {}).update(counts)
        for seed in own.seeds:
            seeded = replace(context, config=replace(context.config, run=replace(context.config.run, seed=seed)))
            stage = sampled(seeded, asked, seed, tests)
            results.served += _served(asked, f"seed {seed}", stage)
            if own.rankers or own.reviewer:
                stage = scored(seeded, asked, seed, stage, own.rankers, readings(self.config))
            path = stage / POOL
            recorded = ", ".join(sorted({one for found in pool_revisions(path).values() for one in found}))
            pool = JudgedPool(
                asked.benchmark, asked.language, generator, seed, asked.plain, read_pool(path), recorded
            )
            results.pools.append(pool)

    def _programs(self, asked: Asked, results: Results) -> None:
        """Greedy answers and guards, judged."""
        context = self.contexts[asked.name]
        if self.config.benchmark.greedy:
            stage = greedy(context, asked)
            results.served += _served(asked, "greedy", stage)
            answers = read_pool(stage / POOL)
            results.submissions.append(Submission(GREEDY, asked.language, answers, generator_name(self.config)))
        guards = read_pool(_guards(context, asked) / GUARDS)
        for row in (CHEAT, GOLD):
            own = [candidate for candidate in guards if candidate.source == row]
            if own:
                results.submissions.append(Submission(row, asked.language, own))


def evaluate_benchmarks(config: Config, console: Console) -> Path:
    """Runs every stage that is not complete, prints the tables; returns the run directory.

    Raises:
        UserError: see :func:`rewardranker.evaluation.planned.planned`; samples that an endpoint did not
            give, unless ``benchmark.partial``.
    """
    plan = planned(config, measure=True)
    for name, tools in plan.left_out.items():
        console.warn(f"{name} is left out (benchmark.partial): it cannot be judged here, for lack of {tools}")
    run = RunDirectory(config, console.say)
    console.show(data_card([problem for one in plan.asked for problem in one.all]))
    problems = _problems(run, plan.asked)
    results = Results(config, plan)
    with Runtime(config, console, run.path / ".verdicts") as runtime:
        contexts = {
            one.name: Context(
                replace(config, model=replace(config.model, chat=one.chat)),
                run,
                runtime,
                console,
                problems / one.name,
            )
            for one in plan.asked
        }
        Evaluation(config, plan.asked, contexts).run(results)
    folder = run.path / "tables"
    write_tables(results, folder, console)
    console.say(f"tables: {folder}")
    run.close()
    return run.path


def generator_name(config: Config) -> str:
    """The generator's name for people."""
    return config.endpoint.model if config.endpoint.base_url else model_name(config.model.path)


def _problems(run: RunDirectory, asked: Sequence[Asked]) -> Path:
    def work(stage: Stage) -> None:
        for one in asked:
            (stage.path / one.name).mkdir()
            write_problems(stage.path / one.name / PUT, one.problems)
            write_problems(stage.path / one.name / PLAIN, one.plain)
            stage.metrics[one.name] = len(one.problems)

    wanted = [
        {"name": one.name, "set": vars(one.own), "revision": one.all[0].revision, "style": one.style} for one in asked
    ]
    return run.stage("problems", {"asked": wanted}, {}, work)


def _guards(context: Context, asked: Asked) -> Path:
    """The stage that judges programs whose verdicts are known. Leaves ``guards.parquet``."""

    def work(stage: Stage) -> None:
        known = benchmark_solutions(asked.own.name, asked.source)
        guards = cheats(asked.plain) + references(asked.plain, known)
        problems = {problem.id: problem for problem in asked.plain}
        judge_candidates(guards, problems, context.runtime.executors.run)
        write_pool(stage.path / GUARDS, guards, asked.plain)
        for row in (CHEAT, GOLD):
            own = [candidate for candidate in guards if candidate.source == row]
            stage.metrics |= {row: sum(c.verdict == "OK" for c in own), f"{row}_programs": len(own)}

    inputs = {"problems": context.data / PLAIN}
    return context.stage(f"guards-{asked.name}", {"judge": context.judges(asked.plain)}, inputs, work)


def _served(asked: Asked, what: str, stage: Path) -> list[Served]:
    """What an endpoint gave for a finished stage, which may be an earlier run's; nothing of a local model's."""
    metrics = json.loads((stage / "manifest.json").read_text())["metrics"]
    return [Served(asked.benchmark, f"{asked.language}, {what}", metrics)] if "requests" in metrics else []
