"""Pools: candidates of many problems in one file, to which the judge adds verdicts and rankers scores."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from rewardranker.errors import UserError
from rewardranker.paths import AnyPath
from rewardranker.problems.fields import Row, check_fields
from rewardranker.problems.io import first_few, numbered_rows, require_folder, row_format, write_rows
from rewardranker.problems.types import Candidate, Problem
from rewardranker.problems.verdict import NEVER_LABELS, Verdict

#: A ranker's scores are a column of this name and the ranker's, ``score_rewardranker_1``. pandas sorts by a column,
#: `datasets` filters by one; a struct or a list comes out of both as one object a row, and `datasets` reads no map.
SCORE = "score_"

SCHEMA = pa.schema(
    [
        pa.field("problem_id", pa.string(), nullable=False),
        pa.field("language", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("code", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("token_ids", pa.list_(pa.int32()), nullable=False),
        pa.field("logprobs", pa.list_(pa.float64()), nullable=False),
        pa.field("finish_reason", pa.string(), nullable=False),
        pa.field("seed", pa.uint64(), nullable=False),
        pa.field("weights_version", pa.int64(), nullable=False),
        pa.field("verdict", pa.string(), nullable=True),
        pa.field("tests_passed", pa.int32(), nullable=False),
        pa.field("tests_total", pa.int32(), nullable=False),
        pa.field("message", pa.string(), nullable=False),
        pa.field("signature", pa.string(), nullable=False),
        pa.field("returns", pa.list_(pa.string()), nullable=False),
        pa.field("passed_generated", pa.list_(pa.int32()), nullable=False),
        pa.field("passed_examples", pa.bool_(), nullable=True),
    ]
)


# Under this key a Parquet pool says which problems it was made for: {"mbpp python": ["ccf64ceae9c5"]}.
_REVISIONS = b"rewardranker.problems"


def write_pool(path: AnyPath, candidates: Sequence[Candidate], problems: Iterable[Problem] = ()) -> None:
    """Writes a pool as ``.parquet`` or ``.jsonl``, atomically; the same candidates give the same bytes.

    In both, the scores of a ranker are a column ``score_<ranker>`` of their own (null, or in JSON lines not there,
    where a candidate has none), and ``verdict`` is null where not judged.

    Args:
        problems: what the candidates are for, and perhaps more; a Parquet file then carries the revisions of their
            data (:func:`pool_revisions`) in its key-value metadata.

    Raises:
        UserError: another suffix.
    """
    revisions = revisions_of(candidates, problems)
    metadata = {_REVISIONS: json.dumps(revisions, sort_keys=True).encode()} if revisions else None
    rankers = dict.fromkeys(name for candidate in candidates for name in candidate.scores)
    schema = pa.schema([*SCHEMA, *(pa.field(SCORE + name, pa.float64()) for name in rankers)], metadata)
    write_rows(path, [_row(candidate) for candidate in candidates], schema)


def pool_revisions(path: AnyPath) -> dict[str, list[str]]:
    """Which data the problems of a pool are from, ``{"mbpp python": ["ccf64ceae9c5"]}``, as its writer left it;
    empty where it left nothing, and for JSON lines, which have no room for it."""
    if Path(path).suffix != ".parquet":
        return {}
    found = (pq.read_schema(path).metadata or {}).get(_REVISIONS)
    return {} if found is None else dict(json.loads(found))


def revisions_of(candidates: Sequence[Candidate], problems: Iterable[Problem]) -> dict[str, list[str]]:
    """Revisions by data set and language, in order, of those of the problems that have candidates."""
    wanted = {candidate.problem_id for candidate in candidates}
    found: dict[str, set[str]] = {}
    for problem in problems:
        if problem.id in wanted:
            found.setdefault(f"{problem.source} {problem.language}", set()).add(problem.revision)
    return {data: sorted(revisions) for data, revisions in sorted(found.items())}


def require_pool_path(option: str, path: AnyPath) -> None:
    """Raises :class:`UserError` where no pool could be written: another suffix, or a folder that is not there.

    For commands, before their work; ``option`` is what the user calls the path.
    """
    try:
        row_format(path)
    except UserError as error:
        raise UserError(f"{option} {error}") from error
    require_folder(option, path)


def read_pool(path: AnyPath, complete: Callable[[Row, str], Row] = lambda row, where: row) -> list[Candidate]:
    """Reads a pool of either format; columns that :class:`Candidate` has defaults for may be absent.

    Scores may also lie in one column ``scores``, as an object or as a list of ``{"ranker", "score"}``, which pools
    once had.

    Args:
        complete: makes a row whole that says less than that; it is also told where the row stands. See
            :func:`rewardranker.programs.given.read_candidates`.

    Raises:
        UserError: no such file, unreadable, a field missing or unknown, an unknown verdict, or a score that is no
            number or is there twice.
    """
    return [_candidate(complete(row, where), where) for where, row in numbered_rows(path)]


def judged_of(pool: Iterable[Candidate]) -> list[Candidate]:
    """Those that the judge could judge; the others say nothing of a program, and belong in no statistic."""
    return [candidate for candidate in pool if candidate.verdict not in NEVER_LABELS]


def group_by_problem(candidates: Sequence[Candidate]) -> dict[str, list[Candidate]]:
    """Candidates by problem id: problems in order of first appearance, candidates in the pool's order."""
    groups: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        groups.setdefault(candidate.problem_id, []).append(candidate)
    return groups


