"""The ``judge`` command: candidates of a public benchmark, or of a pool, run against their tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from rewardranker.commands.judge_files import PROBLEM_SETS, CandidateLine, load_pool, named_problems, read_candidates
from rewardranker.errors import UserError
from rewardranker.judge import REMOTE_TIER, Judge, judge_candidates, sandbox_description, toolchain_of
from rewardranker.judge.compat import COMPAT_RULES, CompatRules
from rewardranker.judge.languages import LANGUAGES
from rewardranker.paths import AnyPath
from rewardranker.problems.io import require_folder, write_json_lines
from rewardranker.problems.languages import canonical_language
from rewardranker.problems.pool import require_pool_path, write_pool
from rewardranker.problems.suspects import describe_suspected, suspected, suspected_in
from rewardranker.problems.types import Problem
from rewardranker.problems.verdict import NEVER_LABELS, Judgement, Verdict
from rewardranker.programs import extract
from rewardranker.programs.audit import suspicious
from rewardranker.programs.published import published_program
from rewardranker.runs.console import Console

MODES = ("strict", "compat", "compare")
_RULES: dict[str, CompatRules] = {rules: rules for rules in COMPAT_RULES}
Item = tuple[Problem, str]
Row = dict[str, Any]


@dataclass(frozen=True)
class JudgeRequest:
    """What the command was asked for; see :func:`run_judge` and the command's own help."""

    benchmark: str
    data: AnyPath
    candidates: AnyPath
    out: AnyPath
    language: str = ""
    mode: str = "strict"
    rules: str = "multipl_e"
    workers: int = 2
    minimum_tier: str = "C"
    patience: float = 1.0
    remote: str = ""


def run_judge(request: JudgeRequest, console: Console) -> None:
    """Judges every candidate, writes the lines with their verdicts and prints a summary.

    Raises:
        UserError: options or files that are not what they should be (nothing is written), or not a single
            candidate could be judged because of our own machinery.
    """
    _check(request)
    if request.benchmark == "pool":
        files = request.data, request.candidates, request.out
        judge_pool(*files, request.workers, console, request.minimum_tier, request.remote)
        return
    problems = named_problems(request.benchmark, request.data, request.language)
    lines = read_candidates(request.candidates, problems)
    with Judge(request.workers, minimum_tier=request.minimum_tier, remote=request.remote) as judge:
        _introduce(request.minimum_tier, request.remote, {line.problem.language for line in lines}, console)
        if request.mode == "compare":
            _compare(judge, request, lines, console)
        else:
            _judge(judge, request, lines, console)


def judge_pool(
    problems_file: AnyPath,
    pool_file: AnyPath,
    out: AnyPath,
    workers: int,
    console: Console,
    minimum_tier: str = "C",
    remote: str = "",
) -> None:
    """Adds a verdict to every candidate of a pool."""
    problems, pool = load_pool(problems_file, pool_file)
    _introduce(minimum_tier, remote, {problem.language for problem in problems.values()}, console)
    with (
        Judge(workers, minimum_tier=minimum_tier, remote=remote) as judge,
        console.progress("judge", len(pool), "programs") as advance,
    ):
        judge_candidates(pool, problems, lambda items: judge.run(items, lambda _: advance()))
    write_pool(out, pool, problems.values())
    console.show(summary([(c.language, c.verdict) for c in pool if c.verdict is not None]))
    say_suspected(suspected_in(problems, pool), console)
    tier = REMOTE_TIER if remote else ""
    _report_failures([Judgement(c.verdict, message=c.message, tier=tier) for c in pool if c.verdict], console)
    console.say(f"{out}: {len(pool):,} candidates")


def summary(results: Sequence[tuple[str, Verdict]]) -> Table:
    """Counts by language and verdict, and the share that is OK of those that say something of the program."""
    counts = Counter(results)
    verdicts = [verdict for verdict in Verdict if any(found == verdict for _, found in counts)]
    table = Table("language", *(str(verdict) for verdict in verdicts), "all", "OK of judged")
    for column in table.columns[1:]:
        column.justify = "right"
    for language in sorted({language for language, _ in counts}):
        row = {verdict: counts[language, verdict] for verdict in verdicts}
        judged = sum(count for verdict, count in row.items() if verdict not in NEVER_LABELS)
        share = f"{row.get(Verdict.OK, 0) / judged:.1%}" if judged else "-"
        table.add_row(language, *(f"{count:,}" for count in row.values()), f"{sum(row.values()):,}", share)
    return table


