"""A run directory as one HTML file that needs nothing else: no scripts, no requests, light and dark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rewardranker.config.loading import digest
from rewardranker.paths import AnyPath
from rewardranker.problems.pool import group_by_problem
from rewardranker.problems.types import Candidate
from rewardranker.rendering.charts import stacked_bar
from rewardranker.rendering.html import duration, facts, fill, missing, page, safe, table
from rewardranker.rendering.svg import Scale
from rewardranker.report.curves import learning, ppo
from rewardranker.report.pools import distributions, examples, verdicts
from rewardranker.report.run import FinishedRun, FinishedStage, load_run
from rewardranker.runs.atomic import write_text
from rewardranker.tables.cycle import HEADERS, from_results, policies_of, texts
from rewardranker.tables.notes import cycle_notes
from rewardranker.tables.rows import Row, Score, Table
from rewardranker.tables.views import Marked, around, with_intervals

Pools = Mapping[str, Sequence[Candidate]]

# What the legend calls a colour, and the first words of the stages that wear it.
_KINDS = {
    "data, triplets": ("data", "triplets"),
    "SFT": ("sft",),
    "reward models": ("reward",),
    "PPO": ("ppo",),
    "generate, mine": ("generate", "mine"),
    "validation, evaluate": ("validation", "evaluate"),
}


def write_report(run_directory: AnyPath, out: AnyPath) -> None:
    """Writes the report; a section whose stage has not run says so.

    Args:
        run_directory: ``<root>/<name>``, holding ``NN-stage/manifest.json`` and what the stages left there.
        out: the HTML file; its directory is made.

    Raises:
        UserError: not a run directory, or a damaged file in it.
    """
    run, out = load_run(run_directory), Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    pools = run.pools()
    sections = fill(
        "report.html",
        results=_results(run, pools),
        learning=learning(run),
        ppo=ppo(run),
        verdicts=verdicts(pools),
        distributions=distributions({name: pool for name, pool in pools.items() if any(c.scores for c in pool)}),
        examples=examples(run),
        config=_config(run),
    )
    name = str(run.config.get("run", {}).get("name", run.path.name))
    write_text(out, page(name, "RewardRanker run report", f"{_facts(run)}\n{_stages(run)}", sections))


def _facts(run: FinishedRun) -> str:
    manifests = [stage.manifest for stage in run.stages.values()]
    seeds = dict.fromkeys(str(m["seed"]) for m in manifests if "seed" in m)
    if not seeds and "run" in run.config:
        seeds = {str(run.config["run"]["seed"]): None}
    finished = max((m["finished"] for m in manifests if "finished" in m), default="unknown")
    return facts(
        {
            "Config digest": digest(run.config) if run.config else "config.yaml is missing",
            "Git commit of the stages": ", ".join(dict.fromkeys(m["git_sha"] for m in manifests if m.get("git_sha")))
            or "unknown",
            "Seed": ", ".join(seeds) or "unknown",
            "Wall time": duration(sum(m.get("seconds", 0.0) for m in manifests)),
            "Started again": _restarts(run),
            "Finished": finished.replace("T", " ").replace("Z", " UTC"),
            "Versions": _versions(run.stages.values()),
        }
    )


def _restarts(run: FinishedRun) -> str:
    """Where what was lost and started again, how often; a stage that says nothing of it is an older version's."""
    known = {stage.name: stage.manifest.get("restarts", {}) for stage in run.stages.values()}
    parts = [
        f"{name}: {', '.join(f'{what} {n}' for what, n in found.items())}" for name, found in known.items() if found
    ]
    return "; ".join(parts) or "nothing"


def _versions(stages: Iterable[FinishedStage]) -> str:
    versions: dict[str, list[str]] = {}
    for stage in stages:
        for name, version in stage.manifest.get("versions", {}).items():
            versions.setdefault(name, []).append(version)
    return ", ".join(f"{name} {'/'.join(dict.fromkeys(found))}" for name, found in versions.items()) or "unknown"


