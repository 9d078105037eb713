"""``rewardranker evaluate``: any generator on public benchmarks, every ranker, and the paper's tables.

problems   each benchmark by language, put in the style of its prompt
sample     a pool for every language and seed: generated, judged, probed
score      what trained networks say of every program
tables     every ranker on the same pools, beside the paper's rows
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from actors.runtime import Runtime
from actors.stages.benchmarks import POOL, REVIEW, greedy, read_tests, sampled, scored, written_tests
from actors.stages.context import Context
from rewardranker.config.schema import Config
from rewardranker.errors import UserError
from rewardranker.evaluation import benchmark_views, comparison_views
from rewardranker.evaluation.asking import Asked, asked_for, of_chat_model
from rewardranker.evaluation.benchmark_building import build_benchmark_table
from rewardranker.evaluation.benchmark_pools import BenchmarkPool, Programs, Provenance
from rewardranker.evaluation.comparison import compare_rankers
from rewardranker.evaluation.guards import CHEAT, GOLD, cheats, references
from rewardranker.execution.judge import HARNESS_VERSION, judge_fingerprint, sandbox_description, toolchain_of
from rewardranker.execution.languages import LANGUAGES
from rewardranker.generation.candidates import judge_candidates
from rewardranker.models.loading import load_tokenizer, require_model, require_scorer
from rewardranker.problems.benchmarks import benchmark_solutions
from rewardranker.problems.data_card import ceiling, data_card
from rewardranker.problems.io import write_problems
from rewardranker.problems.pool import read_pool, write_pool
from rewardranker.problems.types import Candidate
from rewardranker.reranking.catalogue import CATALOGUE, network_rankers, rankers_for
from rewardranker.reranking.codet import CodeTRanker
from rewardranker.reranking.numbers import stored
from rewardranker.reranking.protocol import Ranker
from rewardranker.reranking.reviewer import ReviewerRanker
from rewardranker.runs.atomic import write_json, write_text
from rewardranker.runs.console import Console
from rewardranker.runs.directory import RunDirectory, Stage

GUARDS = "guards.parquet"
#: Bounds, not rankers: the tables add them themselves.
_BOUNDS = ("random", "oracle")


@dataclass
class Evaluation:
    """One run of the command.

    Attributes:
        contexts: by name of what is asked: its problems, and the settings that fit its prompts.
        counts: by problem id, how often each model-written test was sampled.
    """

    config: Config
    run: RunDirectory
    console: Console
    asked: list[Asked]
    contexts: dict[str, Context]
    counts: dict[str, list[int]] = field(default_factory=dict)

    def pools(self) -> list[BenchmarkPool]:
        """Samples, judges, probes and scores whatever is not there yet."""
        rankers, generator = self.config.benchmark.rankers, generator_name(self.config)
        pools = []
        for one in self.asked:
            context = self.contexts[one.name]
            tests = written_tests(context, one) if one.language == "python" else None
            if tests is not None:
                self.counts |= {name: list(found.counts) for name, found in read_tests(tests, one).items()}
            for seed in self.config.benchmark.seeds:
                seeded = replace(context, config=replace(context.config, run=replace(context.config.run, seed=seed)))
                stage = sampled(seeded, one, seed, tests)
                if rankers or self.config.benchmark.reviewer:
                    stage = scored(seeded, one, seed, stage, rankers)
                candidates = read_pool(stage / POOL)
                pools.append(BenchmarkPool(one.benchmark, one.language, generator, seed, one.problems, candidates))
        return pools

    def programs(self) -> list[Programs]:
        """Greedy answers and guards, judged."""
        generator, found = generator_name(self.config), []
        for one in self.asked:
            context = self.contexts[one.name]
            if self.config.benchmark.greedy:
                answers = read_pool(greedy(context, one) / POOL)
                found.append(Programs("greedy", one.language, answers, generator))
            guards = read_pool(_guards(context, one) / GUARDS)
            for row in (CHEAT, GOLD):
                own = [candidate for candidate in guards if candidate.source == row]
                if own:
                    found.append(Programs(row, one.language, own))
        return found


def evaluate_benchmarks(config: Config, console: Console) -> Path:
    """Runs every stage that is not complete, prints the tables; returns the run directory.

    Raises:
        UserError: no generator, no sets, or data or rankers that are not there.
    """
    _check(config)
    asked = asked_for(config.benchmark.sets, of_chat_model(config), _counter(config))
    _check_toolchains(config, asked)
    run = RunDirectory(config, console.say)
    console.show(data_card([problem for one in asked for problem in one.all]))
    problems = _problems(run, asked)
    with Runtime(config, console, run.path / ".verdicts") as runtime:
        contexts = {
            one.name: Context(
                replace(config, model=replace(config.model, chat=one.chat)),
                run,
                runtime,
                console,
                problems / one.name,
            )
            for one in asked
        }
        evaluation = Evaluation(config, run, console, asked, contexts)
        pools, programs = evaluation.pools(), evaluation.programs()
    _tables(evaluation, pools, programs)
    run.close()
    return run.path


def generator_name(config: Config) -> str:
    """The generator's name for people: of a stage's model directory, which is always ``hf``, the stage's."""
    path = Path(config.model.path)
    return config.endpoint.model if config.endpoint.base_url else path.parent.name if path.name == "hf" else path.name


