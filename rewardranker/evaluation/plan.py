"""An evaluation before it starts: held against its settings and this machine, and shown to a person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rich.table import Table

from rewardranker.config.endpoint import check_endpoint
from rewardranker.config.schema import Config
from rewardranker.errors import UserError
from rewardranker.evaluation.benchmarks import Benchmark, benchmarks_of, of_chat_model
from rewardranker.generation.types import Sampling
from rewardranker.judge import toolchain_of
from rewardranker.judge.languages import LANGUAGES
from rewardranker.models.loading import load_tokenizer, require_computes, require_policy, require_scorer
from rewardranker.reranking.catalogue import (
    CATALOGUE,
    EXAMPLES,
    GENERATED,
    LOGPROBS,
    RETURNS,
    kind_of,
    network_rankers,
)
from rewardranker.reranking.record import Reading, reading
from rewardranker.training.demand import describe_demand, uses_of_evaluation
from rewardranker.training.sizes import samples_by_transformers


@dataclass(frozen=True)
class EvaluationPlan:
    """What will be sampled.

    Attributes:
        left_out: by name of what ``benchmark.partial`` lets go, the tools that it lacks.
    """

    benchmarks: list[Benchmark]
    left_out: dict[str, str] = field(default_factory=dict)


def sampling_of(config: Config, benchmark: Benchmark) -> Sampling:
    """From ``endpoint`` or ``generation``; answers end at the style's limit where that is the lower one."""
    own = config.endpoint if config.endpoint.base_url else config.generation
    limit = min(own.max_new_tokens, benchmark.max_new_tokens or own.max_new_tokens)
    return Sampling(own.temperature, own.top_k, limit)


def readings(config: Config) -> dict[str, Reading]:
    """How each trained ranker reads: as its directory records, else as ``benchmark.rankers_chat`` says, else like the
    generator (``model.chat``).

    Raises:
        UserError: a ranker was trained as another kind than its name says, or otherwise than ``rankers_chat`` says.
    """
    return {name: _reading(config, name, path) for name, path in config.benchmark.rankers.items()}


def _reading(config: Config, name: str, path: str) -> Reading:
    kind = kind_of(name)
    otherwise = Reading(kind, config.model.chat, config.reward.max_tokens)
    settings = (f"benchmark.rankers.{name}", f"benchmark.rankers_chat={str(config.benchmark.rankers_chat).lower()}")
    return reading(path, kind, config.benchmark.rankers_chat, otherwise, settings)


def plan_evaluation(config: Config, measure: bool = False) -> EvaluationPlan:
    """Everything that can be known before a token is sampled.

    Args:
        measure: load a local generator's tokenizer, so that prompts that are too long for it show fewer examples.

    Raises:
        UserError: no generator, settings that it cannot serve, networks that are no rankers, data or tool-chains
            that are not there, or a baseline that no table will have.
    """
    _check_generator(config)
    _check_rankers(config)
    seeds = config.benchmark.seeds
    if not seeds or len(set(seeds)) < len(seeds):
        raise UserError(f"benchmark.seeds={seeds}: needs at least one seed, and each of them once")
    count = _counter(config) if measure and not config.endpoint.base_url else None
    found = benchmarks_of(config.benchmark.sets, of_chat_model(config), count)
    lacking = {one.title: tools for one in found if (tools := _lacks(config, one.language))}
    if lacking and (not config.benchmark.partial or len(lacking) == len(found)):
        name, tools = next(iter(lacking.items()))
        raise UserError(
            f"{len(lacking)} of the {len(found)} benchmarks and languages could not be judged: {name} lacks {tools}; "
            "install it (`make toolchains`), name other `languages` in benchmark.sets, or leave it out with "
            "benchmark.partial=true"
        )
    kept = [one for one in found if one.title not in lacking]
    for one in kept:
        _check_baseline(config, one)
    return EvaluationPlan(kept, lacking)


