"""The last stage: every ranker on the same fixed pools of held-out problems, and every policy's pass@1."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from actors.pipeline.candidates import sample_pool, score_pool
from actors.pipeline.context import Context
from actors.pipeline.shards import Plan
from actors.pipeline.stages.data import known_solutions
from rewardranker.evaluation.guards import CHEAT, GOLD, cheats, references
from rewardranker.evaluation.pools import Programs
from rewardranker.generation.candidates import judge_candidates
from rewardranker.judge import sandbox_description
from rewardranker.problems.pool import group_by_problem, write_pool
from rewardranker.problems.types import Candidate, Problem
from rewardranker.runs.atomic import write_json
from rewardranker.runs.directory import Stage
from rewardranker.statistics.metrics import bootstrap_mean
from rewardranker.tables.cycle import PoolInput, ResultTable, build_table, known_rankers


def run_evaluation(
    context: Context,
    generators: Mapping[str, Path],
    reward_models: Mapping[str, Path],
    policies: Mapping[str, Path],
) -> Path:
    """Leaves ``results.json``, ``table.md`` and ``pools/``.

    Args:
        generators: model directories by pool name; each gets a pool and greedy answers.
        reward_models: model directories by ranker name.
        policies: further model directories, of which only pass@1 is wanted.
    """
    config, problems = context.config, context.split("test")

    def work(stage: Stage) -> None:
        pools = stage.path / "pools"
        pools.mkdir(exist_ok=True)
        n, greedy, sampled = config.evaluation.n, {}, {}
        for name, model in generators.items():
            plan = Plan.from_config(context, model, name, "evaluate", n)
            sampled[name] = sample_pool(context, problems, plan, pools / f"{name}_sampled.parquet")
            plan = Plan.greedy(context, model, name)
            greedy[name] = sample_pool(context, problems, plan, pools / f"{name}_greedy.parquet")
        for key, reward_model in reward_models.items():
            for pool in sampled.values():
                score_pool(context, pool, reward_model, key)
        for name, pool in sampled.items():
            write_pool(pools / f"{name}.parquet", pool, problems)
        rows = {name: _pass_at_1(context, pool) for name, pool in sampled.items()}
        for name, model in policies.items():
            plan = Plan.from_config(context, model, name, "evaluate", config.evaluation.policy_samples)
            rows[name] = _pass_at_1(context, sample_pool(context, problems, plan, pools / f"{name}.parquet"))
        by_id = {problem.id: problem for problem in problems}
        guards = _guards(context, by_id)
        inputs = {
            name: PoolInput(
                group_by_problem(pool),
                by_id,
                known_rankers(pool, tuple(reward_models)),
                {c.problem_id: c for c in greedy[name]},
                guards,
            )
            for name, pool in sampled.items()
        }
        table = build_table(inputs, config.evaluation.bootstrap, config.run.seed)
        table.settings.update(_settings(context, problems))
        results = table.to_json() | {"policies": [{"policy": name, **row} for name, row in rows.items()]}
        write_json(stage.path / "results.json", results)
        (stage.path / "table.md").write_text(table.markdown())
        stage.metrics |= _headline(table)
        context.console.show(table.render())

    models = {f"generator_{k}": p for k, p in generators.items()} | {f"policy_{k}": p for k, p in policies.items()}
    inputs = models | {f"reward_{k}": p for k, p in reward_models.items()}
    settings = context.settings("generation", "evaluation", judge=context.judges(problems))
    data = {"problems": context.data / "problems.jsonl", "references": context.data / "references.jsonl"}
    return context.stage("evaluate", settings, inputs | data, work)


def _guards(context: Context, problems: Mapping[str, Problem]) -> list[Programs]:
    """Programs whose verdicts are known beforehand, judged: they tell of a broken judge."""
    solutions = {name: codes[0] for name, codes in known_solutions(context).items() if codes}
    rows = {CHEAT: cheats(list(problems.values())), GOLD: references(list(problems.values()), solutions)}
    found = []
    for row, programs in rows.items():
        judge_candidates(programs, problems, context.runtime.executors.run)
        found.append(Programs(row, ", ".join(sorted({c.language for c in programs})), programs))
    return [one for one in found if one.candidates]


def _pass_at_1(context: Context, pool: list[Candidate]) -> dict[str, float]:
    shares = [float(np.mean([c.verdict == "OK" for c in group])) for group in group_by_problem(pool).values()]
    mean, low, high = bootstrap_mean(shares, context.config.evaluation.bootstrap, context.config.run.seed)
    return {"pass_at_1": mean, "ci_low": low, "ci_high": high}


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


def _headline(table: ResultTable) -> dict[str, float]:
    wanted = (
        "random",
        "rewardranker_1",
        "rewardranker_2_hardnegatives",
        "rewardranker_2_selftraining",
        "oracle",
    )
    return {r.ranker: r.solved for r in table.rows if r.pool == "sft" and r.ranker in wanted}
