"""Numbers over steps: ``metrics.jsonl`` for programs, TensorBoard events for people."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from rewardranker.paths import AnyPath
from rewardranker.runs.atomic import write_text


class MetricWriter:
    """Appends one line per step. What a killed run wrote past its last checkpoint is dropped on resume."""

    def __init__(self, directory: AnyPath, resume_at: int = 0) -> None:
        self._path = Path(directory) / "metrics.jsonl"
        kept = [line for line in read_metrics(directory) if line["step"] < resume_at]
        write_text(self._path, "".join(json.dumps(line) + "\n" for line in kept))
        self._file = self._path.open("a")
        self._events = SummaryWriter(str(self._path.with_name("tensorboard")), purge_step=resume_at)

    def write(self, step: int, metrics: dict[str, float]) -> None:
        """Metrics of ``step`` (0-based)."""
        self._file.write(json.dumps({"step": step, **metrics}) + "\n")
        self._file.flush()
        for name, value in metrics.items():
            self._events.add_scalar(name, value, step)

    def tail_means(self, steps: int, share: float = 0.1) -> dict[str, float]:
        """Means over the last ``share`` of ``steps`` steps, of each number over those that have it."""
        lines = [m for m in read_metrics(self._path.parent) if m["step"] >= steps - max(1, round(share * steps))]
        known = {key: [m[key] for m in lines if key in m] for line in lines for key in line if key != "step"}
        return {key: sum(values) / len(values) for key, values in known.items()}

    def close(self) -> None:
        self._file.close()
        self._events.close()


def read_metrics(directory: AnyPath) -> list[dict[str, Any]]:
    """All whole lines, in order; a line cut off by a kill is left out."""
    path = Path(directory) / "metrics.jsonl"
    if not path.exists():
        return []
    lines = path.read_text().split("\n")
    return [json.loads(line) for line in lines[:-1] if line]
