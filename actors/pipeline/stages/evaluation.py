"""The last stage: every ranker on the same fixed pools of held-out problems, and every policy's pass@1.

Of problems in several languages there is a table for all of them, and one for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from actors.pipeline.candidates import sample_pool, score_pool
from actors.pipeline.context import Context
from actors.pipeline.shards import Plan
from actors.pipeline.stages.data import known_solutions
from rewardranker.evaluation.guards import guard_submissions, judged_guards
from rewardranker.evaluation.pools import GREEDY, Entries, JudgedPool, Submission
from rewardranker.judge import sandbox_description
from rewardranker.problems.languages import PROPER_NAMES
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
from rewardranker.tables.rows import Score, Table


@dataclass(frozen=True)
class Judged:
    """Programs for the test problems, with their verdicts.

    Attributes:
        sampled, greedy: by generator; those of ``sampled`` have the reward models' scores.
        policies: by further policies, of which only pass@1 is wanted.
        guards: programs whose verdicts are known beforehand.
        rankers: names of the reward models.
    """

    sampled: Mapping[str, Sequence[Candidate]]
    greedy: Mapping[str, Sequence[Candidate]]
    policies: Mapping[str, Sequence[Candidate]]
    guards: Sequence[Candidate]
    rankers: tuple[str, ...]


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
        guards = judged_guards(problems, solutions, context.runtime.executors.run)
        alone = {}
        for name, model in policies.items():
            plan = Plan.from_config(context.config, model, name, "evaluate", config.evaluation.policy_samples)
            alone[name] = sample_pool(context, problems, plan, pools / f"{name}.parquet")
        judged = Judged(sampled, greedy, alone, guards, tuple(reward_models))
        stage.metrics |= _write_tables(context, judged, ended, stage.path)

    models = {f"generator_{k}": p for k, p in generators.items()} | {f"policy_{k}": p for k, p in policies.items()}
    inputs = models | {f"reward_{k}": p for k, p in reward_models.items()}
    settings = context.settings("generation", "evaluation", judge=context.judges(problems), ended=list(ended))
    data = {"problems": context.data / "problems.jsonl", "references": context.data / "references.jsonl"}
    return context.stage("evaluate", settings, inputs | data, work)


def _write_tables(context: Context, judged: Judged, ended: Sequence[str], path: Path) -> dict[str, float]:
    """``results.json`` and ``table.md``: over all problems, and over those of each language where there are several;
    what a manifest says of the first of them."""
    problems = context.split("test")
    table, alone = _table(context, judged, problems, ended)
    results, written, shown = to_results(table, alone), [markdown_table(table)], [table]
    if len(languages := sorted({problem.language for problem in problems})) > 1:
        results["languages"] = {}
        for language in languages:
            of = [problem for problem in problems if problem.language == language]
            own, policies = _table(context, judged, of, ended)
            results["languages"][language] = to_results(own, policies)
            written.append(f"## {PROPER_NAMES[language]}\n\n{markdown_table(own)}")
            shown.append(own)
    write_json(path / "results.json", results)
    (path / "table.md").write_text("\n".join(written))
    for one in shown:
        context.console.show(terminal_table(one, context.console.width))
    return _headline(table)


def _table(
    context: Context, judged: Judged, problems: Sequence[Problem], ended: Sequence[str]
) -> tuple[Table, dict[str, Score]]:
    """The table of some of the test problems, and what each policy solves of them alone."""
    config, ids, languages = context.config, {problem.id for problem in problems}, _languages(problems)
    method = Method(bootstrap=config.evaluation.bootstrap, seed=config.run.seed)

    def own(candidates: Sequence[Candidate]) -> list[Candidate]:
        return [candidate for candidate in candidates if candidate.problem_id in ids]

    def entries(name: str, candidates: Sequence[Candidate], submissions: Sequence[Submission] = ()) -> Entries:
        pool = JudgedPool(config.data.source, languages, name, config.run.seed, problems, own(candidates))
        return Entries([pool], submissions, mixed=True)

    guards = guard_submissions(own(judged.guards), languages)
    entered, alone = [], {}
    for name, candidates in judged.sampled.items():
        submissions = [Submission(GREEDY, languages, own(judged.greedy[name]), name), *guards]
        found = entries(name, candidates, submissions)
        entered.append((found, known_rankers(own(candidates), judged.rankers)))
        alone[name] = pass_at_1(found, method)
    for name, candidates in judged.policies.items():
        alone[name] = pass_at_1(entries(name, candidates), method)
    table = build_cycle_table(entered, method, languages if len(ids) < len(context.split("test")) else "")
    table.settings.update({**_settings(context, problems), "ended": list(ended)})
    return table, alone


def _languages(problems: Iterable[Problem]) -> str:
    return ", ".join(sorted({problem.language for problem in problems}))


def _settings(context: Context, problems: Sequence[Problem]) -> dict[str, object]:
    generation = context.config.generation
    return {
        "n": context.config.evaluation.n,
        "temperature": generation.temperature,
        "top_k": generation.top_k,
        "seed": context.config.run.seed,
        "data_revision": problems[0].revision,
        "judge": ", ".join(context.judges(problems).values()),
        "sandbox": sandbox_description(context.config.judge.minimum_tier, context.config.judge.remote_url),
    }


def _headline(table: Table) -> dict[str, float]:
    """What a random pick, every reward model and the oracle solve of the first pool, in the table's order."""
    rows = [row for row in table.rows if row.generator == "sft"]
    wanted = [row for row in rows if row.ranker in ("random", "oracle") or row.ranker.startswith("rewardranker")]
    return {row.ranker: score.solved for row in wanted for score in row.scores.values()}
