"""The quickstart's cycle over several seeds: does iterating help, and by how much?

    python benchmarks/quickstart_seeds.py --seeds 5 --root runs/seeds --out benchmarks/results/quickstart_seeds.md

Every seed draws its own problems, authors, weights and samples. Beyond the quickstart, it trains a reward model on
as many random negatives as hard ones, and a new policy against every retrained reward model and the control.
Seeds that are complete are not run again.

For a difference between two rankers or policies, two intervals (95 %): a paired bootstrap over the problems of all
seeds, which are taken as given; and Student's t over the seeds' mean differences, which counts training noise too.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rewardranker.mining.hard_negatives import FAILS
from rewardranker.mining.io import read_triplets
from rewardranker.problems.pool import group_by_problem, read_pool
from rewardranker.problems.types import Candidate
from rewardranker.runs.atomic import write_json, write_text
from rewardranker.statistics.metrics import expected_pick, gap_closed, paired_bootstrap

#: 97.5 % quantiles of Student's t by degrees of freedom.
T = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}
RESAMPLES = 5000

OVERRIDES = (
    "cycle.variants=[hardnegatives,selftraining,randomnegatives]",
    "cycle.control_policy=true",
    "cycle.new_policies=all",
)
POOLS = ("sft", "ppo_1")
RANKERS = (
    "random",
    "rewardranker_1",
    "rewardranker_control",
    "rewardranker_2_randomnegatives",
    "rewardranker_2_hardnegatives",
    "rewardranker_2_selftraining",
    "oracle",
)
POLICIES = (
    "sft",
    "ppo_1",
    "ppo_2_control",
    "ppo_2_randomnegatives",
    "ppo_2_hardnegatives",
    "ppo_2_selftraining",
)
RANKER_PAIRS = [
    (f"rewardranker_2_{variant}", other)
    for variant in ("hardnegatives", "selftraining")
    for other in ("rewardranker_1", "rewardranker_control", "rewardranker_2_randomnegatives")
]
POLICY_PAIRS = [(f"ppo_2_{v}", "sft") for v in ("control", "randomnegatives", "hardnegatives", "selftraining")]
POLICY_PAIRS += [
    (f"ppo_2_{v}", other) for v in ("hardnegatives", "selftraining") for other in ("ppo_1", "ppo_2_control")
]

PerProblem = dict[str, np.ndarray]  # name -> one number per problem


def run_seed(seed: int, root: Path, extra: Sequence[str]) -> Path:
    """Runs one cycle; returns its run directory."""
    name = f"seed{seed}"
    overrides = [f"run.root={root}", f"run.name={name}", f"run.seed={seed}", f"data.family.seed={seed}"]
    command = [sys.executable, "-m", "rewardranker.cli", "cycle", "--config", "configs/quickstart.yaml"]
    print(f"seed {seed}", flush=True)
    subprocess.run([*command, *overrides, *OVERRIDES, *extra], check=True, stdout=sys.stdout)
    return root / name


def rankers(pool: list[Candidate]) -> PerProblem:
    """For each ranker the probability, problem by problem, that its choice passes."""
    groups = list(group_by_problem(pool).values())
    correct = [[int(c.verdict == "OK") for c in group] for group in groups]
    found = {"random": np.array([np.mean(row) for row in correct]), "oracle": np.array([max(row) for row in correct])}
    for key in RANKERS[1:-1]:
        picks = [expected_pick([c.scores[key] for c in g], row) for g, row in zip(groups, correct, strict=True)]
        found[key] = np.array(picks)
    return found


def difference(seeds: list[PerProblem], a: str, b: str) -> dict[str, float | list[float]]:
    """``a - b`` over all seeds, with both intervals."""
    means = np.array([float(np.mean(s[a] - s[b])) for s in seeds])
    over_problems = paired_bootstrap(
        np.concatenate([s[a] for s in seeds]), np.concatenate([s[b] for s in seeds]), RESAMPLES, seed=0
    )
    row: dict[str, float | list[float]] = {
        "difference": float(means.mean()),
        "problems_low": over_problems[1],
        "problems_high": over_problems[2],
        "by_seed": means.tolist(),
    }
    if len(means) > 1:
        half = T[len(means) - 1] * float(means.std(ddof=1)) / np.sqrt(len(means))
        row |= {"seeds_low": float(means.mean()) - half, "seeds_high": float(means.mean()) + half}
    return row


def summarise(runs: Sequence[Path]) -> dict[str, object]:
    """Everything that is reported, from the runs' pools."""
    summary: dict[str, object] = {"seeds": len(runs), "pools": {}, "policies": {}}
    directories = [next(run.glob("[0-9][0-9]-evaluate")) / "pools" for run in runs]
    for name in POOLS:
        seeds = [rankers(read_pool(d / f"{name}.parquet")) for d in directories]
        solved = {key: [float(s[key].mean()) for s in seeds] for key in RANKERS}
        gaps = {
            key: [
                gap_closed(v, r, o) for v, r, o in zip(solved[key], solved["random"], solved["oracle"], strict=True)
            ]
            for key in RANKERS
        }
        pairs = {f"{a} - {b}": difference(seeds, a, b) for a, b in [*RANKER_PAIRS, ("rewardranker_1", "random")]}
        summary["pools"][name] = {"solved": solved, "gap_closed": gaps, "differences": pairs}  # type: ignore[index]
    policies = [
        {
            key: np.array(
                [np.mean([c.verdict == "OK" for c in g]) for g in group_by_problem(read_pool(path)).values()]
            )
            for key in POLICIES
            for path in [d / f"{key}.parquet"]
        }
        for d in directories
    ]
    summary["policies"] = {
        "pass_at_1": {key: [float(p[key].mean()) for p in policies] for key in POLICIES},
        "differences": {f"{a} - {b}": difference(policies, a, b) for a, b in POLICY_PAIRS},
    }
    summary["mining"] = [mined(run) for run in runs]
    manifest = json.loads((directories[0].parent / "manifest.json").read_text())
    return summary | {"versions": manifest["versions"], "git": manifest["git_sha"]}


