"""What is entered in a table, and what is refused because its numbers could not be compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rewardranker.errors import UserError
from rewardranker.problems.io import first_few
from rewardranker.problems.pool import check_pool, group_by_problem
from rewardranker.problems.types import Candidate, Problem

GREEDY = "greedy"
NOT_RECORDED = "not recorded"  # in place of a revision; problems that have one are of another


@dataclass(frozen=True)
class JudgedPool:
    """What one generator sampled for one benchmark in one language with one seed, judged.

    Attributes:
        benchmark: ``humaneval``, ``mbpp`` or another, as ``paper_table`` (``tables/paper.py``) has them; in the
            cycle, where its problems come from.
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
class Submission:
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
class Entries:
    """Everything that one table is made from.

    Attributes:
        pools: of one benchmark; any generators, languages and seeds.
        ceilings: (solvable, total) problems of the whole benchmark by language, by which references are judged.
        mixed: problems of a pool may be of several languages and data revisions. So it is in a cycle, where all pools
            are of the same ones.
    """

    pools: Sequence[JudgedPool]
    submissions: Sequence[Submission] = ()
    ceilings: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    mixed: bool = False


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
class Shared:
    """What the pools of one language have in common.

    Attributes:
        asked: problems that any pool was asked.
        ids: those that every pool has candidates of; all the others are left out of every row.
        revision: of the data; one, but in a mixed pool.
    """

    asked: int
    ids: tuple[str, ...]
    revision: str


def check_entries(entries: Entries, partial: bool) -> dict[str, Shared]:
    """What the pools have in common, by language.

    Args:
        partial: go on with the problems that all pools of a language share, instead of refusing.

    Raises:
        UserError: no pool, several benchmarks, two pools of the same generator, language and seed, a candidate
            in another language or of an unknown problem, mixed data revisions, or (unless ``partial``) problems that
            a pool or a generator's greedy answers lack; a submission in a language without a pool, of other problems,
            or given twice.
    """
    pools = entries.pools
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
    by_language: dict[str, list[JudgedPool]] = {}
    for pool in pools:
        _check_members(pool.name, "" if entries.mixed else pool.language, pool.candidates, pool.problems)
        by_language.setdefault(pool.language, []).append(pool)
    _check_submissions(entries, partial)
    if not entries.mixed:
        for language, found in by_language.items():
            _check_revision(language, found)
    return {language: _shared(language, found, partial) for language, found in by_language.items()}


def _check_members(name: str, language: str, candidates: Sequence[Candidate], problems: Sequence[Problem]) -> None:
    """Raises :class:`UserError` for members in another language (empty: any), and as :func:`check_pool`."""
    other = sorted({c.language for c in candidates}.union(p.language for p in problems) - {language})
    if language and other:
        raise UserError(f"pool {name}: has programs or problems in {', '.join(other)}; make one pool per language")
    check_pool(candidates, {problem.id: problem for problem in problems})


def _check_submissions(entries: Entries, partial: bool) -> None:
    seen = set()
    for one in entries.submissions:
        name = f"{one.row} programs in {one.language}" + (f" of {one.generator}" if one.generator else "")
        own = [p for p in entries.pools if p.language == one.language and one.generator in ("", p.generator)]
        if not own or (one.row == GREEDY and not one.generator):
            there = ", ".join(sorted({f"{p.generator} in {p.language}" for p in entries.pools}))
            raise UserError(f"{name}: there is no pool that they belong to; there are pools of {there}")
        if (one.row, one.generator, one.language) in seen:
            raise UserError(f"{name} were given twice; give all of a row's programs in a language at once")
        seen.add((one.row, one.generator, one.language))
        problems = {problem.id: problem for pool in own for problem in pool.problems}
        language = "" if entries.mixed else one.language
        _check_members(name, language, one.candidates, list(problems.values()))
        answered = {candidate.problem_id for candidate in one.candidates}
        missing = [key for key in problems if key not in answered]
        if one.row == GREEDY and missing and not partial:
            raise UserError(
                f"{name}: {len(missing)} of {len(problems)} problems have no judged greedy candidate "
                f"({first_few(missing)}); generate and judge one for each, or pass none"
            )


def _shared(language: str, pools: Sequence[JudgedPool], partial: bool) -> Shared:
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
    return Shared(len(asked), tuple(name for name in asked if name in common), ", ".join(_revisions(pools)))


def _check_revision(language: str, pools: Sequence[JudgedPool]) -> None:
    """Of one language: another one's problems come from another file, which has a revision of its own."""
    found: dict[str, str] = {}
    for pool in pools:
        for revision in _revisions([pool]) + ([pool.data_revision] if pool.data_revision else []):
            found.setdefault(revision, pool.name)
    if len(found) > 1:
        where = "; ".join(f"{revision} ({name})" for revision, name in found.items())
        raise UserError(
            f"{language} pools of different data revisions cannot share a table: {where}; judge all of them "
            "against the same file"
        )


def _revisions(pools: Sequence[JudgedPool]) -> list[str]:
    return list(dict.fromkeys(problem.revision or NOT_RECORDED for pool in pools for problem in pool.problems))
