"""What a person sees while a run is at work: one line per stage, a bar with a rate for long work."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from rich.console import Console as RichConsole
from rich.console import RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn

LOG_EVERY_S = 30.0
LOG_WIDTH = 120
#: A bar is drawn where the terminal is so wide; else its place goes to the numbers.
ROOM_FOR_A_BAR = 110
#: Spaces between the cells of a line, where it may be broken.
GAP = 3
_GAPS = re.compile(r" {3,}+")


class Advance(Protocol):
    def __call__(self, count: int = 1, note: str = "", *, before: bool = False) -> None:
        """Tells that ``count`` units are done, and a note on how they went.

        Args:
            before: an earlier run did them: they are no part of the rate.
        """


class Console:
    """Bars on a terminal, lines now and then in a log. Its width is the terminal's, or ``COLUMNS``."""

    def __init__(self, rich: RichConsole | None = None) -> None:
        self._rich = rich or RichConsole(highlight=False)
        if rich is None and not self._rich.is_terminal and "COLUMNS" not in os.environ:
            self._rich = RichConsole(highlight=False, width=LOG_WIDTH)

    @property
    def width(self) -> int:
        """In columns."""
        return self._rich.width

    def say(self, line: str) -> None:
        """A line; on a terminal one that is too long goes on below, from the last gap between cells that fits."""
        shown = folded(line, self._rich.width) if self._rich.is_terminal else line
        self._rich.print(shown, markup=False, soft_wrap=True)

    def warn(self, line: str) -> None:
        self._rich.print(f"warning: {line}", style="yellow", markup=False, soft_wrap=True)

    def show(self, what: RenderableType) -> None:
        """A table or another rich object."""
        self._rich.print(what)

    def listing(self, heading: str, cells: Sequence[str]) -> None:
        """Cells behind a heading, in as many lines as the width asks for, in a log too."""
        line = (" " * GAP).join([f"  {heading:<12}", *cells])
        self._rich.print(folded(line, self._rich.width, 12 + 2 + GAP), markup=False, soft_wrap=True)

    @contextmanager
    def progress(self, title: str, total: int, unit: str) -> Iterator[Advance]:
        """Yields a function to call with the number of units done since the last call, and a short note."""
        with self._bar(title, total, unit) if self._rich.is_terminal else self._log(title, total, unit) as go:
            yield go

    @contextmanager
    def _bar(self, title: str, total: int, unit: str) -> Iterator[Advance]:
        wide = self._rich.width >= ROOM_FOR_A_BAR
        drawn: list[ProgressColumn] = [BarColumn(bar_width=24)] if wide else []
        columns = (
            TextColumn("{task.description:<28}" if wide else "{task.description}"),
            *drawn,
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeRemainingColumn(compact=not wide),
        )
        pace = _Pace()
        with Progress(*columns, console=self._rich, transient=True) as bars:
            task = bars.add_task(title, total=total, note="")

            def advance(count: int = 1, note: str = "", *, before: bool = False) -> None:
                rate = pace.rate(count, before)
                if before:  # what the time that remains is guessed from begins anew as well
                    bars.reset(task, completed=pace.done, note=note)
                    return
                text = f"{rate}{f' {unit}' if wide else ''}/s  {note}".rstrip()
                room = self._rich.width - len(f" {total}/{total} {text} 00:00")
                name = title if wide or len(title) <= room else f"{title[: max(0, room - 1)]}…"
                bars.update(task, advance=count, description=name, note=text)

            yield advance

    @contextmanager
    def _log(self, title: str, total: int, unit: str) -> Iterator[Advance]:
        pace, last = _Pace(), time.monotonic()

        def advance(count: int = 1, note: str = "", *, before: bool = False) -> None:
            nonlocal last
            rate, now = pace.rate(count, before), time.monotonic()
            if now - last > LOG_EVERY_S and not before:
                last = now
                self.say(f"  {title.strip():<22} {pace.done:,}/{total:,} {unit}  {rate}/s  {note}".rstrip())

        yield advance


@dataclass
class _Pace:
    """Units done, and how many of them a second since those that an earlier run did."""

    done: int = 0
    counted: int = 0
    begun: float = field(default_factory=lambda: time.monotonic())

    def rate(self, count: int, before: bool) -> str:
        """Takes what is done now, and gives the rate for people."""
        self.done += count
        if before:
            self.counted, self.begun = 0, time.monotonic()
        else:
            self.counted += count
        rate = self.counted / max(1e-9, time.monotonic() - self.begun)
        return f"{rate:,.1f}" if rate >= 1 else f"{rate:.2g}"


def folded(line: str, width: int, indent: int = 4) -> str:
    """A line of cells with gaps of :data:`GAP` spaces or more, broken at gaps where it is longer than the width."""
    lines = []
    while len(line) > width:
        gaps = [gap for gap in _GAPS.finditer(line) if 0 < gap.start() <= width and gap.end() < len(line)]
        if not gaps:
            break
        lines.append(line[: gaps[-1].start()])
        line = " " * indent + line[gaps[-1].end() :]
    return "\n".join([*lines, line])
