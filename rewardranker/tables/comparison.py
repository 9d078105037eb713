"""Every ranker on one pool, by every metric: what each is worth, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from rewardranker.errors import UserError
from rewardranker.evaluation.pools import NOT_RECORDED, Programs, check_members
from rewardranker.problems.io import first_few
from rewardranker.problems.pool import group_by_problem
from rewardranker.problems.types import Candidate, Problem
from rewardranker.reranking.oracle import OracleRanker
from rewardranker.reranking.protocol import Ranker
from rewardranker.statistics.calibration import Calibration, calibrate
from rewardranker.statistics.clusters import ClusterBootstrap, Column, Interval
from rewardranker.statistics.metrics import (
    gap_closed,
    gaps_closed,
    length_correlation,
    pair_accuracy,
    reciprocal_rank,
)
from rewardranker.tables.fixed_programs import guard_alarm, solved_by_problem
from rewardranker.tables.scored import DRAWS, Chance, ScoredPool, ScoredProblem, score_pool


@dataclass(frozen=True)
class Estimate:
    """A mean over ``problems`` with its 95 % interval from resampling problem groups."""

    value: float
    low: float
    high: float
    problems: int


@dataclass(frozen=True)
class RankerRow:
    """One ranker. What is not defined for it (no problem with both right and wrong candidates, all scores
    equal, ...) is ``None``.

    Attributes:
        best_of: by n, the share of problems solved by its choice of n candidates. In a partial comparison each n
            is over the problems that have so many.
        rerank_at: by k, the share solved by one of its k best of the largest n.
        versus: difference of ``best_of`` at the largest n to the baseline's.
        gap_closed: of that, by the means; ``gap_per_problem`` is the mean of every problem's own, over all but
            the ``gap_undefined`` problems where all candidates are right or all wrong.
        pair_accuracy: mean over problems that have right and wrong candidates; equals the AUC within them.
        auc: over all candidates of the pool, which also asks that scores compare between problems.
        mrr: mean reciprocal rank of the first correct candidate, over problems that have one.
        length_correlation: mean over problems of Spearman's between score and program length.
        calibration: after Platt scaling; ``None`` where scores are not finite or there is one problem group.
    """

    ranker: str
    best_of: dict[int, Estimate]
    rerank_at: dict[int, Estimate]
    versus: Interval | None
    gap_closed: float | None
    gap_per_problem: float | None
    gap_undefined: int
    pair_accuracy: Estimate | None
    auc: Estimate | None
    mrr: Estimate | None
    length_correlation: Estimate | None
    calibration: Calibration | None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RankerRow:
        parts = dict(data)
        for key in ("best_of", "rerank_at"):
            parts[key] = {int(n): Estimate(**one) for n, one in data[key].items()}
        for key in ("pair_accuracy", "auc", "mrr", "length_correlation"):
            parts[key] = data[key] and Estimate(**data[key])
        parts["versus"] = data["versus"] and tuple(data["versus"])
        parts["calibration"] = data["calibration"] and Calibration.from_json(data["calibration"])
        return cls(**parts)


@dataclass(frozen=True)
class ProgramsRow:
    """Programs that no ranker chose, ``greedy``, ``gold`` or ``cheat``: the share of problems that they solve."""

    row: str
    solved: Estimate


@dataclass(frozen=True)
class Comparison:
    """Rows in the order random, the rankers, oracle; ``settings`` are plain JSON values."""

    name: str
    rows: list[RankerRow]
    settings: dict[str, Any]
    programs: list[ProgramsRow] = field(default_factory=list)

    def alarms(self) -> list[str]:
        """What a guard says is wrong with the comparison: nobody should read on before it is explained."""
        language, ceiling = self.settings["language"], self.settings["ceiling"]
        found = [
            guard_alarm(one.row, language, one.solved.value, one.solved.problems, ceiling) for one in self.programs
        ]
        return [alarm for alarm in found if alarm]

    def to_json(self) -> dict[str, Any]:
        rows = [asdict(row) for row in self.rows]
        for row in rows:
            for key in ("best_of", "rerank_at"):
                row[key] = {str(n): one for n, one in row[key].items()}
        programs = [asdict(one) for one in self.programs]
        return {"name": self.name, "rows": rows, "settings": self.settings, "programs": programs}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Comparison:
        """Reads what :meth:`to_json` gave, also after a trip through a file."""
        rows = [RankerRow.from_json(row) for row in data["rows"]]
        programs = [ProgramsRow(one["row"], Estimate(**one["solved"])) for one in data["programs"]]
        return cls(data["name"], rows, dict(data["settings"]), programs)


def compare_rankers(
    name: str,
    candidates: Sequence[Candidate],
    problems: Sequence[Problem],
    rankers: Sequence[Ranker],
    ns: Sequence[int] = (5, 10),
    ks: Sequence[int] = (3,),
    baseline: str = "random",
    bootstrap: int = 10_000,
    seed: int = 0,
    draws: int = DRAWS,
    partial: bool = False,
    more: Mapping[str, str] | None = None,
    programs: Sequence[Programs] = (),
    ceiling: tuple[int, int] | None = None,
) -> Comparison:
    """Random pick, the rankers and the oracle on one judged pool, in one language.

    Best-of-n and rerank@k are expectations over which n of a problem's candidates are drawn; the other metrics
    are of all its candidates.

    Args:
        problems: all that the pool is meant to have.
        ns, ks: candidates to choose from, and submissions out of the largest n.
        baseline: the ranker that others are compared with.
        draws: see :func:`rewardranker.tables.scored.score_pool`.
        partial: go on without the problems that the pool lacks, and at every n without those that have fewer
            judged candidates, and count both.
        more: names and values to print with the table, e.g. temperature, data and harness.
        programs: greedy answers and guards of the pool's problems, in its language; one of each row.
        ceiling: (solvable, total) problems of the whole benchmark, by which the reference solutions are judged.

    Raises:
        UserError: no n, a k above the largest n, a baseline that is no row, problems of several data revisions,
            problems without candidates (unless ``partial``), an n that no problem reaches, programs of another
            language, of other problems or two of one row, and as
            :func:`rewardranker.tables.scored.score_pool`.
    """
    asked: list[Ranker] = [Chance(), *(r for r in rankers if r.name not in ("random", "oracle")), OracleRanker()]
    _check(name, candidates, problems, ns, ks, baseline, [ranker.name for ranker in asked], partial)
    ns = sorted(set(ns))
    _check_programs(candidates[0].language, problems, programs)
    by_id = {problem.id: problem for problem in problems}
    pool = score_pool(name, group_by_problem(candidates), by_id, asked, ns, seed, draws, partial)
    _check_reached(pool, ns)
    resamples = ClusterBootstrap([one.problem.group_id for one in pool.problems.values()], bootstrap, seed)
    at_most = list(pool.reaching(ns[-1]).values())
    chosen = {ranker.name: np.array([one.solved(ranker.name, ns[-1]) for one in at_most]) for ranker in asked}
    rows = [_row(ranker.name, pool, resamples, ns, ks, chosen, baseline, seed) for ranker in asked]
    settings = _settings(pool, problems, ns, baseline, bootstrap, seed) | {
        "draws": draws,
        "more": dict(more or {}),
        "ceiling": ceiling and list(ceiling),
    }
    return Comparison(name, rows, settings, [row for one in programs if (row := _programs(one, pool, resamples))])


def _row(
    ranker: str,
    pool: ScoredPool,
    resamples: ClusterBootstrap,
    ns: Sequence[int],
    ks: Sequence[int],
    chosen: Mapping[str, np.ndarray],
    baseline: str,
    seed: int,
) -> RankerRow:
    found = list(pool.problems.values())

    def over(metric: Callable[[ScoredProblem], float | None]) -> Estimate | None:
        known = [(one, value) for one in found if (value := metric(one)) is not None]
        if not known:
            return None
        column = Column([value for _, value in known], [one.problem.group_id for one, _ in known])
        return Estimate(*resamples.interval([column]), len(known))

    def share(n: int, k: int) -> Estimate:
        having = pool.reaching(n).values()
        column = Column([one.solved(ranker, n, k) for one in having], [one.problem.group_id for one in having])
        return Estimate(*resamples.interval([column]), len(having))

    own, random, oracle = chosen[ranker], chosen["random"], chosen["oracle"]
    per_problem, undefined = gaps_closed(own, random, oracle)
    groups = [one.problem.group_id for one in pool.reaching(ns[-1]).values()]
    scores = np.concatenate([one.scores[ranker] for one in found])
    correct = np.concatenate([one.correct for one in found])
    everyone = [one.problem.group_id for one in found for _ in one.correct]
    area = resamples.auc(scores, correct, everyone)
    calibrated = np.isfinite(scores).all() and len(set(everyone)) > 1 and ranker not in ("random", "oracle")
    return RankerRow(
        ranker=ranker,
        best_of={n: share(n, 1) for n in ns},
        rerank_at={k: share(ns[-1], k) for k in sorted(set(ks))},
        versus=None if ranker == baseline else resamples.interval([Column(own - chosen[baseline], groups)]),
        gap_closed=gap_closed(float(own.mean()), float(random.mean()), float(oracle.mean())),
        gap_per_problem=per_problem,
        gap_undefined=undefined,
        pair_accuracy=over(lambda one: pair_accuracy(one.scores[ranker], one.correct)),
        auc=area and Estimate(*area, len(found)),
        mrr=over(lambda one: reciprocal_rank(one.scores[ranker], one.correct)),
        length_correlation=over(lambda one: length_correlation(one.scores[ranker], one.lengths)),
        calibration=calibrate(scores, correct, everyone, seed=seed) if calibrated else None,
    )


def _programs(programs: Programs, pool: ScoredPool, resamples: ClusterBootstrap) -> ProgramsRow | None:
    """On the problems that the rankers' rows are over; ``None`` where none of those has such a program."""
    shares = {key: share for key, share in solved_by_problem(programs).items() if key in pool.problems}
    if not shares:
        return None
    column = Column(list(shares.values()), [pool.problems[key].problem.group_id for key in shares])
    return ProgramsRow(programs.row, Estimate(*resamples.interval([column]), len(shares)))


