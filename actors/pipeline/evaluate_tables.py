"""The tables of an evaluation: every ranker that its pools are enough for, and where the numbers come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from actors.pipeline.stages.benchmarks import REVIEW
from rewardranker.config.schema import Config
from rewardranker.errors import UserError
from rewardranker.evaluation.benchmarks import Benchmark
from rewardranker.evaluation.plan import readings, sampling_of
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

    what: str
    metrics: Mapping[str, float]


@dataclass
class Evaluated:
    """What the stages of one benchmark in one language left.

    Attributes:
        counts: by problem id, how often each model-written test was sampled.
    """

    benchmark: Benchmark
    pools: list[JudgedPool] = field(default_factory=list)
    submissions: list[Submission] = field(default_factory=list)
    counts: dict[str, list[int]] = field(default_factory=dict)
    served: list[Served] = field(default_factory=list)


@dataclass
class Tables:
    """A table for each benchmark and a page for each pool.

    Attributes:
        left_out: by name of what ``benchmark.partial`` let go, the tools that it lacks.
    """

    config: Config
    found: Sequence[Evaluated]
    left_out: Mapping[str, str]
    console: Console

    def write(self, folder: Path) -> None:
        """Prints and writes them."""
        folder.mkdir(exist_ok=True)
        for name in dict.fromkeys(one.benchmark.table for one in self.found):
            own = [one for one in self.found if one.benchmark.table == name]
            table = self._table(own)
            sheet = benchmark_sheet(table)
            self.console.show(sheet.render())
            _write(folder / name, table, sheet)
            for one in own:
                for pool in one.pools:
                    self._page(one, pool, folder)

    def _table(self, own: Sequence[Evaluated]) -> Table:
        config, pools = self.config, [pool for one in own for pool in one.pools]
        ceilings = {one.benchmark.language: _ceiling(one) for one in own}
        entries = Entries(pools, [submission for one in own for submission in one.submissions], ceilings)
        rankers = self._rankers(own, [c for pool in pools for c in pool.candidates])
        return build_benchmark_table(entries, rankers, config.generation.n, self._method(), self._provenance(own))

    def _page(self, one: Evaluated, pool: JudgedPool, folder: Path) -> None:
        n = self.config.generation.n
        entries = Entries([pool], one.submissions, {pool.language: _ceiling(one)})
        rankers = self._rankers([one], pool.candidates)
        try:
            found = compare_rankers(entries, rankers, (max(1, n // 2), n), (min(3, n),), self._method())
        except UserError as error:  # nothing of the pool could be judged, for one
            if not self.config.benchmark.partial:
                raise
            self.console.warn(f"no page for {pool.benchmark}, {pool.name}: {error}")
            return
        _write(folder / f"rankers-{pool.benchmark}-{pool.language}-{pool.seed}", found, comparison_sheet(found))

    def _method(self) -> Method:
        own = self.config.benchmark
        return Method(own.baseline, self.config.evaluation.bootstrap, self.config.run.seed, partial=own.partial)

    def _rankers(self, own: Sequence[Evaluated], candidates: Sequence[Candidate]) -> list[Ranker]:
        """All that the pools are enough for."""
        counts = {name: count for one in own for name, count in one.counts.items()}
        names = [name for name in rankers_for(candidates) if name not in ENDS]
        plain = [CodeTRanker(counts) if name == "codet" else CATALOGUE[name].make() for name in names]
        reviewers = [ReviewerRanker(stored(REVIEW), "sum")] if self.config.benchmark.reviewer else []
        known = all(candidate.logprobs for candidate in candidates)
        return [*plain, *reviewers, *network_rankers(self.config.benchmark.rankers, "sum" if known else "frequency")]

    def _provenance(self, own: Sequence[Evaluated]) -> Provenance:
        config, judge = self.config, self.config.judge
        how, remote = sampling_of(config, own[0].benchmark), bool(config.endpoint.base_url)
        languages = sorted(one.benchmark.language for one in own)
        lacking = [f"{name} (no {tools})" for name, tools in self.left_out.items()]
        return Provenance(
            temperature=how.temperature,
            harness=f"rewardranker judge {HARNESS_VERSION}, strict, "
            f"{sandbox_description(judge.minimum_tier, judge.remote_url)}",
            toolchains={name: toolchain_of(LANGUAGES[name], judge.remote_url).version for name in languages},
            top_k=how.top_k,
            top_p=config.endpoint.top_p if remote else None,
            more=_prompts(config, own)
            | self._networks
            | _endpoint([served for one in own for served in one.served])
            | ({"left out": "; ".join(lacking)} if lacking else {})
            | {"versions": ", ".join(f"{name} {version}" for name, version in sorted(package_versions().items()))},
        )

    @cached_property
    def _networks(self) -> dict[str, str]:
        """What the generator and the rankers are, once for all tables: weights are hashed, which takes seconds."""
        config = self.config
        local = {} if config.endpoint.base_url else {"generator": _named(config.model.path)}
        chats = {name for name, how in readings(config).items() if how.chat and how.kind != "lever"}
        return local | {
            f"ranker {name}": _named(path) + (", inside a chat template" if name in chats else "")
            for name, path in config.benchmark.rankers.items()
        }


def _write(stem: Path, table: Table, sheet: Sheet) -> None:
    for suffix, text in (("md", sheet.markdown()), ("html", sheet.page())):
        write_text(stem.with_name(f"{stem.name}.{suffix}"), text)
    write_json(stem.with_name(f"{stem.name}.json"), table.to_json())


def _ceiling(one: Evaluated) -> tuple[int, int]:
    return ceiling(one.benchmark.all, "strict"), len(one.benchmark.all)


def _prompts(config: Config, own: Sequence[Evaluated]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for one in own:
        tokens = sampling_of(config, one.benchmark).max_new_tokens
        line = one.benchmark.own.instruction
        ending = f", each ending with {line!r}" if line else ""
        text = f"style {one.benchmark.style}{ending}, answers of at most {tokens:,} tokens"
        found.setdefault(text, []).append(one.benchmark.language)
    return {"prompts": "; ".join(f"{text} ({', '.join(languages)})" for text, languages in found.items())}


def _named(model: str) -> str:
    """With a hash of its files, where they are here."""
    return f"{model} (files {tree_hash(Path(model))})" if Path(model).is_dir() else model


def _endpoint(own: Sequence[Served]) -> dict[str, str]:
    """Of all its samples in this table, those of earlier runs too."""
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
