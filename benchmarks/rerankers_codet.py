"""Rerankers on real samples: HumanEval, 40 CodeGen-16B samples a problem, judged here, with CodeT's generated tests.

    python benchmarks/rerankers_codet.py --work runs/codet --out benchmarks/results/rerankers_codet.md

Judges the samples with HumanEval's tests, runs them on the model-written tests, writes DIR/pool.parquet and
DIR/problems.jsonl, and prints what every ranker picks at n = 5, 10 and 20. Verdicts are kept in DIR/cache, so that a
second run takes seconds. Scores in DIR/pool.parquet (`Candidate.scores`) are kept, and every score that all
candidates have is ranked as well: train a ranker on that pool, write its scores there, run this again.

Where a candidate's score depends on itself alone, best-of-n is in closed form over the 40; where it depends on the
other samples (votes, agreement), it is the mean over seeded draws of n of the 40. Equal scores are averaged.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rewardranker.errors import UserError
from rewardranker.judge import Judge, VerdictCache, judge_candidates, judge_fingerprint, sandbox_description
from rewardranker.judge.observations import is_value
from rewardranker.problems.benchmarks import load_humaneval
from rewardranker.problems.io import first_few, read_json_lines, write_problems
from rewardranker.problems.normal_form import normalise
from rewardranker.problems.pool import group_by_problem, judged_of, read_pool, write_pool
from rewardranker.problems.types import Candidate, Limits, Problem
from rewardranker.problems.verdict import Verdict
from rewardranker.reranking.evidence import Probes, probe_candidates
from rewardranker.reranking.execution import AlphaCodeRanker, ExecFilterRanker, MajorityRanker, MbrExecRanker
from rewardranker.reranking.generated import CodeTRanker, GeneratedCountRanker
from rewardranker.reranking.generated_tests import GeneratedTests, calls_of, examples_of, generated_tests
from rewardranker.reranking.protocol import Ranker
from rewardranker.reranking.stored import StoredRanker
from rewardranker.runs.atomic import write_text
from rewardranker.statistics.metrics import best_of_n, bootstrap_mean, expected_pick, paired_bootstrap, pass_at_k

SIZES = (5, 10, 20)
BOOTSTRAP = 10_000
STOPS = ("\nclass", "\ndef", "\n#", "\nif", "\nprint")
LIMITS = Limits(cpu_s=2.0, wall_s=20.0)
#: Measured elsewhere, with other code, on the first 20 of these samples: (mean, standard error) at n = 10.
REFERENCE = {
    "random": (0.222, 0.005),
    "exec_filter": (0.239, None),
    "generated_tests": (0.301, 0.013),
    "majority": (0.293, 0.008),
    "mbr_exec": (0.293, 0.008),
    "mbr_exec_soft": (0.312, 0.012),
    "codet": (0.336, 0.013),
    "oracle": (0.500, 0.018),
}


@dataclass(frozen=True)
class Data:
    """Problems and their own solutions by id; unjudged candidates; model-written tests by problem id; probes, with
    the examples of the original prompts, which the samples' prompts lack."""

    problems: dict[str, Problem]
    solutions: dict[str, str]
    candidates: list[Candidate]
    tests: dict[str, GeneratedTests]
    probes: dict[str, Probes]


