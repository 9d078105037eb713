"""A run directory as one HTML file that needs nothing else: no scripts, no requests, light and dark."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rewardranker.config.loading import digest
from rewardranker.problems.pool import group_by_problem
from rewardranker.problems.types import Candidate
from rewardranker.rendering.charts import interval_mark, stacked_bar
from rewardranker.rendering.html import duration, facts, fill, missing, page, safe, table
from rewardranker.rendering.svg import Scale, percent
from rewardranker.report.curves import learning, ppo
from rewardranker.report.pools import distributions, examples, verdicts
from rewardranker.report.run import FinishedRun, FinishedStage, load_run
from rewardranker.runs.atomic import write_text
from rewardranker.tables.cycle import HEADERS, ResultTable
from rewardranker.tables.names import per_cent

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


def write_report(run_directory: Path, out: Path) -> None:
    """Writes the report; a section whose stage has not run says so.

    Args:
        run_directory: ``<root>/<name>``, holding ``NN-stage/manifest.json`` and what the stages left there.
        out: the HTML file; its directory is made.

    Raises:
        UserError: not a run directory, or a damaged file in it.
    """
    run = load_run(run_directory)
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
            "Finished": finished.replace("T", " ").replace("Z", " UTC"),
            "Versions": _versions(run.stages.values()),
        }
    )


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
    ranked = ResultTable.from_json(results)
    policies = results.get("policies", [])
    scale = _scale(
        [(row.ci_low, row.ci_high) for row in ranked.rows] + [(p["ci_low"], p["ci_high"]) for p in policies]
    )
    ends = f"<span>{percent(scale.low)}</span><span>{percent(scale.high)}</span>"
    mark_header = f'<div class="ends">{ends}</div>'
    parts = []
    for pool, rows in ranked.pools().items():
        chance = next(row.solved for row in rows if row.ranker == "random")
        cells, kinds = [], []
        for row in rows:
            texts = [safe(text) for text in row.cells()]
            mark = interval_mark(row.solved, row.ci_low, row.ci_high, scale, chance)
            cells.append([*texts[:3], mark, *texts[3:]])
            kinds.append("best" if row.beats_random else "worse" if row.below_random else "")
        body = table((*HEADERS[:3], mark_header, *HEADERS[3:]), cells, kinds)
        parts.append(f"<h3>Pool <code>{safe(pool)}</code>, in %</h3>{body}")
    if policies:
        parts.append(_policies(policies, pools, scale, mark_header))
    return "".join(parts) + _provenance(run, ranked)


def _scale(intervals: Sequence[tuple[float, float]]) -> Scale:
    """One for all marks, from ten to ten per cent around everything shown."""
    low, high = min(low for low, _ in intervals), max(high for _, high in intervals)
    return Scale(math.floor(10 * low) / 10, max(math.ceil(10 * high), math.floor(10 * low) + 1) / 10)


def _policies(policies: Sequence[Mapping[str, Any]], pools: Pools, scale: Scale, mark_header: str) -> str:
    rows = []
    for policy in policies:
        value, low, high = policy["pass_at_1"], policy["ci_low"], policy["ci_high"]
        groups = group_by_problem(pools.get(policy["policy"], []))
        rows.append(
            [
                f"<code>{safe(policy['policy'])}</code>",
                per_cent(value),
                f"{per_cent(low)} – {per_cent(high)}",
                interval_mark(value, low, high, scale, policies[0]["pass_at_1"]),
                str(max(map(len, groups.values()), default="–")),
                str(len(groups) or "–"),
            ]
        )
    headers = ("Policy", "pass@1", "95 % CI", mark_header, "n per problem", "Problems")
    return f"<h3>Policies alone, without a ranker, sampled with the same settings, in %</h3>{table(headers, rows)}"


def _provenance(run: FinishedRun, ranked: ResultTable) -> str:
    evaluate = run.stages["evaluate"]
    known = {
        "Sandbox of the judge": ranked.settings.get("sandbox", "not recorded"),
        "Code of the evaluate stage": f"git {evaluate.manifest.get('git_sha') or 'unknown'}, {_versions([evaluate])}",
    }
    lines = "".join(f"<li>{safe(line)}</li>" for line in ranked.notes())
    return f'<h3>How these numbers came about</h3><ul class="notes">{lines}</ul>{facts(known, "wide")}'


def _config(run: FinishedRun) -> str:
    path = run.path / "config.yaml"
    return f"<pre>{safe(path.read_text())}</pre>" if path.exists() else missing("config.yaml is missing.")
