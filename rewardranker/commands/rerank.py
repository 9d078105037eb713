"""The ``rerank`` command: candidates that one already has, best first. Runs no program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from rewardranker.commands.judge_files import PROBLEM_SETS, load_pool, named_problems, read_candidates
from rewardranker.commands.rerank_lines import candidates_of, ranked_rows
from rewardranker.errors import UserError
from rewardranker.judge.languages import LANGUAGES
from rewardranker.paths import AnyPath
from rewardranker.problems.io import require_folder, write_json_lines
from rewardranker.problems.languages import canonical_language
from rewardranker.problems.pool import SCORE, group_by_problem, require_pool_path, write_pool
from rewardranker.problems.types import Candidate, Problem
from rewardranker.problems.verdict import NEVER_LABELS, Verdict
from rewardranker.reranking.api import rank_pool
from rewardranker.reranking.catalogue import CATALOGUE, LEVER, check_need, kind_of, lacking, need_of, ranker_for
from rewardranker.reranking.record import Reading, reading, recorded
from rewardranker.runs.console import Console
from rewardranker.statistics.metrics import choice_shares
from rewardranker.tables.names import label

#: The ranker where neither an option nor a model says which.
KEY = "rewardranker"
#: Those that have a network.
NETWORKS = ("rewardranker", "coderanker", "lever")


@dataclass(frozen=True)
class RerankRequest:
    """What the command was asked for; see :func:`run_rerank` and the command's own help."""

    data: AnyPath
    candidates: AnyPath
    out: AnyPath
    benchmark: str = "pool"
    ranker: str = ""
    model: str = ""
    chat: bool | None = None
    language: str = ""


def run_rerank(request: RerankRequest, console: Console) -> None:
    """Orders the candidates of every problem, writes them with their scores and prints a summary.

    Raises:
        UserError: options or files that are not what they should be, a ranker that is not known or not enough is
            there for, or scores that are NaN; nothing is written.
    """
    _check(request)
    if request.benchmark == "pool":
        problems, pool = load_pool(request.data, request.candidates)
        ordered, name = _ranked(request, problems, pool, console)
        write_pool(request.out, ordered, problems.values())
    else:
        named = named_problems(request.benchmark, request.data, request.language)
        problems = {problem.id: problem for found in named.values() for problem in found}
        lines = read_candidates(request.candidates, named)
        pool = candidates_of(lines, request.candidates)
        ordered, name = _ranked(request, problems, pool, console)
        write_json_lines(request.out, ranked_rows(lines, pool, ordered, name))
    console.show(summary(ordered, name))
    absent = len(problems) - len({candidate.problem_id for candidate in pool})
    if absent:
        console.say(f"{absent:,} of the {len(problems):,} problems of {request.data} have no candidates")
    column = f", its scores in column {SCORE}{name}" if request.benchmark == "pool" else ""
    console.say(f"{request.out}: {len(ordered):,} candidates, best first by {name}{column}")


def add_scores(
    request: RerankRequest, problems: Mapping[str, Problem], pool: Sequence[Candidate], console: Console
) -> str:
    """Fills in what the network in ``request.model`` says of every program; returns the name that it is stored by.

    That is the ranker that was asked for, else the kind that the directory records; LEVER's verifier is ``lever``.

    Raises:
        UserError: no model there, one without a scalar head, one that was trained as something else, or candidates
            that lack what it reads.
    """
    # What follows takes seconds to import, and most rankers need none of it.
    from rewardranker.models.limits import describe_unread
    from rewardranker.models.loading import require_scorer
    from rewardranker.reranking.scorer import Scorer

    require_scorer(request.model, "--model")
    found = recorded(request.model)
    name = request.ranker or (found.kind if found is not None else KEY)
    kind = kind_of(name)
    if kind not in NETWORKS:
        raise UserError(f"{request.model} was trained as {kind}, which is none of {', '.join(NETWORKS)}")
    if request.chat and kind == "lever":
        raise UserError("--chat: LEVER's verifier reads a text of its own form, never a chat; leave --chat out")
    settings = (f"--ranker {name}", "--chat" if request.chat else "--no-chat")
    how = reading(request.model, kind, request.chat, Reading(kind, False), settings)
    check_need(name, pool)
    scorer, key = Scorer(request.model, how, setting="--model"), "lever" if kind == "lever" else name
    distinct = len({(candidate.problem_id, candidate.code) for candidate in pool})
    with console.progress("rerank", distinct, "programs") as advance:
        unread = scorer.store(pool, problems, key, advance)
    if unread:
        console.warn(describe_unread(unread, len(pool)))
    return name