def _check(config: Config) -> None:
    if not config.endpoint.base_url and not config.model.path:
        raise UserError(
            "evaluate needs a generator: set model.path to a model directory or hub name, or endpoint.base_url and "
            "endpoint.model to a server's"
        )
    if not config.endpoint.base_url:
        require_model(config.model.path)
    networks = network_rankers(config.benchmark.rankers)
    for name, model in config.benchmark.rankers.items():
        require_scorer(model, f"benchmark.rankers.{name}")
    own = config.benchmark
    if not own.seeds:
        raise UserError("benchmark.seeds is empty: give at least one, e.g. [0]")
    if config.endpoint.base_url and (own.reviewer or own.generated_tests):
        raise UserError(
            "benchmark.reviewer and benchmark.generated_tests need a local generator (model.path), for they ask it "
            "again; leave them out with endpoint.base_url"
        )
    known = {*CATALOGUE, *_BOUNDS, *(ranker.name for ranker in networks)} | (
        {"reviewer_sum"} if own.reviewer else set()
    )
    if own.baseline not in known:
        raise UserError(f"benchmark.baseline={own.baseline}: must be one of {', '.join(sorted(known))}")


def _check_toolchains(config: Config, asked: Sequence[Asked]) -> None:
    """Before hours of sampling, not after."""
    for language in sorted({one.language for one in asked}):
        missing = toolchain_of(LANGUAGES[language], config.judge.remote_url).missing
        if missing:
            raise UserError(
                f"benchmark.sets asks for {language}, which cannot be judged here: {', '.join(missing)} not found; "
                "install it, or leave the language out (benchmark.sets: languages)"
            )


def _counter(config: Config) -> Callable[[str], int] | None:
    """Tokens of a text, where the generator's tokenizer is at hand."""
    if config.endpoint.base_url:
        return None
    tokenizer = load_tokenizer(config.model.path)
    return lambda text: len(tokenizer.encode(text))


def _problems(run: RunDirectory, asked: Sequence[Asked]) -> Path:
    def work(stage: Stage) -> None:
        for one in asked:
            (stage.path / one.name).mkdir()
            write_problems(stage.path / one.name / "problems.jsonl", one.problems)
            stage.metrics[one.name] = len(one.problems)

    wanted = [
        {"name": one.name, "set": vars(one.own), "revision": one.all[0].revision, "chat": one.chat} for one in asked
    ]
    return run.stage("problems", {"asked": wanted}, {}, work)


def _guards(context: Context, asked: Asked) -> Path:
    """The stage that judges programs whose verdicts are known. Leaves ``guards.parquet``."""

    def work(stage: Stage) -> None:
        known = benchmark_solutions(asked.own.name, asked.own.source)
        guards = cheats(asked.plain) + references(asked.plain, known)
        problems = {problem.id: problem for problem in asked.plain}
        judge_candidates(guards, problems, context.runtime.executors.run)
        write_pool(stage.path / GUARDS, guards)
        for row in (CHEAT, GOLD):
            own = [candidate for candidate in guards if candidate.source == row]
            stage.metrics |= {row: sum(c.verdict == "OK" for c in own), f"{row}_programs": len(own)}

    inputs = {"problems": context.data / "problems.jsonl"}
    judge = judge_fingerprint(asked.language, context.config.judge.remote_url)
    return context.stage(f"guards-{asked.name}", {"judge": judge}, inputs, work)


