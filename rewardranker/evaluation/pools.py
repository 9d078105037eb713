"""What goes into a benchmark's table, and what is refused because its numbers could not be compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rewardranker.errors import UserError
from rewardranker.problems.io import first_few
from rewardranker.problems.pool import check_pool, group_by_problem
from rewardranker.problems.types import Candidate, Problem

NOT_RECORDED = "not recorded"  # in place of a revision; problems that have one are of another


@dataclass(frozen=True)
class BenchmarkPool:
    """What one generator sampled for one benchmark in one language with one seed, judged.

    Attributes:
        benchmark: ``humaneval``, ``mbpp`` or another, as ``paper_table`` (``paper.py``) has them.
        generator: its name for people.
        seed: of the sampling; several make the table's standard errors.
        problems: all that were asked, whether the pool has candidates of them or not.
        data_revision: what was recorded with the pool when it was made; empty where nothing was. Not what the
            caller has now: that is in ``problems``, and a table is refused where the two differ.
    """

    benchmark: str
    language: str
    generator: str
    seed: int
    problems: Sequence[Problem]
    candidates: Sequence[Candidate]
    data_revision: str = ""

    @property
    def name(self) -> str:
        return f"{self.generator}, {self.language}, seed {self.seed}"


@dataclass(frozen=True)
class Programs:
    """Judged programs that no ranker chose: greedy answers, or guards.

    Attributes:
        row: ``greedy``, ``gold`` (reference solutions, which must reach the ceiling) or ``cheat`` (programs that
            return a constant, which must solve nothing).
        generator: whose greedy answers; empty for guards.
    """

    row: str
    language: str
    candidates: Sequence[Candidate]
    generator: str = ""


@dataclass(frozen=True)
class Provenance:
    """What a reader needs to repeat a table, beside what it says of itself.

    Attributes:
        temperature: of sampling; ``None`` where it is not known.
        harness: how prompts, extraction and judging were done, with a version.
        toolchains: version by tool or language.
        more: further names and values, e.g. checkpoints.
    """

    temperature: float | None
    harness: str
    toolchains: Mapping[str, str]
    top_k: int | None = None
    top_p: float | None = None
    more: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Coverage:
    """What of one language is in the table.

    Attributes:
        asked: problems that any pool was asked.
        common: ids of those that every pool has candidates of; all the others are left out of every row.
        revision: of the data, the one and only.
    """

    asked: int
    common: tuple[str, ...]
    revision: str


def check_benchmark_pools(pools: Sequence[BenchmarkPool], partial: bool) -> dict[str, Coverage]:
    """What the pools have in common, by language.

    Args:
        partial: go on with the problems that all pools of a language share, instead of refusing.

    Raises:
        UserError: no pool, several benchmarks, two pools of the same generator, language and seed, a candidate
            in another language or of an unknown problem, a NaN score, mixed data revisions, or (unless
            ``partial``) problems that a pool lacks.
    """
    if not pools:
        raise UserError("a table needs at least one pool; there is none")
    benchmarks = sorted({pool.benchmark for pool in pools})
    if len(benchmarks) > 1:
        raise UserError(f"a table is of one benchmark; the pools are of {', '.join(benchmarks)}: make one table each")
    twice = [key for key, n in Counter((p.generator, p.language, p.seed) for p in pools).items() if n > 1]
    if twice:
        raise UserError(
            f"two pools of {twice[0][0]} in {twice[0][1]} with seed {twice[0][2]}: the same seed twice is one pool; "
            "pass one of them, or sample with another seed"
        )
    by_language: dict[str, list[BenchmarkPool]] = {}
    for pool in pools:
        check_members(pool.name, pool.language, pool.candidates, pool.problems)
        by_language.setdefault(pool.language, []).append(pool)
    return {language: _coverage(language, found, partial) for language, found in by_language.items()}


def check_members(name: str, language: str, candidates: Iterable[Candidate], problems: Sequence[Problem]) -> None:
    """Raises :class:`UserError` for candidates or problems in another language, and as :func:`check_pool`."""
    found = list(candidates)
    other = sorted({c.language for c in found}.union(p.language for p in problems) - {language})
    if other:
        raise UserError(f"pool {name}: has programs or problems in {', '.join(other)}; make one pool per language")
    check_pool(found, {problem.id: problem for problem in problems})


def _coverage(language: str, pools: Sequence[BenchmarkPool], partial: bool) -> Coverage:
    revision = _revision(language, pools)
    asked = list(dict.fromkeys(problem.id for pool in pools for problem in pool.problems))
    lacking = {}
    common = set(asked)
    for pool in pools:
        has = set(group_by_problem(pool.candidates))
        common &= has
        missing = [name for name in asked if name not in has]
        if missing:
            lacking[pool.name] = missing
    if lacking and not partial:
        name, missing = next(iter(lacking.items()))
        raise UserError(
            f"{len(lacking)} of {len(pools)} {language} pools lack problems that others have or that were asked: "
            f"{name} lacks {len(missing)} of {len(asked)} ({first_few(missing)}); generate and judge them, or ask "
            "for partial results on the problems that all pools share"
        )
    if not common:
        raise UserError(
            f"the {len(pools)} {language} pools share no problem of the {len(asked)} that were asked; a table "
            "compares on the same problems"
        )
    return Coverage(len(asked), tuple(name for name in asked if name in common), revision)


def _revision(language: str, pools: Sequence[BenchmarkPool]) -> str:
    """Of one language: another one's problems come from another file, which has a revision of its own."""
    found: dict[str, str] = {}
    for pool in pools:
        recorded = [pool.data_revision] if pool.data_revision else []
        for revision in [*(problem.revision or NOT_RECORDED for problem in pool.problems), *recorded]:
            found.setdefault(revision, pool.name)
    if len(found) > 1:
        where = "; ".join(f"{revision} ({name})" for revision, name in found.items())
        raise UserError(
            f"{language} pools of different data revisions cannot share a table: {where}; judge all of them "
            "against the same file"
        )
    return next(iter(found), NOT_RECORDED)
