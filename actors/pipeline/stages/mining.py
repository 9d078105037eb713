"""Stages that make pairs: the first triplets, candidates of the newest policy, hard negatives among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from actors.pipeline.candidates import check_judged, sample_pool, score_pool
from actors.pipeline.context import Context
from actors.pipeline.shards import Plan, plan_settings
from actors.pipeline.stages.data import known_solutions
from rewardranker.errors import UserError
from rewardranker.generation.candidates import cut_off
from rewardranker.judge import judge_candidates
from rewardranker.mining.hard_negatives import FAILS, Ranked, hard_negatives, mined_triplets
from rewardranker.mining.io import write_triplets
from rewardranker.mining.style import style_shares
from rewardranker.mining.triplets import check_triplets, first_triplets
from rewardranker.models.limits import UNREAD
from rewardranker.problems.contests.importing import PROBLEMS_IN
from rewardranker.problems.io import read_json_lines, write_json_lines
from rewardranker.problems.pool import group_by_problem, judged_of, read_pool, write_pool
from rewardranker.problems.suspects import labelled
from rewardranker.problems.types import Candidate, Problem, Triplet
from rewardranker.runs.atomic import write_json
from rewardranker.runs.directory import Stage
from rewardranker.runs.seeds import derive_seed
from rewardranker.runs.shards import read_columns, shards_in
from rewardranker.tables.names import trained_in

EXAMPLES = 24


def run_first_triplets(context: Context, sft: Path) -> Path:
    """Pairs from solutions of people, or, where people only left correct ones, from the SFT model's as well.

    Returns:
        Their file; or the directory of shards that ``data.triplets`` names, looked through.
    """
    data = context.config.data
    if data.triplets:
        return _given_triplets(context, Path(data.triplets))
    problems = context.split("train")[: data.triplet_problems]
    plan = Plan.from_config(context.config, sft, "sft", "triplets", data.triplet_solutions)
    sampled = data.triplet_source == "samples"

    def work(stage: Stage) -> None:
        pool = _human_solutions(context, {p.id for p in problems})
        if sampled:
            pool += sample_pool(context, problems, plan, stage.path / "samples.parquet")
        write_pool(stage.path / "pool.parquet", pool, context.problems.values())
        triplets = []
        for problem_id, group in group_by_problem(pool).items():
            problem, seed = context.problems[problem_id], derive_seed(context.config.run.seed, problem_id)
            triplets += first_triplets(problem, group, data.triplets_per_problem, seed)
        _write(context, stage, "triplets", triplets)
        stage.metrics["pass_rate"] = float(np.mean([c.verdict == "OK" for c in judged_of(pool)]))

    inputs = {"solutions": context.data / "solutions.jsonl", "problems": context.data / "problems.jsonl"}
    settings = context.settings("data", judge=context.judges(problems), **(plan_settings(plan) if sampled else {}))
    stage = context.stage("triplets-1", settings, inputs | ({"sft": sft} if sampled else {}), work)
    return stage / "triplets.parquet"


def _given_triplets(context: Context, directory: Path) -> Path:
    """Counts the triplets of ``rewardranker triplets``, shard by shard, and refuses what is held out in this run."""
    given = {name: directory / name for name in ("triplets", PROBLEMS_IN)}
    for path in given.values():
        if not path.is_dir():
            raise UserError(
                f"data.triplets={directory} holds no {path.name}/: give the directory that `rewardranker triplets "
                "--out` left"
            )
    kept_out = {name for p in context.problems.values() if p.split != "train" for name in (p.id, p.group_id)}

    def work(stage: Stage) -> None:
        counts = Counter[str]()
        for triplets, problems in zip(*map(shards_in, given.values()), strict=True):
            rows = read_columns(triplets, ("problem_id", "language"))
            known = read_columns(problems, ("id", "group_id")).to_pylist()
            groups = {row["id"]: row["group_id"] for row in known}
            for name in rows["problem_id"].unique().to_pylist():
                if not kept_out.isdisjoint((name, groups[name])):
                    raise UserError(
                        f"{triplets}: a triplet of {name}, whose group {groups[name]} belongs to the validation or "
                        "test split of this run; make the triplets with the same data.source and data.options"
                    )
            counts.update(rows["language"].to_pylist())
        stage.metrics["triplets"] = counts.total()
        stage.metrics |= {f"triplets/{language}": counts[language] for language in sorted(counts)}

    context.stage("triplets-1", context.settings(), {**given, "own": context.data / "problems.jsonl"}, work)
    return given["triplets"]


def run_pool(context: Context, name: str, problems: list[Problem], plan: Plan) -> Path:
    """Stage D: candidates for ``problems``, judged. Leaves ``pool.parquet``."""

    def work(stage: Stage) -> None:
        pool = sample_pool(context, problems, plan, stage.path / "pool.parquet")
        judged = judged_of(pool)
        groups = group_by_problem(judged).values()
        stage.metrics |= {
            "candidates": len(pool),
            "cut_off": cut_off(pool),
            "pass_rate": float(np.mean([c.verdict == "OK" for c in judged])),
            **_by_language("pass_rate", ((c.language, float(c.verdict == "OK")) for c in judged), _mean),
            "solvable": float(np.mean([any(c.verdict == "OK" for c in group) for group in groups])),
        }

    inputs = {"model": Path(plan.model_path), "problems": context.data / "problems.jsonl"}
    plan_and_judge = plan_settings(plan) | {"judge": context.judges(problems)}
    settings = context.settings("generation", plan=plan_and_judge, ids=[p.id for p in problems])
    return context.stage(name, settings, inputs, work)


def mining_problems(context: Context, iteration: int) -> list[Problem]:
    """Training problems that gave no triplets before, where there are enough; other ones each iteration."""
    train = context.split("train")
    fresh = train[context.config.data.triplet_problems :]
    source = fresh if len(fresh) >= context.config.mining.problems else train
    rng = np.random.default_rng(derive_seed(context.config.run.seed, "mining", iteration))
    count = min(context.config.mining.problems, len(source))
    return [source[i] for i in sorted(rng.choice(len(source), count, replace=False))]


def run_mining(
    context: Context, name: str, iteration: int, variants: list[str], pool_path: Path, reward_model: Path
) -> Path:
    """Ranks a pool with the reward model, confirms what fails, writes the triplets of every variant.

    A variant for which nothing was found gets no file; when none gets one, the run ends.
    """
    config, ranker = context.config, trained_in(reward_model.parent.name)

    def work(stage: Stage) -> None:
        pool = read_pool(pool_path)
        score_pool(context, pool, reward_model, ranker)
        write_pool(stage.path / "pool.parquet", pool, context.problems.values())
        groups = labelled(context.problems, pool, config.mining.label_suspected)
        if len(groups) < (asked := len(group_by_problem(pool))):
            stage.metrics["suspected"] = asked - len(groups)
        hard = _confirmed(context, groups, ranker)
        references = known_solutions(context)
        for variant in variants:
            triplets: list[Triplet] = []
            for problem_id, group in groups.items():
                seed = derive_seed(config.run.seed, name, variant, problem_id)
                triplets += mined_triplets(
                    context.problems[problem_id],
                    group,
                    hard[problem_id],
                    references[problem_id],
                    variant,
                    iteration,
                    seed,
                )
            if triplets:
                _write(context, stage, variant, triplets)
        if not any((stage.path / f"{variant}.parquet").exists() for variant in variants):
            raise UserError(
                f"{name}: no hard negatives in {len(pool)} programs: raise mining.n or mining.problems, or stop at "
                f"cycle.iterations={iteration - 1}"
            )
        write_json_lines(stage.path / "examples.jsonl", _examples(context, groups, hard, ranker))
        stage.metrics["problems_with_hard_negatives"] = sum(bool(found) for found in hard.values())

    inputs = {"pool": pool_path, "reward": reward_model, "references": context.data / "references.jsonl"}
    settings = context.settings("mining", variants=variants, judge=context.judges(context.split("train")))
    return context.stage(name, settings, inputs, work)


def _human_solutions(context: Context, wanted: set[str]) -> list[Candidate]:
    rows = [r for r in read_json_lines(context.data / "solutions.jsonl") if r["problem_id"] in wanted]
    pool = [
        Candidate(row["problem_id"], context.problems[row["problem_id"]].language, row["code"], row["code"], "human")
        for row in rows
    ]
    with context.console.progress("  solutions", len(pool), "programs") as advance:
        executors = context.runtime.executors
        judge_candidates(pool, context.problems, lambda items: executors.run(items, advance))
    check_judged(context, pool, "solutions")
    return pool


def _confirmed(context: Context, groups: Mapping[str, Sequence[Candidate]], ranker: str) -> dict[str, list[Ranked]]:
    """Hard negatives by problem. Each failed twice: a false failure under load would teach the opposite."""
    config = context.config.mining
    hard = {
        # Where the reward model could not read a passing program, failing ones are not ranked above it.
        problem_id: hard_negatives([c for c in group if c.scores[ranker] > UNREAD], ranker, config)
        for problem_id, group in groups.items()
    }
    if not config.confirm:
        return hard
    flat = [(problem_id, ranked) for problem_id, found in hard.items() for ranked in found]
    again = context.runtime.executors.run(
        [(context.problems[problem_id], r.candidate.code) for problem_id, r in flat], fresh=True
    )
    confirmed: dict[str, list[Ranked]] = {problem_id: [] for problem_id in hard}
    for (problem_id, ranked), judgement in zip(flat, again, strict=True):
        if judgement.verdict in FAILS:
            confirmed[problem_id].append(ranked)
    return confirmed


def _write(context: Context, stage: Stage, name: str, triplets: list[Triplet]) -> None:
    # A failing program can be the reference of a flawed problem; a pair of equals teaches nothing.
    usable = [t for t in triplets if t.chosen != t.rejected]
    try:
        check_triplets(usable, context.problems)
    except UserError as error:
        raise UserError(f"{name}: {error}") from error
    write_triplets(stage.path / f"{name}.parquet", usable)
    write_json(stage.path / f"{name}.style.json", style_shares(usable))
    stage.metrics[name] = len(usable)
    stage.metrics |= _by_language(name, ((t.language, 1) for t in usable), len)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _by_language(
    name: str, values: Iterable[tuple[str, float]], summary: Callable[[list[float]], float]
) -> dict[str, float]:
    """A number of a stage for each language, where there are several: ``<name>/<language>``."""
    found: dict[str, list[float]] = {}
    for language, value in values:
        found.setdefault(language, []).append(value)
    return {f"{name}/{one}": summary(found[one]) for one in sorted(found)} if len(found) > 1 else {}


def _examples(
    context: Context, groups: Mapping[str, Sequence[Candidate]], hard: Mapping[str, Sequence[Ranked]], ranker: str
) -> list[dict[str, object]]:
    """The failing programs with the highest scores above a passing sibling, for a person to look at."""
    rows = []
    for problem_id, group in groups.items():
        passing = [c for c in group if c.verdict == "OK" and c.scores[ranker] > UNREAD]
        if not passing or not hard[problem_id]:
            continue
        best = max(passing, key=lambda c: c.scores[ranker])
        worst = max(hard[problem_id], key=lambda r: r.candidate.scores[ranker])
        rows.append(
            {
                "problem_id": problem_id,
                "prompt": context.problems[problem_id].prompt,
                "chosen": best.code,
                "rejected": worst.candidate.code,
                "score_chosen": best.scores[ranker],
                "score_rejected": worst.candidate.scores[ranker],
                "rank": worst.rank,
                "verdict": str(worst.candidate.verdict),
                "message": worst.candidate.message,
            }
        )
    rows.sort(key=lambda row: float(row["score_chosen"]) - float(row["score_rejected"]))  # type: ignore[arg-type]
    verdicts = Counter(row["verdict"] for row in rows)
    # Some of every kind of failure, the most convincing first.
    share = max(1, EXAMPLES // max(1, len(verdicts)))
    return [row for kind in sorted(verdicts, key=str) for row in [r for r in rows if r["verdict"] == kind][:share]]
