"""The report's sections on programs: verdicts, scores of passing and failing ones, mined examples."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rewardranker.problems.pool import group_by_problem, judged_of
from rewardranker.problems.types import Candidate
from rewardranker.problems.verdict import Verdict
from rewardranker.rendering.charts import bar_chart, histogram
from rewardranker.rendering.html import decimal, figure, missing, note, safe
from rewardranker.report.run import FinishedRun, FinishedStage, read_object
from rewardranker.statistics.metrics import auc
from rewardranker.tables.names import in_order, label, per_cent

EXAMPLES = 8
_LONGEST_PROGRAM = 4000  # characters; also bounds the time of the line comparison


def verdicts(pools: Mapping[str, Sequence[Candidate]]) -> str:
    """How the candidates of every pool ended."""
    if not any(pools.values()):
        return missing("The <code>evaluate</code> stage has left no judged pools.")
    counts = {pool: Counter(c.verdict for c in candidates) for pool, candidates in pools.items()}
    shown = [v for v in Verdict if any(count[v] for count in counts.values())]
    series = {
        f"{pool} ({len(pools[pool])} candidates)": [count[v] / max(1, count.total()) for v in shown]
        for pool, count in counts.items()
    }
    chart = bar_chart("Verdicts per pool", [v.value for v in shown], series, lambda share: f"{per_cent(share)} %")
    return f"<figure>{chart}</figure>"


def distributions(pools: Mapping[str, Sequence[Candidate]]) -> str:
    """Scores of passing against failing candidates, per pool, in the order of the result table."""
    parts = []
    for pool, candidates in pools.items():
        keys = dict.fromkeys(key for c in candidates for key in c.scores if key.startswith("rewardranker"))
        panels = [_distribution(key, candidates) for key in in_order(keys)]
        if panels:
            parts.append(f'<h3>Pool <code>{safe(pool)}</code></h3><div class="two">{"".join(panels)}</div>')
    return "".join(parts) or missing("The pools hold no reward-model scores.")


def _distribution(key: str, candidates: Sequence[Candidate]) -> str:
    """Scores less their problem's mean: only differences within a problem decide a choice."""
    groups: dict[str, list[float]] = {"passing": [], "failing": []}
    judged = [c for c in judged_of(candidates) if key in c.scores]
    for group in group_by_problem(judged).values():
        passed = [c.verdict == Verdict.OK for c in group]
        if any(passed) and not all(passed):
            mean = float(np.mean([c.scores[key] for c in group]))
            for candidate, good in zip(group, passed, strict=True):
                groups["passing" if good else "failing"].append(candidate.scores[key] - mean)
    caption = safe(label(key))
    if not groups["passing"]:
        return figure(caption, missing("No problem has both passing and failing candidates."))
    everyone = groups["passing"] + groups["failing"]
    area = auc(everyone, [1] * len(groups["passing"]) + [0] * len(groups["failing"]))
    chart = histogram(label(key), groups, "score less the problem's mean")
    return figure(f"{caption} <span>AUC {area:.3f}</span>", chart)


def examples(run: FinishedRun) -> str:
    """The mined pairs of which the reward model was most wrongly sure, side by side."""
    mines = [stage for stage in run.named("mine-") if (stage.path / "examples.jsonl").exists()]
    if not mines:
        return missing("No <code>mine</code> stage has left examples.")
    path = mines[-1].path / "examples.jsonl"
    found = [read_object(line, str(path)) for line in path.read_text().split("\n") if line]
    if not found:
        return missing("Mining found no hard negatives.")
    found.sort(key=lambda e: e["score_chosen"] - e["score_rejected"])
    surest: dict[str, dict[str, Any]] = {}
    for example in found:
        surest.setdefault(example["problem_id"], example)
    shown = list(surest.values())[:EXAMPLES]
    return note(_selection(mines[-1], len(shown), len(found))) + "".join(map(_example, shown))


def _selection(mine: FinishedStage, shown: int, kept: int) -> str:
    pairs, problems = mine.metrics.get("hardnegatives"), mine.metrics.get("problems_with_hard_negatives")
    mined = f"{pairs} pairs were mined, on {problems} problems. " if pairs and problems else ""
    return (
        f"{mined}Shown: {shown} of the {kept} that {mine.name} kept as examples, one per problem, those "
        "where the reward model was surest of the wrong program. Lines without a match are marked."
    )


def _example(example: Mapping[str, Any]) -> str:
    chosen, rejected = example["chosen"][:_LONGEST_PROGRAM], example["rejected"][:_LONGEST_PROGRAM]
    left, right = side_by_side(chosen, rejected)
    good, bad = (decimal(example[key], "+") for key in ("score_chosen", "score_rejected"))
    why = f"{example['verdict']}, rank {example['rank']}"
    return (
        f'<article class="pair"><h3><code>{safe(example["problem_id"])}</code></h3>'
        f'<pre class="prompt">{safe(example["prompt"])}</pre><div class="sides">'
        f'<div class="pass"><p><b>passes</b><span>score {good}</span></p>{left}</div>'
        f'<div class="fail"><p><b>{safe(why)}</b><span>score {bad}</span></p>'
        f'{right}<p class="message">{safe(example["message"])}</p></div></div></article>'
    )


def side_by_side(a: str, b: str) -> tuple[str, str]:
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
