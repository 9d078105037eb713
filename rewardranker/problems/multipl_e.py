"""MultiPL-E (Cassano et al. 2022): HumanEval and MBPP in other languages."""

from __future__ import annotations

import re

from rewardranker.errors import UserError
from rewardranker.paths import AnyPath
from rewardranker.problems.io import Row, unix_lines
from rewardranker.problems.normal_form import normalise
from rewardranker.problems.sources import is_file, read_source
from rewardranker.problems.types import Limits, Problem, Test

# The benchmark's codes for languages, and ours.
LANGUAGES = {
    "py": "python",
    "cpp": "cpp",
    "java": "java",
    "php": "php",
    "ts": "typescript",
    "cs": "csharp",
    "sh": "bash",
    "js": "javascript",
}

MULTIPL_E_HUB = "nuprl/MultiPL-E"

# MultiPL-E stops a program after 15 seconds by the clock, DeepSeek-Coder's harness after 10.
MULTIPL_E_LIMITS = Limits(cpu_s=10.0, wall_s=60.0)

_ENTRY_POINTS = {
    "python": re.compile(r"(?<!def )\bcheck\((\w++)\)\s*+(?:test_check\(\)\s*+)?\Z"),
    "cpp": re.compile(r"\bauto candidate = (\w++);"),
    "php": re.compile(r"\breturn (\w++)\(\.\.\.\$args\);"),
    "typescript": re.compile(r"\blet candidate = (\w++);"),
    "bash": re.compile(r'^\s*+(\w++) "\$@"', re.MULTILINE),
    "javascript": re.compile(r"\blet candidate = (\w++);"),
}
# Java's and C#'s tests call the function by its own name, which is the prompt's last.
_SIGNATURE = re.compile(r"(\w++)\((?:[^()\n]++|\(\))*+\)\s*+\{\s*+\Z")
_NAME = re.compile(r"(?:(HumanEval|mbpp)[_/]|Python/)(\d++)(?![^\W_])", re.IGNORECASE)


def load_multipl_e(
    source: AnyPath = MULTIPL_E_HUB, language: str | None = None, benchmark: str = ""
) -> list[Problem]:
    """Problems of one or more languages, all in the test split.

    Takes the hub's rows (name, language, prompt, tests, stop_tokens), rows of one's own in that form, whatever their
    names, and DeepSeek-Coder's, whose Python rows have task_id, prompt and test. The model continues ``prompt``,
    which is part of the program. One test: the data's own, which for C++, Java, C# and Bash begins by closing the
    function.

    Args:
        source: as in :func:`rewardranker.problems.sources.read_source`.
        language: the only one to load, by our name or by the benchmark's code; ``None`` for all.
        benchmark: ``humaneval`` or ``mbpp``; empty for whatever a file holds, and HumanEval from elsewhere.

    Raises:
        UserError: no such source, malformed rows, or none in the language.
    """
    problems: list[Problem] = []
    if is_file(source):
        rows, revision = read_source(source, "", "")
        problems = [_problem(row, f"{source}, row {number}", revision) for number, row in enumerate(rows, 1)]
    else:
        for configuration in _configurations(source, language, benchmark or "humaneval"):
            rows, revision = read_source(source, configuration, "test", "download the rows as JSON lines")
            where = f"{source}, {configuration}"
            problems += [_problem(row, f"{where}, row {number}", revision) for number, row in enumerate(rows, 1)]
    wanted = LANGUAGES.get(language or "", language)
    found = [
        problem
        for problem in problems
        if wanted in (None, problem.language) and problem.group_id.startswith(f"{benchmark}/" if benchmark else "")
    ]
    if not found:
        languages = sorted({problem.language for problem in problems}) or ["no rows at all"]
        asked = f"problems{f' of {benchmark}' if benchmark else ''} in {language or 'any language'}"
        raise UserError(f"{source} has no {asked}; it has {', '.join(languages)}")
    return found


def multipl_e_solutions(source: AnyPath) -> dict[str, str]:
    """Reference programs in normal form by problem id, of a file's rows that have one (DeepSeek-Coder's Python)."""
    rows, _ = read_source(source, "", "")
    return {
        _name(row): normalise(f"{row['prompt']}{row['canonical_solution']}")
        for row in rows
        if row.get("canonical_solution")
    }


def _configurations(source: AnyPath, language: str | None, benchmark: str) -> list[str]:
    """The data set's name for each language asked for, e.g. ``humaneval-cpp``."""
    codes = {name: code for code, name in LANGUAGES.items() if name != "python"}
    name = LANGUAGES.get(language or "", language)
    if name is not None and name not in codes:
        raise UserError(
            f"{source} has no {language!r}: MultiPL-E's data set has {', '.join(codes)}; Python's problems are in "
            "the benchmarks humaneval and mbpp"
        )
    return [f"{benchmark}-{code}" for code in ([codes[name]] if name is not None else codes.values())]


def _problem(row: Row, where: str, revision: str) -> Problem:
    name = _name(row)
    tests = row.get("tests") or row.get("test")
    needed = {"name": name, "prompt": row.get("prompt"), "tests": tests}
    lacking = [field for field, value in needed.items() if not value]
    if lacking:
        raise UserError(f"{where} lacks {' and '.join(lacking)}; it has {', '.join(row)}")
    language = _language(row, name, where)
    prompt = unix_lines(str(row["prompt"]))
    return Problem(
        id=name,
        source="multipl_e",
        language=language,
        prompt=prompt,
        prefix=prompt,
        entry_point=_entry_point(language, prompt, str(tests), where),
        style="program",
        tests=(Test(unix_lines(str(tests))),),
        split="test",
        group_id=_group(name),
        licence="MIT",
        revision=revision,
        limits=MULTIPL_E_LIMITS,
        stop_tokens=tuple(row.get("stop_tokens") or ()),
    )


def _name(row: Row) -> str:
    return str(row.get("name") or row.get("task_id") or "")


def _language(row: Row, name: str, where: str) -> str:
    code = row.get("language") or ("py" if name.startswith("Python/") else "")
    if code not in LANGUAGES:
        raise UserError(f"{where}: language {code!r} is none of {', '.join(LANGUAGES)}; leave such rows out")
    return LANGUAGES[code]


def _group(name: str) -> str:
    """HumanEval's problem 23 is the same one in every language, and in HumanEval itself; a problem of somebody's own
    set is the same one where its name is."""
    match = _NAME.match(name)
    if match is None:
        return f"multipl_e/{name}"
    return f"{'mbpp' if (match[1] or '').lower() == 'mbpp' else 'humaneval'}/{int(match[2])}"


def _entry_point(language: str, prompt: str, tests: str, where: str) -> str:
    pattern = _ENTRY_POINTS.get(language)
    match = pattern.search(tests) if pattern is not None else _SIGNATURE.search(prompt)
    if match is None or not re.search(rf"\b{match[1]}\b", tests):
        raise UserError(f"{where}: the tests name no function under test; they begin with {tests[:80]!r}")
    return match[1]
