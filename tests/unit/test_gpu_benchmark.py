"""The benchmark of one GPU, small, on a CPU: its parts run, and its page says what was measured and what was not."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from scripts import script


@pytest.mark.slow
def test_every_part_measures_something(tmp_path: Path) -> None:
    program = script("gpu")
    machine = program.Machine("cpu", True, tmp_path, time.monotonic() + 600)
    parts = [part for part in program.PARTS if part != "quickstart"]
    head, _, flops, *told = program.page(machine, parts)
    assert "CPU" in head and "no speed" in head and "TFLOPS" in flops
    for name, text in zip(parts, told, strict=True):
        assert "Failed" not in text and "Not run" not in text, text
        assert len([line for line in text.splitlines() if line.startswith("| ")]) >= 3, name
    losses, layouts, _, _, _, turns = told
    assert all(abs(float(found)) < 1 for found in re.findall(r"([+-][\d.]+)%", losses))
    lines = re.findall(r"^\| (?:sdpa|eager) \| .* \| .* \| (.*) \| (.*) \|$", layouts, re.MULTILINE)
    found = [[float(cell) for cell in line] for line in lines]
    assert len(found) == 4 and all(row == pytest.approx(found[0], rel=1e-2) for row in found)
    assert "yes" in turns


def test_what_there_is_no_time_for_is_said(tmp_path: Path) -> None:
    program = script("gpu")
    machine = program.Machine("cpu", True, tmp_path, time.monotonic() - 1)
    *_, told = program.page(machine, ["losses"])
    assert told == "## bf16 against fp32\n\nNot run: no time was left."


def test_a_prompt_that_answers_share_is_counted_once(tmp_path: Path) -> None:
    program = script("gpu")
    rows = program.Machine("cpu", False, tmp_path, 0.0).rows(3, 4, 50, 40)
    assert len({row.prompt_ids for row in rows}) == 3 and {len(row.prompt_ids) for row in rows} == {50}
    assert program.real_tokens(rows) == 150 + sum(len(row.response_ids) for row in rows)
    assert len({len(row.response_ids) for row in rows}) > 4
