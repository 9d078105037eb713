"""What trained rerankers are worth on the problems that were held out from them, as numbers and as a page."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from rewardranker.errors import UserError
from rewardranker.problems.pool import group_by_problem, judged_of
from rewardranker.problems.types import Candidate, Problem
from rewardranker.problems.verdict import Verdict
from rewardranker.reranking.baselines import LengthRanker
from rewardranker.reranking.lever import LeverRanker
from rewardranker.reranking.networks import CodeRanker, RewardRanker
from rewardranker.reranking.numbers import stored
from rewardranker.reranking.protocol import Ranker
from rewardranker.runs.atomic import write_json, write_text
from rewardranker.statistics.metrics import (
    best_of_n,
    bootstrap_mean,
    expected_pick,
    length_correlation,
    mean_of_known,
    pair_accuracy,
    paired_bootstrap,
    pass_at_k,
)

RESAMPLES = 10_000
SELECTORS = ("argmax", "summing", "voting")
RANKERS: dict[str, Callable[[str], Ranker]] = {
    "rewardranker": lambda key: RewardRanker(stored(key), key),
    "coderanker": lambda key: CodeRanker(stored(key), key),
    "lever": lambda key: CodeRanker(stored(key), key),  # the verifier alone
}
Row = dict[str, Any]


def summarise(
    pool: Sequence[Candidate],
    problems: Mapping[str, Problem],
    extra: Sequence[Candidate],
    trainings: Sequence[Row],
    settings: Row,
    n: int,
    draws: int,
) -> Row:
    """Everything that is reported.

    Args:
        pool: with held-out scores under the ``key`` of every training.
        extra: candidates of further problems, which are only trained on.
        trainings: one row per kind, fraction, use of further pools, and fold.
    """
    groups = group_by_problem(judged_of(pool))
    short = [name for name, group in groups.items() if len(group) < n]
    if short:
        raise UserError(f"best of {n}: problem {short[0]} has {len(groups[short[0]])} judged candidates; lower -n")
    correct = {name: [int(c.verdict == Verdict.OK) for c in group] for name, group in groups.items()}
    chance = np.array([np.mean(row) for row in correct.values()])
    by_key = {row["key"]: [other for other in trainings if other["key"] == row["key"]] for row in trainings}
    rows: list[Row] = [_row("random", chance, chance)]
    for ranker in (LengthRanker(), LengthRanker(longest=True)):
        rows.append(_ranked(ranker, groups, correct, problems, chance, n))
    for key, jobs in by_key.items():
        ranker = RANKERS[jobs[0]["kind"]](key)
        rows.append(_ranked(ranker, groups, correct, problems, chance, n) | _training(jobs))
    if "lever" in by_key:
        for selector in SELECTORS:
            ranker = LeverRanker(stored("lever"), selector)  # type: ignore[arg-type]
            values = _by_draws(ranker, groups, correct, problems, n, draws, settings["seed"])
            rows.append(_row(ranker.name, values, chance))
    oracle = np.array([pass_at_k(len(row), sum(row), n) for row in correct.values()])
    return {
        "rows": [*rows, _row("oracle", oracle, chance)],
        "settings": settings,
        "n": n,
        "draws": draws,
        "problems": len(groups),
        "candidates": sum(map(len, groups.values())),
        "not_judged": len(pool) - sum(map(len, groups.values())),
        "mixed": sum(0 < sum(row) < len(row) for row in correct.values()),
        "revisions": _revisions(groups, problems),
        "further": {
            "problems": len(group_by_problem(extra)),
            "candidates": len(extra),
            "revisions": _revisions(group_by_problem(extra), problems),
        },
        "frozen_s": sum(row["frozen_s"] for row in trainings),
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Of what numbers depend on."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


def _revisions(names: Iterable[str], problems: Mapping[str, Problem]) -> list[str]:
    return sorted({f"{problems[name].source} {problems[name].revision}" for name in names})


def _row(name: str, values: np.ndarray, chance: np.ndarray) -> Row:
    mean, low, high = bootstrap_mean(values, RESAMPLES, seed=0)
    difference, below, above = paired_bootstrap(values, chance, RESAMPLES, seed=0)
    return {
        "ranker": name,
        "best_of_n": mean,
        "interval": [low, high],
        "minus_random": difference,
        "minus_random_interval": [below, above],
    }


def _ranked(
    ranker: Ranker,
    groups: Mapping[str, list[Candidate]],
    correct: Mapping[str, list[int]],
    problems: Mapping[str, Problem],
    chance: np.ndarray,
    n: int,
) -> Row:
    """For rankers whose score of a candidate does not depend on the others: in closed form."""
    scores = {name: ranker.score(problems[name], group) for name, group in groups.items()}
    values = np.array([best_of_n(scores[name], correct[name], n) for name in groups])
    accuracies = [pair_accuracy(scores[name], correct[name]) for name in groups]
    lengths = [length_correlation(scores[name], [len(c.code) for c in group]) for name, group in groups.items()]
    return _row(ranker.name, values, chance) | {
        "pair_accuracy": mean_of_known(accuracies)[0],
        "length_correlation": mean_of_known(lengths)[0],
    }


def _by_draws(
    ranker: Ranker,
    groups: Mapping[str, list[Candidate]],
    correct: Mapping[str, list[int]],
    problems: Mapping[str, Problem],
    n: int,
    draws: int,
    seed: int,
) -> np.ndarray:
    """For rankers that look at all candidates together: the mean over draws of ``n``, ``[problems]``."""
    generator = np.random.default_rng(seed)
    means = []
    for name, group in groups.items():
        picks = []
        for _ in range(draws):
            drawn = generator.choice(len(group), n, replace=False)
            scores = ranker.score(problems[name], [group[i] for i in drawn])
            picks.append(expected_pick(scores, [correct[name][i] for i in drawn]))
        means.append(float(np.mean(picks)))
    return np.array(means)


def _training(jobs: Sequence[Row]) -> Row:
    return {
        "kind": jobs[0]["kind"],
        "fraction": jobs[0]["fraction"],
        "extra": jobs[0]["extra"],
        "training_problems": float(np.mean([job["training_problems"] for job in jobs])),
        "pairs": float(np.mean([job["pairs"] for job in jobs])),
        "loss": float(np.mean([job["metrics"]["loss"] for job in jobs])),
        "accuracy": float(np.mean([job["metrics"]["accuracy"] for job in jobs])),
        "programs": jobs[0]["metrics"]["programs"],
        "tokens": float(np.mean([job["metrics"]["tokens"] for job in jobs])),
        "train_s": sum(job["train_s"] for job in jobs),
        "score_s": sum(job["score_s"] for job in jobs),
    }


def markdown(summary: Row) -> str:
    """The page."""
    rows, n = summary["rows"], summary["n"]
    trained = [row for row in rows if "kind" in row]
    parts = [
        "# Trained rerankers on held-out problems",
        _described(summary),
        f"## Best of {n}",
        grid(
            ["ranker", f"best of {n}", "95 %", "minus random", "95 %", "pairs in order", "length correlation"],
            [_line(row) for row in rows if row.get("fraction", 1) == 1],
        ),
        f"Every problem is scored by a network that was trained without its fold. Closed form over all draws of {n}, "
        "except `lever_*`, which look at all candidates together: mean over "
        f"{summary['draws']} draws a problem, with the share of a program in the sample as the generator's "
        "probability. `lever` is its verifier alone; it and `lever_*` execute programs, the other rankers do not. "
        "Intervals: bootstrap over problems, paired for differences. Length correlation: Spearman, within problems.",
        "## Learning curve",
        grid(
            ["ranker", "begins with", "share of problems", "problems", f"best of {n}", "95 %", "pairs in order"],
            [_curve_line(row) for row in _by_curve(trained)],
        ),
        "The budget is the same for every share. Problems: with a passing and a failing program, mean over folds. "
        "What begins with further problems was first trained on those, with the same budget.",
        "## Training",
        grid(
            ["ranker", "pairs", "programs", "tokens", "loss", "accuracy", "training s", "scoring s"],
            [_training_line(row) for row in trained],
        ),
        f"Means over folds; seconds are sums over folds. The frozen layers took another {summary['frozen_s']:.0f} s, "
        "once for every distinct text. Loss and accuracy are of the last tenth of the updates, on training "
        "programs: of pairs for RewardRanker, of programs for the others.",
    ]
    return "\n\n".join(parts) + "\n"


def _described(summary: Row) -> str:
    s, versions = summary["settings"], summary["versions"]
    layers = f"its last {s['trained_layers']} layers" if s["trained_layers"] else "all its layers"
    return (
        f"{summary['problems']} problems ({', '.join(summary['revisions'])}), {summary['candidates']:,} judged "
        f"candidates, {summary['not_judged']} that could not be judged; {summary['mixed']} problems have right and "
        f"wrong ones.{_further(summary['further'])}\n\n"
        f"Backbone {Path(s['backbone']).name}, {layers} trained; {s['folds']} folds by problem group. "
        f"Per training {s['steps']} updates of {s['programs_per_step']} programs (a pair is two), at most "
        f"{s['pairs_per_problem']} pairs a problem, texts up to {s['max_tokens']} tokens, LEVER's with the "
        f"results on {s['lever_inputs']} inputs; AdamW at {s['lr']:g}, "
        f"{s['schedule']}, warm-up {s['warmup']:g}, weight decay {s['weight_decay']:g}; seed {s['seed']}. "
        f"{s['device']}, {s['threads']} threads; Python {versions['python']}, torch {versions['torch']}, "
        f"transformers {versions['transformers']}."
    )


def _further(extra: Row) -> str:
    if not extra["problems"]:
        return ""
    return (
        f" Further problems to train on: {extra['problems']} ({', '.join(extra['revisions'])}), "
        f"{extra['candidates']:,} judged candidates."
    )


def _by_curve(trained: Sequence[Row]) -> list[Row]:
    kinds = list(dict.fromkeys(row["kind"] for row in trained))
    return sorted(trained, key=lambda row: (kinds.index(row["kind"]), row["extra"], row["fraction"]))


def _line(row: Row) -> list[str]:
    rest = [_number(row.get("pair_accuracy"), ".3f"), _number(row.get("length_correlation"), "+.2f")]
    interval, difference = _interval(row["interval"], ".3f"), _interval(row["minus_random_interval"], "+.3f")
    if row["ranker"] == "random":
        return [row["ranker"], f"{row['best_of_n']:.3f}", interval, "", "", "", ""]
    return [row["ranker"], f"{row['best_of_n']:.3f}", interval, f"{row['minus_random']:+.3f}", difference, *rest]


def _curve_line(row: Row) -> list[str]:
    start = "further problems" if row["extra"] else "backbone"
    shares = [
        row["kind"],
        start,
        f"{row['fraction']:g}",
        f"{row['training_problems']:.0f}",
        f"{row['best_of_n']:.3f}",
    ]
    return [*shares, _interval(row["interval"], ".3f"), _number(row["pair_accuracy"], ".3f")]


def _training_line(row: Row) -> list[str]:
    counts = [row["ranker"], *(f"{row[key]:,.0f}" for key in ("pairs", "programs", "tokens"))]
    seconds = [f"{row[key]:,.0f}" for key in ("train_s", "score_s")]
    return [*counts, f"{row['loss']:.3f}", f"{row['accuracy']:.3f}", *seconds]


def _interval(ends: Sequence[float], form: str) -> str:
    return f"[{ends[0]:{form}}, {ends[1]:{form}}]"


def _number(value: float | None, form: str) -> str:
    return "" if value is None else f"{value:{form}}"


def grid(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def publish(text: str, summary: Row, out: Path | None) -> None:
    """Prints the page; writes it, and beside it the numbers as JSON."""
    print(text)
    if out:
        write_json(out.with_suffix(".json"), summary)
        write_text(out, text)
