"""A run directory as one HTML file that needs nothing else: no scripts, no requests, light and dark.

Candidate programs, messages and prompts are untrusted: every text passes through :func:`safe`.
"""

from __future__ import annotations

import difflib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from omegaconf import OmegaConf

from rewardranker.config.loading import digest
from rewardranker.errors import UserError
from rewardranker.evaluation.charts import (
    Series,
    bar_chart,
    histogram,
    interval_mark,
    line_chart,
    percent,
    stacked_bar,
)
from rewardranker.evaluation.metrics import auc
from rewardranker.evaluation.table import HEADERS, ResultTable, label
from rewardranker.execution.verdict import NEVER_LABELS, Verdict
from rewardranker.problems.pool import group_by_problem, read_pool
from rewardranker.problems.types import Candidate
from rewardranker.runs.atomic import write_text
from rewardranker.runs.metrics import read_metrics

EXAMPLES = 8
_LONGEST_PROGRAM = 4000  # characters; also bounds the time of the line comparison
_KINDS = ("data", "sft", "reward", "ppo", "generate", "evaluate")
_PPO_PANELS = (
    ("critic/score/mean", "Reward-model score", "{:g}".format),
    ("rollout/pass_rate", "Executed pass rate", percent),
    ("kl/sequence", "KL to SFT, nats per response", "{:g}".format),
)


@dataclass(frozen=True)
class _Stage:
    name: str
    path: Path
    manifest: dict[str, Any]

    def series(self, metric: str, name: str) -> Series:
        lines = [line for line in read_metrics(self.path) if line.get(metric) is not None]
        return Series(name, [line["step"] for line in lines], [line[metric] for line in lines])


@dataclass(frozen=True)
class _Run:
    path: Path
    stages: dict[str, _Stage]
    config: dict[str, Any]

    def named(self, prefix: str) -> list[_Stage]:
        return [stage for name, stage in self.stages.items() if name.startswith(prefix)]

    def file(self, stage: str, name: str) -> Path | None:
        """A stage's file, or ``None`` where the run has not got that far."""
        found = self.stages.get(stage)
        return found.path / name if found and (found.path / name).exists() else None


def write_report(run_directory: Path, out: Path) -> None:
    """Writes the report; a section whose stage has not run says so.

    Args:
        run_directory: ``<root>/<name>``, holding ``NN-stage/manifest.json`` and what the stages left there.
        out: the HTML file; its directory is made.

    Raises:
        UserError: not a run directory, or a damaged file in it.
    """
    run = _load(run_directory)
    page = Template(resources.files(__package__).joinpath("report.html").read_text())
    out.parent.mkdir(parents=True, exist_ok=True)
    pools = _pools(run)
    text = page.substitute(
        name=safe(str(run.config.get("run", {}).get("name", run.path.name))),
        facts=_facts(run),
        stages=_stages(run),
        results=_results(run),
        learning=_learning(run),
        ppo=_ppo(run),
        verdicts=_verdicts(pools),
        distributions=_distributions(pools),
        examples=_examples(run),
        config=_config(run),
    )
    write_text(out, text)


def safe(text: str) -> str:
    """Escaped for HTML; what does not print (control characters, direction marks, lone surrogates) is shown
    as U+FFFD, so that a program cannot look like another one."""
    return escape("".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text))


def _load(path: Path) -> _Run:
    manifests = path.glob("*/manifest.json")
    found = ((re.fullmatch(r"(\d+)-(.+)", manifest.parent.name), manifest) for manifest in manifests)
    numbered = sorted((int(match[1]), match[2], manifest) for match, manifest in found if match)
    stages = {
        name: _Stage(name, manifest.parent, _json(manifest.read_text(), str(manifest)))
        for _, name, manifest in numbered
    }
    config = path / "config.yaml"
    if not stages and not config.exists():
        raise UserError(
            f"{path} is not a run directory: it has neither config.yaml nor a finished stage such as "
            "00-data; give the directory of one run, <run.root>/<run.name>"
        )
    loaded = OmegaConf.to_container(OmegaConf.load(config)) if config.exists() else {}
    return _Run(path, stages, loaded)  # type: ignore[arg-type]


def _json(text: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"{where} is damaged ({error}); run that stage again") from error
    if not isinstance(value, dict):
        raise UserError(f"{where} should hold a JSON object, found {type(value).__name__}")
    return value