def _check_programs(language: str, problems: Sequence[Problem], programs: Sequence[Programs]) -> None:
    twice = [row for row, count in Counter(one.row for one in programs).items() if count > 1]
    if twice:
        raise UserError(f"{first_few(twice)} programs were given twice; give all of a row's programs at once")
    for one in programs:
        check_members(f"{one.row} programs", language, one.candidates, problems)


def _check(
    name: str,
    candidates: Sequence[Candidate],
    problems: Sequence[Problem],
    ns: Sequence[int],
    ks: Sequence[int],
    baseline: str,
    rankers: Sequence[str],
    partial: bool,
) -> None:
    if not ns or any(k < 1 or k > max(ns) for k in ks):
        raise UserError(
            f"pool {name}: needs at least one n, and k from 1 to the largest n; asked for n of "
            f"{', '.join(map(str, ns)) or 'nothing'} and k of {', '.join(map(str, ks)) or 'nothing'}"
        )
    if baseline not in rankers:
        raise UserError(f"the baseline {baseline!r} is none of the rankers: {', '.join(rankers)}")
    revisions = sorted({problem.revision or NOT_RECORDED for problem in problems})
    if len(revisions) > 1:
        raise UserError(
            f"pool {name}: its problems are of several data revisions, {', '.join(revisions)}, and cannot share a "
            "table; load them from one file"
        )
    if not candidates:
        raise UserError(f"pool {name} has no candidates; generate and judge some first")
    check_members(name, candidates[0].language, candidates, problems)
    has = group_by_problem(candidates)
    missing = [problem.id for problem in problems if problem.id not in has]
    if missing and not partial:
        raise UserError(
            f"pool {name} lacks {len(missing)} of {len(problems)} problems ({first_few(missing)}); generate and "
            "judge them, or ask for partial results"
        )


