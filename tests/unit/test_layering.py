"""The method stays free of the runtime, and its mathematics of all but torch."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


IMPORT_ALL = """
import gc, importlib, pkgutil, sys

gc.disable()  # all that is imported stays
import rewardranker.training.ppo.advantages, rewardranker.training.ppo.losses, rewardranker.training.ppo.kl
import rewardranker.training.ppo.rewards, rewardranker.training.losses
print([name for name in ("transformers", "datasets", "pyarrow", "ray") if name in sys.modules])

def load(package):
    names = [module.name for module in pkgutil.walk_packages(package.__path__, package.__name__ + ".")]
    # One of them is a script that begins to serve.
    names = [name for name in names if not name.startswith("rewardranker.judge.child.server")]
    return len([importlib.import_module(name) for name in names])

import rewardranker
count = load(rewardranker)
print([name for name in ("ray", "vllm", "deepspeed", "flash_attn", "actors") if name in sys.modules])
import ray
sys.path[:] = [entry for entry in sys.path if "thirdparty_files" not in entry]
for name, module in list(sys.modules.items()):
    if "thirdparty_files" in (getattr(module, "__file__", "") or ""):
        del sys.modules[name]
import actors
print(count + load(actors))
"""


def test_each_part_needs_no_more_than_it_may() -> None:
    """The mathematics needs torch alone; the method brings in no runtime; the runtime needs nothing that Ray brings
    along."""
    answer = subprocess.run([sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, cwd=ROOT)
    assert answer.returncode == 0, answer.stderr
    mathematics, runtime, count = answer.stdout.splitlines()[-3:]
    assert mathematics == "[]"
    modules = [p for name in ("rewardranker", "actors") for p in (ROOT / name).rglob("*.py")]
    assert runtime == "[]" and int(count) > 0.9 * len(modules) - 5


def test_the_page_on_architecture_answers_in_two_hops() -> None:
    """Every question names a file, and what to look at in it; both are there."""
    page = (ROOT / "docs" / "architecture.md").read_text()
    rows = re.findall(r"^\| ([^|]+\?) \| `([\w/.]+\.py)` \| `(\w+)` \|$", page, re.MULTILINE)
    assert len(rows) >= 20
    for question, path, name in rows:
        defined = re.search(rf"^(?:class |def )?{name}\b(?=[(:\[ ])", (ROOT / path).read_text(), re.MULTILINE)
        assert defined is not None, f"{question} {path} has no {name}"
