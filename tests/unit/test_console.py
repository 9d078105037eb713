"""What a terminal of 80 columns and a log show of a run."""

from __future__ import annotations

import io

import pytest
from rich.console import Console as RichConsole

from rewardranker.runs import console as module
from rewardranker.runs.console import Console, folded
from rewardranker.training.supervised import progress

SUMMARY = "09-reward-2-hardnegatives       77.8 s   steps 400   old 4,880   new 1,458   pair_accuracy 0.960"


class Time:
    """A clock that a test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(module.time, "monotonic", lambda: self.now)


def terminal(width: int) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(RichConsole(file=out, force_terminal=True, width=width, highlight=False, color_system=None)), out


def test_a_line_is_broken_between_its_cells() -> None:
    assert folded(SUMMARY, 120) == SUMMARY
    lines = folded(SUMMARY, 80).split("\n")
    assert lines == [SUMMARY[:74], "    pair_accuracy 0.960"] and lines[0].endswith("new 1,458")
    assert all(len(line) <= 50 for line in folded(SUMMARY, 50).split("\n"))
    assert folded("x" * 200, 80) == "x" * 200  # a path stays whole


def test_a_terminal_folds_and_a_log_does_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    console, out = terminal(80)
    console.say(SUMMARY)
    assert len(out.getvalue().splitlines()) == 2
    monkeypatch.delenv("COLUMNS", raising=False)
    Console().say(SUMMARY)
    Console().listing("ppo", [f"setting_{number}=1" for number in range(20)])
    first, *listed = capsys.readouterr().out.splitlines()
    assert first == SUMMARY and len(listed) > 1 and all(len(line) <= 120 for line in listed)
    monkeypatch.setenv("COLUMNS", "80")
    Console().listing("ppo", [f"setting_{number}=1" for number in range(20)])
    listed = capsys.readouterr().out.splitlines()
    assert "setting_19=1" in listed[-1] and all(len(line) <= 80 for line in listed)


@pytest.mark.parametrize(
    ("width", "title", "shown"),
    [
        (80, "  ppo-2-hardnegatives", "  ppo-2-hardnegatives 1000/1000 100.0/s  score"),
        (80, "  multipl_e in javascript, seed 12", "  multipl_e in javascr… 1000/1000 100.0/s  score"),
        (140, "  ppo-2-hardnegatives", "━ 1000/1000 100.0 steps/s  score"),
    ],
)
def test_step_and_metric_fit(width: int, title: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At 80 columns there is no bar, and a long title gives way."""
    clock = Time(monkeypatch)
    console, out = terminal(width)
    with console.progress(title, 1000, "steps") as advance:
        clock.now += 10
        advance(1000, "score +0.25  KL 0.75  pass 0.41")
    frames = out.getvalue().replace("\x1b[2K", "\n").splitlines()
    (last,) = {frame.rstrip() for frame in frames if "1000/1000" in frame}
    assert shown in last and "pass 0.41" in last and len(last) <= width
    assert ("━" in last) == (width > 80)


def test_a_rate_is_of_the_steps_since_the_resume(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Time(monkeypatch)
    with Console().progress("  sft", 250, "steps") as advance:
        report = progress(advance, "loss", print)
        clock.now += 20  # a model and its state are loaded
        report.on_resume(200)
        for step in range(200, 240):
            clock.now += 2
            report.on_step(step + 1, {"loss": 0.25})
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"  sft                    {done}/250 steps  0.5/s  loss 0.250" for done in (206, 222, 238)]
    console, out = terminal(80)
    with console.progress("  sft", 250, "steps") as advance:
        advance(200, before=True)
        clock.now += 10
        advance(20, "loss 0.1")
    assert "220/250 2.0/s  loss 0.1" in out.getvalue()