def mined(run: Path) -> dict[str, float]:
    """How different hard and random negatives can be: what there was to choose from, and what both chose."""
    stage = next(run.glob("[0-9][0-9]-mine-2"))
    hard, random = (
        {(t.problem_id, t.rejected) for t in read_triplets(stage / f"{name}.parquet")}
        for name in ("hardnegatives", "randomnegatives")
    )
    groups = group_by_problem(read_pool(stage / "pool.parquet")).values()
    failing = [len({c.code for c in group if c.verdict in FAILS}) for group in groups]
    return {
        "hard": len(hard),
        "random_that_are_hard": len(hard & random) / len(random),
        "failing_programs_per_problem": float(np.mean(failing)),
    }


def markdown(summary: dict) -> str:  # type: ignore[type-arg]
    """The report."""
    lines = ["# The quickstart over seeds", ""]
    lines += [
        f"{summary['seeds']} seeds, 200 held-out problems each, n = 10 at T = 0.7; commit {summary['git']}.",
        "",
    ]
    for name, pool in summary["pools"].items():
        lines += [f"## Pool {name}", "", "| ranker | solved, by seed | mean | gap closed |", "|---|---|---|---|"]
        for key, values in pool["solved"].items():
            gap = np.mean(pool["gap_closed"][key])
            lines.append(f"| {key} | {_row(values)} | {np.mean(values):.3f} | {gap:.2f} |")
        lines += ["", *_differences(pool["differences"]), ""]
    lines += ["## Policies, pass@1", "", "| policy | by seed | mean |", "|---|---|---|"]
    for key, values in summary["policies"]["pass_at_1"].items():
        lines.append(f"| {key} | {_row(values)} | {np.mean(values):.3f} |")
    lines += ["", *_differences(summary["policies"]["differences"]), ""]
    lines += ["## Mined from the first policy", "", "| | by seed |", "|---|---|"]
    for key, label in (
        ("hard", "hard negatives"),
        ("failing_programs_per_problem", "distinct failing programs per problem"),
        ("random_that_are_hard", "share of the random negatives that are hard ones"),
    ):
        lines.append(f"| {label} | {' '.join(f'{m[key]:.4g}' for m in summary['mining'])} |")
    lines.append("")
    return "\n".join(lines)


def _row(values: Sequence[float]) -> str:
    return " ".join(f"{v:.3f}" for v in values)


def _differences(pairs: dict) -> list[str]:  # type: ignore[type-arg]
    lines = ["| difference | mean | over problems | over seeds |", "|---|---|---|---|"]
    for name, d in pairs.items():
        seeds = f"[{d['seeds_low']:+.3f}, {d['seeds_high']:+.3f}]" if "seeds_low" in d else ""
        problems = f"[{d['problems_low']:+.3f}, {d['problems_high']:+.3f}]"
        lines.append(f"| {name} | {d['difference']:+.3f} | {problems} | {seeds} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5, choices=range(1, len(T) + 2))
    parser.add_argument("--root", type=Path, default=Path("runs/seeds"))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/quickstart_seeds.md"))
    parser.add_argument("overrides", nargs="*", help="further settings, KEY=VALUE")
    arguments = parser.parse_args()
    runs = [run_seed(seed, arguments.root, arguments.overrides) for seed in range(arguments.seeds)]
    summary = summarise(runs)
    write_json(arguments.out.with_suffix(".json"), summary)
    write_text(arguments.out, markdown(summary))
    print(markdown(summary))


if __name__ == "__main__":
    main()
