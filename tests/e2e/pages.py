"""Guides, followed: their files are written, their commands and scripts run, and what they print is compared.

A fence says what its block is: ``json problems.jsonl`` or ``python a/b.py`` a file, ``python`` a script, ``sh``
commands, and ``text`` what the block before it prints, with ``...`` for what may be anything.
"""

from __future__ import annotations

import doctest
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from cycle_runs import ROOT

_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?(?: (\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LIKE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE  # a terminal of another width breaks lines elsewhere


@dataclass(frozen=True)
class Block:
    """A fenced block: its kind, the file that it is, the table of that file that it is a line of, and its text."""

    kind: str
    path: str
    table: str
    text: str


def blocks_of(page: str) -> list[Block]:
    return [Block(*found) for found in _BLOCK.findall((ROOT / page).read_text())]


def in_copy(copy: Path, *command: str) -> str:
    """What a command prints that is run in a folder, with the project's code that lies there, or else this one's."""
    code = copy if (copy / "rewardranker").is_dir() else ROOT
    environment = os.environ | {"PYTHONPATH": str(code), "COLUMNS": "120"}
    done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout + done.stderr


def run_block(block: Block, folder: Path) -> str:
    """What the scripts or commands of a block print; of any other block, nothing is run."""
    if block.kind == "python" and not block.path:
        (folder / "example.py").write_text(block.text)
        return in_copy(folder, sys.executable, "example.py")
    lines = [shlex.split(line) for line in block.text.replace("\\\n", " ").splitlines()] if block.kind == "sh" else []
    assert all(words[0] == "rewardranker" for words in lines), block.text
    return "".join(in_copy(folder, sys.executable, "-m", "rewardranker.cli", *words[1:]) for words in lines)


def follow(page: str, folder: Path) -> int:
    """Does what a page without tables says; returns how many outputs were compared."""
    printed, compared = "", 0
    for block in blocks_of(page):
        if block.path:
            (folder / block.path).write_text(block.text)
        elif block.kind == "text":
            assert printed, f"{page}: nothing was printed before\n{block.text}"
            alike = doctest.OutputChecker().check_output(block.text, printed, _LIKE)
            assert alike, f"{page} says\n{block.text}and this was printed\n{printed}"
            compared += 1
        else:
            printed = run_block(block, folder)
    return compared
