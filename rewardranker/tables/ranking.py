"""From judged pools to rows: every ranker on the same problems, against the same resamples of problem groups.

Every number is a mean over pool seeds; intervals resample problem groups, so that a problem that is hard in one
language is hard in all of them at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rewardranker.errors import UserError
from rewardranker.evaluation.pools import GREEDY, Entries, JudgedPool, Shared, Submission, check_entries
from rewardranker.problems.pool import group_by_problem
from rewardranker.problems.verdict import NEVER_LABELS
from rewardranker.reranking.baselines import OracleRanker
from rewardranker.reranking.protocol import Ranker
from rewardranker.statistics.clusters import ClusterBootstrap, Column, Interval
from rewardranker.statistics.metrics import gap_closed, seed_standard_error
from rewardranker.tables.ranked import Chance, Method, RankedPool, RankedProblem, rank_pool
from rewardranker.tables.rows import AVERAGE, COMMON, Coverage, Estimate, Row, Score
from rewardranker.tables.submissions import solved_by_problem

ENDS = ("random", "oracle")  # between them lie all others; no table needs to be given them
Ids = Mapping[str, Sequence[str]]  # of problems, by language


@dataclass(frozen=True)
class Values:
    """One system in one language: ``[seeds, problems]``, with the seeds and the problems' ids."""

    seeds: tuple[int, ...]
    ids: tuple[str, ...]
    values: np.ndarray

    def on(self, ids: Sequence[str]) -> np.ndarray:
        """``[seeds, ids]``."""
        at = {name: i for i, name in enumerate(self.ids)}
        return self.values[:, [at[name] for name in ids]]


@dataclass(frozen=True)
class System:
    """What is compared: a ranker's choices of ``n`` candidates, or a submission; its values by language."""

    n: int
    values: Mapping[str, Values]

    def part(self, ids: Ids) -> System:
        """In the languages and on the problems of ``ids``."""
        found = {
            one: Values(self.values[one].seeds, tuple(names), self.values[one].on(names))
            for one, names in ids.items()
        }
        return System(self.n, found)

    def means(self, ids: Ids) -> dict[str, np.ndarray]:
        """``[problems]`` by language, over seeds."""
        return {one: self.values[one].on(names).mean(axis=0) for one, names in ids.items()}


Systems = Mapping[str, System]  # of one generator, by name of the row