def load(folder: Path) -> Data:
    """Reads HumanEval and CodeT's files for it."""
    originals = {problem.id: problem for problem in load_humaneval(folder / "humaneval" / "HumanEval.jsonl.gz")}
    prompts, solutions = {}, {}
    for row in read_json_lines(folder / "codet_pool" / "prompts.jsonl"):
        name = prompts[row["prompt"]] = f"humaneval/{row['task_id'].rpartition('/')[2]}"
        solutions[name] = normalise(row["prompt"] + row["canonical_solution"])
    problems, candidates, tests = {}, [], {}
    for row in read_json_lines(folder / "codet_pool" / "samples_00_39.jsonl"):
        name, prompt = prompts[row["prompt"]], row["prompt"]
        problems[name] = replace(originals[name], prompt=prompt, prefix=prompt, limits=LIMITS, stop_tokens=STOPS)
        for number, text in enumerate(row["samples"]):
            code = normalise(prompt + cut(text))
            candidates.append(Candidate(name, "python", text, code, "gen:codegen-16b", seed=number))
    for row in read_json_lines(folder / "codet_pool" / "generated_tests.jsonl"):
        name = next(name for prompt, name in prompts.items() if row["prompt"].startswith(prompt))
        tests[name] = generated_tests(row["samples"], problems[name].entry_point)
    probes = {
        name: Probes(
            calls_of(found.conditions, problems[name].entry_point), found.conditions, examples_of(originals[name])
        )
        for name, found in tests.items()
    }
    return Data(problems, solutions, candidates, tests, probes)


def cut(text: str) -> str:
    """A base model's text up to where it begins something else than the function's body."""
    return text[: min((place for stop in STOPS if (place := text.find(stop)) >= 0), default=len(text))]


def judged(data: Data, work: Path, workers: int) -> list[Candidate]:
    """The pool with verdicts, evidence and the scores that an earlier pool there had; writes it."""
    pool = data.candidates
    with Judge(workers, cache=VerdictCache(work / "cache")) as judge:

        def run(items: Sequence[tuple[Problem, str]]) -> list:  # type: ignore[type-arg]
            done = iter(range(1, len(items) + 1))
            return judge.run(items, lambda _: progress(next(done), len(items)))

        judge_candidates(pool, data.problems, run)
        probe_candidates(pool, data.problems, data.probes, run)
    path = work / "pool.parquet"
    if path.is_file():
        scores = {(c.problem_id, c.seed, c.text): c.scores for c in read_pool(path)}
        for candidate in pool:
            candidate.scores = scores.get((candidate.problem_id, candidate.seed, candidate.text), {})
    write_pool(path, pool, data.problems.values())
    write_problems(work / "problems.jsonl", list(data.problems.values()))
    return pool


def guards(data: Data, work: Path, workers: int) -> str:
    """What tells of a broken judge: the data's own solutions, and programs that do nothing."""
    items = [(problem, data.solutions[name]) for name, problem in data.problems.items()]
    idle = [(problem, normalise(problem.prompt + "    return None")) for problem in data.problems.values()]
    with Judge(workers, cache=VerdictCache(work / "cache")) as judge:
        right, wrong = (sum(one.verdict is Verdict.OK for one in judge.run(some)) for some in (items, idle))
    return (
        f"HumanEval's own solutions: {right} of {len(items)} OK; programs that return None: {wrong} of {len(idle)}."
    )


def progress(done: int, total: int) -> None:
    if done % 200 == 0 or done == total:
        print(f"\r  {done} of {total}", end="\n" if done == total else "", file=sys.stderr, flush=True)


PerProblem = dict[str, np.ndarray]  # ranker -> [problems], or [draws, problems]


def closed_form(
    groups: Mapping[str, list[Candidate]], rankers: Sequence[Ranker], problems: Mapping[str, Problem], n: int
) -> PerProblem:
    """Rankers whose score of a candidate does not depend on the others. ``[problems]`` each."""
    rows: dict[str, list[float]] = {name: [] for name in ("random", *(r.name for r in rankers), "oracle")}
    for name, group in groups.items():
        right = correct(group)
        rows["random"].append(float(np.mean(right)))
        rows["oracle"].append(pass_at_k(len(right), sum(right), n))
        for ranker in rankers:
            rows[ranker.name].append(best_of_n(ranker.score(problems[name], group), right, n))
    return {name: np.array(values) for name, values in rows.items()}


