"""The command line: the one module of the method that may start the runtime."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperOption

from rewardranker.config.choices import STAGES, Stage
from rewardranker.config.loading import load_config
from rewardranker.config.schema import Config
from rewardranker.config.settings import differing
from rewardranker.errors import Interrupted, UserError
from rewardranker.runs.console import Console

#: The status of a command that was ended by Ctrl-C.
INTERRUPTED = 130

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Iterative self-training of code rerankers.",
)

ConfigFile = Annotated[Path | None, typer.Option("--config", "-c", help="YAML file with settings.")]
Overrides = Annotated[
    list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Settings, e.g. ppo.kl.coef=0.02")
]
Data = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=SOURCE", help="Where a benchmark's rows are: a file, a directory, a name on the hub."),
]
_SETS = "multipl_e, humaneval, humaneval_x, mbpp, or pool (our own problems)."
_RANKERS = (
    "By default what --model was trained as. rewardranker, coderanker, lever (need --model, or their scores in the "
    "pool; lever also what programs return), another score in the pool, or"
)
_SETTINGS = "Settings: `rewardranker settings [WORD]`, docs/settings.md."
Rows = Annotated[
    Path, typer.Option("--data", "--problems", help="The benchmark's own JSON lines; for pool, problems.jsonl.")
]
Candidates = Annotated[
    Path,
    typer.Option(
        "--candidates", "--pool", help='JSON lines {"problem_id", "text"}; for pool, a .parquet or .jsonl pool.'
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check, print derived sizes, start nothing.")]


def _run(config_file: Path | None, overrides: list[str] | None, dry_run: bool, until: str) -> None:
    config = load_config(config_file, overrides or [])
    console = Console()
    if dry_run:
        from rewardranker.training.demand import require_here, uses_until
        from rewardranker.training.memory_table import describe_memory, require_memory
        from rewardranker.training.sizes import describe

        uses = uses_until(until)
        console.show(describe(config, uses))
        console.show(describe_memory(config, uses))
        require_here(config, uses)
        require_memory(config, uses)
        return
    from actors.pipeline.cycle import run_cycle
    from rewardranker.models.quiet import quiet_transformers

    quiet_transformers()
    _introduce(config, console)
    run_cycle(config, console, until)


def _introduce(config: Config, console: Console) -> None:
    found = differing(config)
    kept = f"all of them: {Path(config.run.root) / config.run.name / 'config.yaml'}"
    console.say(f"settings other than the defaults ({kept}):" if found else f"settings: the defaults ({kept})")
    for section, values in found.items():
        console.listing(section, [f"{name}={value}" for name, value in values.items()])


@contextlib.contextmanager
def _whole(out: Path, shards: bool = False) -> Iterator[None]:
    """Around commands that write one file when everything is done, and may keep the ``shards`` that are."""
    try:
        yield
    except KeyboardInterrupt:
        kept, then = ("finished shards are kept", "goes on") if shards else ("nothing is kept", "begins again")
        written = f"{out} is written when all is done"
        raise Interrupted(f"interrupted; {kept}: {written}. The same command {then}") from None


@app.command(epilog=_SETTINGS)
def cycle(config: ConfigFile = None, overrides: Overrides = None, dry_run: DryRun = False) -> None:
    """The whole self-training cycle, from data to the table and the report. Resumes what was cut off."""
    _run(config, overrides, dry_run, until="")


def _up_to(stage: Stage) -> Callable[..., None]:
    def command(config: ConfigFile = None, overrides: Overrides = None, dry_run: DryRun = False) -> None:
        _run(config, overrides, dry_run, until=stage.last)

    command.__doc__ = f"The cycle up to {stage.what}."
    return command


for _name, _stage in STAGES.items():
    app.command(_name, epilog=_SETTINGS)(_up_to(_stage))


@app.command(epilog=_SETTINGS)
def evaluate(config: ConfigFile = None, overrides: Overrides = None, dry_run: DryRun = False) -> None:
    """A generator on public benchmarks: pools, verdicts, every ranker, the paper's tables. Resumes."""
    settings, console = load_config(config, overrides or []), Console()
    if dry_run:
        from rewardranker.evaluation.plan import describe_evaluation
        from rewardranker.training.demand import require_here, uses_of_evaluation

        console.show(describe_evaluation(settings))
        require_here(settings, uses_of_evaluation(settings))
        return
    from actors.pipeline.evaluate import evaluate_benchmarks
    from rewardranker.models.quiet import quiet_transformers

    quiet_transformers()
    _introduce(settings, console)
    evaluate_benchmarks(settings, console)


@app.command(epilog=_SETTINGS)
def generate(
    model: Annotated[str, typer.Option(help="Model directory or hub name.")],
    problems: Annotated[Path, typer.Option(help="Problems, JSON lines.")],
    out: Annotated[Path, typer.Option(help="Pool to write, .parquet or .jsonl.")],
    config: ConfigFile = None,
    overrides: Overrides = None,
) -> None:
    """Candidates for problems from any model: a pool, not judged. Resumes."""
    from rewardranker.problems.pool import require_pool_path

    require_pool_path("--out", out)
    from actors.pipeline.standalone import generate_pool

    with _whole(out, shards=True):
        generate_pool(load_config(config, [*(overrides or []), f"model.path={model}"]), problems, out, Console())


