"""Processes that run tests beside each other share cores, and nothing else."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

#: Files that take long, longest first: the file that is begun last, beside idle cores, should be a short one.
LONG = (
    "test_cycle.py", "test_resume.py", "test_readme.py", "test_attacks.py", "test_weight_sync.py", "test_evaluate.py",
    "test_judge_load.py", "test_endpoint_vllm.py", "test_exported_scorer.py", "test_extending.py",
    "test_unsolvable.py", "test_trained_rerankers.py", "test_ranker_training.py", "test_sandbox.py", "test_remote.py",
    "test_groups.py", "test_rollout_pool.py", "test_rollout_models.py", "test_evaluation.py",
    "test_language_compiled.py", "test_python_main_programs.py", "test_judge_fuzz.py", "test_bad_input.py",
    "test_layering.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONG.index(item.path.name) if item.path.name in LONG else len(LONG))


def _be_apart(worker: str) -> None:
    """What the judge keeps for a machine, and what its tests look for, lies in the temporary directory."""
    place = Path(tempfile.gettempdir()) / f"rewardranker-tests-{os.geteuid()}-{worker}"
    place.mkdir(mode=0o755, exist_ok=True)
    os.environ["TMPDIR"] = tempfile.tempdir = str(place)
    os.environ.setdefault("OMP_NUM_THREADS", "1")


if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    _be_apart(worker)
