"""Candidates as people write them down: a problem's id and a text or a program; the problem says the rest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rewardranker.errors import UserError, did_you_mean
from rewardranker.paths import AnyPath
from rewardranker.problems.fields import Row, without_nulls
from rewardranker.problems.languages import canonical_language
from rewardranker.problems.normal_form import normalise
from rewardranker.problems.pool import read_pool
from rewardranker.problems.types import Candidate, Problem
from rewardranker.programs import extract

_EXAMPLE = '{"problem_id": "add", "text": "..."}, what a model wrote, or with "code", a whole program'


def read_candidates(path: AnyPath, problems: Mapping[str, Problem]) -> list[Candidate]:
    """A pool, as :func:`read_pool` reads it; its rows may hold no more than ``problem_id`` and ``text`` or ``code``.

    ``code`` that is not there is the program that ``text`` means (:func:`extract`). Where ``text`` is not there, it
    is ``code``, and that is put into normal form. ``language`` is the problem's, ``source`` the file's name.

    Raises:
        UserError: as :func:`read_pool`; a problem that is not there, another language than its own, neither text nor
            code; names the line.
    """
    name = Path(path).name
    return read_pool(path, lambda row, where: _completed(row, where, problems, name))


def _completed(row: Row, where: str, problems: Mapping[str, Problem], source: str) -> Row:
    row = without_nulls(row)
    problem = _problem(row, where, problems)
    language = row.get("language", problem.language)
    if not isinstance(language, str) or canonical_language(language) != problem.language:
        raise UserError(
            f"{where}: language {language!r}, but problem {problem.id} is in {problem.language}; leave language out"
        )
    if "text" not in row and "code" not in row:
        raise UserError(f"{where}: neither text nor code; a candidate is one line like {_EXAMPLE}")
    for field in ("text", "code"):
        if not isinstance(row.get(field, ""), str):
            raise UserError(f"{where}: {field} must be text, found {row[field]!r:.80}")
    whole = {"source": source} | row | {"language": problem.language}
    if "code" not in row:
        return whole | {"code": extract(problem, row["text"])}
    return whole if "text" in row else whole | {"text": row["code"], "code": normalise(row["code"])}


def _problem(row: Row, where: str, problems: Mapping[str, Problem]) -> Problem:
    name = row.get("problem_id")
    if not isinstance(name, str):
        found = "lacks problem_id" if name is None else f"problem_id must be text, found {name!r:.80}"
        raise UserError(f"{where}: {found}; a candidate is one line like {_EXAMPLE}")
    if name not in problems:
        raise UserError(
            f"{where}: there is no problem {name!r} among the {len(problems):,} that were given; give the problems "
            f"that the pool was made for{did_you_mean(name, problems)}"
        )
    return problems[name]
