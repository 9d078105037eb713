"""The tables of an evaluation: every ranker that its pools are enough for, and where the numbers come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from actors.pipeline.stages.benchmarks import REVIEW
from rewardranker.config.schema import Config
from rewardranker.errors import UserError
from rewardranker.evaluation.planned import Planned, drawn, readings
from rewardranker.evaluation.pools import Entries, JudgedPool, Provenance, Submission
from rewardranker.judge import HARNESS_VERSION, sandbox_description, toolchain_of
from rewardranker.judge.languages import LANGUAGES
from rewardranker.problems.data_card import ceiling
from rewardranker.problems.types import Candidate
from rewardranker.reranking.catalogue import CATALOGUE, network_rankers, rankers_for
from rewardranker.reranking.generated import CodeTRanker
from rewardranker.reranking.numbers import stored
from rewardranker.reranking.protocol import Ranker
from rewardranker.reranking.reviewer import ReviewerRanker
from rewardranker.runs.atomic import tree_hash, write_json, write_text
from rewardranker.runs.console import Console
from rewardranker.runs.directory import package_versions
from rewardranker.tables.benchmark import benchmark_sheet, build_benchmark_table
from rewardranker.tables.comparison import compare_rankers, comparison_sheet
from rewardranker.tables.ranked import Method
from rewardranker.tables.ranking import ENDS
from rewardranker.tables.rows import Table
from rewardranker.tables.views import Sheet


@dataclass(frozen=True)
class Served:
    """What an endpoint gave for one stage: its manifest's numbers."""

    benchmark: str
    what: str
    metrics: Mapping[str, float]


@dataclass
class Results:
    """Everything that the tables are made from.

    Attributes:
        counts: by benchmark and problem id, how often each model-written test was sampled.
    """

    config: Config
    plan: Planned
    pools: list[JudgedPool] = field(default_factory=list)
    submissions: list[Submission] = field(default_factory=list)
    counts: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    served: list[Served] = field(default_factory=list)

    @cached_property
    def networks(self) -> dict[str, str]:
        """What the generator and the rankers are, once for all tables: weights are hashed, which takes seconds."""
        config = self.config
        local = {} if config.endpoint.base_url else {"generator": _named(config.model.path)}
        chats = {name for name, how in readings(config).items() if how.chat and how.kind != "lever"}
        return local | {
            f"ranker {name}": _named(path) + (", inside a chat template" if name in chats else "")
            for name, path in config.benchmark.rankers.items()
        }


def write_tables(results: Results, folder: Path, console: Console) -> None:
    """Prints and writes a table for each benchmark, and writes a page for each pool."""
    folder.mkdir(exist_ok=True)
    for name in dict.fromkeys(pool.benchmark for pool in results.pools):
        _benchmark(results, name, folder, console)


def _benchmark(results: Results, name: str, folder: Path, console: Console) -> None:
    config, asked = results.config, [one for one in results.plan.asked if one.benchmark == name]
    own = [pool for pool in results.pools if pool.benchmark == name]
    ceilings = {one.language: (ceiling(one.all, "strict"), len(one.all)) for one in asked}
    entries = Entries(own, [one for one in results.submissions if _belongs(one, own)], ceilings)
    rankers = _rankers(results, name, [c for pool in own for c in pool.candidates])
    provenance = _provenance(results, name)
    table = build_benchmark_table(entries, rankers, config.generation.n, _method(config), provenance)
    console.show(benchmark_sheet(table).render())
    _write(folder / name, table, benchmark_sheet(table))
    for pool in own:
        try:
            _compare(results, pool, ceilings, folder)
        except UserError as error:
            if not config.benchmark.partial:
                raise
            console.warn(f"no page for {name}, {pool.name}: {error}")