def summary(ordered: Sequence[Candidate], ranker: str) -> Table:
    """Per language: how much was ranked, how often the best score is shared, and, of the problems whose candidates
    were all judged, the share that the first choice solves, beside chance and the best possible."""
    table = Table("language", "problems", "candidates", "tied for best", *("judged", "solved", "random", "oracle"))
    table.title = f"chosen by {label(ranker)}"
    for column in table.columns[1:]:
        column.justify = "right"
    groups = list(group_by_problem(ordered).values())
    for language in sorted({group[0].language for group in groups}):
        mine = [group for group in groups if group[0].language == language]
        tied = sum(sum(c.scores[ranker] == group[0].scores[ranker] for c in group) > 1 for group in mine)
        judged = [group for group in mine if all(c.verdict and c.verdict not in NEVER_LABELS for c in group)]
        table.add_row(
            language,
            *(f"{count:,}" for count in (len(mine), sum(map(len, mine)), tied, len(judged))),
            *_shares(judged, ranker),
        )
    return table


def catalogue_help() -> str:
    """The catalogue's rankers for the command's help, by what candidates have to carry for them."""
    needs: dict[str, list[str]] = {}
    for name, entry in CATALOGUE.items():
        needs.setdefault(entry.need.what if entry.need is not None else "", []).append(name)
    return "; ".join(
        f"{', '.join(names)} (where candidates carry {what})" if what else ", ".join(names)
        for what, names in needs.items()
    )


def _shares(judged: Sequence[Sequence[Candidate]], ranker: str) -> list[str]:
    if not judged:
        return ["-"] * 3
    correct = [[int(c.verdict == Verdict.OK) for c in group] for group in judged]
    return [f"{share:.1%}" for share in choice_shares([[c.scores[ranker] for c in g] for g in judged], correct)]


def _ranked(
    request: RerankRequest, problems: Mapping[str, Problem], pool: Sequence[Candidate], console: Console
) -> tuple[list[Candidate], str]:
    """The candidates in order, and the ranker's own name, by which they hold its scores."""
    name = add_scores(request, problems, pool, console) if request.model else request.ranker or KEY
    if not request.model and name in (*NETWORKS, *LEVER) and not _scored(pool, kind_of(name)):
        raise UserError(
            f"--ranker {name} needs --model, the directory of a trained one (the candidates hold no scores of one); "
            f"or choose another ranker: {', '.join(CATALOGUE)}"
        )
    ranker = ranker_for(name, pool)
    blind, need = lacking(name, pool), need_of(name)
    if blind and need is not None:
        console.warn(f"{blind:,} of {len(pool):,} candidates lack {need.what}, which {name} needs")
    return rank_pool(pool, problems, ranker), ranker.name


def _scored(pool: Sequence[Candidate], key: str) -> bool:
    return any(key in candidate.scores for candidate in pool)


def _check(request: RerankRequest) -> None:
    for option, given, known in (
        ("--benchmark", request.benchmark, PROBLEM_SETS),
        ("--language", canonical_language(request.language) or "python", tuple(LANGUAGES)),
    ):
        if given not in known:
            raise UserError(f"{option} {given!r} is not known; it must be one of {', '.join(known)}")
    kind = kind_of(request.ranker or KEY)
    network = request.ranker in LEVER if kind == "lever" else kind in NETWORKS
    if request.model and not network:
        raise UserError(
            f"--model is for {', '.join(f'--ranker {name}' for name in NETWORKS)}; --ranker {request.ranker} uses no "
            "model: leave one of them out"
        )
    if request.chat is not None and not request.model:
        raise UserError("--chat says how --model was trained; without a model it means nothing: leave it out")
    if request.benchmark == "pool" and request.language:
        raise UserError(
            "--language chooses a benchmark's problems; a pool's candidates name their problems: leave it out"
        )
    if request.benchmark == "pool":
        require_pool_path("--out", request.out)
    else:
        require_folder("--out", request.out)
