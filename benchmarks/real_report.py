"""What rerankers that were trained on other problems are worth on several pools, as numbers and as a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from trained_report import grid, versions

from rewardranker.problems.pool import group_by_problem
from rewardranker.problems.types import Candidate, Problem
from rewardranker.problems.verdict import Verdict
from rewardranker.statistics.metrics import (
    auc,
    best_of_n,
    bootstrap_mean,
    gap_closed,
    mean_of_known,
    paired_bootstrap,
    pass_at_k,
    reciprocal_rank,
)

RESAMPLES = 10_000
#: Of standardised scores: mean log-probability against reward. 0 is the reward alone.
WEIGHTS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)
LOGPROB = "mean log-probability"
Row = dict[str, Any]
Judged = tuple[str, Sequence[Candidate], Mapping[str, Problem]]
#: By seed, a score of every candidate of a pool.
Scores = Sequence[np.ndarray]


class Pool:
    """One judged pool and what is asked of it.

    Problems with fewer than ``n`` judged candidates say nothing of the best of ``n``, and are counted.
    """

    def __init__(self, judged: Judged, n: int) -> None:
        self.name, self.candidates, self.problems = judged
        places: dict[str, list[int]] = {}
        for place, candidate in enumerate(self.candidates):
            places.setdefault(candidate.problem_id, []).append(place)
        self.n, self.short = n, sum(len(own) < n for own in places.values())
        self.places = [np.array(own) for own in places.values() if len(own) >= n]
        kept = [name for name, own in places.items() if len(own) >= n]
        self.groups = [self.problems[name].group_id for name in kept]
        self.correct = np.array([c.verdict == Verdict.OK for c in self.candidates], dtype=float)

    def best(self, scores: Scores) -> np.ndarray:
        """By problem, the chance that the best of ``n`` is right, mean over seeds."""
        by_seed = [[best_of_n(one[own], self.correct[own], self.n) for own in self.places] for one in scores]
        return np.mean(by_seed, axis=0)

    def mean(self, measure: Callable[[np.ndarray, np.ndarray], float | None], scores: Scores) -> float | None:
        """Of a measure of one problem, over the problems that have it and over seeds."""
        found = [mean_of_known(measure(one[own], self.correct[own]) for own in self.places)[0] for one in scores]
        return mean_of_known(found)[0]

    @property
    def chance(self) -> np.ndarray:
        return np.array([self.correct[own].mean() for own in self.places])

    @property
    def oracle(self) -> np.ndarray:
        return np.array([pass_at_k(len(own), int(self.correct[own].sum()), self.n) for own in self.places])

    @property
    def logprobs(self) -> np.ndarray:
        """Mean log-probability of each candidate's tokens; the least of all for one without, 0 where none has any."""
        found = np.array([np.mean(c.logprobs) if c.logprobs else -np.inf for c in self.candidates])
        known = found[np.isfinite(found)]
        return np.where(np.isinf(found), known.min() if known.size else 0.0, found)


def summarise(pools: Sequence[Judged], results: Mapping[str, Sequence[Row]], told: Row, n: int) -> Row:
    """Everything that is reported.

    Args:
        pools: what was trained on, what choices are made on, and what is tested on.
        results: by recipe, for each seed the ``scores`` of the second and of all further pools, in their order.
    """
    every = [Pool(judged, n) for judged in pools]
    validation = every[1]
    weights = {recipe: _chosen_weight(validation, rows) for recipe, rows in results.items()}
    ranked = {recipe: float(validation.best(_scores(rows, validation)).mean()) for recipe, rows in results.items()}
    first = max(ranked, key=lambda recipe: ranked[recipe])
    return {
        "pools": [_described(pool) for pool in every],
        "tables": {pool.name: _table_of(pool, results, weights) for pool in every[1:]},
        "chosen": first,
        "weights": weights,
        "trainings": [_training(recipe, rows) for recipe, rows in results.items()],
        "settings": told,
        "n": n,
        "versions": versions(),
    }


def _scores(rows: Sequence[Row], pool: Pool) -> list[np.ndarray]:
    return [np.array(row["scores"][pool.name]) for row in rows]


def _mixed(scores: Scores, pool: Pool, scale: Sequence[float], weight: float) -> list[np.ndarray]:
    """Scores plus ``weight`` log-probabilities, both in the standard deviations that ``scale`` gives."""
    return [one / scale[0] + weight * pool.logprobs / scale[1] for one in scores]


def _scale(scores: Scores, pool: Pool) -> list[float]:
    return [float(np.mean([one.std() for one in scores])) or 1.0, float(pool.logprobs.std()) or 1.0]


def _chosen_weight(validation: Pool, rows: Sequence[Row]) -> Row:
    scores = _scores(rows, validation)
    scale = _scale(scores, validation)
    found = [float(validation.best(_mixed(scores, validation, scale, weight)).mean()) for weight in WEIGHTS]
    return {"weight": WEIGHTS[int(np.argmax(found))], "scale": scale}


