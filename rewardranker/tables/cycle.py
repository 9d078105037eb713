"""The cycle's result table: every ranker on the same pools, with intervals and a paired comparison to chance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from rich.table import Table

from rewardranker.errors import UserError
from rewardranker.evaluation.pools import Programs
from rewardranker.problems.pool import check_pool
from rewardranker.problems.types import Candidate, Problem
from rewardranker.problems.verdict import NEVER_LABELS, Verdict
from rewardranker.rendering.grid import Cell, Grid, Section, markdown_rows, terminal
from rewardranker.reranking.logprob import LogprobRanker
from rewardranker.reranking.majority import MajorityRanker
from rewardranker.reranking.oracle import OracleRanker
from rewardranker.reranking.protocol import Ranker
from rewardranker.reranking.stored import StoredRanker
from rewardranker.statistics.metrics import bootstrap_mean, gap_closed, mean_of_known, pair_accuracy, paired_bootstrap
from rewardranker.tables.fixed_programs import guard_alarm, solved_by_problem, unguarded
from rewardranker.tables.names import in_order, label, per_cent
from rewardranker.tables.scored import Chance, Groups, ScoredPool, score_pool

PerProblem = dict[str, float]

HEADERS = ("Ranker", "Solved", "95 % CI", "vs random [95 % CI]", "Gap closed", "Pairs ranked right")
_SAMPLING = {
    "temperature": "temperature",
    "top_k": "top-k",
    "seed": "seed",
    "data_revision": "data",
    "judge": "judge",
}


@dataclass(frozen=True)
class PoolInput:
    """One pool to rank.

    Attributes:
        candidates: judged, by problem id.
        problems: by id; may be more than the pool has.
        rankers: the rows between a random pick and the oracle, in this order.
        greedy: one greedy candidate per problem id; empty where none was generated.
        guards: ``gold`` and ``cheat`` programs of the pool's problems, judged; empty where none were run.
    """

    candidates: Groups
    problems: Mapping[str, Problem]
    rankers: Sequence[Ranker] = ()
    greedy: Mapping[str, Candidate] = field(default_factory=dict)
    guards: Sequence[Programs] = ()


@dataclass(frozen=True)
class Row:
    """One ranker on one pool. Shares are of 1; ``vs_random`` is (difference, low, high) on the same problems.

    ``n`` is the candidates sampled per problem (the most, where problems differ), ``problems`` how many the
    row averages over. ``gap_closed`` is ``None`` where the oracle is no better than chance.
    """

    pool: str
    ranker: str
    solved: float
    n: int
    problems: int
    ci_low: float
    ci_high: float
    gap_closed: float | None
    vs_random: tuple[float, float, float] | None
    pair_accuracy: float | None

    @property
    def beats_random(self) -> bool:
        """Whether to print it bold: the interval of the difference lies above zero. Never for the oracle."""
        return self.ranker != "oracle" and self.vs_random is not None and self.vs_random[1] > 0

    @property
    def below_random(self) -> bool:
        return self.vs_random is not None and self.vs_random[2] < 0

    def cells(self) -> tuple[str, ...]:
        """As text in per cent, in the order of :data:`HEADERS`, without markup."""
        difference = "–"
        if self.vs_random is not None:
            middle, low, high = (per_cent(value, "+") for value in self.vs_random)
            difference = f"{middle} [{low}, {high}]"
        interval = f"{per_cent(self.ci_low)} – {per_cent(self.ci_high)}"
        gap, pairs = ("–" if value is None else per_cent(value) for value in (self.gap_closed, self.pair_accuracy))
        return label(self.ranker), per_cent(self.solved), interval, difference, gap, pairs


@dataclass(frozen=True)
class ResultTable:
    """Rows grouped by pool, and what they were computed with (``settings``, plain JSON values)."""

    rows: list[Row]
    settings: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        return {"rows": [asdict(row) for row in self.rows], "settings": self.settings}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ResultTable:
        """Reads what :meth:`to_json` gave, also after a trip through a file."""
        rows = [Row(**{**row, "vs_random": row["vs_random"] and tuple(row["vs_random"])}) for row in data["rows"]]
        return cls(rows, dict(data["settings"]))

    def pools(self) -> dict[str, list[Row]]:
        """The rows by pool, in order."""
        grouped: dict[str, list[Row]] = {}
        for row in self.rows:
            grouped.setdefault(row.pool, []).append(row)
        return grouped

    def notes(self) -> list[str]:
        """How the numbers came about, a line each; what pools share is said once."""
        shared: dict[str, list[str]] = {}
        for pool in self.pools():
            shared.setdefault(self._counts(pool), []).append(pool)
        sampling = [f"{name} {self.settings[key]}" for key, name in _SAMPLING.items() if key in self.settings]
        return [
            *(f"ALARM: {alarm}" for alarm in self.alarms()),
            *(f"{', '.join(pools)}: {counts}" for counts, pools in shared.items()),
            ", ".join(sampling),
            f"95 % CI: percentile bootstrap over problems, {self.settings['bootstrap']} resamples; "
            "bold: better than a random pick, the difference's interval above zero",
            *self._unguarded(),
        ]

    def alarms(self) -> list[str]:
        """What a guard row says is wrong with the table: nobody should read on before it is explained."""
        found = [guard_alarm(row.ranker, f"pool {row.pool}", row.solved, row.problems) for row in self.rows]
        return [alarm for alarm in found if alarm]

    def _unguarded(self) -> list[str]:
        """A guard that was not run, or not judged, has raised no alarm either."""
        lacking = {unguarded([row.ranker for row in rows]) for rows in self.pools().values()} - {""}
        return [f"Guards without a judged program: {guards}" for guards in sorted(lacking)]

    def _counts(self, pool: str) -> str:
        counts, n = self.settings["pools"][pool], max(row.n for row in self.pools()[pool])
        by_verdict = ", ".join(f"{verdict} {count}" for verdict, count in counts.get("never_judged", {}).items())
        kinds = f" ({by_verdict})" if by_verdict else ""
        lost = f"{counts['excluded']} of {counts['candidates']} candidates not judged and left out{kinds}"
        whole = f" (problems lost entirely: {counts['dropped_problems']})" if counts["dropped_problems"] else ""
        how = lost + whole if counts["excluded"] else "all judged"
        return f"{counts['problems']} problems, n = {n} candidates each, {how}"

    def render(self) -> Table:
        """For the terminal: 120 columns hold it, and on narrower ones the names wrap."""
        sections = [Section(f"pool {pool}", _grid_rows(rows)) for pool, rows in self.pools().items()]
        title = "Problems solved by the chosen candidate, all numbers in %"
        return terminal(Grid(title, HEADERS, sections, self.notes()))

    def markdown(self) -> str:
        """For a README: one table per pool, in per cent."""
        parts = [
            f"**Pool {pool}**, in %\n\n{markdown_rows(HEADERS, [Section('', _grid_rows(rows))])}"
            for pool, rows in self.pools().items()
        ]
        return "\n\n".join([*parts, f"{'; '.join(self.notes())}."]) + "\n"


def build_table(pools: Mapping[str, PoolInput], bootstrap: int, seed: int) -> ResultTable:
    """Ranks every pool with every ranker.

    Order: random, greedy, the pool's rankers, oracle, the pool's guards. Random is the exact expectation, not a
    draw. Greedy is left out where the pool has no greedy candidates. Candidates that could not be judged (``INFRA``,
    ``NO_TOOLCHAIN``) are left out and counted in ``settings["pools"]``.

    Raises:
        UserError: unjudged candidates, no problem left, a problem without a greedy candidate where others
            have one, a missing score, or guards of other problems or without a verdict.
    """
    rows: list[Row] = []
    counts = {}
    for name, pool in pools.items():
        scored = score_pool(name, pool.candidates, pool.problems, [Chance(), *pool.rankers, OracleRanker()])
        rows.extend(_pool_rows(pool, scored, bootstrap, seed))
        rows.extend(_guard_rows(pool, scored, bootstrap, seed))
        counts[name] = {
            "problems": len(scored.problems),
            "candidates": scored.candidates,
            "excluded": sum(scored.never_judged.values()),
            "never_judged": scored.never_judged,
            "dropped_problems": len(scored.dropped),
        }
    return ResultTable(rows, {"bootstrap": bootstrap, "seed": seed, "pools": counts})


def known_rankers(pool: Iterable[Candidate], score_keys: Sequence[str] = ()) -> list[Ranker]:
    """The rankers that a pool has data for: logprob, majority, and one for each key of its stored scores.

    Args:
        score_keys: which of ``Candidate.scores``; empty for all that start with ``rewardranker``.
    """
    candidates = list(pool)
    found = dict.fromkeys(key for c in candidates for key in c.scores if key.startswith("rewardranker"))
    rankers: list[Ranker] = [StoredRanker(key) for key in in_order(score_keys or found)]
    if any(c.signature for c in candidates):
        rankers.insert(0, MajorityRanker())
    if any(c.logprobs for c in candidates):
        rankers.insert(0, LogprobRanker())
    return rankers


def _pool_rows(pool: PoolInput, scored: ScoredPool, bootstrap: int, seed: int) -> list[Row]:
    solved: dict[str, PerProblem] = {"random": _solved(scored, "random")}
    if pool.greedy:
        solved["greedy"] = _greedy(pool, scored)
    solved |= {ranker.name: _solved(scored, ranker.name) for ranker in pool.rankers}
    solved["oracle"] = _solved(scored, "oracle")
    pairs = {ranker.name: _pair_accuracy(scored, ranker.name) for ranker in pool.rankers}

    n = max(problem.sampled for problem in scored.problems.values())
    rows = []
    for ranker, values in solved.items():
        if not values:  # every greedy candidate failed to be judged
            continue
        bounds = (solved["random"], solved["oracle"])
        own, chance, best = (np.array([per[key] for key in values]) for per in (values, *bounds))
        groups = [scored.problems[key].problem.group_id for key in values]
        mean, low, high = bootstrap_mean(own, bootstrap, seed, groups)
        closed = gap_closed(mean, float(chance.mean()), float(best.mean()))
        versus = None if ranker == "random" else paired_bootstrap(own, chance, bootstrap, seed, groups)
        count = 1 if ranker == "greedy" else n
        rows.append(Row(scored.name, ranker, mean, count, len(values), low, high, closed, versus, pairs.get(ranker)))
    return rows


def _guard_rows(pool: PoolInput, scored: ScoredPool, bootstrap: int, seed: int) -> list[Row]:
    """Nobody chose these programs: there is no difference to a random pick, and no gap."""
    rows = []
    for guard in pool.guards:
        check_pool(guard.candidates, pool.problems)
        solved = {key: share for key, share in solved_by_problem(guard).items() if key in scored.problems}
        if solved:
            groups = [scored.problems[key].problem.group_id for key in solved]
            mean, low, high = bootstrap_mean(list(solved.values()), bootstrap, seed, groups)
            rows.append(Row(scored.name, guard.row, mean, 1, len(solved), low, high, None, None, None))
    return rows


def _solved(scored: ScoredPool, ranker: str) -> PerProblem:
    return {key: problem.solved(ranker) for key, problem in scored.problems.items()}


def _pair_accuracy(scored: ScoredPool, ranker: str) -> float | None:
    return mean_of_known(pair_accuracy(p.scores[ranker], p.correct) for p in scored.problems.values())[0]


def _greedy(pool: PoolInput, scored: ScoredPool) -> PerProblem:
    missing = [key for key in scored.problems if key not in pool.greedy or pool.greedy[key].verdict is None]
    if missing:
        raise UserError(
            f"pool {scored.name}: {len(missing)} of {len(scored.problems)} problems have no judged greedy candidate "
            f"({', '.join(missing[:3])}); generate and judge one for each, or pass none"
        )
    verdicts = {key: pool.greedy[key].verdict for key in scored.problems}
    return {key: float(verdict == Verdict.OK) for key, verdict in verdicts.items() if verdict not in NEVER_LABELS}


def _grid_rows(rows: Sequence[Row]) -> list[list[Cell]]:
    return [[Cell(text, mark="better" if row.beats_random else "") for text in row.cells()] for row in rows]
