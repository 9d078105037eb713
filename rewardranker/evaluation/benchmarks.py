"""What is evaluated: public benchmarks by language, each problem put in the style of its prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rewardranker.config.schema import BenchmarkSet, Config
from rewardranker.errors import UserError
from rewardranker.problems.benchmarks import load_benchmark, mbpp_config, mbpp_shots
from rewardranker.problems.humaneval_x import CODES as HUMANEVAL_X_CODES
from rewardranker.problems.languages import canonical_language
from rewardranker.problems.multipl_e import LANGUAGES
from rewardranker.problems.prompts import STYLES, default_style, fitting_shots, instructed, styled
from rewardranker.problems.types import Problem

_CODES = {language: code for code, language in LANGUAGES.items()}


@dataclass(frozen=True)
class Benchmark:
    """One benchmark in one language.

    Attributes:
        name: unique in an evaluation, fit for a file's name.
        table: that it belongs to: ``humaneval``, ``mbpp``, ``humaneval_x``, or ``multipl_e`` for rows of
            its form that are of neither of the first two.
        own: the set that it comes from.
        problems: as they are put to the generator.
        plain: the same ones as their loader gave them.
        all: every problem of the benchmark in this language.
        chat: whether the prompts are what a user says.
        style: how the problems are put, a key of :data:`STYLES`.
        max_new_tokens: of an answer, in the harness whose style it is; ``None`` leaves it to the settings.
    """

    name: str
    table: str
    own: BenchmarkSet
    language: str
    problems: list[Problem]
    plain: list[Problem]
    all: list[Problem]
    chat: bool
    style: str
    max_new_tokens: int | None

    @property
    def title(self) -> str:
        """For people."""
        return f"{self.table} in {self.language}"

    @property
    def source(self) -> str:
        """Where the rows of this language are."""
        return _source_of(self.own.source, self.language)


def of_chat_model(config: Config) -> bool:
    """Whether the generator, an endpoint or a local model, is a chat model."""
    return config.endpoint.style == "chat" if config.endpoint.base_url else config.model.chat


def benchmarks_of(
    sets: Sequence[BenchmarkSet], chat: bool, count: Callable[[str], int] | None = None
) -> list[Benchmark]:
    """The problems of all sets, by language.

    Args:
        chat: whether the generator is a chat model.
        count: tokens of a text, by the generator's tokenizer; long MBPP prompts then show fewer examples.

    Raises:
        UserError: no sets, a benchmark's language twice, a limit that leaves nothing, or data that are not there.
    """
    if not sets:
        raise UserError("benchmark.sets is empty: name at least one, e.g. {name: mbpp, source: mbpp.jsonl}")
    found = [one for own in sets for one in _subsets(own)]
    _refuse_twice(found)
    kept = _kept_groups(found)
    return [_put(one, kept[one.table, one.own.limit], chat, count) for one in found]


@dataclass(frozen=True)
class _Subset:
    """One set's problems in one language, of one table."""

    own: BenchmarkSet
    table: str
    language: str
    problems: list[Problem]
    name: str


def _subsets(own: BenchmarkSet) -> list[_Subset]:
    parts: dict[tuple[str, str], list[Problem]] = {}
    for problem in _loaded(own):
        parts.setdefault((_table_of(problem), problem.language), []).append(problem)
    several = len({benchmark for benchmark, _ in parts}) > 1
    return [
        _Subset(own, benchmark, language, problems, "_".join([own.name, *([benchmark] if several else []), language]))
        for (benchmark, language), problems in parts.items()
    ]


def _table_of(problem: Problem) -> str:
    if problem.source == "humaneval_x":
        return problem.source
    kind = problem.group_id.partition("/")[0]
    return kind if kind in ("humaneval", "mbpp") else problem.source


def _refuse_twice(found: Sequence[_Subset]) -> None:
    seen: dict[tuple[str, str], str] = {}
    for one in found:
        column = (one.table, one.language)
        if column in seen:
            raise UserError(
                f"benchmark.sets asks for {one.table} in {one.language} twice, in {seen[column]} and in "
                f"{one.own.name}: a table has one column for it; name other `languages` in one of them"
            )
        seen[column] = one.own.name


def _put(found: _Subset, kept: frozenset[str], chat: bool, count: Callable[[str], int] | None) -> Benchmark:
    own = found.own
    plain = [problem for problem in found.problems if problem.group_id in kept]
    style = own.style or default_style(plain[0].source, chat)
    shots = mbpp_shots(mbpp_config(own.source)) if style in STYLES and STYLES[style].source == "mbpp" else ()
    if style == "mbpp_3shot" and count is not None:
        put = [fitting_shots(problem, shots, count) for problem in plain]
    else:
        put = [styled(problem, style, shots) for problem in plain]
    return Benchmark(
        name=found.name,
        table=found.table,
        own=own,
        language=found.language,
        problems=[instructed(problem, own.instruction) for problem in put],
        plain=plain,
        all=found.problems,
        chat=STYLES[style].chat,
        style=style,
        max_new_tokens=STYLES[style].max_new_tokens,
    )


def _loaded(own: BenchmarkSet) -> list[Problem]:
    languages = list(dict.fromkeys(canonical_language(language) for language in own.languages))
    if "{language}" not in own.source:
        wanted = languages or [""]
        return [problem for language in wanted for problem in load_benchmark(own.name, own.source, language)]
    return [
        problem
        for language in languages or (HUMANEVAL_X_CODES if own.name == "humaneval_x" else _CODES)
        for problem in load_benchmark(own.name, _source_of(own.source, language), language)
    ]


def _source_of(source: str, language: str) -> str:
    """DeepSeek-Coder calls its Python file by the language's name, MultiPL-E by its code, like all others."""
    code = "python" if language == "python" else _CODES.get(language, language)
    return source.replace("{language}", code)


def _kept_groups(found: Sequence[_Subset]) -> dict[tuple[str, int], frozenset[str]]:
    """Groups to keep, by benchmark and limit: all, or ``limit`` of those that every set and language with that limit
    has, evenly spaced, so that columns of a table are of the same problems whichever sets they come from."""
    kept = {}
    for benchmark, limit in {(one.table, one.own.limit): None for one in found}:
        mine = [one for one in found if (one.table, one.own.limit) == (benchmark, limit)]
        groups = [dict.fromkeys(problem.group_id for problem in one.problems) for one in mine]
        shared = [group for group in groups[0] if all(group in other for other in groups)]
        if limit and not shared:
            names = ", ".join(f"{one.own.name} in {one.language}" for one in mine)
            raise UserError(
                f"benchmark.sets: limit={limit} keeps the same problems of {benchmark} in every language, and "
                f"{names} have none in common; set limit to 0"
            )
        count = min(limit, len(shared))
        some = {shared[i * len(shared) // count] for i in range(count)}
        kept[benchmark, limit] = frozenset(some if limit else {group for other in groups for group in other})
    return kept