def say_suspected(found: Mapping[str, str], console: Console) -> None:
    """One line where problems are suspected (:mod:`rewardranker.problems.suspects`)."""
    if found:
        console.warn(describe_suspected(found))


def _check(request: JudgeRequest) -> None:
    for option, given, known in (
        ("--benchmark", request.benchmark, PROBLEM_SETS),
        ("--mode", request.mode, MODES),
        ("--rules", request.rules, COMPAT_RULES),
        ("--language", canonical_language(request.language) or "python", tuple(LANGUAGES)),
    ):
        if given not in known:
            raise UserError(f"{option} {given!r} is not known; it must be one of {', '.join(known)}")
    if request.benchmark == "pool" and request.mode != "strict":
        raise UserError(
            f"--mode {request.mode} needs a public benchmark: no other harness has rules for our own problems"
        )
    if request.remote and request.mode != "strict":
        raise UserError(
            f"--mode {request.mode} with --remote: another harness's rules can only be followed on this machine; "
            "leave one of the two out"
        )
    if request.patience <= 0:
        raise UserError(f"--patience {request.patience:g}: must be more than 0; 1 keeps the other harness's limits")
    if request.workers < 1:
        raise UserError(f"--workers {request.workers}: at least 1 program has to run at a time")
    if request.benchmark == "pool":
        require_pool_path("--out", request.out)
    else:
        require_folder("--out", request.out)


def _introduce(minimum_tier: str, remote: str, languages: set[str], console: Console) -> None:
    versions = []
    for name in sorted(languages):
        found = toolchain_of(LANGUAGES[name], remote) if name in LANGUAGES else None
        missing = ", ".join(found.missing) if found is not None else "a definition"
        versions.append(f"{name}: {found.version if found is not None and not missing else f'lacks {missing}'}")
    console.say(f"sandbox: {sandbox_description(minimum_tier, remote)}; tool-chains: {'; '.join(versions)}")


def _judge(judge: Judge, request: JudgeRequest, lines: list[CandidateLine], console: Console) -> None:
    if request.mode == "compat":
        results = _compat(judge, _RULES[request.rules], request.patience, lines, console)
    else:
        results = _strict(judge, lines, console)
    write_json_lines(request.out, map(_row, lines, results))
    console.show(summary([(line.problem.language, r.verdict) for line, r in zip(lines, results, strict=True)]))
    _report_failures(results, console)
    console.say(f"{request.out}: {len(lines):,} lines")


def _compare(judge: Judge, request: JudgeRequest, lines: list[CandidateLine], console: Console) -> None:
    """Strict, then by the rules of both other harnesses; prints where one passes what the other fails."""
    strict = _strict(judge, lines, console)
    others = {rules: _compat(judge, rules, request.patience, lines, console) for rules in COMPAT_RULES}
    rows, shown = [], Table("problem", "language", "strict", *COMPAT_RULES, "message")
    counts: Counter[tuple[str, str]] = Counter()
    for index, line in enumerate(lines):
        ours, theirs = strict[index], {rules: others[rules][index] for rules in COMPAT_RULES}
        disagreeing = [rules for rules, judgement in theirs.items() if disagree(ours, judgement)]
        found = {rules: {"verdict": str(j.verdict), "message": j.message} for rules, j in theirs.items()}
        rows.append(_row(line, ours) | {"compat": found, "disagree": disagreeing})
        counts.update((line.problem.language, rules) for rules in disagreeing)
        if disagreeing:
            messages = [f"strict: {ours.message}"] if ours.message else []
            messages += [f"{rules}: {theirs[rules].message}" for rules in disagreeing if theirs[rules].message]
            verdicts = [str(ours.verdict), *(str(judgement.verdict) for judgement in theirs.values())]
            shown.add_row(line.problem.id, line.problem.language, *verdicts, "\n".join(messages))
    write_json_lines(request.out, rows)
    for name, results in [("strict", strict), *others.items()]:
        table = summary([(line.problem.language, r.verdict) for line, r in zip(lines, results, strict=True)])
        table.title = name
        console.show(table)
    if shown.row_count:
        console.show(shown)
    for (language, rules), count in sorted(counts.items()):
        console.say(f"{language}: strict and {rules} disagree on {count:,}")
    _report_failures(strict, console)
    console.say(f"{request.out}: {len(lines):,} lines, {shown.row_count:,} with a disagreement")


