"""MultiPL-E (Cassano et al. 2022): HumanEval and MBPP in other languages."""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from rewardranker.errors import UserError
from rewardranker.problems.io import Row, read_json_lines, read_rows
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

# MultiPL-E stops a program after 15 seconds by the clock, DeepSeek-Coder's harness after 10.
MULTIPL_E_LIMITS = Limits(cpu_s=10.0, wall_s=60.0)

_ENTRY_POINTS = {
    "python": re.compile(r"\bcheck\((\w+)\)\s*\Z"),
    "cpp": re.compile(r"\bauto candidate = (\w+);"),
    "php": re.compile(r"\breturn (\w+)\(\.\.\.\$args\);"),
    "typescript": re.compile(r"\blet candidate = (\w+);"),
    "bash": re.compile(r'^\s*(\w+) "\$@"', re.MULTILINE),
    "javascript": re.compile(r"\blet candidate = (\w+);"),
}
# Java's and C#'s tests call the function by its own name, which is the prompt's last.
_SIGNATURE = re.compile(r"(\w+)\([^\n]*\)\s*\{\s*\Z")
_NAME = re.compile(r"(HumanEval|mbpp|MBPP|Python)[_/](\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Unsolvable:
    """Why no program can pass a benchmark's row by the tests that it ships with.

    Attributes:
        language: ours.
        name: the row's.
        upstream_only: DeepSeek-Coder's copy of the data has mended it.
    """

    language: str
    name: str
    reason: str
    upstream_only: bool


def load_multipl_e(path: Path, language: str | None = None) -> list[Problem]:
    """Problems of one or more languages, all in the test split, from JSON lines or Parquet.

    Takes the hub's rows (name, language, prompt, tests, stop_tokens) and DeepSeek-Coder's, whose Python rows
    have task_id, prompt and test. The model continues ``prompt``, which is part of the program. One test: the
    data's own, which for C++, Java, C# and Bash begins by closing the function.

    Args:
        language: the only one to load, by our name or by the benchmark's code; ``None`` for all.

    Raises:
        UserError: no such file, malformed rows, or none in the language.
    """
    rows = read_rows(path) if path.suffix == ".parquet" else read_json_lines(path)
    wanted = LANGUAGES.get(language or "", language)
    revision = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    problems = [_problem(row, f"{path}, row {number}", revision) for number, row in enumerate(rows, 1)]
    found = [problem for problem in problems if wanted in (None, problem.language)]
    if not found:
        languages = sorted({problem.language for problem in problems}) or ["no rows at all"]
        raise UserError(f"{path} has no problems in {language or 'any language'}; it has {', '.join(languages)}")
    return found


def known_unsolvable() -> list[Unsolvable]:
    """Rows of MultiPL-E's HumanEval that no program passes by the tests as they are, with reasons."""
    text = resources.files(__package__).joinpath("known_unsolvable.toml").read_text(encoding="utf-8")
    return [
        Unsolvable(group["language"], name, group["reason"], group.get("upstream_only", False))
        for group in tomllib.loads(text)["group"]
        for name in group["names"]
    ]


def _problem(row: Row, where: str, revision: str) -> Problem:
    name = row.get("name") or row.get("task_id")
    tests = row.get("tests") or row.get("test")
    needed = {"name": name, "prompt": row.get("prompt"), "tests": tests}
    lacking = [field for field, value in needed.items() if not value]
    if lacking:
        raise UserError(f"{where} lacks {' and '.join(lacking)}; it has {', '.join(row)}")
    language, group = _language(row, str(name), where), _group(str(name), where)
    prompt = str(row["prompt"]).replace("\r\n", "\n")
    return Problem(
        id=str(name),
        source="multipl_e",
        language=language,
        prompt=prompt,
        prefix=prompt,
        entry_point=_entry_point(language, prompt, str(tests), where),
        style="program",
        tests=(Test(str(tests).replace("\r\n", "\n")),),
        split="test",
        group_id=group,
        licence="MIT",
        revision=revision,
        limits=MULTIPL_E_LIMITS,
        stop_tokens=tuple(row.get("stop_tokens") or ()),
    )


def _language(row: Row, name: str, where: str) -> str:
    code = row.get("language") or ("py" if name.startswith("Python/") else "")
    if code not in LANGUAGES:
        raise UserError(f"{where}: language {code!r} is none of {', '.join(LANGUAGES)}; leave such rows out")
    return LANGUAGES[code]


def _group(name: str, where: str) -> str:
    """HumanEval's problem 23 is the same one in every language, and in HumanEval itself."""
    match = _NAME.match(name)
    if match is None:
        raise UserError(f"{where}: the name {name!r} has no problem number; expected one like HumanEval_23_strlen")
    return f"{'mbpp' if match[1].lower() == 'mbpp' else 'humaneval'}/{int(match[2])}"


def _entry_point(language: str, prompt: str, tests: str, where: str) -> str:
    pattern = _ENTRY_POINTS.get(language)
    match = pattern.search(tests) if pattern is not None else _SIGNATURE.search(prompt)
    if match is None or not re.search(rf"\b{match[1]}\b", tests):
        raise UserError(f"{where}: the tests name no function under test; they begin with {tests[:80]!r}")
    return match[1]
