"""The method stays free of the runtime, files stay short, the tree stays clean."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_importing_the_method_brings_in_no_runtime() -> None:
    code = """
import pkgutil, importlib, sys, rewardranker
for module in pkgutil.walk_packages(rewardranker.__path__, "rewardranker."):
    if "judge.child" not in module.name:  # scripts for another interpreter
        importlib.import_module(module.name)
print([name for name in ("ray", "vllm", "deepspeed", "flash_attn", "actors") if name in sys.modules])
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert answer.stdout.strip() == "[]"


def test_the_mathematics_needs_torch_alone() -> None:
    code = """
import sys
import rewardranker.training.ppo.advantages, rewardranker.training.ppo.losses, rewardranker.training.ppo.kl
import rewardranker.training.ppo.rewards, rewardranker.training.losses
print([name for name in ("transformers", "datasets", "pyarrow", "ray") if name in sys.modules])
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert answer.stdout.strip() == "[]"


def test_imports_point_one_way() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    answer = subprocess.run([lint], capture_output=True, text=True, cwd=ROOT, check=False)
    assert answer.returncode == 0, answer.stdout


def test_files_are_short() -> None:
    lengths = {
        path.relative_to(ROOT).as_posix(): path.read_text().count("\n")
        for package in ("rewardranker", "actors", "tests", "benchmarks")
        for path in (ROOT / package).rglob("*.py")
    }
    assert {path: n for path, n in lengths.items() if n > 400} == {}
    assert lengths["actors/pipeline/ppo_driver.py"] < 150


def test_the_page_on_architecture_answers_in_two_hops() -> None:
    """Every question names a file, and what to look at in it; both are there."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    rows = re.findall(r"^\| ([^|]+\?) \| `([\w/.]+\.py)` \| `(\w+)` \|$", page, re.MULTILINE)
    assert len(rows) >= 20
    for question, path, name in rows:
        defined = re.search(rf"^(?:class |def )?{name}\b(?=[(:\[ ])", (ROOT / path).read_text(), re.MULTILINE)
        assert defined is not None, f"{question} {path} has no {name}"
