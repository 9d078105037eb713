"""Problems that a command line names: a benchmark, or a file of our own problems, and perhaps one split of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from rewardranker.errors import UserError
from rewardranker.problems.benchmarks import BENCHMARKS, benchmark_solutions, load_benchmark
from rewardranker.problems.io import read_json_lines, read_problems, require_folder
from rewardranker.problems.types import Problem, Split

Sources = Mapping[str, Sequence[str]]
_SPLITS = {str(split): split for split in get_args(Split)}

# What a run's data stage leaves beside its problems: a known correct program for each.
_REFERENCES = "references.jsonl"


@dataclass(frozen=True)
class ProblemSet:
    """What one argument names: the problems, and one known program by problem id where there is one."""

    name: str
    problems: list[Problem]
    solutions: dict[str, str]

    def described(self) -> str:
        """Its name, and the data set and revision of what it holds."""
        parts = sorted({f"{p.source} {p.language} {p.revision}" for p in self.problems})
        return f"{self.name} ({len(self.problems):,} problems: {', '.join(parts)})"


def sources_of(options: Sequence[str]) -> Sources:
    """What ``--data NAME=SOURCE`` says, by name; several sources of one benchmark are read one after the other.

    Raises:
        UserError: not of that form, or no such benchmark.
    """
    sources: dict[str, list[str]] = {}
    for option in options:
        name, sign, source = option.partition("=")
        if name not in BENCHMARKS or not source:
            raise UserError(
                f"--data {option}: expected NAME=SOURCE, where NAME is one of {', '.join(BENCHMARKS)} and SOURCE a "
                "file, a directory or a name on the hub, e.g. --data mbpp=mbpp.jsonl"
            )
        sources.setdefault(name, []).append(source)
    return sources


def read_problem_set(argument: str, sources: Sources) -> ProblemSet:
    """Reads what an argument names: ``mbpp``, ``mbpp:train``, ``problems.jsonl`` or ``problems.jsonl:train``.

    A benchmark is read whole, and with a split as :func:`load_benchmark` loads that split. Solutions are those that a
    benchmark ships, and those that a run's data stage leaves beside its problems.

    Raises:
        UserError: neither a benchmark nor a file of problems, or no problems in the split.
    """
    head, colon, tail = argument.rpartition(":")
    name, split = (head, _SPLITS[tail]) if colon and tail in _SPLITS else (argument, None)
    if name in BENCHMARKS:
        problems: list[Problem] = []
        solutions: dict[str, str] = {}
        for source in sources.get(name, ("",)):
            problems += load_benchmark(name, source, split=split)
            solutions |= benchmark_solutions(name, source)
        return ProblemSet(argument, problems, solutions)
    path = Path(name)
    if not path.is_file():
        raise UserError(
            f"{argument!r} is neither a file of problems nor a benchmark ({', '.join(BENCHMARKS)}), with or without "
            f"one of the splits {', '.join(_SPLITS)} as in mbpp:train"
        )
    found = [problem for problem in read_problems(path) if split in (None, problem.split)]
    if not found:
        raise UserError(f"{path} holds no problems{f' of split {split}' if split else ''}")
    return ProblemSet(argument, found, _references(path.with_name(_REFERENCES)))


def refuse_unused(sources: Sources, arguments: Sequence[str]) -> None:
    """Raises :class:`UserError` for a ``--data`` whose benchmark no argument names."""
    named = {argument.partition(":")[0] for argument in arguments}
    for name in sources:
        if name not in named:
            raise UserError(f"--data {name}=...: no argument names {name}; leave one out or add the other")


def require_writable(out: Path | None) -> None:
    """Raises :class:`UserError` where ``--out`` names a folder, or a file in one that is not there."""
    if out is None:
        return
    if out.is_dir():
        raise UserError(f"--out {out} is a folder; give the name of a file in it")
    require_folder("--out", out)


def _references(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    rows = read_json_lines(path)
    if any(not isinstance(row.get(field), str) for row in rows for field in ("problem_id", "code")):
        raise UserError(f'{path}: expected lines {{"problem_id", "code"}}, as a run\'s data stage writes them')
    return {row["problem_id"]: row["code"] for row in rows}
