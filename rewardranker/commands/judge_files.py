"""The files of the ``judge`` command: problems under the names that their benchmark gives them, and candidates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rewardranker.errors import UserError
from rewardranker.judge.languages import LANGUAGES
from rewardranker.paths import AnyPath
from rewardranker.problems.benchmarks import load_benchmark
from rewardranker.problems.humaneval_x import task_name
from rewardranker.problems.io import Row, check_problems, first_few, given_rows, read_problems
from rewardranker.problems.languages import canonical_language
from rewardranker.problems.pool import check_pool, pool_revisions, revisions_of
from rewardranker.problems.types import Candidate, Problem
from rewardranker.programs.given import read_candidates as given_candidates

#: Whose problems candidates are for: a public benchmark's, or our own, whose candidates lie in a pool.
PROBLEM_SETS = ("multipl_e", "humaneval", "humaneval_x", "mbpp", "pool")

Named = dict[str, list[Problem]]
_EXAMPLE = '{"problem_id": "HumanEval_0_has_close_elements", "text": "..."}'


@dataclass(frozen=True)
class CandidateLine:
    """A candidate as it was given, its problem, and the model's text."""

    row: Row
    problem: Problem
    text: str


def named_problems(benchmark: str, data: AnyPath, language: str) -> Named:
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
    last slash of a MultiPL-E id is the row's own name; ``humaneval_x/cpp/7`` is also its row's ``CPP/7``, and
    ``HumanEval/7`` with a language."""
    tail = problem.id.rpartition("/")[2]
    if problem.source == "mbpp":
        return {problem.id, tail, f"MBPP/{tail}"}
    if problem.source == "humaneval_x":
        return {problem.id, problem.id.partition("/")[2], task_name(problem), f"HumanEval/{tail}"}
    if problem.language == "python" and tail.isdigit():
        return {problem.id, f"HumanEval/{tail}", f"Python/{tail}"}
    return {problem.id, tail}


def read_candidates(path: AnyPath, problems: Named) -> list[CandidateLine]:
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
        lines.append(CandidateLine(row, _problem(where, str(name), row.get("language"), problems), text))
    if not lines:
        raise UserError(f"{path} holds no candidates; each is one line like {_EXAMPLE}")
    return lines


def load_pool(problems_file: AnyPath, pool_file: AnyPath) -> tuple[dict[str, Problem], list[Candidate]]:
    """Our own problems by id, and a pool of candidates for them.

    Raises:
        UserError: they do not fit: unknown problems, or problems of another revision than the pool was made for.
    """
    rows = read_problems(problems_file)
    check_problems(rows)
    problems = {problem.id: problem for problem in rows}
    pool = given_candidates(pool_file, problems)
    if not pool:
        raise UserError(f"pool {pool_file} holds no candidates")
    check_pool(pool, problems)
    _check_revisions(problems_file, problems, pool_file, pool)
    return problems, pool


def _check_revisions(
    problems_file: AnyPath, problems: dict[str, Problem], pool_file: AnyPath, pool: list[Candidate]
) -> None:
    """A pool that does not say what it was made for (JSON lines, or from elsewhere) is accepted."""
    made_for = pool_revisions(pool_file)
    given = revisions_of(pool, problems.values())
    if made_for and any(not set(found) <= set(made_for.get(data, ())) for data, found in given.items()):
        raise UserError(
            f"pool {pool_file} was made for {_listed(made_for)}, but {problems_file} holds {_listed(given)}: prompts "
            "and tests may differ; give the problems that the pool was made for, or make the pool again"
        )


def _listed(revisions: dict[str, list[str]]) -> str:
    return "; ".join(f"{data} at revision {', '.join(found)}" for data, found in revisions.items())


def _rows(path: AnyPath) -> Iterator[tuple[str, Row]]:
    """Where each line stands, and what it says; messages show what a line should be."""
    try:
        yield from given_rows(path)
    except UserError as error:
        raise UserError(f"{error}; a candidate is one line like {_EXAMPLE}") from error


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
