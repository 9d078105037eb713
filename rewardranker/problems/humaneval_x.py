"""HumanEval-X (Zheng et al. 2023): HumanEval written by hand in Python, C++, Java and JavaScript."""

from __future__ import annotations

import re

from rewardranker.errors import UserError
from rewardranker.paths import AnyPath
from rewardranker.problems.io import Row, require_fields, unix_lines
from rewardranker.problems.masking import masked
from rewardranker.problems.normal_form import normalise
from rewardranker.problems.sources import is_file, read_source
from rewardranker.problems.types import Limits, Problem, Test

HUMANEVAL_X_HUB = "THUDM/humaneval-x"
HUMANEVAL_X_LIMITS = Limits(cpu_s=6.0, wall_s=60.0)

# What a task's id begins with, and ours; the data set calls its parts by the codes. Its Go and Rust are not ours.
_LANGUAGES = {"Python": "python", "CPP": "cpp", "Java": "java", "JavaScript": "javascript"}
CODES = {"python": "python", "cpp": "cpp", "java": "java", "javascript": "js"}
# Solutions that their own tests fail, by a part that shows the fault: a comma operator where a list is meant; no
# digit is counted of the number 0.
_WRONG_SOLUTIONS = {"JavaScript/112": "return (z, true)", "JavaScript/155": "while (num > 0) {"}
_FIELDS = ("task_id", "prompt", "test")
_TASK = re.compile(r"([A-Za-z]++)/(\d++)")
# The function that a prompt leaves open is the last one that it begins.
_BEGUN = {
    "python": re.compile(r"^(?:async\s++)?def\s++(\w++)\s*+\(", re.MULTILINE),
    "javascript": re.compile(
        r"\b(?:const|let|var)\s++(\w++)\s*+=\s*+(?:async\s*+)?(?:function\b|\(|\w++\s*+=>)|\bfunction\s++(\w++)"
    ),
    "cpp": re.compile(r"(\w++)\s*+\([^{};]*+\{\s*+\Z"),
    "java": re.compile(r"(\w++)\s*+\([^{};]*+\{\s*+\Z"),
}


def load_humaneval_x(source: AnyPath = HUMANEVAL_X_HUB, language: str | None = None) -> list[Problem]:
    """Problems of one or more languages, all in the test split; ids are ``humaneval_x/cpp/7``.

    The model continues ``prompt``, which is part of the program. One test: the data's own, a program that calls the
    function by its name.

    Args:
        source: as in :func:`rewardranker.problems.sources.read_source`.
        language: the only one to load, by our name; ``None`` for all that are there.

    Raises:
        UserError: no such source, malformed rows, or none in the language.
    """
    problems = [_problem(row, where, revision) for row, where, revision in _rows(source, language)]
    found = [problem for problem in problems if language in (None, problem.language)]
    if not found:
        languages = sorted({problem.language for problem in problems})
        raise UserError(f"{source} has no problems in {language}; it has {', '.join(languages)}")
    return found


def humaneval_x_solutions(source: AnyPath = HUMANEVAL_X_HUB) -> dict[str, str]:
    """The reference programs in normal form, by problem id, of the rows that have one that is right."""
    return {
        _id(row, where): normalise(unix_lines(row["prompt"]) + unix_lines(row["canonical_solution"]))
        for row, where, _ in _rows(source, None)
        if row.get("canonical_solution") and not _is_wrong(row)
    }


def _is_wrong(row: Row) -> bool:
    """Whether the row's own solution is one of those that fail its tests; the problem itself can be solved."""
    wrong = _WRONG_SOLUTIONS.get(row["task_id"])
    return wrong is not None and wrong in row["canonical_solution"]


def task_name(problem: Problem) -> str:
    """What the data call a problem: ``CPP/7``."""
    name = next(name for name, language in _LANGUAGES.items() if language == problem.language)
    return f"{name}/{problem.id.rpartition('/')[2]}"


def _rows(source: AnyPath, language: str | None) -> list[tuple[Row, str, str]]:
    """Rows, each with where it stands and the data's revision."""
    if language is not None and language not in CODES:
        raise UserError(f"{source} has no {language!r}: HumanEval-X is read in {', '.join(CODES)}")
    codes = [CODES[language]] if language else list(CODES.values())
    found = []
    for code in [""] if is_file(source) else codes:
        advice = "download its humaneval_*.jsonl.gz files, and join those of several languages"
        rows, revision = read_source(source, code, "test" if code else "", advice)
        where = f"{source}, {code}" if code else str(source)
        for number, row in enumerate(require_fields(rows, _FIELDS, where), 1):
            found.append((row, f"{where}, row {number}", revision))
    return found


def _problem(row: Row, where: str, revision: str) -> Problem:
    language, number = _task(row, where)
    prompt = unix_lines(row["prompt"])
    return Problem(
        id=_id(row, where),
        source="humaneval_x",
        language=language,
        prompt=prompt,
        prefix=prompt,
        entry_point=_entry_point(language, prompt, row["test"], where),
        style="program",
        tests=(Test(unix_lines(row["test"])),),
        split="test",
        group_id=f"humaneval/{number}",
        licence="Apache-2.0",
        revision=revision,
        limits=HUMANEVAL_X_LIMITS,
    )


def _id(row: Row, where: str) -> str:
    language, number = _task(row, where)
    return f"humaneval_x/{CODES[language]}/{number}"


def _task(row: Row, where: str) -> tuple[str, int]:
    match = _TASK.fullmatch(str(row["task_id"]))
    if match is None or match[1] not in _LANGUAGES:
        known = ", ".join(f"{name}/0" for name in _LANGUAGES)
        raise UserError(f"{where}: task_id {row['task_id']!r} is none like {known}; leave such rows out")
    return _LANGUAGES[match[1]], int(match[2])


def _entry_point(language: str, prompt: str, tests: str, where: str) -> str:
    hidden = prompt if language == "python" else masked(prompt)
    found = [next(name for name in match.groups() if name) for match in _BEGUN[language].finditer(hidden)]
    if not found or not re.search(rf"\b{found[-1]}\b", tests):
        begun = repr(found[-1]) if found else "no function"
        raise UserError(
            f"{where}: the prompt begins {begun}, and the tests do not call it; they are {tests[:80]!r}..."
        )
    return found[-1]
