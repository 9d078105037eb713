"""The last stage: every ranker on the same fixed pools of held-out problems, and every policy's pass@1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from actors.pipeline.candidates import sample_pool, score_pool
from actors.pipeline.context import Context
from actors.pipeline.shards import Plan
from actors.pipeline.stages.data import known_solutions
from rewardranker.evaluation.guards import guard_submissions, judged_guards
from rewardranker.evaluation.pools import GREEDY, Entries, JudgedPool, Submission
from rewardranker.judge import sandbox_description
from rewardranker.problems.pool import write_pool
from rewardranker.problems.types import Candidate, Problem
from rewardranker.runs.atomic import write_json
from rewardranker.runs.directory import Stage
from rewardranker.tables.cycle import (
    build_cycle_table,
    known_rankers,
    markdown_table,
    pass_at_1,
    terminal_table,
    to_results,
)
from rewardranker.tables.ranked import Method
from rewardranker.tables.rows import Table


def run_evaluation(
    context: Context,
    generators: Mapping[str, Path],
    reward_models: Mapping[str, Path],
    policies: Mapping[str, Path],
    ended: Sequence[str] = (),
) -> Path:
    """Leaves ``results.json``, ``table.md`` and ``pools/``.

    Args:
        generators: model directories by pool name; each gets a pool and greedy answers.
        reward_models: model directories by ranker name.
        policies: further model directories, of which only pass@1 is wanted.
        ended: lines of descent that end before the last iteration, and why: a line each, for people.
    """
    config, problems = context.config, context.split("test")

    def work(stage: Stage) -> None:
        pools = stage.path / "pools"
        pools.mkdir(exist_ok=True)
        n, greedy, sampled = config.evaluation.n, {}, {}
        for name, model in generators.items():
            plan = Plan.from_config(context.config, model, name, "evaluate", n)
            sampled[name] = sample_pool(context, problems, plan, pools / f"{name}_sampled.parquet")
            greedy[name] = sample_pool(context, problems, plan.greedy(), pools / f"{name}_greedy.parquet")
        for key, reward_model in reward_models.items():
            for pool in sampled.values():
                score_pool(context, pool, reward_model, key)
        for name, pool in sampled.items():
            write_pool(pools / f"{name}.parquet", pool, problems)
        solutions = {name: codes[0] for name, codes in known_solutions(context).items() if codes}
        judged = judged_guards(problems, solutions, context.runtime.executors.run)
        guards = guard_submissions(judged, _languages(problems))
        method = Method(bootstrap=config.evaluation.bootstrap, seed=config.run.seed)
        entered, alone = [], {}
        for name, pool in sampled.items():
            submissions = [Submission(GREEDY, _languages(problems), greedy[name], name), *guards]
            entries = _entries(context, name, pool, submissions)
            entered.append((entries, known_rankers(pool, tuple(reward_models))))
            alone[name] = pass_at_1(entries, method)
        for name, model in policies.items():
            plan = Plan.from_config(context.config, model, name, "evaluate", config.evaluation.policy_samples)
            pool = sample_pool(context, problems, plan, pools / f"{name}.parquet")
            alone[name] = pass_at_1(_entries(context, name, pool), method)
        table = build_cycle_table(entered, method)
        table.settings.update({**_settings(context, problems), "ended": list(ended)})
        results = to_results(table, alone)
        write_json(stage.path / "results.json", results)
        (stage.path / "table.md").write_text(markdown_table(table))
        stage.metrics |= _headline(table)
        context.console.show(terminal_table(table, context.console.width))

    models = {f"generator_{k}": p for k, p in generators.items()} | {f"policy_{k}": p for k, p in policies.items()}
    inputs = models | {f"reward_{k}": p for k, p in reward_models.items()}
    settings = context.settings("generation", "evaluation", judge=context.judges(problems), ended=list(ended))
    data = {"problems": context.data / "problems.jsonl", "references": context.data / "references.jsonl"}
    return context.stage("evaluate", settings, inputs | data, work)


def _entries(context: Context, name: str, pool: list[Candidate], submissions: Sequence[Submission] = ()) -> Entries:
    problems, config = context.split("test"), context.config
    judged = JudgedPool(config.data.source, _languages(problems), name, config.run.seed, problems, pool)
    return Entries([judged], submissions, mixed=True)


def _languages(problems: Iterable[Problem]) -> str:
    return ", ".join(sorted({problem.language for problem in problems}))


def _settings(context: Context, problems: list[Problem]) -> dict[str, object]:
    generation = context.config.generation
    return {
        "n": context.config.evaluation.n,
        "temperature": generation.temperature,
        "top_k": generation.top_k,
        "seed": context.config.run.seed,
        "data_revision": next(iter(context.problems.values())).revision,
        "judge": ", ".join(context.judges(problems).values()),
        "sandbox": sandbox_description(context.config.judge.minimum_tier, context.config.judge.remote_url),
    }


def _headline(table: Table) -> dict[str, float]:
    """What a random pick, every reward model and the oracle solve of the first pool, in the table's order."""
    rows = [row for row in table.rows if row.generator == "sft"]
    wanted = [row for row in rows if row.ranker in ("random", "oracle") or row.ranker.startswith("rewardranker")]
    return {row.ranker: score.solved for row in wanted for score in row.scores.values()}
