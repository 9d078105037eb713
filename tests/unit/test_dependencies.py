"""What the code imports is what pyproject.toml asks for, not what other packages happen to bring."""

from __future__ import annotations

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
#: Not a package: the directory that a sandbox's Python finds beside the script it runs.
IN_THE_SANDBOX = {"child"}


def imported(package: str) -> dict[str, set[str]]:
    """Top-level names of other packages, with the files that import them."""
    found: dict[str, set[str]] = {}
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []
            for name in {name.partition(".")[0] for name in names}:
                found.setdefault(name, set()).add(str(path.relative_to(ROOT)))
    own = {"rewardranker", "actors", "benchmarks", *IN_THE_SANDBOX, *(p.stem for p in ROOT.glob("tests/**/*.py"))}
    own |= {p.name for p in ROOT.glob("tests/unit/*") if p.is_dir()}
    return {name: files for name, files in found.items() if name not in sys.stdlib_module_names | own}


def declared(*extras: str) -> set[str]:
    lines = [*PROJECT["dependencies"], *(line for e in extras for line in PROJECT["optional-dependencies"][e])]
    return {canonicalize_name(Requirement(line).name) for line in lines}


@pytest.mark.parametrize(
    ("package", "extras"),
    [("rewardranker", ()), ("actors", ("cpu", "gpu")), ("tests", ("dev", "cpu"))],
)
def test_every_import_is_declared(package: str, extras: tuple[str, ...]) -> None:
    found = imported(package)
    assert len(found) > 5
    distributions = packages_distributions()
    missing = {
        name: sorted(files)
        for name, files in found.items()
        if not {canonicalize_name(d) for d in distributions.get(name, [name])} & declared(*extras)
    }
    assert missing == {}
