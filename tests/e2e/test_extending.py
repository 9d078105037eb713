"""``docs/extending.md``, followed: its files and lines are added to a copy of the project; what it says is run."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest
from cycle_runs import ROOT
from pages import blocks_of, in_copy, run_block

PAGE = (ROOT / "docs" / "extending.md").read_text()
BLOCKS = blocks_of("docs/extending.md")


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with every file and every line of the page."""
    copy = tmp_path_factory.mktemp("extended")
    for part in ("rewardranker", "actors", "configs"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    for block in BLOCKS:
        if block.table:
            source = (copy / block.path).read_text()
            opening = re.search(rf"^\s*{re.escape(block.table)}(?!\w).*\{{", source, re.MULTILINE)
            assert opening is not None, f"{block.path} has no table {block.table}"
            assert block.text.count("\n") == 1, f"more than one line for {block.table}"
            (copy / block.path).write_text(f"{source[: opening.end()]}\n{block.text}{source[opening.end() :]}")
        elif block.path:
            assert not (copy / block.path).exists(), f"{block.path} is there already"
            (copy / block.path).write_text(block.text)
    return copy


def test_each_is_one_file_and_one_line_of_one_table() -> None:
    parts = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
    for part in parts:
        blocks = re.findall(r"^```python (\S+)(?: (\S+))?$", part, re.MULTILINE)
        assert [bool(table) for _, table in blocks] in ([False, True], []), part[:80]
    assert len(parts) == 7


@pytest.mark.slow
def test_what_was_added_does_what_the_page_says(extended: Path) -> None:
    """The page's scripts and commands in order; the whole cycle is for the slow test."""
    for block in BLOCKS:
        if not block.path and "rewardranker cycle" not in block.text:
            run_block(block, extended)


@pytest.mark.slow
def test_a_cycle_with_all_of_them(extended: Path) -> None:
    commands = [shlex.split(line) for block in BLOCKS if block.kind == "sh" for line in block.text.splitlines()]
    made = next(words for words in commands if words[1] == "data")
    for words in [made, *(words for words in commands if words[1] == "cycle")]:
        in_copy(extended, sys.executable, "-m", "rewardranker.cli", *words[1:])
    (lengths,) = (extended / "runs" / "smoke").glob("*-lengths/lengths.json")
    assert '"sft"' in lengths.read_text()
