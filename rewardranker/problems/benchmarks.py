"""The one door to the public benchmarks: by name, from files, data set directories or the hub."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rewardranker.config.schema import MbppConfig
from rewardranker.errors import UserError
from rewardranker.paths import AnyPath
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


@dataclass(frozen=True)
class BenchmarkData:
    """How a benchmark's rows become problems.

    Attributes:
        hub: the data set's own place, for a source that is not given.
        load: ``(source, language, split)``; it may give more than was asked for. ``split`` ``None`` asks for every
            row.
        solutions: ``(source)``: one known program in normal form by problem id, where the data hold some.
    """

    hub: str
    load: Callable[[AnyPath, str, Split | None], list[Problem]]
    solutions: Callable[[AnyPath], dict[str, str]]


def _multipl_e(benchmark: str) -> BenchmarkData:
    return BenchmarkData(
        MULTIPL_E_HUB,
        lambda source, language, _: load_multipl_e(source, language or None, benchmark),
        lambda source: multipl_e_solutions(source) if is_file(source) else {},
    )


def _mbpp(source: AnyPath, language: str, split: Split | None) -> list[Problem]:
    config = mbpp_config(source)
    return load_mbpp(config) if split is not None else every_mbpp_task(config)


#: ``multipl_e`` is either of the two below it, as a file has it, and HumanEval from the hub.
BENCHMARKS = {
    "humaneval": BenchmarkData(HUMANEVAL_HUB, lambda source, *_: load_humaneval(source), humaneval_solutions),
    "humaneval_x": BenchmarkData(
        HUMANEVAL_X_HUB, lambda source, language, _: load_humaneval_x(source, language or None), humaneval_x_solutions
    ),
    "mbpp": BenchmarkData(MbppConfig().hub_name, _mbpp, lambda source: mbpp_solutions(mbpp_config(source))),
    "multipl_e": _multipl_e(""),
    "multipl_e_humaneval": _multipl_e("humaneval"),
    "multipl_e_mbpp": _multipl_e("mbpp"),
}


def load_benchmark(
    name: str, source: AnyPath = "", language: str = "", split: Split | None = "test"
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
    wanted, benchmark = canonical_language(language), _benchmark(name)
    problems = benchmark.load(source or benchmark.hub, wanted, split)
    for asked, found in (
        (wanted, {problem.language for problem in problems}),
        (split, {problem.split for problem in problems}),
    ):
        if asked and asked not in found:
            raise UserError(f"{source or name} has no problems in {asked}; it has {', '.join(sorted(found))}")
    return [p for p in problems if (not wanted or p.language == wanted) and split in (None, p.split)]


def benchmark_solutions(name: str, source: AnyPath = "") -> dict[str, str]:
    """One known program in normal form by problem id, where the data hold some: HumanEval's, HumanEval-X's and
    MBPP's own, and files of MultiPL-E's rows (DeepSeek-Coder's Python file has HumanEval's).

    Args:
        name, source: as in :func:`load_benchmark`.

    Raises:
        UserError: as :func:`load_benchmark`.
    """
    benchmark = _benchmark(name)
    return benchmark.solutions(source or benchmark.hub)


def _benchmark(name: str) -> BenchmarkData:
    if name not in BENCHMARKS:
        raise UserError(f"benchmark {name!r} is not known; it must be one of {', '.join(BENCHMARKS)}")
    return BENCHMARKS[name]


def mbpp_config(source: AnyPath = "") -> MbppConfig:
    """MBPP's settings with its usual splits, for data in a file, a directory or on the hub (empty: its own)."""
    if not source:
        return MbppConfig()
    return MbppConfig(path=str(source)) if is_local(source) else MbppConfig(hub_name=str(source))