def _pools(run: _Run) -> dict[str, list[Candidate]]:
    """Candidates that were judged, by pool, in the order of the table (the SFT model's first)."""
    directory = run.file("evaluate", "pools")
    files = sorted(directory.glob("*.parquet")) if directory else []
    files.sort(key=lambda file: not file.stem.startswith("sft"))
    return {file.stem: [c for c in read_pool(file) if c.verdict is not None] for file in files}


def _facts(run: _Run) -> str:
    manifests = [stage.manifest for stage in run.stages.values()]
    versions: dict[str, list[str]] = {}
    for manifest in manifests:
        for name, version in manifest.get("versions", {}).items():
            versions.setdefault(name, []).append(version)
    seeds = dict.fromkeys(str(m["seed"]) for m in manifests if "seed" in m)
    if not seeds and "run" in run.config:
        seeds = {str(run.config["run"]["seed"]): None}
    facts = {
        "config digest": digest(run.config) if run.config else "config.yaml is missing",
        "git": ", ".join(dict.fromkeys(m["git_sha"] for m in manifests if m.get("git_sha"))) or "unknown",
        "seed": ", ".join(seeds) or "unknown",
        "wall time": _duration(sum(m.get("seconds", 0.0) for m in manifests)),
        "finished": max((m["finished"] for m in manifests if "finished" in m), default="unknown"),
        "versions": ", ".join(f"{n} {'/'.join(dict.fromkeys(v))}" for n, v in versions.items()) or "unknown",
    }
    return "".join(f"<div><dt>{key}</dt><dd>{safe(value)}</dd></div>" for key, value in facts.items())


def _stages(run: _Run) -> str:
    if not run.stages:
        return _missing("No stage has finished yet.")
    segments, rows = [], []
    totals = dict.fromkeys(_KINDS, 0.0)
    for stage in run.stages.values():
        word, seconds = stage.name.split("-")[0], float(stage.manifest.get("seconds", 0.0))
        kind = word if word in _KINDS else {"triplets": "data", "mine": "generate"}.get(word, "evaluate")
        totals[kind] += seconds
        segments.append((stage.name, seconds, _duration(seconds), _KINDS.index(kind)))
        metrics = stage.manifest.get("metrics", {})
        numbers = "; ".join(f"{k} {v:.4g}" for k, v in metrics.items() if isinstance(v, (int, float)))
        rows.append([safe(stage.name), _duration(seconds), safe(numbers)])
    legend = "".join(
        f'<li><i class="s{index}"></i>{kind} {_duration(total)}</li>'
        for index, (kind, total) in enumerate(totals.items())
        if total
    )
    bar = stacked_bar("Wall time per stage", segments)
    return (
        f'<figure class="flat">{bar}</figure><ul class="legend">{legend}</ul>'
        f"<details><summary>Every stage</summary>{_table(('Stage', 'Wall time', 'Metrics'), rows)}</details>"
    )


def _results(run: _Run) -> str:
    path = run.file("evaluate", "results.json")
    if path is None:
        return _missing("The <code>evaluate</code> stage has not finished, so there are no results yet.")
    results = _json(path.read_text(), str(path))
    table = ResultTable.from_json(results)
    sampling = ""
    if "generation" in run.config:
        generation = run.config["generation"]
        sampling = f"Temperature {generation['temperature']}, top-k {generation['top_k']}; "
    parts = []
    for pool, rows in table.pools().items():
        longest = max(row.ci_high for row in rows)
        lines = []
        for row in rows:
            mark = interval_mark(row.solved, row.ci_low, row.ci_high, longest)
            cells = [safe(cell) for cell in row.cells()]
            lines.append(("best" if row.beats_random else "", [*cells[:3], mark, *cells[3:]]))
        headers = (*HEADERS[:3], "", *HEADERS[3:])
        body = _table(headers, [cells for _, cells in lines], [kind for kind, _ in lines])
        note = f'<p class="note">{safe(sampling + table.caption(pool))}.</p>'
        parts.append(f"<h3>Pool <code>{safe(pool)}</code></h3>{body}{note}")
    policies = results.get("policies", [])
    if policies:
        rows_ = [
            [
                safe(p["policy"]),
                f"{100 * p['pass_at_1']:.1f}",
                f"{100 * p['ci_low']:.1f} – {100 * p['ci_high']:.1f}",
            ]
            for p in policies
        ]
        parts.append(
            "<h3>Policies alone, without a ranker</h3>" + _table(("Policy", "pass@1 %", "95 % interval"), rows_)
        )
    return "".join(parts)


