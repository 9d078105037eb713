"""What a run directory holds, as the report reads it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from rewardranker.errors import UserError
from rewardranker.paths import AnyPath
from rewardranker.problems.pool import read_pool
from rewardranker.problems.types import Candidate
from rewardranker.rendering.charts import Series
from rewardranker.runs.metrics import read_metrics


@dataclass(frozen=True)
class FinishedStage:
    """One ``NN-stage`` directory with its manifest."""

    name: str
    path: Path
    manifest: dict[str, Any]

    @property
    def metrics(self) -> dict[str, Any]:
        """What the stage came to, from the manifest."""
        return self.manifest.get("metrics", {})

    def series(self, metric: str, name: str) -> Series:
        """A metric over the steps; no points where it was not recorded."""
        lines = [line for line in read_metrics(self.path) if line.get(metric) is not None]
        return Series(name, [line["step"] for line in lines], [line[metric] for line in lines])


@dataclass(frozen=True)
class FinishedRun:
    """The stages that are complete, in order, and the resolved config (empty where it is missing)."""

    path: Path
    stages: dict[str, FinishedStage]
    config: dict[str, Any]

    def named(self, prefix: str) -> list[FinishedStage]:
        return [stage for name, stage in self.stages.items() if name.startswith(prefix)]

    def file(self, stage: str, name: str) -> Path | None:
        """A stage's file, or ``None`` where the run has not got that far."""
        found = self.stages.get(stage)
        return found.path / name if found and (found.path / name).exists() else None

    def results(self) -> dict[str, Any] | None:
        """What the ``evaluate`` stage left, or ``None`` where it has not finished."""
        path = self.file("evaluate", "results.json")
        return read_object(path.read_text(), str(path)) if path else None

    def pools(self) -> dict[str, list[Candidate]]:
        """The judged candidates of the result table's pools and of the policies, by name, in that order.

        The ``evaluate`` stage also keeps what these were made from (greedy samples, unscored pools); the same
        candidates twice would only mislead.
        """
        results, directory = self.results(), self.file("evaluate", "pools")
        if results is None or directory is None:
            return {}
        names = [row["pool"] for row in results["rows"]] + [p["policy"] for p in results.get("policies", [])]
        files = {name: directory / f"{name}.parquet" for name in dict.fromkeys(names)}
        return {
            name: [c for c in read_pool(file) if c.verdict is not None]
            for name, file in files.items()
            if file.exists()
        }


def load_run(path: AnyPath) -> FinishedRun:
    """Reads ``<root>/<name>``.

    Raises:
        UserError: not a run directory, or a damaged manifest in it.
    """
    path = Path(path)
    manifests = path.glob("*/manifest.json")
    found = ((re.fullmatch(r"(\d++)-(.++)", manifest.parent.name), manifest) for manifest in manifests)
    numbered = sorted((int(match[1]), match[2], manifest) for match, manifest in found if match)
    stages = {
        name: FinishedStage(name, manifest.parent, read_object(manifest.read_text(), str(manifest)))
        for _, name, manifest in numbered
    }
    config = path / "config.yaml"
    if not stages and not config.exists():
        raise UserError(
            f"{path} is not a run directory: it has neither config.yaml nor a finished stage such as "
            "00-data; give the directory of one run, <run.root>/<run.name>"
        )
    loaded = OmegaConf.to_container(OmegaConf.load(config)) if config.exists() else {}
    return FinishedRun(path, stages, loaded)  # type: ignore[arg-type]


def read_object(text: str, where: str) -> dict[str, Any]:
    """A JSON object.

    Raises:
        UserError: naming ``where``; not JSON, or not an object.
    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(f"{where} is damaged ({error}); run that stage again") from error
    if not isinstance(value, dict):
        raise UserError(f"{where} should hold a JSON object, found {type(value).__name__}")
    return value
