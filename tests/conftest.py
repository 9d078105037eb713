"""Processes that run tests beside each other share cores, and nothing else."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def _be_apart(worker: str) -> None:
    """What the judge keeps for a machine, and what its tests look for, lies in the temporary directory."""
    place = Path(tempfile.gettempdir()) / f"rewardranker-tests-{os.geteuid()}-{worker}"
    place.mkdir(mode=0o755, exist_ok=True)
    os.environ["TMPDIR"] = tempfile.tempdir = str(place)
    os.environ.setdefault("OMP_NUM_THREADS", "1")


if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    _be_apart(worker)