def _compare(results: Results, pool: JudgedPool, ceilings: Mapping[str, tuple[int, int]], folder: Path) -> None:
    """Raises :class:`UserError` where, for one, nothing of the pool could be judged."""
    config, n = results.config, results.config.generation.n
    entries = Entries([pool], [one for one in results.submissions if _belongs(one, [pool])], ceilings)
    rankers = _rankers(results, pool.benchmark, pool.candidates)
    found = compare_rankers(entries, rankers, (max(1, n // 2), n), (min(3, n),), _method(config))
    _write(folder / f"rankers-{pool.benchmark}-{pool.language}-{pool.seed}", found, comparison_sheet(found))


def _method(config: Config) -> Method:
    own = config.benchmark
    return Method(own.baseline, config.evaluation.bootstrap, config.run.seed, partial=own.partial)


def _write(stem: Path, table: Table, sheet: Sheet) -> None:
    for suffix, text in (("md", sheet.markdown()), ("html", sheet.page())):
        write_text(stem.with_name(f"{stem.name}.{suffix}"), text)
    write_json(stem.with_name(f"{stem.name}.json"), table.to_json())


def _rankers(results: Results, benchmark: str, candidates: Sequence[Candidate]) -> list[Ranker]:
    """All that the pools are enough for."""
    own, counts = results.config.benchmark, results.counts.get(benchmark)
    names = [name for name in rankers_for(candidates) if name not in ENDS]
    plain = [CodeTRanker(counts) if name == "codet" else CATALOGUE[name].make() for name in names]
    reviewers = [ReviewerRanker(stored(REVIEW), "sum")] if own.reviewer else []
    known = all(candidate.logprobs for candidate in candidates)
    return [*plain, *reviewers, *network_rankers(own.rankers, "sum" if known else "frequency")]


def _belongs(submission: Submission, pools: Sequence[JudgedPool]) -> bool:
    ids = {problem.id for pool in pools if pool.language == submission.language for problem in pool.problems}
    return any(candidate.problem_id in ids for candidate in submission.candidates)


def _provenance(results: Results, benchmark: str) -> Provenance:
    config = results.config
    asked = [one for one in results.plan.asked if one.benchmark == benchmark]
    how, judge, remote = drawn(config, asked[0]), config.judge, bool(config.endpoint.base_url)
    languages = sorted(one.language for one in asked)
    return Provenance(
        temperature=how.temperature,
        harness=f"rewardranker judge {HARNESS_VERSION}, strict, "
        f"{sandbox_description(judge.minimum_tier, judge.remote_url)}",
        toolchains={name: toolchain_of(LANGUAGES[name], judge.remote_url).version for name in languages},
        top_k=how.top_k,
        top_p=how.top_p if remote else None,
        more=_prompts(results, benchmark)
        | results.networks
        | _endpoint(results, benchmark)
        | _left_out(results)
        | {"versions": ", ".join(f"{name} {version}" for name, version in sorted(package_versions().items()))},
    )


def _prompts(results: Results, benchmark: str) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for one in results.plan.asked:
        if one.benchmark == benchmark:
            text = f"style {one.style}, answers of at most {drawn(results.config, one).max_new_tokens:,} tokens"
            found.setdefault(text, []).append(one.language)
    return {"prompts": "; ".join(f"{text} ({', '.join(languages)})" for text, languages in found.items())}


def _named(model: str) -> str:
    """With a hash of its files, where they are here."""
    return f"{model} (files {tree_hash(Path(model))})" if Path(model).is_dir() else model


def _endpoint(results: Results, benchmark: str) -> dict[str, str]:
    """Of all its samples in this table, those of earlier runs too."""
    own = [one for one in results.served if one.benchmark == benchmark]
    if not own:
        return {}
    counted = ("requests", "prompt_tokens", "completion_tokens", "cost")
    total = {name: sum(one.metrics[name] for one in own) for name in counted}
    text = (
        f"{total['requests']:,} requests in the runs that finished its pools, {total['prompt_tokens']:,} prompt and "
        f"{total['completion_tokens']:,} completion tokens"
    )
    if total["cost"]:
        text += f", cost {total['cost']:,.4f}"
    lacking = [
        f"{one.metrics['missing']:,} of {one.metrics['missing_problems']:,} problems ({one.what})"
        for one in own
        if one.metrics["missing"]
    ]
    return {"endpoint": text, "samples missing": "; ".join(lacking) or "none"}


def _left_out(results: Results) -> dict[str, str]:
    lacking = [f"{name} (no {tools})" for name, tools in results.plan.left_out.items()]
    return {"left out": "; ".join(lacking)} if lacking else {}
