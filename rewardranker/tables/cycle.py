"""The cycle's result table: every ranker on the same pools, with intervals and a paired comparison to chance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.table import Table as Rich

from rewardranker.evaluation.pools import Entries
from rewardranker.problems.languages import PROPER_NAMES
from rewardranker.problems.types import Candidate
from rewardranker.rendering.grid import Cell, Grid, Mark, Section, markdown_rows, terminal
from rewardranker.reranking.catalogue import CATALOGUE, rankers_for
from rewardranker.reranking.protocol import Ranker
from rewardranker.reranking.stored import StoredRanker
from rewardranker.statistics.metrics import mean_of_known, pair_accuracy
from rewardranker.tables.names import in_order, label, per_cent
from rewardranker.tables.notes import cycle_notes
from rewardranker.tables.ranked import Method
from rewardranker.tables.ranking import ENDS, Ranking, Scorer
from rewardranker.tables.rows import Estimate, Row, Score, Table
from rewardranker.tables.views import interval, versus

HEADERS = ("Ranker", "Solved", "95 % CI", "vs random [95 % CI]", "Gap closed", "Pairs ranked right")
#: Columns of a terminal that hold the table as it is.
WIDTH = 113
TITLE = "Problems solved by the chosen candidate, all numbers in %"


def build_cycle_table(pools: Sequence[tuple[Entries, Sequence[Ranker]]], method: Method, language: str = "") -> Table:
    """Ranks every pool, by itself, with all that its rankers know of it; each chooses among all candidates.

    Order: random, greedy, the pool's rankers, oracle, the pool's guards. Random is the exact expectation, not a draw.

    Args:
        pools: one pool in each, named by its generator, and the rankers between a random pick and the oracle.
        language: that it is a table of, where the pools' problems are in several.

    Raises:
        UserError: see :class:`Ranking`.
    """
    rows: list[Row] = []
    counts = {}
    for entries, rankers in pools:
        ranking = Ranking(entries, rankers, (), method)
        rows += _rows(ranking)
        (name,), (covered,) = {p.generator for p in entries.pools}, ranking.coverage(ranking.reaching(1), 1).values()
        counts[name] = {
            "problems": covered.used,
            "candidates": covered.candidates,
            "excluded": sum(covered.never_judged.values()),
            "never_judged": covered.never_judged,
            "dropped_problems": covered.unjudged,
        }
    only = {"language": language} if language else {}
    return _table(rows, {"bootstrap": method.bootstrap, "seed": method.seed, "pools": counts, **only})


def pass_at_1(entries: Entries, method: Method) -> Score:
    """Of one pool: what a random pick solves."""
    return next(iter(_rows(Ranking(entries, (), (), method))[0].scores.values()))


def known_rankers(pool: Iterable[Candidate], score_keys: Sequence[str] = ()) -> list[Ranker]:
    """The rankers that a pool has data for: logprob, majority, and one for each key of its stored scores.

    Args:
        score_keys: which of ``Candidate.scores``; empty for all that start with ``rewardranker``.
    """
    candidates = list(pool)
    found = dict.fromkeys(key for c in candidates for key in c.scores if key.startswith("rewardranker"))
    plain = [CATALOGUE[name].make() for name in rankers_for(candidates) if name in ("logprob", "majority")]
    return [*plain, *(StoredRanker(key) for key in in_order(score_keys or found))]


def to_results(found: Table, policies: Mapping[str, Score] | None = None) -> dict[str, Any]:
    """As ``results.json`` has it: a flat row for each pool and ranker, and each policy's pass@1."""
    shares = [
        {"policy": name, "pass_at_1": one.solved, "ci_low": one.low, "ci_high": one.high}
        for name, one in (policies or {}).items()
    ]
    return {"rows": [_flat(row) for row in found.rows], "settings": found.settings, "policies": shares}


def from_results(data: Mapping[str, Any]) -> Table:
    """Reads what :func:`to_results` gave, also after a trip through a file."""
    rows = []
    for row in data["rows"]:
        low, high, against = row["ci_low"], row["ci_high"], row["vs_random"] and tuple(row["vs_random"])
        score = Score(
            row["solved"], low, high, row["problems"], row["n"], versus=against, gap_closed=row["gap_closed"]
        )
        pairs = {} if row["pair_accuracy"] is None else {"pair_accuracy": Estimate(row["pair_accuracy"])}
        rows.append(Row(row["pool"], row["ranker"], {_column(row["pool"]): score}, pairs))
    return _table(rows, dict(data["settings"]))


