"""The one door to the public benchmarks: by name, from files, data set directories or the hub."""

from __future__ import annotations

from pathlib import Path

from rewardranker.config.schema import MbppConfig
from rewardranker.errors import UserError
from rewardranker.problems.humaneval import HUMANEVAL_HUB, humaneval_solutions, load_humaneval
from rewardranker.problems.humaneval_x import HUMANEVAL_X_HUB, humaneval_x_solutions, load_humaneval_x
from rewardranker.problems.languages import canonical_language
from rewardranker.problems.mbpp import every_mbpp_task, load_mbpp, mbpp_shots, mbpp_solutions
from rewardranker.problems.multipl_e import MULTIPL_E_HUB, load_multipl_e, multipl_e_solutions
from rewardranker.problems.sources import is_file, is_local
from rewardranker.problems.types import Problem, Split

__all__ = [
    "BENCHMARKS",
    "benchmark_solutions",
    "canonical_language",
    "humaneval_solutions",
    "is_local",
    "load_benchmark",
    "load_humaneval",
    "load_humaneval_x",
    "load_mbpp",
    "load_multipl_e",
    "mbpp_config",
    "mbpp_shots",
    "mbpp_solutions",
]

#: ``multipl_e`` is either of the two below it, as a file has it, and HumanEval from the hub.
BENCHMARKS = ("humaneval", "humaneval_x", "mbpp", "multipl_e", "multipl_e_humaneval", "multipl_e_mbpp")


def load_benchmark(
    name: str, source: str | Path = "", language: str = "", split: Split | None = "test"
) -> list[Problem]:
    """A benchmark's problems, each with the revision of the data that it comes from.

    Args:
        name: one of :data:`BENCHMARKS`.
        source: a file, a data set directory, or a name on the hub (``owner/name``, ``owner/name@revision``); empty
            for the benchmark's own place on the hub.
        language: the only one to load, by any of its names (``cpp``, ``c++``, ``sh``); empty for all.
        split: of MBPP by task id (test 11-510, validation 511-600, train 601-974 without what repeats the others),
            every other problem being in ``test``; ``None`` for every task as it is, repeated ones too.

    Raises:
        UserError: no such benchmark, source, language or split.
    """
    if name not in BENCHMARKS:
        raise UserError(f"benchmark {name!r} is not known; it must be one of {', '.join(BENCHMARKS)}")
    wanted = canonical_language(language)
    if name == "mbpp":
        config = mbpp_config(source)
        problems = load_mbpp(config) if split is not None else every_mbpp_task(config)
    elif name == "humaneval":
        problems = load_humaneval(source or HUMANEVAL_HUB)
    elif name == "humaneval_x":
        problems = load_humaneval_x(source or HUMANEVAL_X_HUB, wanted or None)
    else:
        benchmark = name.removeprefix("multipl_e").removeprefix("_")
        problems = load_multipl_e(source or MULTIPL_E_HUB, wanted or None, benchmark)
    for asked, found in (
        (wanted, {problem.language for problem in problems}),
        (split, {problem.split for problem in problems}),
    ):
        if asked and asked not in found:
            raise UserError(f"{source or name} has no problems in {asked}; it has {', '.join(sorted(found))}")
    return [p for p in problems if (not wanted or p.language == wanted) and split in (None, p.split)]


def benchmark_solutions(name: str, source: str | Path = "") -> dict[str, str]:
    """One known program in normal form by problem id, where the data hold some: HumanEval's, HumanEval-X's and
    MBPP's own, and files of MultiPL-E's rows (DeepSeek-Coder's Python file has HumanEval's).

    Args:
        name, source: as in :func:`load_benchmark`.

    Raises:
        UserError: as :func:`load_benchmark`.
    """
    if name == "mbpp":
        return mbpp_solutions(mbpp_config(source))
    if name == "humaneval":
        return humaneval_solutions(source or HUMANEVAL_HUB)
    if name == "humaneval_x":
        return humaneval_x_solutions(source or HUMANEVAL_X_HUB)
    return multipl_e_solutions(source) if source and is_file(source) else {}


def mbpp_config(source: str | Path = "") -> MbppConfig:
    """MBPP's settings with its usual splits, for data in a file, a directory or on the hub (empty: its own)."""
    if not source:
        return MbppConfig()
    return MbppConfig(path=str(source)) if is_local(source) else MbppConfig(hub_name=str(source))