@app.command(epilog=_SETTINGS)
def triplets(
    out: Annotated[Path, typer.Option(help="Directory for shards and the page; made.")],
    labels: Annotated[
        str,
        typer.Option(
            help="agree: what site and judge both say of a program; verdict: the judge; given: the site; nothing runs"
        ),
    ] = "agree",
    workers: Annotated[int, typer.Option(help="Processes.")] = 2,
    each: Annotated[int, typer.Option(help="Nearest, and random, passing programs for each failing one.")] = 1,
    of_one: Annotated[int, typer.Option(help="How often one program may be the nearest; 0: any number.")] = 0,
    gap: Annotated[float, typer.Option(help="Failing programs pass at most 1 less this share of the tests.")] = 0.0,
    config: ConfigFile = None,
    overrides: Overrides = None,
) -> None:
    """All of a contest data set as triplets and a corpus, with a page on what they are. Resumes."""
    from rewardranker.commands.triplets import TripletsRequest, run_triplets

    asked = TripletsRequest(out, labels, workers, each, of_one, gap)
    with _whole(out, shards=True):
        run_triplets(asked, load_config(config, overrides or []), Console())


@app.command()
def judge(
    data: Rows,
    candidates: Candidates,
    out: Annotated[Path, typer.Option(help="The same lines, or the pool, with verdicts.")],
    benchmark: Annotated[str, typer.Option(help=_SETS)] = "pool",
    language: Annotated[str, typer.Option(help="Only problems in this language.")] = "",
    mode: Annotated[
        str, typer.Option(help="strict; compat: by another harness's rules; compare: both, and where they disagree.")
    ] = "strict",
    rules: Annotated[str, typer.Option(help="Whose rules compat follows: multipl_e or deepseek.")] = "multipl_e",
    workers: Annotated[int, typer.Option(help="Programs run side by side; no more than there are cores.")] = 2,
    minimum_tier: Annotated[str, typer.Option(help="Weakest sandbox to put up with: A+, A, B, C or D.")] = "C",
    patience: Annotated[
        float, typer.Option(help="Factor on the wall-clock limits of another harness's rules.")
    ] = 1.0,
    remote: Annotated[
        str, typer.Option(help="Address of a SandboxFusion server that runs the programs instead of this machine.")
    ] = "",
) -> None:
    """Runs the tests of every candidate."""
    from rewardranker.commands.judge import JudgeRequest, run_judge

    asked = (benchmark, data, candidates, out, language, mode, rules, workers, minimum_tier, patience, remote)
    with _whole(out):
        run_judge(JudgeRequest(*asked), Console())


@app.command()
def train(
    kind: Annotated[str, typer.Option(help="rewardranker (pairs), coderanker (pointwise) or lever (verifier).")],
    model: Annotated[str, typer.Option(help="Backbone: model directory or hub name.")],
    out: Annotated[Path, typer.Option(help="Directory to write the trained reranker to.")],
    problems: Annotated[Path | None, typer.Option(help="The pool's problems, JSON lines.")] = None,
    pool: Annotated[Path | None, typer.Option(help="A pool with verdicts, .parquet or .jsonl.")] = None,
    preferences: Annotated[
        str, typer.Option(help="Instead: rows of prompt, chosen, rejected; a file, a directory or a name on the hub.")
    ] = "",
    chat: Annotated[bool, typer.Option(help="Put problems in the tokenizer's chat template.")] = False,
    steps: Annotated[int, typer.Option(help="Optimiser updates.")] = 100,
    programs_per_step: Annotated[int, typer.Option(help="Programs in one update; a pair is two.")] = 64,
    pairs_per_problem: Annotated[int, typer.Option(help="At most so many.")] = 16,
    trained_layers: Annotated[int, typer.Option(help="Last layers that train; 0: all.")] = 0,
    max_tokens: Annotated[
        int, typer.Option(help="Pairs with a longer side, prompt and program, are left out.")
    ] = 1024,
    lr: Annotated[float, typer.Option(help="Peak learning rate.")] = 1e-4,
    seed: Annotated[int, typer.Option(help="Of the head and the order of problems.")] = 0,
    device: Annotated[str, typer.Option(help="cpu, or cuda:0.")] = "cpu",
    validation: Annotated[
        float, typer.Option(help="Share of the problems that is held out, and ranked at the end; 0: none.")
    ] = 0.1,
    layers: Annotated[int, typer.Option(help="First layers of the model that the reranker has; 0: all.")] = 0,
    pooling: Annotated[str, typer.Option(help="A score is read at the last token, or as the mean.")] = "last",
    head_penalty: Annotated[
        float, typer.Option(help="Of the head's fit to the pairs before anything trains; 0: it is drawn.")
    ] = 0.0,
) -> None:
    """A reranker from a judged pool or from preferences, in this process, without the cycle."""
    from rewardranker.commands.train import TrainRequest, run_train

    asked = (kind, model, problems, pool, out, chat, steps, programs_per_step, pairs_per_problem, trained_layers)
    shape = (layers, pooling, head_penalty)
    run_train(TrainRequest(*asked, max_tokens, lr, seed, device, preferences, validation, *shape), Console())