def policies_of(data: Mapping[str, Any]) -> dict[str, Score]:
    """Each policy's pass@1 from what :func:`to_results` gave, which does not say how many programs it is over."""
    shares = data.get("policies", [])
    return {one["policy"]: Score(one["pass_at_1"], one["ci_low"], one["ci_high"], 0, 1) for one in shares}


def texts(row: Row) -> tuple[str, ...]:
    """A row in per cent, in the order of :data:`HEADERS`, without markup."""
    (score,), pairs = row.scores.values(), row.metrics.get("pair_accuracy")
    difference, numbers = versus(score), (score.gap_closed, pairs.value if pairs else None)
    gap, right = ("–" if value is None else per_cent(value) for value in numbers)
    against = f"{difference.text} {difference.below}".strip()
    return label(row.ranker), per_cent(score.solved), interval(score), against, gap, right


def terminal_table(found: Table, width: int = WIDTH) -> Rich:
    """120 columns hold it; on narrower ones the columns stand closer and the names wrap."""
    sections = [Section(_column(pool), _cells(rows)) for pool, rows in found.by_generator().items()]
    title = f"{found.name}: {TITLE[0].lower()}{TITLE[1:]}" if found.name else TITLE
    return terminal(Grid(title, HEADERS, sections, cycle_notes(found)), dense=width < WIDTH)


def markdown_table(found: Table) -> str:
    """For a README: one table per pool, in per cent."""
    parts = [
        f"**Pool {pool}**, in %\n\n{markdown_rows(HEADERS, [Section('', _cells(rows))])}"
        for pool, rows in found.by_generator().items()
    ]
    return "\n\n".join([*parts, f"{'; '.join(cycle_notes(found))}."]) + "\n"


def _rows(ranking: Ranking) -> list[Row]:
    (pool,), (_, n), ids = ranking.entries.pools, ranking.sampled, ranking.reaching(1)
    systems = ranking.systems(pool.generator, n, ids)
    rows = []
    for name, system in (systems | ranking.guards(ids)).items():
        if system.values:
            own = {one: values.ids for one, values in system.values.items()}
            score = Scorer(ranking, own).score(name, system, own, systems if name in systems else None)
            rows.append(Row(pool.generator, name, {_column(pool.generator): score}, _pairs(ranking, name)))
    return rows


def _pairs(ranking: Ranking, ranker: str) -> dict[str, Estimate]:
    if ranker in ENDS or ranker not in [one.name for one in ranking.rankers]:
        return {}
    mean, _ = mean_of_known(pair_accuracy(one.scores[ranker], one.correct) for one in ranking.problems())
    return {} if mean is None else {"pair_accuracy": Estimate(mean)}


def _table(rows: Sequence[Row], settings: dict[str, Any]) -> Table:
    name = PROPER_NAMES.get(settings.get("language", ""), "")
    return Table(name, "", [_column(pool) for pool in settings["pools"]], list(rows), {}, settings)


def _column(pool: str) -> str:
    return f"pool {pool}"


def _flat(row: Row) -> dict[str, Any]:
    (score,), pairs = row.scores.values(), row.metrics.get("pair_accuracy")
    return {
        "pool": row.generator,
        "ranker": row.ranker,
        "solved": score.solved,
        "n": score.n,
        "problems": score.problems,
        "ci_low": score.low,
        "ci_high": score.high,
        "gap_closed": score.gap_closed,
        "vs_random": score.versus,
        "pair_accuracy": pairs.value if pairs else None,
    }


def _cells(rows: Sequence[Row]) -> list[list[Cell]]:
    """A row that is better than a random pick is set off as a whole."""
    marks: list[Mark] = ["better" if any(map(row.better, row.scores)) else "" for row in rows]
    return [[Cell(text, mark=mark) for text in texts(row)] for row, mark in zip(rows, marks, strict=True)]