def _learning(run: _Run) -> str:
    def curve(title: str, metric: str, stages: Sequence[_Stage], y_label: str, **kind: Any) -> str:
        series = [stage.series(metric, stage.name.removeprefix("reward-")) for stage in stages]
        return _curve(title, series, y_label, width=350, height=260, **kind)

    sft, rewards = run.named("sft"), run.named("reward-")
    charts = (
        curve("SFT: loss", "sft/loss", sft, "nats per token")
        + curve("Reward model: loss", "reward/loss", rewards, "nats per pair")
        + curve("Reward model: accuracy", "reward/accuracy", rewards, "pairs in order", y_format=percent)
    )
    return f'<div class="three">{charts}</div>'


def _ppo(run: _Run) -> str:
    stages = run.named("ppo-")
    if not stages:
        return _missing("No <code>ppo</code> stage has finished.")
    parts = []
    for stage in stages:
        series = [stage.series(metric, stage.name) for metric, _, _ in _PPO_PANELS]
        panels = "".join(
            _curve(title, [one], "", width=350, height=210, y_format=y_format)
            for one, (_, title, y_format) in zip(series, _PPO_PANELS, strict=True)
        )
        parts.append(f'<h3>{safe(stage.name)}</h3>{_change(series)}<div class="three">{panels}</div>')
    return "".join(parts)