def _check_reached(pool: ScoredPool, ns: Sequence[int]) -> None:
    if not pool.reaching(ns[-1]):
        most = max(len(one.correct) for one in pool.problems.values())
        raise UserError(
            f"pool {pool.name}: n = {ns[-1]} candidates asked, but none of its {len(pool.problems)} problems has "
            f"more than {most} judged ones; ask for a smaller n, or sample more"
        )


def _settings(
    pool: ScoredPool, problems: Sequence[Problem], ns: Sequence[int], baseline: str, bootstrap: int, seed: int
) -> dict[str, Any]:
    sampled = [one.sampled for one in pool.problems.values()]
    return {
        "ns": list(ns),
        "baseline": baseline,
        "bootstrap": bootstrap,
        "seed": seed,
        "asked": len(problems),
        "problems": len(pool.problems),
        "dropped": len(pool.dropped),
        "short": sum(len(one.correct) < ns[-1] for one in pool.problems.values()),
        "partial": pool.partial,
        "reaching": [len(pool.reaching(n)) for n in ns],
        "candidates": pool.candidates,
        "sampled": [min(sampled), max(sampled)],
        "never_judged": pool.never_judged,
        "resampled": sorted(pool.resampled),
        "indifferent": {ranker: [pool.name] for ranker in sorted(pool.indifferent - {"random", "oracle"})},
        "data": next(iter(pool.problems.values())).problem.revision or NOT_RECORDED,
        "language": next(iter(pool.problems.values())).problem.language,
    }