class Ranking:
    """Pools that every ranker was asked about; random pick and oracle are always there.

    Args:
        ns: how many candidates rankers will choose from; none: all that a problem has.

    Raises:
        UserError: see :func:`check_entries` and :func:`rank_pool`; a baseline that is no ranker; or nothing that
            could be judged.
    """

    def __init__(self, entries: Entries, rankers: Sequence[Ranker], ns: Sequence[int], method: Method) -> None:
        self.entries, self.method = entries, method
        self.rankers = [Chance(), *(r for r in rankers if r.name not in ENDS), OracleRanker()]
        names = [ranker.name for ranker in self.rankers]
        self._shared = check_entries(entries, method.partial)
        if method.baseline not in names:
            raise UserError(f"the baseline {method.baseline!r} is none of the rankers: {', '.join(names)}")
        judgeable = [pool for pool in entries.pools if any(c.verdict not in NEVER_LABELS for c in pool.candidates)]
        self._pools = {_key(pool): self._ranked(pool, ns) for pool in judgeable}
        if not self._pools:
            raise UserError(
                f"none of the {len(entries.pools)} pools has a candidate that could be judged; see their verdicts"
            )
        sampled = [problem.sampled for pool in self._pools.values() for problem in pool.problems.values()]
        self.sampled = (min(sampled), max(sampled))

    def _ranked(self, pool: JudgedPool, ns: Sequence[int]) -> RankedPool:
        groups = group_by_problem(pool.candidates)
        kept = {name: groups[name] for name in self._shared[pool.language].ids}
        return rank_pool(pool.name, kept, {p.id: p for p in pool.problems}, self.rankers, ns, self.method)

    def reaching(self, n: int) -> dict[str, list[str]]:
        """Problems that count at ``n`` in every pool. Languages without any are left out."""
        found = {}
        for language, shared in self._shared.items():
            own = self._of(language)
            ids = [name for name in shared.ids if all(pool is not None and name in pool.reaching(n) for pool in own)]
            if ids:
                found[language] = ids
        if not found:
            judged = "a judged candidate"
            if self.method.partial:
                judged = f"n = {n} judged candidates; ask for a smaller n, or sample more"
            raise UserError(f"the {len(self.entries.pools)} pools share no problem of which each has {judged}")
        return found

    def systems(self, generator: str, n: int, ids: Ids, k: int = 1) -> dict[str, System]:
        """Every ranker on one generator's pools; the generator's greedy answers after the random pick.

        Args:
            k: a problem counts as solved where one of the ``k`` best of ``n`` is correct.
        """
        found = {ranker.name: System(n, self._values(generator, ranker.name, ids, (n, k))) for ranker in self.rankers}
        own = [one for one in self.entries.submissions if (one.row, one.generator) == (GREEDY, generator)]
        greedy = self.submitted(own, ids)
        return {"random": found["random"], GREEDY: greedy, **found} if greedy.values else found

    def guards(self, ids: Ids) -> dict[str, System]:
        """By row, in the order in which they were entered."""
        rows = dict.fromkeys(one.row for one in self.entries.submissions if one.row != GREEDY)
        return {row: self.submitted([p for p in self.entries.submissions if p.row == row], ids) for row in rows}

    def submitted(self, submissions: Sequence[Submission], ids: Ids) -> System:
        """A problem's value is the share of its programs that is correct."""
        found = {}
        for one in submissions:
            shares = solved_by_problem(one)
            names = tuple(name for name in ids.get(one.language, ()) if name in shares)
            if names:
                found[one.language] = Values((0,), names, np.array([[shares[name] for name in names]]))
        return System(1, found)

    def problems(self) -> list[RankedProblem]:
        """Of the one pool, where there is one."""
        (pool,) = self._pools.values()
        return list(pool.problems.values())

    def _values(self, generator: str, ranker: str, ids: Ids, choice: tuple[int, int]) -> dict[str, Values]:
        found, (n, k) = {}, choice
        for language, names in ids.items():
            pools = {key[2]: pool for key, pool in self._pools.items() if key[:2] == (generator, language)}
            if pools:
                seeds = tuple(sorted(pools))
                values = [[pools[seed].problems[name].solved(ranker, n, k) for name in names] for seed in seeds]
                found[language] = Values(seeds, tuple(names), np.array(values))
        return found

    def _of(self, language: str) -> list[RankedPool | None]:
        """``None`` for a pool of which nothing could be judged."""
        return [self._pools.get(_key(pool)) for pool in self.entries.pools if pool.language == language]

    def coverage(self, ids: Ids, n: int) -> dict[str, Coverage]:
        """By language, of rows over ``ids``."""
        return {one: self._coverage(one, shared, ids.get(one, ()), n) for one, shared in self._shared.items()}

    def _coverage(self, language: str, shared: Shared, ids: Sequence[str], n: int) -> Coverage:
        own = self._of(language)
        judged = [name for name in shared.ids if all(pool and name in pool.problems for pool in own)]
        candidates = [c for pool in self.entries.pools if pool.language == language for c in pool.candidates]
        return Coverage(
            asked=shared.asked,
            used=len(ids),
            unjudged=len(shared.ids) - len(judged),
            short=sum(any(pool and len(pool.problems[name].correct) < n for pool in own) for name in ids),
            left_out=len(judged) - len(ids),
            candidates=len(candidates),
            never_judged={str(v): sum(c.verdict == v for c in candidates) for v in sorted(NEVER_LABELS)},
            revision=shared.revision,
            ceiling=self.entries.ceilings.get(language),
        )

    def settings(self, n: int) -> dict[str, Any]:
        """How the numbers came about, plain JSON values."""
        method, indifferent, seeds = self.method, dict[str, list[str]](), dict[str, dict[str, list[int]]]()
        for pool in self._pools.values():
            for ranker in sorted(pool.indifferent.difference(ENDS)):
                indifferent.setdefault(ranker, []).append(pool.name)
        for entered in self.entries.pools:
            seeds.setdefault(entered.generator, {}).setdefault(entered.language, []).append(entered.seed)
        return {
            "n": n,
            "sampled": list(self.sampled),
            "seeds": {generator: {one: sorted(s) for one, s in found.items()} for generator, found in seeds.items()},
            "baseline": method.baseline,
            "bootstrap": method.bootstrap,
            "bootstrap_seed": method.seed,
            "draws": method.draws,
            "resampled": sorted({ranker for pool in self._pools.values() for ranker in pool.resampled}),
            "indifferent": indifferent,
        }