def _change(series: Sequence[Series]) -> str:
    """Proxy and truth in a sentence: the means of the first and the last tenth of the steps."""
    score, rate = (np.asarray(one.y, dtype=float) for one in series[:2])
    if not len(score) or not len(rate):
        return ""
    ends = [
        (values[: max(1, len(values) // 10)].mean(), values[-max(1, len(values) // 10) :].mean())
        for values in (score, rate)
    ]
    return (
        f'<p class="note">From the first tenth of the steps to the last: reward-model score '
        f"{ends[0][0]:.2f} to {ends[0][1]:.2f}, executed pass rate "
        f"{100 * ends[1][0]:.1f} % to {100 * ends[1][1]:.1f} %.</p>"
    )


def _verdicts(pools: Mapping[str, Sequence[Candidate]]) -> str:
    if not any(pools.values()):
        return _missing("The <code>evaluate</code> stage has left no judged pools.")
    counts = {pool: Counter(c.verdict for c in candidates) for pool, candidates in pools.items()}
    shown = [v for v in Verdict if any(count[v] for count in counts.values())]
    series = {
        f"{pool} ({len(pools[pool])} candidates)": [count[v] / max(1, count.total()) for v in shown]
        for pool, count in counts.items()
    }
    return f"<figure>{bar_chart('Verdicts per pool', [v.value for v in shown], series)}</figure>"


def _distributions(pools: Mapping[str, Sequence[Candidate]]) -> str:
    parts = []
    for pool, candidates in pools.items():
        keys = dict.fromkeys(key for c in candidates for key in c.scores if key.startswith("rewardranker"))
        order = sorted(keys, key=lambda key: ("_2" in key, key))
        panels = [_distribution(key, candidates) for key in order]
        if panels:
            parts.append(f'<h3>Pool <code>{safe(pool)}</code></h3><div class="two">{"".join(panels)}</div>')
    return "".join(parts) or _missing("The pools hold no reward-model scores.")


def _distribution(key: str, candidates: Sequence[Candidate]) -> str:
    """Scores less their problem's mean: only differences within a problem decide a choice."""
    groups: dict[str, list[float]] = {"passing": [], "failing": []}
    judged = [c for c in candidates if key in c.scores and c.verdict not in NEVER_LABELS]
    for group in group_by_problem(judged).values():
        passed = [c.verdict == Verdict.OK for c in group]
        if any(passed) and not all(passed):
            mean = float(np.mean([c.scores[key] for c in group]))
            for candidate, good in zip(group, passed, strict=True):
                groups["passing" if good else "failing"].append(candidate.scores[key] - mean)
    caption = safe(label(key))
    if not groups["passing"]:
        return _figure(caption, _missing("No problem has both passing and failing candidates."))
    everyone = groups["passing"] + groups["failing"]
    area = auc(everyone, [1] * len(groups["passing"]) + [0] * len(groups["failing"]))
    chart = histogram(label(key), groups, "score less the problem's mean")
    return _figure(f"{caption} <span>AUC {area:.3f}</span>", chart)


def _examples(run: _Run) -> str:
    mines = [stage for stage in run.named("mine-") if (stage.path / "examples.jsonl").exists()]
    if not mines:
        return _missing("No <code>mine</code> stage has left examples.")
    path = mines[-1].path / "examples.jsonl"
    found = [_json(line, str(path)) for line in path.read_text().split("\n") if line]
    if not found:
        return _missing("Mining found no hard negatives.")
    found.sort(key=lambda e: e["score_chosen"] - e["score_rejected"])
    surest: dict[str, dict[str, Any]] = {}
    for example in found:
        surest.setdefault(example["problem_id"], example)
    intro = (
        f'<p class="note">{min(EXAMPLES, len(surest))} of {len(found)} mined pairs, one per problem: those '
        "where the reward model was surest of the wrong program. Lines without a match are marked.</p>"
    )
    return intro + "".join(map(_example, list(surest.values())[:EXAMPLES]))


def _example(example: Mapping[str, Any]) -> str:
    chosen, rejected = example["chosen"][:_LONGEST_PROGRAM], example["rejected"][:_LONGEST_PROGRAM]
    left, right = _marked(chosen, rejected)
    why = f"{example['verdict']}, ranked {example['rank']}"
    return (
        f'<article class="pair"><h3><code>{safe(example["problem_id"])}</code></h3>'
        f'<pre class="prompt">{safe(example["prompt"])}</pre><div class="sides">'
        f'<div class="pass"><p><b>passes</b><span>score {example["score_chosen"]:.2f}</span></p>{left}</div>'
        f'<div class="fail"><p><b>{safe(why)}</b><span>score {example["score_rejected"]:.2f}</span></p>'
        f'{right}<p class="message">{safe(example["message"])}</p></div></div></article>'
    )


def _marked(a: str, b: str) -> tuple[str, str]:
    """Two programs as ``<pre>``, the lines that differ marked."""
    lines_a, lines_b = a.strip("\n").split("\n"), b.strip("\n").split("\n")
    same_a: set[int] = set()
    same_b: set[int] = set()
    for block in difflib.SequenceMatcher(None, lines_a, lines_b, autojunk=False).get_matching_blocks():
        same_a.update(range(block.a, block.a + block.size))
        same_b.update(range(block.b, block.b + block.size))

    def pre(lines: Sequence[str], same: set[int]) -> str:
        shown = [safe(line) if i in same else f"<mark>{safe(line)}</mark>" for i, line in enumerate(lines)]
        return f"<pre>{chr(10).join(shown)}</pre>"

    return pre(lines_a, same_a), pre(lines_b, same_b)


def _config(run: _Run) -> str:
    path = run.path / "config.yaml"
    return f"<pre>{safe(path.read_text())}</pre>" if path.exists() else _missing("config.yaml is missing.")


def _curve(
    title: str,
    series: Sequence[Series],
    y_label: str,
    width: int = 520,
    height: int = 250,
    y_format: Callable[[float], str] = "{:g}".format,
) -> str:
    drawn = [one for one in series if np.isfinite(np.asarray(one.y, dtype=float)).any()]
    if not drawn:
        return _figure(title, _missing("Not recorded in this run."))
    return _figure(title, line_chart(title, drawn, "step", y_label, width, height, y_format=y_format))


def _figure(caption: str, body: str) -> str:
    return f"<figure><figcaption>{caption}</figcaption>{body}</figure>"


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]], kinds: Iterable[str] = ()) -> str:
    classes = list(kinds) or [""] * len(rows)
    head = "".join(f'<th scope="col">{header}</th>' for header in headers)
    body = "".join(
        f'<tr class="{kind}">{"".join(f"<td>{cell}</td>" for cell in row)}</tr>'
        for kind, row in zip(classes, rows, strict=True)
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _missing(what: str) -> str:
    return f'<p class="missing">{what}</p>'


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{seconds:.1f} s"
