"""The files of the ``judge`` command: problems under the names that their benchmark gives them, and candidates."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rewardranker.errors import UserError
from rewardranker.execution.languages import LANGUAGES
from rewardranker.problems.benchmarks import canonical_language, load_benchmark
from rewardranker.problems.io import check_problems, first_few, read_problems
from rewardranker.problems.pool import check_pool, read_pool
from rewardranker.problems.types import Candidate, Problem

Named = dict[str, list[Problem]]
_EXAMPLE = '{"problem_id": "HumanEval_0_has_close_elements", "text": "..."}'


@dataclass(frozen=True)
class Line:
    """A candidate as it was given, its problem, and the model's text."""

    row: dict[str, Any]
    problem: Problem
    text: str


def named_problems(benchmark: str, data: Path, language: str) -> Named:
    """Problems by every name that a candidate may call them; several under one name where languages differ.

    Raises:
        UserError: no such file, not that benchmark's rows, or none in ``language``.
    """
    named: Named = {}
    for problem in load_benchmark(benchmark, data, language, split=None):
        for name in own_names(problem):
            named.setdefault(name, []).append(problem)
    return named


def own_names(problem: Problem) -> set[str]:
    """``humaneval/7`` is also ``HumanEval/7`` and ``Python/7``, ``mbpp/601`` also ``601``; what stands after the
    last slash of a MultiPL-E id is the row's own name."""
    tail = problem.id.rpartition("/")[2]
    if problem.source == "mbpp":
        return {problem.id, tail, f"MBPP/{tail}"}
    if problem.language == "python" and tail.isdigit():
        return {problem.id, f"HumanEval/{tail}", f"Python/{tail}"}
    return {problem.id, tail}


def read_candidates(path: Path, problems: Named) -> list[Line]:
    """Candidate lines with their problems.

    Raises:
        UserError: no such file, no lines, a line that is not as it should be, or a problem that is not there or
            not clear; names the line.
    """
    lines = []
    for where, row in _rows(path):
        name, text = row.get("problem_id"), row.get("text")
        if not isinstance(name, str | int) or isinstance(name, bool):
            raise UserError(f"{where}: no problem_id; a candidate is one line like {_EXAMPLE}")
        if not isinstance(text, str):
            found = "no text" if text is None else f"text is {type(text).__name__}, not a string"
            raise UserError(f"{where}: {found}; a candidate is one line like {_EXAMPLE}")
        lines.append(Line(row, _problem(where, str(name), row.get("language"), problems), text))
    if not lines:
        raise UserError(f"{path} holds no candidates; each is one line like {_EXAMPLE}")
    return lines


def load_pool(problems_file: Path, pool_file: Path) -> tuple[dict[str, Problem], list[Candidate]]:
    """Our own problems by id, and a pool of candidates for them. Raises :class:`UserError` where they do not fit."""
    rows = read_problems(problems_file)
    check_problems(rows)
    problems = {problem.id: problem for problem in rows}
    pool = read_pool(pool_file)
    if not pool:
        raise UserError(f"pool {pool_file} holds no candidates")
    check_pool(pool, problems)
    return problems, pool


def _rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Where each line stands, and what it says; blank lines are passed over."""
    if not path.is_file():
        raise UserError(f"file {path} does not exist; --candidates needs JSON lines like {_EXAMPLE}")
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{where} is not JSON ({error}); a candidate is one line like {_EXAMPLE}") from error
        if not isinstance(row, dict):
            raise UserError(f"{where}: expected a JSON object like {_EXAMPLE}, found {type(row).__name__}")
        yield where, row


def _problem(where: str, name: str, language: object, problems: Named) -> Problem:
    known = problems.get(name, [])
    asked = canonical_language(language) if isinstance(language, str) else ""
    found = [problem for problem in known if problem.language == asked or asked not in LANGUAGES]
    if len(found) == 1:
        return found[0]
    languages = ", ".join(sorted(problem.language for problem in known))
    if found:
        raise UserError(f'{where}: {name!r} is there in {languages}; add "language" to the line, or give --language')
    if known:
        raise UserError(f"{where}: {name!r} is not there in language {language!r}, only in {languages}")
    raise UserError(
        f"{where}: no problem {name!r} in --data, which has {first_few(sorted(problems))}; give the file that the "
        "candidates were made for"
    )
