"""The paper's tables from our pools: HumanEval in eight languages (Table 1), MBPP (Table 2).

Every number is a mean over pool seeds; intervals resample problem groups, so that a problem that is hard in one
language is hard in all eight at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rewardranker.errors import UserError
from rewardranker.evaluation.pools import (
    BenchmarkPool,
    Coverage,
    Programs,
    Provenance,
    check_benchmark_pools,
    check_members,
)
from rewardranker.problems.pool import group_by_problem
from rewardranker.problems.verdict import NEVER_LABELS
from rewardranker.reranking.oracle import OracleRanker
from rewardranker.reranking.protocol import Ranker
from rewardranker.statistics.clusters import ClusterBootstrap, Column, Interval
from rewardranker.statistics.metrics import gap_closed, seed_standard_error
from rewardranker.tables.benchmark.paper import paper_table
from rewardranker.tables.benchmark.tables import AVERAGE, COMMON, BenchmarkTable, LanguageFacts, Score, SystemRow
from rewardranker.tables.fixed_programs import solved_by_problem
from rewardranker.tables.scored import DRAWS, Chance, ScoredPool, score_pool

Key = tuple[str, str, int]  # generator, language, seed


@dataclass(frozen=True)
class _Values:
    """One system in one language: ``[seeds, problems]``, with the seeds and the problems' ids."""

    seeds: tuple[int, ...]
    ids: tuple[str, ...]
    values: np.ndarray

    def on(self, ids: Sequence[str]) -> np.ndarray:
        """``[seeds, ids]``."""
        at = {name: i for i, name in enumerate(self.ids)}
        return self.values[:, [at[name] for name in ids]]


System = Mapping[str, _Values]  # by language


def build_benchmark_table(
    pools: Sequence[BenchmarkPool],
    rankers: Sequence[Ranker],
    n: int,
    provenance: Provenance,
    programs: Sequence[Programs] = (),
    ceilings: Mapping[str, tuple[int, int]] | None = None,
    baseline: str = "random",
    bootstrap: int = 10_000,
    seed: int = 0,
    draws: int = DRAWS,
    partial: bool = False,
) -> BenchmarkTable:
    """Ranks every pool with every ranker, which chooses one of ``n`` candidates.

    Random pick and oracle are always there and need not be passed. Pools may hold more than ``n`` candidates of
    a problem: the number is then the expectation over which ``n`` are drawn (in closed form; over
    ``draws`` draws for rankers that compare candidates with each other).

    Args:
        pools: of one benchmark; any generators, languages and seeds.
        programs: greedy answers and guards.
        ceilings: (solvable, total) by language.
        baseline: the ranker that others are compared with, on the same pools.
        bootstrap: resamples of problem groups.
        seed: of the bootstrap and of the draws.
        partial: go on with the problems that all pools of a language share, and of which each has ``n`` judged
            candidates; the others are left out of every row, and counted.

    Raises:
        UserError: see :func:`check_benchmark_pools` and :func:`rewardranker.tables.scored.score_pool`; a
            baseline that is no row; programs in a language without a pool, or of other problems.
    """
    coverage = check_benchmark_pools(pools, partial)
    asked: list[Ranker] = [Chance(), *(r for r in rankers if r.name not in ("random", "oracle")), OracleRanker()]
    if baseline not in [ranker.name for ranker in asked]:
        raise UserError(f"the baseline {baseline!r} is none of the rankers: {', '.join(r.name for r in asked)}")
    _check_programs(programs, pools)
    scored = {
        (pool.generator, pool.language, pool.seed): _score(
            pool, coverage[pool.language], asked, n, seed, draws, partial
        )
        for pool in pools
        if _judgeable(pool)
    }
    if not scored:
        raise UserError(f"none of the {len(pools)} pools has a candidate that could be judged; see their verdicts")
    used = _used(pools, scored, coverage, n)
    builder = _Builder(pools, used, bootstrap, seed)
    rows: list[SystemRow] = []
    for generator in dict.fromkeys(pool.generator for pool in pools):
        systems = {ranker.name: _ranked(scored, generator, ranker.name, n, used) for ranker in asked}
        greedy = _fixed([p for p in programs if (p.row, p.generator) == ("greedy", generator)], used)
        if greedy:
            systems = {"random": systems["random"], "greedy": greedy, **systems}
        against = {"baseline": systems[baseline], "random": systems["random"], "oracle": systems["oracle"]}
        for name, system in systems.items():
            if system:
                rows.append(builder.row(generator, name, system, against, name == baseline))
    for guard in dict.fromkeys(p.row for p in programs if p.row != "greedy"):
        rows.append(builder.row("", guard, _fixed([p for p in programs if p.row == guard], used)))
    paper = paper_table(pools[0].benchmark)
    return BenchmarkTable(
        name=paper.name,
        benchmark=paper.benchmark,
        columns=list(dict.fromkeys([*paper.problems, *coverage])),
        rows=rows,
        paper=list(paper.rows),
        languages={one: _facts(one, pools, scored, coverage[one], used, n, ceilings or {}) for one in coverage},
        common=len(builder.common),
        settings=_settings(pools, scored, n, baseline, bootstrap, seed, draws, provenance),
    )


