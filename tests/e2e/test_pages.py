"""The guides of the judge and of one's own problems, followed to the letter."""

from __future__ import annotations

from pathlib import Path

from judging import need
from pages import follow


def test_own_problems(tmp_path: Path) -> None:
    need("java")
    assert follow("docs/problems.md", tmp_path) == 3


def test_the_judge_in_ten_lines(tmp_path: Path) -> None:
    assert follow("docs/judging.md", tmp_path) == 1