def _stages(run: FinishedRun) -> str:
    if not run.stages:
        return missing("No stage has finished yet.")
    kinds = {word: order for order, words in enumerate(_KINDS.values()) for word in words}
    segments, rows = [], []
    totals = [0.0] * len(_KINDS)
    for stage in run.stages.values():
        seconds = float(stage.manifest.get("seconds", 0.0))
        kind = kinds.get(stage.name.split("-")[0], len(_KINDS) - 1)
        totals[kind] += seconds
        segments.append((stage.name, seconds, duration(seconds), kind))
        numbers = "; ".join(
            f"{k} {v if isinstance(v, int) else f'{v:.4g}'}"
            for k, v in stage.metrics.items()
            if isinstance(v, (int, float))
        )
        rows.append([safe(stage.name), duration(seconds), safe(numbers)])
    legend = "".join(
        f'<li><i class="s{order}"></i>{kind} {duration(total)}</li>'
        for order, (kind, total) in enumerate(zip(_KINDS, totals, strict=True))
        if total
    )
    bar = stacked_bar("Wall time per stage", segments)
    return (
        f'<figure class="flat">{bar}</figure><ul class="legend">{legend}</ul>'
        f"<details><summary>Every stage</summary>{table(('Stage', 'Wall time', 'Metrics'), rows)}</details>"
    )


def _results(run: FinishedRun, pools: Pools) -> str:
    results = run.results()
    if results is None:
        return missing("The <code>evaluate</code> stage has not finished, so there are no results yet.")
    ranked, policies = from_results(results), policies_of(results)
    by_language = [from_results(one) for one in results.get("languages", {}).values()]
    rows = [row for one in (ranked, *by_language) for row in one.rows]
    scale = around([*(score for row in rows for score in row.scores.values()), *policies.values()])
    parts = _by_pool(ranked, scale)
    if policies:
        parts.append(_policies(policies, pools, scale))
    for own in by_language:
        parts += _by_pool(own, scale)
    return "".join(parts) + _provenance(run, ranked)


def _by_pool(ranked: Table, scale: Scale) -> list[str]:
    """A table for each pool, of one language where the table is of one."""
    parts, of = [], f", {safe(ranked.name)}" if ranked.name else ""
    for pool, rows in ranked.by_generator().items():
        (chance,) = next(row.scores.values() for row in rows if row.ranker == "random")
        body = with_intervals(HEADERS, [_marked(row, chance.solved) for row in rows], scale)
        parts.append(f"<h3>Pool <code>{safe(pool)}</code>{of}, in %</h3>{body}")
    return parts


def _marked(row: Row, chance: float) -> Marked:
    (score,), (name, _, _, *more) = row.scores.values(), map(safe, texts(row))
    kind = "best" if any(map(row.better, row.scores)) else "worse" if any(map(row.worse, row.scores)) else ""
    return Marked(name, score, chance, more, kind)


def _policies(policies: Mapping[str, Score], pools: Pools, scale: Scale) -> str:
    lines, first = [], next(iter(policies.values())).solved
    for name, score in policies.items():
        groups = group_by_problem(pools.get(name, []))
        counts = [str(max(map(len, groups.values()), default="–")), str(len(groups) or "–")]
        lines.append(Marked(f"<code>{safe(name)}</code>", score, first, counts))
    body = with_intervals(("Policy", "pass@1", "95 % CI", "n per problem", "Problems"), lines, scale)
    return f"<h3>Policies alone, without a ranker, sampled with the same settings, in %</h3>{body}"


def _provenance(run: FinishedRun, ranked: Table) -> str:
    evaluate = run.stages["evaluate"]
    known = {
        "Sandbox of the judge": ranked.settings.get("sandbox", "not recorded"),
        "Code of the evaluate stage": f"git {evaluate.manifest.get('git_sha') or 'unknown'}, {_versions([evaluate])}",
    }
    lines = "".join(f"<li>{safe(line)}</li>" for line in cycle_notes(ranked))
    return f'<h3>How these numbers came about</h3><ul class="notes">{lines}</ul>{facts(known, "wide")}'


def _config(run: FinishedRun) -> str:
    path = run.path / "config.yaml"
    return f"<pre>{safe(path.read_text())}</pre>" if path.exists() else missing("config.yaml is missing.")
