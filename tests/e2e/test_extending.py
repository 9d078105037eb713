"""``docs/extending.md``, followed: its files and lines are added to a copy of the project; what it says is run."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cycle_runs import ROOT

PAGE = (ROOT / "docs" / "extending.md").read_text()
BLOCKS = re.findall(r"^```(\w+)(?: (\S+))?(?: (\S+))?\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
SECTIONS = [section.split("\n")[0] for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]]


def in_copy(copy: Path, *command: str) -> None:
    environment = os.environ | {"PYTHONPATH": str(copy)}
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with every file and every line of the page."""
    copy = tmp_path_factory.mktemp("extended")
    for part in ("rewardranker", "actors", "configs"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    for _, path, table, text in BLOCKS:
        if path and table:
            source = (copy / path).read_text()
            opening = re.search(rf"^\s*{re.escape(table)}(?!\w).*\{{", source, re.MULTILINE)
            assert opening is not None, f"{path} has no table {table}"
            assert text.count("\n") == 1, f"more than one line for {table}"
            (copy / path).write_text(f"{source[: opening.end()]}\n{text}{source[opening.end() :]}")
        elif path:
            assert not (copy / path).exists(), f"{path} is there already"
            (copy / path).write_text(text)
    return copy


def test_each_is_one_file_and_one_line_of_one_table() -> None:
    parts = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:-1]
    for part in parts:
        blocks = re.findall(r"^```python (\S+)(?: (\S+))?$", part, re.MULTILINE)
        assert [bool(table) for _, table in blocks] in ([False, True], []), part[:80]
    assert len(parts) == 7


@pytest.mark.slow
def test_what_was_added_does_what_the_page_says(extended: Path) -> None:
    """The page's scripts and commands in order; the whole cycle is for the slow test."""
    for kind, path, _, text in BLOCKS:
        if kind == "python" and not path:
            (extended / "example.py").write_text(text)
            in_copy(extended, sys.executable, "example.py")
        elif kind == "sh":
            for line in text.splitlines():
                words = shlex.split(line)
                if words[1] != "cycle":
                    in_copy(extended, sys.executable, "-m", "rewardranker.cli", *words[1:])


@pytest.mark.slow
def test_a_cycle_with_all_of_them(extended: Path) -> None:
    commands = [shlex.split(line) for kind, *_, text in BLOCKS if kind == "sh" for line in text.splitlines()]
    made = next(words for words in commands if words[1] == "data")
    for words in [made, *(words for words in commands if words[1] == "cycle")]:
        in_copy(extended, sys.executable, "-m", "rewardranker.cli", *words[1:])
    (lengths,) = (extended / "runs" / "smoke").glob("*-lengths/lengths.json")
    assert '"sft"' in lengths.read_text()
