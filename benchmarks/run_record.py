"""What a run of the cycle came to, as one page to keep: stages, times, tables, settings, versions.

python benchmarks/run_record.py runs/smollm2_mbpp --out benchmarks/results/smollm2_mbpp.md
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from rewardranker.config.schema import Config
from rewardranker.errors import UserError
from rewardranker.report.run import FinishedRun, load_run
from rewardranker.runs.atomic import write_text


def record(run: FinishedRun, title: str) -> str:
    results, table = run.results(), run.file("evaluate", "table.md")
    if results is None or table is None:
        raise UserError(f"{run.path} has no results; let its evaluate stage finish first")
    stages = list(run.stages.values())
    total = sum(stage.manifest["seconds"] for stage in stages)
    last = stages[-1].manifest
    policies = [
        [row["policy"], f"{row['pass_at_1']:.3f}", f"{row['ci_low']:.3f} to {row['ci_high']:.3f}"]
        for row in results["policies"]
    ]
    versions = ", ".join(f"{name} {version}" for name, version in sorted(last["versions"].items()))
    return "\n\n".join(
        [
            f"# {title}",
            f"Commit {last['git_sha']}, finished {last['finished']}, {os.cpu_count()} cores, seed {last['seed']}. "
            f"All stages together: {total / 60:.0f} minutes. {versions}.",
            rows(["stage", "seconds", "came to"], [list(line(stage.name, stage.manifest)) for stage in stages]),
            "## Rankers on fixed pools",
            table.read_text().strip(),
            "## Policies",
            rows(["policy", "pass@1", "95 %"], policies),
            "## Settings that differ from the defaults",
            "\n".join(f"    {key}={value}" for key, value in changed(run.config)),
        ]
    )


def line(name: str, manifest: dict[str, Any]) -> Iterator[str]:
    yield name
    yield f"{manifest['seconds']:.0f}"
    yield ", ".join(f"{key} {shown(value)}" for key, value in manifest.get("metrics", {}).items())


def shown(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def changed(config: dict[str, Any]) -> list[tuple[str, Any]]:
    """Dotted keys whose value is not the default, without paths of the machine that it ran on."""
    default = OmegaConf.to_container(OmegaConf.structured(Config))
    assert isinstance(default, dict)
    theirs, ours = flat(default), flat(config)
    found = {key: value for key, value in ours.items() if theirs.get(key) != value}
    return [(key, Path(value).name if "/" in str(value) else value) for key, value in sorted(found.items())]


def flat(tree: dict[Any, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in tree.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return found


def rows(header: list[str], body: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(line) + " |" for line in [header, ["---"] * len(header), *body])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="Run directory.")
    parser.add_argument("--title", default="A run of the cycle")
    parser.add_argument("--out", type=Path, help="Markdown file to write.")
    arguments = parser.parse_args()
    text = record(load_run(arguments.run), arguments.title) + "\n"
    print(text)
    if arguments.out:
        write_text(arguments.out, text)


if __name__ == "__main__":
    main()