class Scorer:
    """Turns systems into rows, all against the same resamples of the groups of ``ids``."""

    def __init__(self, ranking: Ranking, ids: Ids) -> None:
        self._languages, self._baseline = list(ids), ranking.method.baseline
        self._group = {(p.language, one.id): one.group_id for p in ranking.entries.pools for one in p.problems}
        groups = {one: [self._group[one, name] for name in names] for one, names in ids.items()}
        self.common = set.intersection(*map(set, groups.values()))
        everyone = [group for found in groups.values() for group in found]
        self.bootstrap = ClusterBootstrap(everyone, ranking.method.bootstrap, ranking.method.seed)

    def row(self, generator: str, ranker: str, system: System, against: Systems | None = None) -> Row:
        """In every language, and over all of them where the system has them all.

        Args:
            against: all systems of the generator; ``None`` for guards.
        """
        ids = {one: values.ids for one, values in system.values.items()}
        scores = {one: self.score(ranker, system, {one: names}, against) for one, names in ids.items()}
        if set(ids) == set(self._languages) and len(ids) > 1:
            scores[AVERAGE] = self.score(ranker, system, ids, against)
            shared = {one: [n for n in names if self._group[one, n] in self.common] for one, names in ids.items()}
            if all(shared.values()):
                scores[COMMON] = self.score(ranker, system, shared, against)
        return Row(generator, ranker, scores)

    def score(self, ranker: str, system: System, ids: Ids, against: Systems | None = None) -> Score:
        """The mean over languages of their means over problems and seeds."""
        own, part = system.means(ids), system.part(ids).values.values()
        solved, low, high = self._interval(own, ids)
        versus, gap = None, None
        if against is not None:
            if ranker != self._baseline:
                other = against[self._baseline].means(ids)
                versus = self._interval({one: own[one] - other[one] for one in own}, ids)
            random, oracle = (
                float(np.mean([values.mean() for values in against[end].means(ids).values()])) for end in ENDS
            )
            gap = gap_closed(solved, random, oracle)
        seeds = {values.seeds for values in part}
        by_seed = [values.values.mean(axis=1) for values in part]
        return Score(
            solved=solved,
            low=low,
            high=high,
            problems=sum(map(len, ids.values())),
            n=system.n,
            seeds=min(map(len, seeds)),
            seed_error=seed_standard_error(np.mean(by_seed, axis=0)) if len(seeds) == 1 else None,
            versus=versus,
            gap_closed=gap,
        )

    def estimate(
        self, problems: Iterable[RankedProblem], metric: Callable[[RankedProblem], float | None]
    ) -> Estimate | None:
        """The mean over the problems of one pool for which the metric is defined; ``None`` where it is for none."""
        known = [(one.problem.group_id, value) for one in problems if (value := metric(one)) is not None]
        if not known:
            return None
        groups, values = zip(*known, strict=True)
        return Estimate(*self.bootstrap.interval([Column(values, groups)]), len(known))

    def _interval(self, values: Mapping[str, np.ndarray], ids: Ids) -> Interval:
        """Of ``values``, ``[problems]`` by language."""
        return self.bootstrap.interval(
            [Column(values[one], [self._group[one, name] for name in names]) for one, names in ids.items()]
        )


def _key(pool: JudgedPool) -> tuple[str, str, int]:
    return pool.generator, pool.language, pool.seed