def check_pool(candidates: Sequence[Candidate], problems: Mapping[str, Problem]) -> None:
    """Raises :class:`UserError` for candidates of unknown problems and for scores that are not a number."""
    unknown = [name for name in group_by_problem(candidates) if name not in problems]
    if unknown:
        raise UserError(
            f"the pool has candidates of {len(unknown)} problems that are not among the {len(problems)} "
            f"loaded: {first_few(unknown)}; load the problems that the pool was made from"
        )
    for candidate in candidates:
        bad = [name for name, score in candidate.scores.items() if math.isnan(score)]
        if bad:
            raise UserError(
                f"a candidate of problem {candidate.problem_id} has NaN as its score by {first_few(bad)}; "
                "score the pool again, with a reward model whose training did not diverge"
            )


def _row(candidate: Candidate) -> Row:
    row = dict(vars(candidate))
    row["verdict"] = None if candidate.verdict is None else candidate.verdict.value
    return row | {SCORE + name: score for name, score in row.pop("scores").items()}


def _candidate(row: Row, where: str) -> Candidate:
    parts = {name: value for name, value in row.items() if not name.startswith(SCORE)}
    check_fields(parts, Candidate, where)
    if row.get("verdict") is not None:
        parts["verdict"] = _verdict(row["verdict"], where)
    return Candidate(**parts | {"scores": _scores(row, where)})


def _scores(row: Row, where: str) -> dict[str, float]:
    """By ranker; what is null was not scored."""
    found: dict[str, float] = {}
    columns = [(name.removeprefix(SCORE), value) for name, value in row.items() if name.startswith(SCORE)]
    for name, value in [*_one_column(row.get("scores"), where), *columns]:
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise UserError(f"{where}: the score by {name} must be a number, found {value!r}")
        if name in found:
            raise UserError(f"{where}: there are two scores by {name}, in {SCORE}{name} and in scores: remove one")
        found[name] = float(value)
    return found


def _one_column(stored: Any, where: str) -> list[tuple[str, Any]]:
    """Scores that lie in one column, in one of its forms."""
    if not stored:
        return []
    if isinstance(stored, dict):
        return list(stored.items())
    try:
        return [(str(entry["ranker"]), entry["score"]) for entry in stored]
    except (TypeError, KeyError) as error:
        raise UserError(
            f"{where}: scores must be columns such as {SCORE}rewardranker, or in one column an object "
            f'{{"rewardranker": 0.5}}; found {stored!r:.80}'
        ) from error


def _verdict(name: str, where: str) -> Verdict:
    try:
        return Verdict(name)
    except ValueError as error:
        known = ", ".join(Verdict)
        raise UserError(f"{where}: unknown verdict {name!r}; must be one of {known}") from error
