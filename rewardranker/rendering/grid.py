"""A table of texts, and the three ways to show it: on a terminal, in Markdown, in HTML.

What a cell says and whether it is set off is decided once; the ways to show it only differ in markup.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from rich import box
from rich.console import JustifyMethod
from rich.markup import escape
from rich.table import Table

from rewardranker.rendering.html import safe

Mark = Literal["", "better", "worse"]

SOFT_HYPHEN = "\u00ad"

_STYLES = {"": "", "better": "bold", "worse": "italic"}


@dataclass(frozen=True)
class Cell:
    """Text, a smaller second line under it, and whether it is set off: bold for better, italic for worse."""

    text: str
    below: str = ""
    mark: Mark = ""


@dataclass(frozen=True)
class Section:
    """Rows under a heading; ``kind`` is their CSS class."""

    heading: str
    rows: Sequence[Sequence[Cell]]
    kind: str = ""


@dataclass(frozen=True)
class Grid:
    """``notes`` are lines of text under the table; ``headers`` one per column, which may hold soft hyphens."""

    title: str
    headers: Sequence[str]
    sections: Sequence[Section]
    notes: Sequence[str] = field(default_factory=list)


def terminal(grid: Grid, dense: bool = False) -> Table:
    """For ``rich``. Numbers are never cut; the first column wraps where the terminal is narrow.

    ``dense`` is for many columns: less room between them, narrower headers that break at soft hyphens.
    """
    padding = (0, 0, 0, 1) if dense else (0, 1)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=padding)
    table.title = escape(grid.title)
    table.title_justify = table.caption_justify = "left"
    for index, header in enumerate(grid.headers):
        justify: JustifyMethod = "right" if index else "left"
        parts = (header.replace(SOFT_HYPHEN, "-\n") if dense else header).split("\n")
        heading = "\n".join(textwrap.fill(part, 9 if dense else 12, break_long_words=False) for part in parts)
        table.add_column(escape(heading), justify=justify, no_wrap=index > 0, overflow="fold")
    for section in grid.sections:
        if section.heading:
            table.add_row(f"[bold underline]{escape(section.heading)}[/]", *[""] * (len(grid.headers) - 1))
        for row in section.rows:
            table.add_row(*map(_markup, row))
        table.add_section()
    table.caption = escape("\n".join(grid.notes))
    return table


def markdown_rows(headers: Sequence[str], sections: Sequence[Section]) -> str:
    """The table alone, as GitHub reads it; what stands below in a cell follows it, in brackets if it has none."""
    lines = [_line([_plain(header) for header in headers]), _line(["---"] + ["---:"] * (len(headers) - 1))]
    for section in sections:
        if section.heading:
            lines.append(_line([f"*{_plain(section.heading)}*"] + [""] * (len(headers) - 1)))
        lines += [_line([_marked(cell) for cell in row]) for row in section.rows]
    return "\n".join(lines)


def markdown(grid: Grid) -> str:
    """With its title and its notes, a line of a list each."""
    notes = "\n".join(f"- {note}" for note in grid.notes)
    return f"**{grid.title}**\n\n{markdown_rows(grid.headers, grid.sections)}\n\n{notes}\n"


def html(grid: Grid) -> str:
    """The table and its notes, without a page around them."""
    head = "".join(f'<th scope="col">{safe(header.replace(SOFT_HYPHEN, ""))}</th>' for header in grid.headers)
    body = []
    for section in grid.sections:
        if section.heading:
            span = f'<th scope="rowgroup" colspan="{len(grid.headers)}">{safe(section.heading)}</th>'
            body.append(f'<tr class="heading">{span}</tr>')
        for row in section.rows:
            body.append(f'<tr class="{section.kind}">{"".join(f"<td>{_html(cell)}</td>" for cell in row)}</tr>')
    notes = "".join(f"<li>{safe(note)}</li>" for note in grid.notes)
    return (
        f'<div class="scroll"><table class="grid-table"><thead><tr>{head}</tr></thead>'
        f'<tbody>{"".join(body)}</tbody></table></div><ul class="notes">{notes}</ul>'
    )


def _markup(cell: Cell) -> str:
    style = _STYLES[cell.mark]
    text = f"[{style}]{escape(cell.text)}[/]" if style else escape(cell.text)
    return f"{text}\n[dim]{escape(cell.below)}[/]" if cell.below else text


def _marked(cell: Cell) -> str:
    text = _plain(cell.text)
    text = f"**{text}**" if cell.mark == "better" and text else f"*{text}*" if cell.mark == "worse" else text
    below = _plain(cell.below)
    return f"{text} {below}" if below[:1] in ("[", "±") else f"{text} ({below})" if below else text


def _html(cell: Cell) -> str:
    text = safe(cell.text)
    text = f"<b>{text}</b>" if cell.mark == "better" else f'<i class="worse">{text}</i>' if cell.mark else text
    return f"{text}<small>{safe(cell.below)}</small>" if cell.below else text


def _plain(text: str) -> str:
    return text.replace("|", "\\|").replace(SOFT_HYPHEN, "")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