def disagree(ours: Judgement, theirs: Judgement) -> bool:
    """Whether one passes what the other fails; what was not judged at all agrees with everything."""
    if ours.verdict in NEVER_LABELS or theirs.verdict in NEVER_LABELS:
        return False
    return (ours.verdict is Verdict.OK) != (theirs.verdict is Verdict.OK)


def _strict(judge: Judge, lines: list[CandidateLine], console: Console) -> list[Judgement]:
    """Says which problems are suspected, too: in each language apart, since benchmarks share ids over languages."""
    items = [(line.problem, extract(line.problem, line.text)) for line in lines]
    results = _with_progress("judge", judge.run, items, console)
    named = [(f"{problem.id} in {problem.language}", problem, code) for problem, code in items]
    judged = [(name, code, r.verdict, r.message) for (name, _, code), r in zip(named, results, strict=True)]
    say_suspected(suspected({name: problem for name, problem, _ in named}, judged), console)
    return results


def _compat(
    judge: Judge, rules: CompatRules, patience: float, lines: list[CandidateLine], console: Console
) -> list[Judgement]:
    items = [(line.problem, published_program(line.problem, line.text, rules)) for line in lines]

    def run(items: Sequence[Item], on_result: Callable[[int], None]) -> list[Judgement]:
        return judge.run_compat(items, rules, on_result, patience)

    return _with_progress(f"judge by the rules of {rules}", run, items, console)


def _with_progress(
    title: str,
    run: Callable[[Sequence[Item], Callable[[int], None]], list[Judgement]],
    items: list[Item],
    console: Console,
) -> list[Judgement]:
    with console.progress(title, len(items), "programs") as advance:
        return run(items, lambda _: advance())


def _row(line: CandidateLine, judgement: Judgement) -> Row:
    return line.row | {
        "verdict": str(judgement.verdict),
        "tests_passed": judgement.tests_passed,
        "tests_total": judgement.tests_total,
        "cpu_s": round(judgement.cpu_s, 4),
        "message": judgement.message,
        "level": judgement.level,
        "tier": judgement.tier,
        "flags": flags(line.problem, line.text),
    }


def flags(problem: Problem, text: str) -> list[str]:
    """The audit's marks on what the model wrote, not on lines that the prompt gave it."""
    code = extract(problem, text)
    given = {line.strip() for line in problem.prompt.splitlines()}
    lines = code.splitlines()
    return [
        mark
        for mark in suspicious(problem.language, code)
        if lines[int(mark.rpartition(":")[2]) - 1].strip() not in given
    ]


def _report_failures(results: list[Judgement], console: Console) -> None:
    """Says what our own machinery could not judge; raises where that is everything."""
    failed = [judgement for judgement in results if judgement.verdict is Verdict.INFRA]
    missing = Counter((j.message, j.tier) for j in results if j.verdict is Verdict.NO_TOOLCHAIN)
    for (message, tier), count in missing.items():
        remedy = "" if tier == REMOTE_TIER else "; `make toolchains` installs what is missing"
        console.warn(f"{count:,} not judged: {message}{remedy}")
    if failed and len(failed) == len(results):
        raise UserError(f"none of {len(results):,} candidates could be judged: {failed[0].message}")
    if failed:
        console.warn(f"{len(failed):,} of {len(results):,} could not be judged (INFRA): {failed[0].message}")
