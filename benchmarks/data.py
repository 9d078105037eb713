"""Triplets and hard negatives by the million: time, memory, killed and resumed, the same bytes whoever does it.

    python benchmarks/data.py --triplets 20000 100000 500000 --candidates 100000 500000 --work /tmp/data \
        --out benchmarks/results/data.md

Programs are made (rewardranker/problems/contests/made_data.py): contest data in the hub's columns with programs that
run in C++, Java and Python. From a tenth as many programs come the triplets: they are imported, paired (ten nearest
and ten random ones for each failing program), and cut into tokens. Candidates are 16 a problem, with stored verdicts
and scores, of which hard negatives are mined. Every measured run is a process of its own, whose memory, with
that of all processes that it starts, is looked at ten times a second.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist
from run_record import rows

from rewardranker.mining.nearest import Neighbours
from rewardranker.mining.pairing import PairCaps
from rewardranker.mining.steps import Execute, MineHardNegatives, PairPrograms, disagreement
from rewardranker.problems.contests import code_contests
from rewardranker.problems.contests.corpus import ContestOptions
from rewardranker.problems.contests.importing import import_contests
from rewardranker.problems.contests.made_data import Made as MadeData
from rewardranker.problems.contests.made_data import write_code_contests
from rewardranker.problems.contests.made_tasks import LANGUAGES, made_task
from rewardranker.problems.normal_form import normalise
from rewardranker.problems.shards import PROBLEMS, PROGRAMS, problem_table
from rewardranker.problems.types import Problem, Test
from rewardranker.runs.atomic import write_text
from rewardranker.runs.directory import git_sha
from rewardranker.runs.shards import InProcesses, Made, Shard, map_shards, shards_in, stream_shards

EACH, SIDE = 10, 20  # nearest and random ones for a failing program; programs of a label of a problem in a language
TASKS, ASKED, N = 16, 512, 16  # contest problems in a shard; problems in a shard of candidates; candidates of each
MAX_TOKENS, MINIBATCH, STEPS = 4096, 64, 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--triplets", type=int, nargs="*", default=[20_000, 100_000, 500_000])
    parser.add_argument("--candidates", type=int, nargs="*", default=[100_000, 500_000])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--execute", type=int, default=120, help="Programs of the smallest size that are run.")
    parser.add_argument("--work", type=Path, required=True, help="Directory to work in; emptied.")
    parser.add_argument("--out", type=Path, help="Markdown file to write.")
    parser.add_argument("--make", nargs=3, help=argparse.SUPPRESS)  # kind, size, directory: a measured process
    arguments = parser.parse_args()
    if arguments.make:
        kind, size, directory = arguments.make
        KINDS[kind](int(size), Path(directory), arguments.workers)
        return
    shutil.rmtree(arguments.work, ignore_errors=True)
    arguments.work.mkdir(parents=True)
    text = page(arguments)
    print(text)
    if arguments.out:
        write_text(arguments.out, text)


# ------------------------------------------------------------------------------------------------- a measured process


def make_triplets(size: int, directory: Path, workers: int) -> None:
    """From data as the hub has them to triplets and a corpus. Prints seconds and counts by step, as JSON."""
    from rewardranker.training.corpus import TokeniseTriplets

    clock, run = Clock(), InProcesses(workers)
    tasks = max(1, round(size / (2 * EACH * SIDE * len(LANGUAGES))))
    if not (directory / "tokenizer").exists():
        write_code_contests(directory / "hub", MadeData(tasks, SIDE, SIDE, held_out=2))
        tokenizer_of(directory / "tokenizer")
    clock.done("make the data")
    options = ContestOptions(path=str(directory / "hub"), languages=list(LANGUAGES))
    import_contests(partial(code_contests.tasks, options), options, directory, size=TASKS)
    clock.done("import")
    sources = {name: directory / name for name in ("problems", "programs")}
    triplets, corpus = directory / "triplets", directory / "corpus"
    paired = map_shards(PairPrograms(PairCaps(each=EACH), labels="given"), sources, triplets, run)
    clock.done("pair")
    step = TokeniseTriplets(str(directory / "tokenizer"), False, MAX_TOKENS)
    counts = map_shards(step, {"triplets": triplets}, corpus, run)
    clock.done("tokenise")
    programs = sum(pa.parquet.read_metadata(path).num_rows for path in shards_in(directory / "programs"))
    found = {"programs": programs, "triplets": counts["examples"], "texts": counts["texts"]}
    found |= {"tokens": counts["tokens of texts"], "shards": len(shards_in(triplets))}
    found |= {"megabytes": sum(path.stat().st_size for path in shards_in(corpus)) // 2**20}
    assert counts["examples"] == sum(count for name, count in paired.items() if name.startswith("triplets: "))
    print(json.dumps({"seconds": clock.seconds, **found}))


def make_steps(size: int, directory: Path, workers: int) -> None:
    """What it takes to have the examples of a step: the order of an epoch first, then every step."""
    from rewardranker.training.corpus import Corpus
    from rewardranker.training.streams import Stream

    clock = Clock()
    corpus = Corpus(directory / "corpus")
    stream = Stream(range(len(corpus)), 0, corpus.groups.tolist())
    stream.minibatch(0, MINIBATCH)
    clock.done("open, and the epoch's order")
    for step in range(1, STEPS + 1):
        examples = [corpus[index] for index in stream.minibatch(step, MINIBATCH)]
        assert len(examples) == MINIBATCH
    clock.done("steps")
    print(json.dumps({"seconds": clock.seconds}))


def make_candidates(size: int, directory: Path, workers: int) -> None:
    """Judged and scored candidates, and the hard negatives among them."""
    clock = Clock()
    names = ("problems", "programs", "verdicts", "scores", "references")
    if not (directory / "made").exists():
        stream_shards("made", {"size": size}, candidate_shards(size), [directory / name for name in names])
        (directory / "made").touch()
    clock.done("make the data")
    step = MineHardNegatives("stored", "hardnegatives", 2, seed=0)
    counts = map_shards(step, {name: directory / name for name in names}, directory / "mined", InProcesses(workers))
    clock.done("mine")
    mined = sum(count for name, count in counts.items() if name.startswith("triplets: "))
    found = {"candidates": counts["candidates"], "hard negatives": counts["hard negatives"], "triplets": mined}
    print(json.dumps({"seconds": clock.seconds, **found, "shards": len(shards_in(directory / "mined"))}))


KINDS = {"triplets": make_triplets, "steps": make_steps, "candidates": make_candidates}


class Clock:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._since = time.monotonic()

    def done(self, step: str) -> None:
        now = time.monotonic()
        self.seconds[step], self._since = round(now - self._since, 2), now


def candidate_shards(size: int) -> Iterator[list[Made]]:
    count = -(-size // N)
    for start in range(0, count, ASKED):
        yield candidate_shard(range(start, min(count, start + ASKED)))


def candidate_shard(numbers: range) -> list[Made]:
    """Problems, and of each 16 programs with verdicts and scores; right ones score higher on the average."""
    problems, programs, verdicts, scores, references = [], [], [], [], []
    for number in numbers:
        task, rng, language = made_task(number, 1), random.Random(f"candidates {number}"), LANGUAGES[number % 3]
        name = f"made/{number}"
        tests = (Test("1\n1\n"),)
        problems.append(Problem(id=name, language=language, prompt=task.statement, style="stdio", tests=tests))
        for place in range(N + 2):
            right = place >= N or rng.random() < 0.4
            code = normalise(task.program(language, right, rng))
            row = {"problem_id": name, "language": language, "code": code, "source": "gen:made"}
            if place >= N:
                references.append(row | {"right": True})
                continue
            programs.append(row)
            verdicts.append({"verdict": "OK" if right else "WRONG", "message": ""})
            scores.append(rng.gauss(right, 1.0))
    parts = [problem_table(problems), *(pa.Table.from_pylist(part) for part in (programs, verdicts))]
    return [Made(part) for part in (*parts, pa.table({"score_stored": scores}), pa.Table.from_pylist(references))]


def tokenizer_of(directory: Path) -> None:
    """A byte-level BPE of some of these programs, as code models have."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    rng = random.Random(0)
    texts = [made_task(i, 0).statement + made_task(i, 0).program(LANGUAGES[i % 3], True, rng) for i in range(300)]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=4096, special_tokens=["<eos>"], initial_alphabet=alphabet)
    )
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<eos>").save_pretrained(directory)