class _Builder:
    """Turns values by problem into rows, all against the same resamples of problem groups."""

    def __init__(
        self, pools: Sequence[BenchmarkPool], used: Mapping[str, Sequence[str]], bootstrap: int, seed: int
    ) -> None:
        self._languages = list(used)
        self._group_of = {(p.language, one.id): one.group_id for p in pools for one in p.problems}
        groups = {lang: [self._group_of[lang, name] for name in ids] for lang, ids in used.items()}
        self.common = set.intersection(*map(set, groups.values()))
        self._bootstrap = ClusterBootstrap([g for found in groups.values() for g in found], bootstrap, seed)

    def row(
        self,
        generator: str,
        ranker: str,
        system: System,
        against: Mapping[str, System] | None = None,
        is_baseline: bool = False,
    ) -> SystemRow:
        """``against``: the generator's ``baseline``, ``random`` and ``oracle``; ``None`` for guards."""
        scores = {one: self._score({one: values}, against, is_baseline) for one, values in system.items()}
        if set(system) == set(self._languages) and len(system) > 1:
            scores[AVERAGE] = self._score(system, against, is_baseline)
            shared = {one: self._common_part(one, values) for one, values in system.items()}
            if all(values.ids for values in shared.values()):
                scores[COMMON] = self._score(shared, against, is_baseline)
        return SystemRow(generator, ranker, scores)

    def _common_part(self, language: str, values: _Values) -> _Values:
        ids = tuple(name for name in values.ids if self._group_of[language, name] in self.common)
        return _Values(values.seeds, ids, values.on(ids))

    def _score(self, system: System, against: Mapping[str, System] | None, is_baseline: bool) -> Score:
        """The mean over languages of their means over problems and seeds."""
        own = {one: values.values.mean(axis=0) for one, values in system.items()}
        solved, low, high = self._interval(system, own)
        versus, gap = None, None
        if against is not None:
            other = {
                name: {one: found[one].on(values.ids).mean(axis=0) for one, values in system.items()}
                for name, found in against.items()
            }
            if not is_baseline:
                versus = self._interval(system, {one: own[one] - other["baseline"][one] for one in own})
            random, oracle = (
                float(np.mean([x.mean() for x in other[name].values()])) for name in ("random", "oracle")
            )
            gap = gap_closed(solved, random, oracle)
        seeds = {values.seeds for values in system.values()}
        by_seed = [values.values.mean(axis=1) for values in system.values()]
        return Score(
            solved=solved,
            low=low,
            high=high,
            problems=sum(len(values.ids) for values in system.values()),
            seeds=min(map(len, seeds)),
            seed_error=seed_standard_error(np.mean(by_seed, axis=0)) if len(seeds) == 1 else None,
            versus=versus,
            gap_closed=gap,
        )

    def _interval(self, system: System, values: Mapping[str, np.ndarray]) -> Interval:
        """Of ``values``, ``[problems]`` by language, for the problems that ``system`` has."""
        return self._bootstrap.interval(
            [Column(values[one], [self._group_of[one, name] for name in found.ids]) for one, found in system.items()]
        )


def _score(
    pool: BenchmarkPool, coverage: Coverage, rankers: Sequence[Ranker], n: int, seed: int, draws: int, partial: bool
) -> ScoredPool:
    groups = group_by_problem(pool.candidates)
    kept = {name: groups[name] for name in coverage.common}
    return score_pool(pool.name, kept, {p.id: p for p in pool.problems}, rankers, [n], seed, draws, partial)


def _judgeable(pool: BenchmarkPool) -> bool:
    return any(candidate.verdict not in NEVER_LABELS for candidate in pool.candidates)


def _used(
    pools: Sequence[BenchmarkPool], scored: Mapping[Key, ScoredPool], coverage: Mapping[str, Coverage], n: int
) -> dict[str, list[str]]:
    """Ids by language: problems that count at ``n`` in every pool. Languages without any are left out."""
    used = {}
    for language, found in coverage.items():
        own = [scored.get((p.generator, p.language, p.seed)) for p in pools if p.language == language]
        ids = [name for name in found.common if all(pool is not None and name in pool.reaching(n) for pool in own)]
        if ids:
            used[language] = ids
    if not used:
        partial = any(pool.partial for pool in scored.values())
        wanted = (
            f"n = {n} judged candidates; ask for a smaller n, or sample more" if partial else "a judged candidate"
        )
        raise UserError(f"the {len(pools)} pools share no problem of which each has {wanted}")
    return used