def _tables(evaluation: Evaluation, pools: Sequence[BenchmarkPool], programs: Sequence[Programs]) -> None:
    """Prints and writes a table for each benchmark, and a page for each pool."""
    config, folder = evaluation.config, evaluation.run.path / "tables"
    folder.mkdir(exist_ok=True)
    benchmark, n = config.benchmark, config.generation.n
    for name in dict.fromkeys(pool.benchmark for pool in pools):
        own = [pool for pool in pools if pool.benchmark == name]
        languages = {pool.language for pool in own}
        ceilings = {
            one.language: (ceiling(one.all, "strict"), len(one.all))
            for one in evaluation.asked
            if one.benchmark == name
        }
        table = build_benchmark_table(
            own,
            _rankers(config, [c for pool in own for c in pool.candidates], evaluation.counts),
            n,
            _provenance(config, languages),
            [one for one in programs if _belongs(one, own)],
            ceilings,
            baseline=benchmark.baseline,
            bootstrap=config.evaluation.bootstrap,
            seed=config.run.seed,
            partial=benchmark.partial,
        )
        evaluation.console.show(benchmark_views.render(table))
        write_json(folder / f"{name}.json", table.to_json())
        write_text(folder / f"{name}.md", benchmark_views.to_markdown(table))
        write_text(folder / f"{name}.html", benchmark_views.to_html(table))
        for pool in own:
            _compare(evaluation, pool, [p for p in programs if _belongs(p, [pool])], ceilings[pool.language], folder)
    evaluation.console.say(f"tables: {folder}")


def _compare(
    evaluation: Evaluation,
    pool: BenchmarkPool,
    programs: Sequence[Programs],
    ceiling: tuple[int, int],
    folder: Path,
) -> None:
    """Writes one pool's page."""
    config, n = evaluation.config, evaluation.config.generation.n
    found = compare_rankers(
        pool.name,
        pool.candidates,
        pool.problems,
        _rankers(config, list(pool.candidates), evaluation.counts),
        ns=sorted({max(1, n // 2), n}),
        ks=(min(3, n),),
        baseline=config.benchmark.baseline,
        bootstrap=config.evaluation.bootstrap,
        seed=config.run.seed,
        partial=config.benchmark.partial,
        programs=programs,
        ceiling=ceiling,
    )
    name = f"rankers-{pool.benchmark}-{pool.language}-{pool.seed}"
    write_json(folder / f"{name}.json", found.to_json())
    write_text(folder / f"{name}.md", comparison_views.to_markdown(found))
    write_text(folder / f"{name}.html", comparison_views.to_html(found))


def _rankers(config: Config, candidates: Sequence[Candidate], counts: dict[str, list[int]]) -> list[Ranker]:
    """All that the pools are enough for."""
    names = [name for name in rankers_for(candidates) if name not in _BOUNDS]
    plain = [CodeTRanker(counts) if name == "codet" else CATALOGUE[name].make() for name in names]
    reviewers = [ReviewerRanker(stored(REVIEW), "sum")] if config.benchmark.reviewer else []
    known = all(candidate.logprobs for candidate in candidates)
    return [*plain, *reviewers, *network_rankers(config.benchmark.rankers, "sum" if known else "frequency")]


def _belongs(programs: Programs, pools: Sequence[BenchmarkPool]) -> bool:
    ids = {problem.id for pool in pools if pool.language == programs.language for problem in pool.problems}
    return any(candidate.problem_id in ids for candidate in programs.candidates)


def _provenance(config: Config, languages: set[str]) -> Provenance:
    endpoint, judge = config.endpoint, config.judge
    remote, server = bool(endpoint.base_url), judge.remote_url
    return Provenance(
        temperature=endpoint.temperature if remote else config.generation.temperature,
        harness=f"rewardranker judge {HARNESS_VERSION}, strict, {sandbox_description(judge.minimum_tier, server)}",
        toolchains={name: toolchain_of(LANGUAGES[name], server).version for name in sorted(languages)},
        top_k=endpoint.top_k if remote else config.generation.top_k,
        top_p=endpoint.top_p if remote else None,
        more={f"ranker {name}": path for name, path in config.benchmark.rankers.items()},
    )