def describe_evaluation(config: Config) -> Table:
    """What an evaluation would sample, for a person who has not started it."""
    plan, n, seeds = plan_evaluation(config), config.generation.n, len(config.benchmark.seeds)
    table = Table("benchmark", "language", "problems", "seeds", "samples", "greedy", "style", "tokens")
    for column in (2, 3, 4, 5, 7):
        table.columns[column].justify = "right"
    for one in plan.benchmarks:
        count = len(one.problems)
        numbers = (count, seeds, seeds * n * count, count * config.benchmark.greedy)
        table.add_row(
            one.table, one.language, *(f"{number:,}" for number in numbers), one.style,
            f"{sampling_of(config, one).max_new_tokens:,}",
        )  # fmt: skip
    how = sampling_of(config, plan.benchmarks[0])
    where, top_p = ("endpoint", config.endpoint.top_p) if config.endpoint.base_url else ("generation", 1.0)
    sampling = f"{where}: temperature {how.temperature:g}, top_k {how.top_k}, top_p {top_p:g}"
    left_out = [f"left out: {name} lacks {tools}" for name, tools in plan.left_out.items()]
    cpus = f"CPUs: {describe_demand(config, uses_of_evaluation(config))}"
    table.caption = "\n".join([f"{sampling}; tokens: of an answer, at most", cpus, *left_out])
    return table


def _counter(config: Config) -> Callable[[str], int]:
    tokenizer = load_tokenizer(config.model.path)
    return lambda text: len(tokenizer.encode(text))


def _check_generator(config: Config) -> None:
    own = config.benchmark
    if config.endpoint.base_url:
        check_endpoint(config.endpoint)
        for name, asked in (("reviewer", own.reviewer), ("generated_tests", own.generated_tests)):
            if asked:
                raise UserError(
                    f"benchmark.{name}={str(asked).lower()} with endpoint.base_url: it needs the generator itself on "
                    f"this cluster; set model.path and no endpoint, or leave benchmark.{name} out"
                )
    elif not config.model.path:
        raise UserError(
            "evaluate needs a generator: set model.path to a model directory or hub name, or endpoint.base_url and "
            "endpoint.model to a server's"
        )
    else:
        require_policy(config.model.path, sampled=samples_by_transformers(config))
        require_computes(config.model.path, "model.path", config.model.attn_implementation)


def _check_rankers(config: Config) -> None:
    network_rankers(config.benchmark.rankers)
    for name, path in config.benchmark.rankers.items():
        setting = f"benchmark.rankers.{name}"
        require_scorer(path, setting)
        require_computes(path, setting, config.model.attn_implementation)
        how = _reading(config, name, path)
        if how.chat and how.kind != "lever" and load_tokenizer(path).chat_template is None:
            raise UserError(
                f"{setting}={path}: its tokenizer has no chat template, so it was not trained on what users say; set "
                "benchmark.rankers_chat=false"
            )


def _lacks(config: Config, language: str) -> str:
    if language not in LANGUAGES:
        return f"a definition of {language}"
    return ", ".join(toolchain_of(LANGUAGES[language], config.judge.remote_url).missing)


def _check_baseline(config: Config, benchmark: Benchmark) -> None:
    known = _rankers_of(config, benchmark)
    if config.benchmark.baseline not in known:
        raise UserError(
            f"benchmark.baseline={config.benchmark.baseline}: {benchmark.title} will have no such ranker, but "
            f"{', '.join(known)}; name one that every benchmark and language has"
        )


def _rankers_of(config: Config, benchmark: Benchmark) -> Sequence[str]:
    """Names of the rankers that the tables will have, as far as can be known before."""
    probed = benchmark.language == "python"
    absent = {
        LOGPROBS.what: bool(config.endpoint.base_url) and not config.endpoint.logprobs,
        RETURNS.what: not probed,
        EXAMPLES.what: not probed or benchmark.table == "mbpp",
        GENERATED.what: not probed or not config.benchmark.generated_tests,
    }
    plain = [name for name, entry in CATALOGUE.items() if entry.need is None or not absent.get(entry.need.what)]
    reviewers = ["reviewer_sum"] if config.benchmark.reviewer else []
    return [*plain, *reviewers, *(ranker.name for ranker in network_rankers(config.benchmark.rankers))]