class _WithRankers(TyperCommand):
    """A command whose help names every ranker; they are looked up only then, as that takes seconds."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        from rewardranker.commands.rerank import catalogue_help

        for option in self.params:
            if isinstance(option, TyperOption) and option.name == "ranker":
                option.help = f"{_RANKERS} {catalogue_help()}."
        super().format_help(ctx, formatter)


@app.command(cls=_WithRankers)
def rerank(
    data: Rows,
    candidates: Candidates,
    out: Annotated[Path, typer.Option(help="The same lines, or the pool: best of each problem first, with scores.")],
    ranker: Annotated[str, typer.Option(help=_RANKERS)] = "",
    model: Annotated[str, typer.Option(help="Directory of a trained reranker, of any of the three kinds.")] = "",
    chat: Annotated[
        bool | None,
        typer.Option("--chat/--no-chat", help="Problems in the chat template; else as it was trained."),
    ] = None,
    benchmark: Annotated[
        str, typer.Option(help="multipl_e, humaneval, humaneval_x, mbpp, or pool (our own).")
    ] = "pool",
    language: Annotated[str, typer.Option(help="Only problems in this language.")] = "",
) -> None:
    """Orders candidates that you already have, best first. Runs no program."""
    from rewardranker.commands.rerank import RerankRequest, run_rerank

    with _whole(out):
        run_rerank(RerankRequest(data, candidates, out, benchmark, ranker, model, chat, language), Console())


@app.command()
def contamination(
    training: Annotated[
        str, typer.Argument(help="NAME, or a problems.jsonl; only one split with :train, :validation or :test.")
    ],
    benchmarks: Annotated[list[str], typer.Argument(help="One or more, named in the same way.")],
    data: Data = None,
    out: Annotated[Path | None, typer.Option(help="The whole report, in Markdown.")] = None,
    run_words: Annotated[int, typer.Option(help="Length of a shared run of words.")] = 10,
    edit_ratio: Annotated[float, typer.Option(help="Edit ratio above which two texts are alike.")] = 0.7,
) -> None:
    """Which training problems are benchmark problems in another guise."""
    from rewardranker.commands.contamination import ContaminationRequest, run_contamination

    asked = ContaminationRequest(training, tuple(benchmarks), tuple(data or ()), out, run_words, edit_ratio)
    run_contamination(asked, Console())


@app.command()
def card(
    benchmarks: Annotated[list[str], typer.Argument(help="NAME, or a problems.jsonl; one split with :test.")],
    data: Data = None,
    out: Annotated[Path | None, typer.Option(help="The same, in Markdown.")] = None,
) -> None:
    """What is known of problems: revisions, ceilings, and what no correct program passes, and why."""
    from rewardranker.commands.card import run_card

    run_card(benchmarks, data or [], out, Console())


@app.command()
def report(run: Annotated[Path, typer.Argument(help="Run directory.")]) -> None:
    """Writes a run's HTML report again."""
    from rewardranker.report.page import write_report

    if not (run / "config.yaml").exists():
        raise UserError(f"{run} is no run directory: it holds no config.yaml")
    write_report(run, run / "report.html")
    print(run / "report.html")


@app.command()
def settings(
    word: Annotated[str, typer.Argument(help="Part of a name, a section, a choice or a meaning.")] = "",
    out: Annotated[Path | None, typer.Option(help="Write the Markdown page of all of them instead.")] = None,
) -> None:
    """What can be set in a config: name, type, default, choices, meaning."""
    from rewardranker.commands.settings import run_settings

    run_settings(word, out, Console())


@app.command(epilog=_SETTINGS)
def doctor(config: ConfigFile = None, overrides: Overrides = None) -> None:
    """Checks that a cluster can do what a config asks: resources, collectives, engines, the judge."""
    from actors.pipeline.doctor import examine

    asked: Config = load_config(config, overrides or [])
    raise typer.Exit(0 if examine(asked, Console()) else 1)


def main() -> None:
    """Entry point. Printed without a traceback: a :class:`UserError`, status 2, and what Ctrl-C left, status 130."""
    try:
        app()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except Interrupted as error:
        again = shlex.join(["rewardranker", *sys.argv[1:]])
        print(f"\n{error}:\n  {again}", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except SystemExit as end:
        if end.code == INTERRUPTED:  # typer's, for Ctrl-C in a command that says nothing of its own
            print("\ninterrupted", file=sys.stderr)
        raise


if __name__ == "__main__":
    main()