def by_draws(
    groups: Mapping[str, list[Candidate]],
    rankers: Sequence[Ranker],
    problems: Mapping[str, Problem],
    n: int,
    draws: int,
    seed: int,
) -> PerProblem:
    """Any rankers, by drawing ``n`` of each problem's candidates. ``[draws, problems]`` each, of the same draws."""
    names = ("random", *(ranker.name for ranker in rankers), "oracle")
    rows = {name: np.zeros((draws, len(groups))) for name in names}
    generator = np.random.default_rng([seed, n])
    for draw in range(draws):
        for column, (name, group) in enumerate(groups.items()):
            some = [group[i] for i in generator.permutation(len(group))[:n]]
            right = correct(some)
            rows["random"][draw, column] = np.mean(right)
            rows["oracle"][draw, column] = max(right)
            for ranker in rankers:
                rows[ranker.name][draw, column] = expected_pick(ranker.score(problems[name], some), right)
    return rows


def correct(group: Sequence[Candidate]) -> list[int]:
    return [int(candidate.verdict == Verdict.OK) for candidate in group]


def report(data: Data, pool: list[Candidate], draws: int, seed: int, guarded: str) -> str:
    """The Markdown page; ``guarded`` is what :func:`guards` found."""
    groups = group_by_problem(judged_of(pool))
    short = [name for name in data.problems if len(groups.get(name, ())) < max(SIZES)]
    if short:
        raise UserError(
            f"{len(short)} problems have fewer than {max(SIZES)} judged samples: {first_few(short)}; run again"
        )
    counts = {name: found.counts for name, found in data.tests.items()}
    keys = sorted(set.intersection(*(set(c.scores) for c in pool)))
    alone: list[Ranker] = [ExecFilterRanker(), GeneratedCountRanker(), GeneratedCountRanker(counts)]
    alone += [StoredRanker(key) for key in keys]
    together: list[Ranker] = [
        MajorityRanker(),
        MbrExecRanker(),
        MbrExecRanker(soft=True),
        AlphaCodeRanker(),
        CodeTRanker(counts),
    ]
    closed = {n: closed_form(groups, alone, data.problems, n) for n in SIZES}
    drawn = {n: by_draws(groups, [*alone, *together], data.problems, n, draws, seed) for n in SIZES}
    names = [*closed[SIZES[0]], *(ranker.name for ranker in together)]
    names = [name for name in names if name != "oracle"] + ["oracle"]
    best = {n: {name: closed[n].get(name, drawn[n][name].mean(axis=0)) for name in names} for n in SIZES}
    parts = [
        "# Rerankers on CodeT's samples of HumanEval",
        described(data, pool, draws, seed),
        guarded,
        "## Solved",
        table(
            ["ranker", *(f"n = {n}" for n in SIZES)],
            [[name, *(solved(best[n][name], drawn[n][name]) for n in SIZES)] for name in names],
        ),
        "Share of problems solved by the first choice; in brackets the standard deviation over draws of n samples, "
        "then the 95 % interval from resampling the problems. `alphacode` filters by the examples of HumanEval's "
        "prompts, which neither the generator nor the other rankers saw.",
        "## Beside the reference, n = 10",
        table(["ranker", "here", "reference", "difference", "within two standard errors"], compared(best[10])),
        strictness(pool),
        "## Against CodeT and chance, n = 10",
        table(["ranker", "minus random", "minus CodeT"], differences(best[10])),
        "95 % intervals from a bootstrap over problems, paired.",
    ]
    return "\n\n".join(parts) + "\n"