def _table_of(pool: Pool, results: Mapping[str, Sequence[Row]], weights: Mapping[str, Row]) -> list[Row]:
    logprobs = [pool.logprobs]
    table = [_row("random", pool, pool.chance), _ranked(LOGPROB, pool, logprobs)]
    for recipe, rows in results.items():
        scores, own = _scores(rows, pool), weights[recipe]
        table.append(_ranked(recipe, pool, scores))
        mixed = _mixed(scores, pool, own["scale"], own["weight"])
        table.append(_ranked(f"{recipe} + {own['weight']:g} {LOGPROB}", pool, mixed))
    return [*table, _row("oracle", pool, pool.oracle)]


def _ranked(name: str, pool: Pool, scores: Scores) -> Row:
    seeds = [float(pool.best([one]).mean()) for one in scores]
    measures = {"auc": pool.mean(auc, scores), "mrr": pool.mean(reciprocal_rank, scores)}
    return _row(name, pool, pool.best(scores)) | measures | {"seeds": seeds}


def _row(name: str, pool: Pool, values: np.ndarray) -> Row:
    mean, low, high = bootstrap_mean(values, RESAMPLES, 0, pool.groups)
    against = {"random": pool.chance, LOGPROB: pool.best([pool.logprobs])}
    chance, oracle = float(pool.chance.mean()), float(pool.oracle.mean())
    return {
        "ranker": name,
        "best_of_n": mean,
        "interval": [low, high],
        "minus": {
            other: paired_bootstrap(values, base, RESAMPLES, 0, pool.groups) for other, base in against.items()
        },
        "gap_closed": gap_closed(mean, chance, oracle),
    }


def _described(pool: Pool) -> Row:
    mixed = sum(0 < pool.correct[own].sum() < len(own) for own in pool.places)
    cut = np.mean([c.finish_reason == "length" for c in pool.candidates])
    return {
        "pool": pool.name,
        "problems": len(group_by_problem(pool.candidates)),
        "short": pool.short,
        "candidates": len(pool.candidates),
        "mixed": int(mixed),
        "cut_off": float(cut),
    }


def _training(recipe: str, rows: Sequence[Row]) -> Row:
    means = {key: float(np.mean([row["metrics"][key] for row in rows])) for key in ("loss", "accuracy", "tokens")}
    seconds = {key: float(np.mean([row[key] for row in rows])) for key in ("train_s", "score_s")}
    return {"recipe": recipe, "pairs": rows[0]["pairs"], "problems": rows[0]["problems"]} | means | seconds


def markdown(summary: Row) -> str:
    """The page."""
    s, v = summary["settings"], summary["versions"]
    seeds = f"mean over {s['seeds']} seeds of training" if s["seeds"] > 1 else "one seed of training"
    parts = [
        "# Rerankers trained on one pool, tested on others",
        f"Backbone {s['backbone']}, {s['dtype']}, problems {'in' if s['chat'] else 'outside'} its chat template, "
        f"texts up to {s['max_tokens']} tokens; {s['threads']} threads. Python {v['python']}, torch {v['torch']}, "
        f"transformers {v['transformers']}.",
        grid(
            ["pool", "problems", "with right and wrong ones", "candidates", "cut off, %"],
            [
                [p["pool"], str(p["problems"]), str(p["mixed"]), f"{p['candidates']:,}", f"{100 * p['cut_off']:.1f}"]
                for p in summary["pools"]
            ],
        ),
        f"Best of {summary['n']}: {seeds}; intervals and differences by bootstrap over problems (near duplicates "
        "together), paired. The weight of the log-probability in a sum, and the recipe named best "
        f"({summary['chosen']}), were chosen on `validation` alone. AUC and MRR: means over problems that have them.",
    ]
    for name, table in summary["tables"].items():
        parts += [f"## {name}", grid(_HEAD, [_line(row) for row in table])]
    head = ["recipe", "problems", "pairs", "tokens", "loss", "accuracy", "training s", "scoring s"]
    parts += ["## Training", grid(head, [_training_line(row) for row in summary["trainings"]])]
    return "\n\n".join(parts) + "\n"


_HEAD = ["ranker", "best of n", "95 %", "minus random", "95 %", "minus log-probability", "95 %"]
_HEAD += ["gap closed", "AUC", "MRR", "by seed"]


def _line(row: Row) -> list[str]:
    differences = []
    for difference, low, high in row["minus"].values():
        differences += [f"{difference:+.3f}", f"[{low:+.3f}, {high:+.3f}]"]
    gap = "" if row["gap_closed"] is None else f"{100 * row['gap_closed']:.0f} %"
    rest = [f"{row[key]:.3f}" if row.get(key) is not None else "" for key in ("auc", "mrr")]
    seeds = row.get("seeds", [])
    low, high = row["interval"]
    spread = f"{min(seeds):.3f} to {max(seeds):.3f}" if len(seeds) > 1 else ""
    return [row["ranker"], f"{row['best_of_n']:.3f}", f"[{low:.3f}, {high:.3f}]", *differences, gap, *rest, spread]


def _training_line(row: Row) -> list[str]:
    counts = [row["recipe"], *(f"{row[key]:,.0f}" for key in ("problems", "pairs", "tokens"))]
    return [*counts, f"{row['loss']:.3f}", f"{row['accuracy']:.3f}", f"{row['train_s']:.0f}", f"{row['score_s']:.0f}"]
