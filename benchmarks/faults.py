"""The small cycle's second half (PPO, candidates, mining) undisturbed, and again with every fault at random moments.

    python benchmarks/faults.py --times 5 --root runs/faults --out benchmarks/results/faults.md

Runs on a Ray of three nodes on this machine: a head, where the driver is, and two nodes that can each hold all of a
run's training workers, engines and executors. What comes before PPO is done once and copied. A fault comes when some
share, which is drawn, of the time of the undisturbed run has gone by, and a process that can have it is there.

`samples_lost`: candidates of pools and samples of PPO steps that the undisturbed run has and this one has not.
`same_result`: models, pools, triplets and curves are, to every bit, those of the undisturbed run.

A full disk is a file system in memory of its own for the run, which takes the right to mount one.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from ray.cluster_utils import Cluster
from run_record import rows

from actors.cluster.start import START_ATTEMPTS
from rewardranker.problems.pool import read_pool
from rewardranker.runs.atomic import tree_hash, write_json, write_text
from rewardranker.runs.directory import git_sha, package_versions
from rewardranker.runs.metrics import read_metrics

CONFIG = "configs/smoke.yaml"
#: Time limits that a busy machine of two cores keeps, and a cycle without what is no part of the question.
OVERRIDES = (
    "cluster.address=auto", "cluster.collective_timeout_s=60", "cluster.start_timeout_s=100",
    "cluster.call_timeout_s=100", "rollout.timeout_s=60", "rollout.in_workers=false", "rollout.workers=1",
    "generation.prompts_per_shard=4", "cycle.variants=[hardnegatives]", "cycle.control=false",
    "cycle.new_policies=none", "ppo.steps=12",
)  # fmt: skip
#: Of curves: measured, and so different in every run.
MEASURED = ("timing_s/", "perf/", "weight_sync/mb_per_s")
NODE_CPUS, STORE_BYTES = 4, 150 << 20
END_S, FILE_SYSTEM = 900, "400m"
#: Samples of a PPO step of the config: prompts_per_step * samples_per_prompt.
IN_STEP = 8 * 4


@dataclass(frozen=True)
class Row:
    """A run with a fault. ``restarts``: what the product counted, by what was started again."""

    fault: str
    injected: str
    completed: bool
    samples_lost: int
    same_result: bool
    restarts: dict[str, int]
    seconds: float


class Machines:
    """Three nodes of Ray on this machine, and the processes of runs on them."""

    def __init__(self) -> None:
        os.environ |= {"RAY_AUTH_MODE": "disabled", "RAY_worker_niceness": "0", "RAY_ADDRESS": ""}
        head = {"num_cpus": 0, "object_store_memory": STORE_BYTES, "include_dashboard": False}
        self._cluster = _patiently(lambda: Cluster(initialize_head=True, head_node_args=head))
        os.environ["RAY_ADDRESS"] = self._cluster.address
        self._nodes = [self._add() for _ in range(2)]

    def _add(self) -> Any:
        return _patiently(lambda: self._cluster.add_node(num_cpus=NODE_CPUS, object_store_memory=STORE_BYTES))

    def of(self, kind: str) -> list[psutil.Process]:
        """The processes that are ``trainer``, ``engine`` or ``executor`` now."""
        found = [p for node in self._nodes for p in _children(node) if _kind(p) == kind]
        return sorted(found, key=lambda process: process.pid)

    def lose_node_of(self, process: psutil.Process) -> int:
        """Kills all processes of the node where ``process`` is, and puts another node beside those that are left;
        how many processes of the run were there."""
        [node] = [node for node in self._nodes if process.pid in [p.pid for p in _children(node)]]
        processes = _children(node)
        count = sum(bool(_kind(p)) for p in processes)
        node.all_processes["raylet"][0].process.kill()
        for one in processes:  # which would live on for seconds
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        self._cluster.remove_node(node, allow_graceful=False)
        self._nodes = [one for one in self._nodes if one is not node]
        return count

    def replace_lost(self) -> None:
        while len(self._nodes) < 2:
            self._nodes.append(self._add())

    def close(self) -> None:
        self._cluster.shutdown()


def _patiently(start: Callable[[], Any]) -> Any:
    """A busy machine can miss the time that Ray gives a node to start."""
    for attempt in range(START_ATTEMPTS):
        try:
            return start()
        except Exception as error:
            if "timed out" not in str(error) or attempt == START_ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def _children(node: Any) -> list[psutil.Process]:
    return psutil.Process(node.all_processes["raylet"][0].process.pid).children(recursive=True)


def _kind(process: psutil.Process) -> str:
    try:
        title, environment = process.name(), process.environ()
    except psutil.Error:  # it has ended
        return ""
    if title.startswith("ray::Executor"):
        return "executor"
    if title.startswith("ray::Worker"):
        return "engine" if environment.get("TOKENIZERS_PARALLELISM") == "false" else "trainer"
    return ""


class Run:
    """A run of the command in a directory, in a process of its own."""

    def __init__(self, place: Path, log: Path, extra: Sequence[str], stage: str = "mine") -> None:
        self.place = place
        own = [f"run.root={place.parent.absolute()}", f"run.name={place.name}", *OVERRIDES, *extra]
        self._command = [sys.executable, "-m", "rewardranker.cli", stage, "--config", CONFIG, *own]
        self._log = log
        self.start()

    def start(self) -> None:
        """Begins, or goes on."""
        with self._log.open("a") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=subprocess.STDOUT)

    def wait(self) -> int:
        try:
            return self.process.wait(END_S)
        finally:
            self.process.kill()
            self.process.wait()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def said(self) -> str:
        return self._log.read_text(errors="replace")

    def stage(self) -> str:
        """The stage at work."""
        return next((path.name.removeprefix(".work-") for path in self.place.glob(".work-*")), "between stages")

    def until(self, there: Callable[[], Any]) -> Any:
        """What ``there`` finds, as soon as it finds something; ``None`` where the run ends before."""
        while self.process.poll() is None:
            if found := there():
                return found
            time.sleep(0.02)
        return None


def strike(kind: str, by: signal.Signals, machines: Machines, run: Run, rng: random.Random) -> str:
    """A process of the run gets a signal; what happened, empty where the run ended before."""
    processes = run.until(lambda: machines.of(kind))
    if not processes:
        return ""
    rng.choice(processes).send_signal(by)
    return f"{by.name} to one of {len(processes)} ({kind})"


def lose_node(machines: Machines, run: Run, rng: random.Random) -> str:
    processes = run.until(lambda: machines.of("trainer") or machines.of("engine"))
    return f"a node with {machines.lose_node_of(rng.choice(processes))} processes of the run" if processes else ""


def kill_driver(machines: Machines, run: Run, rng: random.Random) -> str:
    """The lock stays behind, of a process that is no more."""
    pid = run.process.pid
    run.kill()
    assert f"({pid} on " in (run.place / ".lock").read_text()
    run.start()
    return "SIGKILL to the driver, whose lock file stays; the same command again"


def tear_checkpoint(machines: Machines, run: Run, rng: random.Random) -> str:
    newest = run.until(lambda: sorted(run.place.glob(".work-*/checkpoints/step-*")))
    if not newest:
        return ""
    run.kill()
    files = sorted(p for p in newest[-1].rglob("*") if p.is_file())
    torn = rng.choice([file for file in files if file.stat().st_size > 1])
    size = torn.stat().st_size
    os.truncate(torn, rng.randrange(size))
    run.start()
    return f"SIGKILL to the driver; {torn.name} of {newest[-1].name} cut; the same command again"


def fill_disk(machines: Machines, run: Run, rng: random.Random) -> str:
    filler = run.place.parent / "filler"
    with filler.open("wb") as file:
        try:
            while True:
                file.write(bytes(1 << 16))
                file.flush()
        except OSError:
            pass
    status = run.wait()
    filler.unlink()
    if status == 0:
        return ""
    said = "error: a disk is full" in run.said()  # TensorBoard's thread may have printed a trace of its own before
    run.start()
    return f"disk full; status {status}{', said in a line' if said else ''}; room made, the same command again"


Inject = Callable[[Machines, Run, random.Random], str]
FAULTS: dict[str, Inject] = {
    "executor killed": partial(strike, "executor", signal.SIGKILL),
    "engine killed": partial(strike, "engine", signal.SIGKILL),
    "engine hung": partial(strike, "engine", signal.SIGSTOP),
    "training worker killed": partial(strike, "trainer", signal.SIGKILL),
    "node killed": lose_node,
    "driver killed": kill_driver,
    "checkpoint torn": tear_checkpoint,
    "disk full": fill_disk,
}


def contents(run: Path) -> dict[str, Any]:
    """What finished stages hold, by name: hashes of models, pools and triplets; curves but for what is measured."""
    found: dict[str, Any] = {}
    for stage in sorted(run.glob("[0-9][0-9]-*")):
        for path in sorted(stage.rglob("*")):
            if path.suffix in (".safetensors", ".parquet", ".jsonl") and path.name != "metrics.jsonl":
                found[path.relative_to(run).as_posix()] = tree_hash(path)
        curves = [{k: v for k, v in row.items() if not k.startswith(MEASURED)} for row in read_metrics(stage)]
        found[f"{stage.name} curves"] = curves
    return found


def samples(run: Path) -> Counter[str]:
    """How many samples each part of a run has: of candidates those with a verdict, of PPO those of whole steps."""
    found = Counter({str(p.relative_to(run)): _judged(p) for p in run.glob("*/pool.parquet")})
    found.update({str(p.relative_to(run)): IN_STEP * len(read_metrics(p)) for p in run.glob("[0-9]*-ppo-*")})
    return found


def _judged(pool: Path) -> int:
    return sum(candidate.verdict is not None for candidate in read_pool(pool))


@contextlib.contextmanager
def _own_file_system(place: Path) -> Iterator[None]:
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={FILE_SYSTEM}", "none", place], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", place], check=True)


@dataclass(frozen=True)
class Undisturbed:
    """What faults are compared with: a run, and what it took in seconds; ``begun``: a run of the stages before."""

    begun: Path
    run: Path
    seconds: float


def undisturbed(root: Path, extra: Sequence[str]) -> Undisturbed:
    begun, whole = root / "begun", root / "undisturbed"
    if Run(begun, root / "begun.log", extra, "reward").wait() != 0:
        sys.exit(f"the stages before PPO failed: {root / 'begun.log'}")
    shutil.rmtree(whole, ignore_errors=True)
    shutil.copytree(begun, whole)
    start = time.monotonic()
    if Run(whole, root / "undisturbed.log", extra).wait() != 0:
        sys.exit(f"the undisturbed run failed: {root / 'undisturbed.log'}")
    return Undisturbed(begun, whole, time.monotonic() - start)


def disturbed(
    machines: Machines, base: Undisturbed, fault: str, place: Path, extra: Sequence[str], rng: random.Random
) -> Row:
    """A run with a fault, at a moment that is drawn."""
    log = base.run.with_name(f"{fault.replace(' ', '-')}.log")  # not where a disk may be full
    shutil.copytree(base.begun, place)
    moment, start = rng.uniform(0.2, 0.95) * base.seconds, time.monotonic()
    run = Run(place, log, extra)
    run.until(lambda: time.monotonic() - start > moment)
    stage, at = run.stage(), time.monotonic() - start
    injected = FAULTS[fault](machines, run, rng) if run.process.poll() is None else ""
    completed = run.wait() == 0
    seconds = time.monotonic() - start
    machines.replace_lost()
    lost = samples(base.run) - samples(place)
    restarts: Counter[str] = Counter()
    for manifest in place.glob("*/manifest.json"):
        restarts.update(json.loads(manifest.read_text()).get("restarts", {}))
    same = contents(place) == contents(base.run)
    where = f"{injected}, {at:.0f} s, {stage}" if injected else ""
    return Row(fault, where, completed, sum(lost.values()), same, dict(restarts), round(seconds, 1))


def page(found: Sequence[Row], seconds: float, seed: int, asked: str = "") -> str:
    """The report."""
    body = []
    for fault in FAULTS:
        own = [row for row in found if row.fault == fault and row.injected]
        if not own:
            body.append([fault, "0", *["not measured"] * 5])
            continue
        restarts = sum((Counter(row.restarts) for row in own), Counter[str]())
        again = ", ".join(f"{what} {count}" for what, count in sorted(restarts.items())) or "nothing"
        times = f"{min(row.seconds for row in own):.0f} to {max(row.seconds for row in own):.0f}"
        counts = [sum(row.completed for row in own), sum(row.samples_lost for row in own)]
        same = sum(row.same_result for row in own)
        body.append([fault, *map(str, (len(own), *counts, same)), again, times])
    head = ["fault", "times", "completed", "samples lost", "same result", "started again", "seconds"]
    each = [
        [row.fault, row.injected or "the run ended before", str(row.completed), str(row.same_result)] for row in found
    ]
    versions = ", ".join(f"{name} {version}" for name, version in package_versions().items())
    return "\n\n".join(
        [
            "# Faults at random moments of a small run",
            f"`python benchmarks/faults.py{asked}`, commit {git_sha()}, seed {seed}; {os.cpu_count()} cores, load "
            f"{os.getloadavg()[1]:.1f} (other work slows runs, and no result depends on that), "
            f"Python {platform.python_version()}, {versions}. PPO, candidates and mining of `{CONFIG}` on three "
            f"nodes of Ray on this machine; undisturbed {seconds:.0f} s.",
            rows(head, body),
            "`completed`, `same result`: of so many runs. A driver that was killed, or ended by a full disk, was "
            "started again with the same command. `same result`: models, pools, triplets and curves are those of the "
            "undisturbed run, to every bit.",
            "## Each run",
            rows(["fault", "what, when, in which stage", "completed", "same result"], each),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5, help="Runs with each fault.")
    parser.add_argument("--faults", nargs="*", default=list(FAULTS), choices=list(FAULTS), help="Only some.")
    parser.add_argument("--minutes", type=float, default=0.0, help="No run is begun after so long; 0: all are.")
    parser.add_argument("--seed", type=int, default=0, help="Of moments and victims.")
    parser.add_argument("--root", type=Path, default=Path("runs/faults"), help="Where runs go; emptied first.")
    parser.add_argument("--out", type=Path, help="Markdown file to write; its numbers beside it, as .json.")
    parser.add_argument("overrides", nargs="*", help="Settings of the runs.")
    asked = parser.parse_args()
    shutil.rmtree(asked.root, ignore_errors=True)
    asked.root.mkdir(parents=True)
    begun, found = time.monotonic(), list[Row]()
    machines = Machines()
    wanted = f" --times {asked.times}" + (f" --minutes {asked.minutes:g}" if asked.minutes else "")
    try:
        base = undisturbed(asked.root, asked.overrides)
        for turn in range(asked.times):
            for fault in asked.faults:
                if asked.minutes and time.monotonic() - begun > 60 * asked.minutes:
                    break
                rng = random.Random(f"{asked.seed} {fault} {turn}")
                place = asked.root / f"{fault.replace(' ', '-')}-{turn}"
                try:
                    found.append(_one(machines, base, fault, place, asked.overrides, rng))
                except subprocess.CalledProcessError as error:  # no right to mount
                    print(f"{fault}: {error}", flush=True)
                    continue
                print(found[-1], flush=True)
                if asked.out:
                    told = {"seconds": base.seconds, "seed": asked.seed, "rows": [asdict(row) for row in found]}
                    write_json(asked.out.with_suffix(".json"), told)
                    write_text(asked.out, page(found, base.seconds, asked.seed, wanted) + "\n")
    finally:
        machines.close()


def _one(
    machines: Machines, base: Undisturbed, fault: str, place: Path, extra: Sequence[str], rng: random.Random
) -> Row:
    if fault != "disk full":
        return disturbed(machines, base, fault, place, extra, rng)
    with _own_file_system(place):
        return disturbed(machines, base, fault, place / "run", extra, rng)


if __name__ == "__main__":
    main()
