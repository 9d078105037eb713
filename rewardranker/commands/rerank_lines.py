"""Candidate lines of a benchmark as candidates that rankers can read, and back to lines, ordered."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from rewardranker.commands.judge_files import CandidateLine
from rewardranker.errors import UserError
from rewardranker.paths import AnyPath
from rewardranker.problems.types import Candidate
from rewardranker.problems.verdict import Verdict
from rewardranker.programs import extract

Row = dict[str, Any]


def candidates_of(lines: Sequence[CandidateLine], path: AnyPath) -> list[Candidate]:
    """A candidate for each line, with what rankers read of it: ``logprobs``, ``verdict``, ``signature``, ``returns``,
    ``passed_generated`` and ``passed_examples``, where the line has them.

    Raises:
        UserError: one of these is not what it should be; names the candidate by its place in the file.
    """
    candidates = []
    for place, line in enumerate(lines, 1):
        candidate = Candidate(
            problem_id=line.problem.id,
            language=line.problem.language,
            text=line.text,
            code=extract(line.problem, line.text),
            source=Path(path).name,
        )
        for name, (holds, kind) in _FIELDS.items():
            value = line.row.get(name)
            if value is None:
                continue
            if not holds(value):
                where = f"{path}, candidate {place} (of {line.problem.id})"
                raise UserError(f"{where}: {name} must be {kind}, found {str(value)[:60]!r}")
            setattr(candidate, name, Verdict(value) if name == "verdict" else value)
        candidates.append(candidate)
    return candidates


def ranked_rows(
    lines: Sequence[CandidateLine], pool: Sequence[Candidate], ordered: Sequence[Candidate], ranker: str
) -> Iterator[Row]:
    """The given lines in the new order, each with ``ranker``, ``score`` (null for minus infinity, which JSON does not
    know) and ``rank`` (1 for the best of its problem)."""
    rows = {id(candidate): line.row for candidate, line in zip(pool, lines, strict=True)}
    problem, rank = "", 0
    for candidate in ordered:
        rank = rank + 1 if candidate.problem_id == problem else 1
        problem, score = candidate.problem_id, candidate.scores[ranker]
        yield rows[id(candidate)] | {"ranker": ranker, "score": score if math.isfinite(score) else None, "rank": rank}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _list_of(holds: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and all(map(holds, value))


def _is_text(value: object) -> bool:
    return isinstance(value, str)


_FIELDS: dict[str, tuple[Callable[[object], bool], str]] = {
    "logprobs": (_list_of(_is_number), "a list of numbers, none of them NaN"),
    "verdict": (lambda value: value in tuple(Verdict), f"one of {', '.join(Verdict)}"),
    "signature": (_is_text, "text"),
    "returns": (_list_of(_is_text), "a list of texts"),
    "passed_generated": (_list_of(_is_count), "a list of indices"),
    "passed_examples": (lambda value: isinstance(value, bool), "true or false"),
}
