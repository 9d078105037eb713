"""Processes that run tests beside each other share cores and what languages set up, and nothing else."""

from __future__ import annotations

import gc
import os
import signal
import tempfile
import threading
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

#: Files that take long, longest first: the file that is begun last, beside idle cores, should be a short one.
LONG = (
    "test_cycle.py", "test_resume.py", "test_weight_sync.py", "test_groups.py", "test_engines.py",
    "test_rollout_pool.py", "test_rollout_models.py", "test_readme.py", "test_attacks.py", "test_evaluate.py",
    "test_judge_load.py", "test_endpoint_vllm.py", "test_exported_scorer.py", "test_extending.py",
    "test_unsolvable.py", "test_judge_fuzz.py", "test_sandbox.py", "test_language_compiled.py", "test_remote.py",
    "test_layering.py", "test_evaluation.py", "test_config_reading.py", "test_compiled_forms.py", "test_bad_input.py",
    "test_ranker_training.py", "test_trained_rerankers.py", "test_python_main_programs.py", "test_scratch.py",
)  # fmt: skip


class ByFile(LoadScopeScheduling):
    """One process runs a whole file, and all of those that share a Ray."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::")[0]
        return "tests/actors" if path.startswith("tests/actors/") else path


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: LONG.index(item.path.name) if item.path.name in LONG else len(LONG))


def pytest_collection_finish() -> None:
    gc.enable()


def _be_apart(worker: str) -> None:
    """Each with a temporary directory of its own, where tests look for what was left; languages are set up once."""
    root = Path(tempfile.gettempdir()) / f"rewardranker-tests-{os.geteuid()}"
    place = root.with_name(f"{root.name}-{worker}")
    place.mkdir(mode=0o755, exist_ok=True)
    os.environ.setdefault("REWARDRANKER_TOOLCHAINS", f"{root}-toolchains")
    os.environ["TMPDIR"] = tempfile.tempdir = str(place)
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def _be_alike() -> None:
    """Whatever started the tests: what they print is as wide as in a log, and what they start can be interrupted.

    A shell takes the second from what it starts in the background.
    """
    os.environ.pop("COLUMNS", None)
    # Without a hub each of its names would be asked for six times, for half a minute; with one, tests would depend
    # on it.
    os.environ["HF_HUB_OFFLINE"] = "1"
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)


gc.disable()  # until all files are imported, whose objects stay
_be_alike()
if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    _be_apart(worker)