def _ranked(
    scored: Mapping[Key, ScoredPool], generator: str, ranker: str, n: int, used: Mapping[str, Sequence[str]]
) -> dict[str, _Values]:
    system = {}
    for language, ids in used.items():
        seeds = sorted(key[2] for key in scored if key[:2] == (generator, language))
        if seeds:
            values = [
                [scored[generator, language, one].problems[name].solved(ranker, n) for name in ids] for one in seeds
            ]
            system[language] = _Values(tuple(seeds), tuple(ids), np.array(values))
    return system


def _fixed(programs: Sequence[Programs], used: Mapping[str, Sequence[str]]) -> dict[str, _Values]:
    """Programs that nobody chose: a problem's value is the share of them that is correct."""
    system = {}
    for one in programs:
        if one.language not in used:
            continue
        shares = solved_by_problem(one)
        ids = tuple(name for name in used[one.language] if name in shares)
        if ids:
            system[one.language] = _Values((0,), ids, np.array([[shares[name] for name in ids]]))
    return system


def _check_programs(programs: Sequence[Programs], pools: Sequence[BenchmarkPool]) -> None:
    seen = set()
    for one in programs:
        name = f"{one.row} programs in {one.language}" + (f" of {one.generator}" if one.generator else "")
        own = [p for p in pools if p.language == one.language and one.generator in ("", p.generator)]
        if not own or (one.row == "greedy" and not one.generator):
            there = ", ".join(sorted({f"{p.generator} in {p.language}" for p in pools}))
            raise UserError(f"{name}: there is no pool that they belong to; there are pools of {there}")
        if (one.row, one.generator, one.language) in seen:
            raise UserError(f"{name} were given twice; give all of a row's programs in a language at once")
        seen.add((one.row, one.generator, one.language))
        check_members(name, one.language, one.candidates, [problem for pool in own for problem in pool.problems])


def _facts(
    language: str,
    pools: Sequence[BenchmarkPool],
    scored: Mapping[Key, ScoredPool],
    coverage: Coverage,
    used: Mapping[str, Sequence[str]],
    n: int,
    ceilings: Mapping[str, tuple[int, int]],
) -> LanguageFacts:
    ids = used.get(language, [])
    own = [scored.get((p.generator, p.language, p.seed)) for p in pools if p.language == language]
    judged_in_all = [name for name in coverage.common if all(pool and name in pool.problems for pool in own)]
    candidates = [c for pool in pools if pool.language == language for c in pool.candidates]
    return LanguageFacts(
        asked=coverage.asked,
        used=len(ids),
        unjudged=len(coverage.common) - len(judged_in_all),
        short=sum(any(pool and len(pool.problems[name].correct) < n for pool in own) for name in ids),
        left_out=len(judged_in_all) - len(ids),
        candidates=len(candidates),
        never_judged={str(v): sum(c.verdict == v for c in candidates) for v in sorted(NEVER_LABELS)},
        revision=coverage.revision,
        ceiling=ceilings.get(language),
    )


def _settings(
    pools: Sequence[BenchmarkPool],
    scored: Mapping[Key, ScoredPool],
    n: int,
    baseline: str,
    bootstrap: int,
    seed: int,
    draws: int,
    provenance: Provenance,
) -> dict[str, Any]:
    sampled = [problem.sampled for pool in scored.values() for problem in pool.problems.values()]
    indifferent: dict[str, list[str]] = {}
    for pool in scored.values():
        for ranker in sorted(pool.indifferent - {"random", "oracle"}):
            indifferent.setdefault(ranker, []).append(pool.name)
    seeds: dict[str, dict[str, list[int]]] = {}
    for pool_input in pools:
        seeds.setdefault(pool_input.generator, {}).setdefault(pool_input.language, []).append(pool_input.seed)
    return {
        "n": n,
        "sampled": [min(sampled), max(sampled)],
        "seeds": {generator: {one: sorted(s) for one, s in found.items()} for generator, found in seeds.items()},
        "baseline": baseline,
        "bootstrap": bootstrap,
        "bootstrap_seed": seed,
        "draws": draws,
        "resampled": sorted({ranker for pool in scored.values() for ranker in pool.resampled}),
        "indifferent": indifferent,
        "temperature": provenance.temperature,
        "top_k": provenance.top_k,
        "top_p": provenance.top_p,
        "harness": provenance.harness,
        "toolchains": dict(provenance.toolchains),
        "more": dict(provenance.more),
    }