# --------------------------------------------------------------------------------------------------- what is measured


@dataclass
class Run:
    """A measured process: what it printed, seconds, and the most memory of it and of those below it, in MB."""

    said: dict[str, Any]
    wall: float
    cpu: float
    driver: float
    worker: float


def measured(kind: str, size: int, directory: Path, workers: int, kill_after: float | None = None) -> Run | None:
    """Starts it and watches it; ``None`` where it was killed after so many seconds."""
    command = [sys.executable, __file__, "--work", "-", "--workers", str(workers), "--make", kind, str(size)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    directory.mkdir(parents=True, exist_ok=True)
    begun, memory, cpu = time.monotonic(), {"driver": 0.0, "worker": 0.0}, {}
    with subprocess.Popen([*command, str(directory)], stdout=subprocess.PIPE, text=True, env=environment) as process:
        root = psutil.Process(process.pid)
        while process.poll() is None:
            if kill_after is not None and time.monotonic() - begun > kill_after:
                process.kill()
                process.wait()
                return None
            look(root, memory, cpu)
            time.sleep(0.1)
        printed = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise SystemExit(f"{kind} of {size} ended with {process.returncode}")
    wall = time.monotonic() - begun
    return Run(json.loads(printed.splitlines()[-1]), wall, sum(cpu.values()), memory["driver"], memory["worker"])


def look(root: psutil.Process, memory: dict[str, float], cpu: dict[int, float]) -> None:
    try:
        for process in [root, *root.children(recursive=True)]:
            role = "driver" if process.pid == root.pid else "worker"
            memory[role] = max(memory[role], process.memory_info().rss / 2**20)
            times = process.cpu_times()
            cpu[process.pid] = times.user + times.system
    except psutil.NoSuchProcess:
        pass


def digest(directory: Path, names: Sequence[str]) -> str:
    """Over the bytes of all shards."""
    found = hashlib.sha256()
    for path in (path for name in names for path in shards_in(directory / name)):
        found.update(path.read_bytes())
    return found.hexdigest()[:16]


def killed_and_resumed(kind: str, size: int, directory: Path, workers: int, kills: int, wall: float) -> int:
    """Kills it so many times at random, all of its processes with it, and lets it end; how often it was killed."""
    rng, done = random.Random(kills), 0  # what was made is there when it begins again, so that it ends earlier
    while done < kills and measured(kind, size, directory, workers, rng.uniform(0.1, 0.4) * wall) is None:
        done += 1
    measured(kind, size, directory, workers)
    return done


def levenshtein() -> list[list[str]]:
    """The nearest right programs of many wrong ones, in one process: by all distances, and as it is done here."""
    table = []
    for language in LANGUAGES:
        for count, asked in ((200, 100), (5000, 20)):
            right, wrong = (distinct(language, label, count) for label in (True, False))
            asking = wrong[:asked]
            begun = time.process_time()
            expected = [min((Levenshtein.distance(a, b), i) for i, b in enumerate(right)) for a in asking]
            loop = time.process_time() - begun
            begun = time.process_time()
            matrix = cdist(asking, right, scorer=Levenshtein.distance, workers=1).argmin(1)
            whole = time.process_time() - begun
            begun = time.process_time()
            neighbours = Neighbours(right)
            found = [neighbours.nearest(code) for code in asking]
            ours = time.process_time() - begun
            assert [(match.distance, match.index) for match in found if match] == expected
            assert [index for _, index in expected] == matrix.tolist()
            per = [f"{1000 * seconds / len(asking):.2f}" for seconds in (loop, whole, ours)]
            table.append([language, f"{len(right):,}", *per, f"{loop / ours:.0f}", f"{whole / ours:.0f}"])
    return table


def distinct(language: str, right: bool, count: int) -> list[str]:
    task, rng = made_task(7, 0), random.Random(f"{language} {right}")
    return list(dict.fromkeys(normalise(task.program(language, right, rng)) for _ in range(count)))


def executed(directory: Path, most: int) -> tuple[float, dict[str, dict[str, float]], int]:
    """Runs a few of the programs; seconds, how site and judge disagree, and how many programs."""
    few = directory / "few"
    shard = Shard(0, {name: shards_in(directory / name)[0] for name in ("problems", "programs")})
    programs = shard.table("programs", PROGRAMS.names).slice(0, most)
    parts = [Made(shard.table("problems", PROBLEMS.names)), Made(programs)]
    stream_shards("few", {}, [parts], [few / name for name in shard.files])
    begun = time.monotonic()
    counts = map_shards(Execute(LANGUAGES), {name: few / name for name in shard.files}, few / "verdicts")
    return time.monotonic() - begun, disagreement(counts), counts.total()


# ----------------------------------------------------------------------------------------------------------- the page

MEASURES = ("wall s", "CPU s", "driver MB", "worker MB", "seconds by step")


def page(arguments: argparse.Namespace) -> str:
    count, version = arguments.workers, platform.python_version()
    sizes = [" ".join(map(str, of)) for of in (arguments.triplets, arguments.candidates)]
    asked = f"--triplets {sizes[0]} --candidates {sizes[1]} --workers {count} --kills {arguments.kills}"
    parts = [
        "# Triplets and hard negatives by the million",
        f"`python benchmarks/data.py {asked} --execute {arguments.execute}`: commit {git_sha()}, {os.cpu_count()} "
        f"cores (load {os.getloadavg()[0]:.1f} when it began), Python {version}. "
        "Programs are made, and run. Memory is the most resident memory that was seen, ten times a second, of the "
        "process that starts the work (driver) and of any that it starts.",
        *of_triplets(arguments),
        *of_candidates(arguments),
        "## The same bytes",
        f"SHA-256 over all shards of three runs: {count} processes, 1 process, and {count} processes killed at "
        "random and started again. All three are equal, or there would be no page.",
        of_bytes(arguments),
        "## The nearest program, against all distances",
        "In one process, CPU milliseconds for each failing program; all three give the same programs.",
        rows(["language", "right programs", "loop", "matrix", "ours", "loop / ours", "matrix / ours"], levenshtein()),
        *of_execution(arguments),
    ]
    return "\n\n".join(parts) + "\n"


def of_triplets(arguments: argparse.Namespace) -> Iterator[str]:
    whole, overhead = [], []
    for size in arguments.triplets:
        directory = arguments.work / f"triplets{size}"
        run = measured("triplets", size, directory, arguments.workers)
        steps = measured("steps", size, directory, arguments.workers)
        assert run is not None and steps is not None
        whole.append(described(run, ("programs", "triplets", "texts", "tokens", "megabytes", "shards")))
        opening, reading = steps.said["seconds"].values()
        each = f"{1000 * reading / STEPS:.2f}"
        overhead.append([f"{run.said['triplets']:,}", f"{opening:.2f}", each, f"{steps.driver:,.0f}"])
        print(whole[-1], overhead[-1], flush=True)
    yield "## From contest data to a tokenised corpus"
    yield rows(["programs", "triplets", "texts", "tokens", "corpus MB", "shards", *MEASURES], whole)
    yield f"## A step's examples ({MINIBATCH} pairs, read from the mapped corpus)"
    yield rows(["pairs", "s to open, with an epoch's order", "ms a step", "MB"], overhead)


def of_candidates(arguments: argparse.Namespace) -> Iterator[str]:
    table = []
    for size in arguments.candidates:
        run = measured("candidates", size, arguments.work / f"candidates{size}", arguments.workers)
        assert run is not None
        table.append(described(run, ("candidates", "hard negatives", "triplets", "shards")))
        print(table[-1], flush=True)
    yield "## Hard negatives of stored scores"
    yield rows(["candidates", "hard negatives", "triplets", "shards", *MEASURES], table)


def of_bytes(arguments: argparse.Namespace) -> str:
    table = []
    for kind, sizes, names in (
        ("triplets", arguments.triplets, ("problems", "programs", "triplets", "corpus")),
        ("candidates", arguments.candidates, ("mined",)),
    ):
        size = sizes[min(1, len(sizes) - 1)]
        own, alone, killed = (arguments.work / f"{kind}{size}{suffix}" for suffix in ("", "-alone", "-killed"))
        one = measured(kind, size, alone, 1)
        assert one is not None
        kills = killed_and_resumed(kind, size, killed, arguments.workers, arguments.kills, one.wall)
        found = [digest(folder, names) for folder in (own, alone, killed)]
        if len(set(found)) > 1:
            raise SystemExit(f"{kind}: other bytes, {found}")
        table.append([kind, f"{size:,}", f"{one.wall:.0f}", f"{one.cpu:.0f}", f"{kills} times", found[0]])
        print(table[-1], flush=True)
    return rows(["what", "size", "wall s, 1 process", "CPU s", "killed", "SHA-256"], table)


def of_execution(arguments: argparse.Namespace) -> Iterator[str]:
    seconds, opinions, count = executed(arguments.work / f"triplets{arguments.triplets[0]}", arguments.execute)
    yield "## Programs run again"
    yield (
        f"{count:,} programs in {seconds:.0f} s, one process. A made program that is called wrong has a mistake, "
        "which may change nothing."
    )
    shown = [
        [where, f"{of['programs']:,.0f}", f"{of['right_fails']:.1%}", f"{of['wrong_passes']:.1%}"]
        for where, of in opinions.items()
    ]
    yield rows(["data", "programs", "called right, fail", "called wrong, pass"], shown)


def described(run: Run, names: Sequence[str]) -> list[str]:
    by_step = ", ".join(f"{step} {seconds:.0f}" for step, seconds in run.said["seconds"].items())
    own = [f"{run.said[name]:,}" for name in names]
    return [*own, f"{run.wall:.0f}", f"{run.cpu:.0f}", f"{run.driver:,.0f}", f"{run.worker:,.0f}", by_step]


if __name__ == "__main__":
    main()
