"""PPO one step off against in turn, at equal samples: what a step takes, and the learning curves side by side.

    python benchmarks/one_step_off.py --seeds 3 --root runs/one_step_off --out benchmarks/results/one_step_off.md

It is the quickstart's PPO with one core for training and one for the engine. What comes before PPO is done once for
each seed; prompts and samples' seeds are the same in both modes. A mode that is complete is not run again.

Beside what was measured here stands what two machines, or groups of devices, of equal speed would take (1 : 1), one
of which waits while the other works in turn: computed from the steps in turn, where nothing shares a core.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from run_record import rows

from rewardranker.runs.atomic import write_text
from rewardranker.runs.metrics import read_metrics

MODES = ("sync", "one_step_off")
OVERRIDES = ("rollout.in_workers=false", "rollout.workers=1", "cluster.ranks=1", "judge.executors=1")
CURVES = {"critic/score/mean": "score", "rollout/pass_rate": "pass rate", "kl/sequence": "KL"}
TIMES = ("step", "gen", "infer", "update", "wait", "sync")
#: Rows of the table of curves.
PARTS = 8

Steps = list[dict[str, Any]]


def run_seed(seed: int, root: Path, config: str, extra: Sequence[str]) -> dict[str, Path]:
    """Runs PPO in both modes; returns the stages' directories."""
    own = [f"run.root={root}", f"run.seed={seed}", f"data.family.seed={seed}", *OVERRIDES, *extra]
    settings = {mode: [*own, f"run.name=seed{seed}-{mode}", f"rollout.mode={mode}"] for mode in MODES}
    places = {mode: root / f"seed{seed}-{mode}" for mode in MODES}
    command("reward", config, settings["sync"])
    if not places["one_step_off"].exists():
        shutil.copytree(places["sync"], places["one_step_off"], ignore=shutil.ignore_patterns("*ppo*"))
    for mode in MODES:
        print(f"seed {seed}, {mode}", flush=True)
        command("ppo", config, settings[mode])
    return {mode: next(place.glob("[0-9][0-9]-ppo-1")) for mode, place in places.items()}


def command(stage: str, config: str, overrides: Sequence[str]) -> None:
    subprocess.run([sys.executable, "-m", "rewardranker.cli", stage, "--config", config, *overrides], check=True)


def simulated(steps: Steps) -> tuple[float, float]:
    """Seconds of a whole run in turn, and of one whose next samples are drawn while a step learns, where
    neither slows the other: ``gen_0 + sum_k (max(learn_k, gen_{k+1}) + sync_k)``; the last step draws none ahead."""
    whole, gen, sync = (np.array([step[f"timing_s/{name}"] for step in steps]) for name in ("step", "gen", "sync"))
    learn = whole - gen - sync
    return float(whole.sum()), float(gen[0] + (np.maximum(learn, np.append(gen[1:], 0.0)) + sync).sum())


def page(runs: Sequence[dict[str, Steps]], versions: str) -> str:
    """The report, of the steps of each mode for each seed."""
    count = len(runs[0][MODES[0]])
    parts = [
        "# PPO one step off against in turn",
        f"{versions}; {os.cpu_count()} cores, one each for training and engine, the judge beside them. "
        f"{len(runs)} seed(s), {count} steps of as many samples in each mode.",
        "## Seconds a step (medians)",
        rows(["mode", *TIMES], [[mode, *(_median(runs, mode, name) for name in TIMES)] for mode in MODES]),
        "`gen`: drawing samples, one step off those of the next step; `wait`: for them, after learning.",
        "## Seconds a run",
        rows(
            ["seed", *MODES, "measured gain", *(f"{mode}, 1 : 1" for mode in MODES), "simulated gain"], _gains(runs)
        ),
        "## Learning curves (means over seeds)",
        rows(["steps", *(f"{label}, {mode}" for label in CURVES.values() for mode in MODES)], _curves(runs, count)),
        "## Samples of the version before",
        rows(["staleness", "mean weight", "share truncated"], [_weights(runs)]),
    ]
    return "\n\n".join(parts) + "\n"


def _median(runs: Sequence[dict[str, Steps]], mode: str, name: str) -> str:
    found = [step[f"timing_s/{name}"] for run in runs for step in run[mode] if f"timing_s/{name}" in step]
    return f"{np.median(found):.3f}" if found else ""


def _gains(runs: Sequence[dict[str, Steps]]) -> list[list[str]]:
    found = []
    for seed, run in enumerate(runs):
        measured = [sum(step["timing_s/step"] for step in run[mode]) for mode in MODES]
        both = [*measured, measured[0] / measured[1] - 1, *(times := simulated(run["sync"])), times[0] / times[1] - 1]
        found.append([str(seed), *(f"{n:+.0%}" if i in (2, 5) else f"{n:.1f}" for i, n in enumerate(both))])
    return found


def _curves(runs: Sequence[dict[str, Steps]], count: int) -> list[list[str]]:
    found = []
    for part in np.array_split(np.arange(count), min(PARTS, count)):
        line = [f"{part[0]} to {part[-1]}"]
        for name in CURVES:
            for mode in MODES:
                values = [run[mode][step][name] for run in runs for step in part if name in run[mode][step]]
                line.append(f"{np.mean(values):.3f}" if values else "")
        found.append(line)
    return found


def _weights(runs: Sequence[dict[str, Steps]]) -> list[str]:
    stale = [step for run in runs for step in run["one_step_off"] if "rollout/staleness" in step]
    names = ("rollout/staleness", "rollout/is_weight_mean", "rollout/is_weight_truncated")
    return [f"{np.mean([step[name] for step in stale]):.4f}" if stale else "" for name in names]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--config", default="configs/quickstart.yaml")
    parser.add_argument("--root", type=Path, default=Path("runs/one_step_off"))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/one_step_off.md"))
    parser.add_argument("overrides", nargs="*", help="further settings, KEY=VALUE")
    arguments = parser.parse_args()
    stages = [run_seed(s, arguments.root, arguments.config, arguments.overrides) for s in range(arguments.seeds)]
    manifest = json.loads((stages[0][MODES[0]] / "manifest.json").read_text())
    versions = ", ".join(f"{name} {version}" for name, version in sorted(manifest["versions"].items()))
    runs = [{mode: read_metrics(path) for mode, path in found.items()} for found in stages]
    text = page(runs, f"Commit {manifest['git_sha']}, {versions}")
    write_text(arguments.out, text)
    print(text)


if __name__ == "__main__":
    main()
