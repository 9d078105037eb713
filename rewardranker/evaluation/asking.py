"""What an evaluation asks: public benchmarks by language, each problem put in the style of its prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.table import Table

from rewardranker.config.schema import BenchmarkSet, Config
from rewardranker.errors import UserError
from rewardranker.problems.benchmarks import canonical_language, load_benchmark, mbpp_config, mbpp_shots
from rewardranker.problems.multipl_e import LANGUAGES
from rewardranker.problems.prompts import STYLES, default_style, fitting_shots, styled
from rewardranker.problems.types import Problem

_CODES = {language: code for code, language in LANGUAGES.items()}


@dataclass(frozen=True)
class Asked:
    """One benchmark in one language.

    Attributes:
        name: unique in an evaluation, fit for a file's name.
        benchmark: whose table it belongs to, ``humaneval`` or ``mbpp``.
        own: the set that it comes from.
        problems: as they are put to the generator.
        plain: the same ones as their loader gave them.
        all: every problem of the benchmark in this language.
        chat: whether the prompts are what a user says.
        max_new_tokens: of an answer, in the harness whose style it is; ``None`` leaves it to the settings.
    """

    name: str
    benchmark: str
    own: BenchmarkSet
    language: str
    problems: list[Problem]
    plain: list[Problem]
    all: list[Problem]
    chat: bool
    max_new_tokens: int | None


def of_chat_model(config: Config) -> bool:
    """Whether the generator, an endpoint or a local model, is a chat model."""
    return config.endpoint.style == "chat" if config.endpoint.base_url else config.model.chat


def asked_for(sets: Sequence[BenchmarkSet], chat: bool, count: Callable[[str], int] | None = None) -> list[Asked]:
    """The problems of all sets, by language.

    Args:
        chat: whether the generator is a chat model.
        count: tokens of a text, by the generator's tokenizer; long MBPP prompts then show fewer examples.

    Raises:
        UserError: no sets, a benchmark and language twice, or data that are not there.
    """
    if not sets:
        raise UserError("benchmark.sets is empty: name at least one, e.g. {name: mbpp, source: mbpp.jsonl}")
    loaded = [(own, _by_language(own)) for own in sets]
    kept = _same_groups(loaded)
    found = [one for own, problems in loaded for one in _set(own, problems, kept, chat, count)]
    places = [f"{one.benchmark} in {one.language}" for one in found]
    twice = [place for place in places if places.count(place) > 1]
    if twice:
        raise UserError(f"benchmark.sets asks for {twice[0]} twice; ask for every benchmark and language once")
    return found


def _by_language(own: BenchmarkSet) -> dict[str, list[Problem]]:
    found: dict[str, list[Problem]] = {}
    for problem in _loaded(own):
        found.setdefault(problem.language, []).append(problem)
    return found


def _set(
    own: BenchmarkSet,
    by_language: dict[str, list[Problem]],
    kept: dict[tuple[str, int], set[str]],
    chat: bool,
    count: Callable[[str], int] | None,
) -> list[Asked]:
    found = []
    for language, problems in by_language.items():
        benchmark = _benchmark(problems)
        plain = [p for p in problems if not own.limit or p.group_id in kept[benchmark, own.limit]]
        style = own.style or default_style(problems[0].source, chat)
        shots = mbpp_shots(mbpp_config(own.source)) if style in STYLES and STYLES[style].source == "mbpp" else ()
        if style == "mbpp_3shot" and count is not None:
            put = [fitting_shots(problem, shots, count) for problem in plain]
        else:
            put = [styled(problem, style, shots) for problem in plain]
        name, settings = f"{own.name}_{language}", STYLES[style]
        found.append(
            Asked(name, benchmark, own, language, put, plain, problems, settings.chat, settings.max_new_tokens)
        )
    return found


def _benchmark(problems: Sequence[Problem]) -> str:
    return "mbpp" if problems[0].group_id.startswith("mbpp") else "humaneval"


def _loaded(own: BenchmarkSet) -> list[Problem]:
    languages = [canonical_language(language) for language in own.languages]
    if "{language}" not in own.source:
        wanted = languages or [""]
        return [problem for language in wanted for problem in load_benchmark(own.name, own.source, language)]
    return [
        problem
        for language in languages or _CODES
        for problem in load_benchmark(own.name, _source_of(own.source, language), language)
    ]


def _source_of(source: str, language: str) -> str:
    """DeepSeek-Coder calls its Python file by the language's name, MultiPL-E by its code, like all others."""
    code = "python" if language == "python" else _CODES.get(language, language)
    return source.replace("{language}", code)


def _same_groups(loaded: Sequence[tuple[BenchmarkSet, dict[str, list[Problem]]]]) -> dict[tuple[str, int], set[str]]:
    """By benchmark and limit the groups to keep: evenly spaced, of those that every language of the benchmark has,
    in all of its sets with that limit, so that languages are compared on the same problems."""
    together: dict[tuple[str, int], list[list[str]]] = {}
    for own, by_language in loaded:
        for problems in by_language.values():
            groups = list(dict.fromkeys(problem.group_id for problem in problems))
            together.setdefault((_benchmark(problems), own.limit), []).append(groups)
    kept: dict[tuple[str, int], set[str]] = {}
    for (benchmark, limit), languages in together.items():
        shared = [group for group in languages[0] if all(group in other for other in languages)]
        count = min(limit, len(shared))
        if limit and not shared:
            raise UserError(
                f"benchmark.sets: the languages of {benchmark} share no problem; drop the limit of {limit}"
            )
        kept[benchmark, limit] = {shared[i * len(shared) // count] for i in range(count)}
    return kept


def describe_asked(config: Config) -> Table:
    """What an evaluation would sample, for a person who has not started it."""
    table = Table("benchmark", "language", "problems", "seeds", "samples", "greedy", "prompts")
    for column in table.columns[2:6]:
        column.justify = "right"
    seeds, n = len(config.benchmark.seeds), config.generation.n
    for one in asked_for(config.benchmark.sets, of_chat_model(config)):
        count = len(one.problems)
        samples = (seeds * n * count, count * config.benchmark.greedy)
        table.add_row(
            one.benchmark, one.language, f"{count:,}", str(seeds), *(f"{number:,}" for number in samples),
            "chat" if one.chat else "text to continue",
        )  # fmt: skip
    return table
