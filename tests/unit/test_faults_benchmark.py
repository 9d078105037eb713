"""The benchmark of faults: its page says what was measured, and what was not; it was run for real elsewhere."""

from __future__ import annotations

from scripts import script

BENCHMARK = script("faults")


def test_the_page_counts_runs_whose_fault_came_and_names_what_was_not_measured() -> None:
    def row(fault: str, injected: str, same: bool, seconds: float) -> object:
        return BENCHMARK.Row(fault, injected, True, 0 if same else 3, same, {"executors": 1}, seconds)

    found = [
        row("executor killed", "SIGKILL, 3 s, 05-ppo-1", True, 60.0),
        row("executor killed", "SIGKILL, 9 s, 06-generate-2", False, 70.0),
        row("executor killed", "", True, 50.0),
    ]
    text = BENCHMARK.page(found, 40.0, 0)
    assert "| executor killed | 2 | 2 | 3 | 1 | executors 2 | 60 to 70 |" in text
    assert "| node killed | 0 | not measured |" in text and "undisturbed 40 s" in text
    assert "| executor killed | the run ended before | True | True |" in text