def described(data: Data, pool: list[Candidate], draws: int, seed: int) -> str:
    verdicts = Counter(str(c.verdict) for c in pool)
    refused = sum((found.refused for found in data.tests.values()), Counter())
    right = {(c.problem_id, i) for c in pool if c.verdict == Verdict.OK for i in c.passed_generated}
    solvable = {c.problem_id for c in pool if c.verdict == Verdict.OK}
    kept = {name: len(found.tests) for name, found in data.tests.items()}
    revision = next(iter(data.problems.values())).revision
    return "\n\n".join(
        [
            f"{len(data.problems)} problems (HumanEval {revision}), {len(pool):,} samples of CodeGen-16B at T = 0.8, "
            f"top-p 0.95, {len({(c.problem_id, c.code) for c in pool}):,} of which differ; seed {seed}, {draws} "
            "draws. Verdicts: "
            + ", ".join(f"{name} {count:,}" for name, count in verdicts.most_common())
            + f". Problems with right and wrong samples: {mixed(pool)}.",
            f"Model-written tests: {sum(kept.values()):,} on {sum(map(bool, kept.values()))} problems (at most 30 "
            f"each); of the {sum(kept[name] for name in solvable):,} on problems with a right sample, {len(right):,} "
            "are passed by one. Refused, since they may not be evaluated: "
            + ", ".join(f"{reason} {count}" for reason, count in refused.most_common())
            + ".",
            f"Judge {judge_fingerprint()}, sandbox {sandbox_description().partition(',')[0]}, Python "
            f"{platform.python_version()}. Written by `benchmarks/rerankers_codet.py --seed {seed} --draws {draws}`.",
        ]
    )


def strictness(pool: list[Candidate]) -> str:
    """Why a vote that takes agreement on errors for none is another ranker than one that does not."""
    right = [c for c in pool if c.verdict == Verdict.OK and c.returns]
    whole = [c for c in right if all(map(is_value, c.returns))]
    never = {c.problem_id for c in right} - {c.problem_id for c in whole}
    return (
        "The reference gives one number for majority and hard MBR. Here `majority` counts an error as a behaviour; "
        "`mbr_exec`, as its authors do, takes agreement on an error for none, so that a program with one failed call "
        f"agrees with nothing. Models write inputs that no program should take: {len(right) - len(whole):,} of the "
        f"{len(right):,} right samples fail on one, and on {len(never)} of {len({c.problem_id for c in right})} "
        "problems all right samples do. `mbr_exec_soft` only loses that call's share."
    )


def mixed(pool: list[Candidate]) -> int:
    return sum(0 < sum(correct(group)) < len(group) for group in group_by_problem(pool).values())


def solved(values: np.ndarray, draws: np.ndarray) -> str:
    mean, low, high = bootstrap_mean(values, BOOTSTRAP, seed=0)
    return f"{mean:.3f} (±{draws.mean(axis=1).std(ddof=1):.3f}) [{low:.3f}, {high:.3f}]"


def compared(best: PerProblem) -> list[list[str]]:
    rows = []
    for name, (mean, error) in REFERENCE.items():
        ours = float(best[name].mean())
        verdict = "" if error is None else "yes" if abs(ours - mean) <= 2 * error else "NO"
        spread = "" if error is None else f" ± {error:.3f}"
        rows.append([name, f"{ours:.3f}", f"{mean:.3f}{spread}", f"{ours - mean:+.3f}", verdict])
    return rows


def differences(best: PerProblem) -> list[list[str]]:
    rows = []
    for name, values in best.items():
        cells = []
        for other in ("random", "codet"):
            mean, low, high = paired_bootstrap(values, best[other], BOOTSTRAP, seed=0)
            cells.append("" if name == other else f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]")
        rows.append([name, *cells])
    return rows


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("REWARDRANKER_SHARED_DATA", "../shared/data"))
    )
    parser.add_argument("--work", type=Path, default=Path("runs/codet"), help="Folder for verdicts and the pool.")
    parser.add_argument("--out", type=Path, help="Markdown file to write.")
    parser.add_argument("--workers", type=int, default=2, help="Programs that run at a time.")
    parser.add_argument("--draws", type=int, default=20, help="Draws of n samples.")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if not (arguments.data / "codet_pool").is_dir():
        raise UserError(f"no folder codet_pool in {arguments.data}; give --data")
    data = load(arguments.data)
    pool = judged(data, arguments.work, arguments.workers)
    guarded = guards(data, arguments.work, arguments.workers)
    text = report(data, pool, arguments.draws, arguments.seed, guarded)
    print(text)
    if arguments.out:
        write_text(arguments.out, text)


if __name__ == "__main__":
    main()
