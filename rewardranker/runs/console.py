"""What a person sees while a run is at work: one line per stage, a bar with a rate for long work."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console as RichConsole
from rich.console import RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

LOG_EVERY_S = 30.0
LOG_WIDTH = 120


class Advance(Protocol):
    def __call__(self, count: int = 1, note: str = "") -> None: ...


class Console:
    """Bars on a terminal, lines now and then in a log."""

    def __init__(self) -> None:
        self._rich = RichConsole(highlight=False)
        if not self._rich.is_terminal:
            self._rich = RichConsole(highlight=False, width=LOG_WIDTH)

    def say(self, line: str) -> None:
        self._rich.print(line, markup=False, soft_wrap=True)

    def warn(self, line: str) -> None:
        self._rich.print(f"warning: {line}", style="yellow", markup=False, soft_wrap=True)

    def show(self, what: RenderableType) -> None:
        """A table or another rich object."""
        self._rich.print(what)

    @contextmanager
    def progress(self, title: str, total: int, unit: str) -> Iterator[Advance]:
        """Yields a function to call with the number of units done since the last call, and a short note."""
        with self._bar(title, total, unit) if self._rich.is_terminal else self._log(title, total, unit) as go:
            yield go

    @contextmanager
    def _bar(self, title: str, total: int, unit: str) -> Iterator[Advance]:
        columns = (
            TextColumn("{task.description:<28}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(),
        )
        begun, done = time.monotonic(), 0
        with Progress(*columns, console=self._rich, transient=True) as bars:
            task = bars.add_task(title, total=total, note="")

            def advance(count: int = 1, note: str = "") -> None:
                nonlocal done
                done += count
                rate = done / max(1e-9, time.monotonic() - begun)
                bars.update(task, advance=count, note=f"{rate:,.1f} {unit}/s  {note}")

            yield advance

    @contextmanager
    def _log(self, title: str, total: int, unit: str) -> Iterator[Advance]:
        begun = last = time.monotonic()
        done = 0

        def advance(count: int = 1, note: str = "") -> None:
            nonlocal done, last
            done += count
            now = time.monotonic()
            if now - last > LOG_EVERY_S:
                last = now
                self.say(f"{title:<28} {done:,}/{total:,} {unit}   {done / (now - begun):,.1f} {unit}/s   {note}")

        yield advance
