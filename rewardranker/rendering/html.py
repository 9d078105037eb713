"""Small pieces of HTML that the report is put together from.

Candidate programs, messages and prompts are untrusted: every text passes through :func:`safe`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib import resources
from string import Template

_FILES = resources.files(__package__)


def page(title: str, kind: str, lead: str, sections: str) -> str:
    """A whole page that needs nothing else. ``title`` is text, ``lead`` and ``sections`` are HTML."""
    style = _FILES.joinpath("style.css").read_text(encoding="utf-8")
    return fill("page.html", style=style, title=safe(title), kind=safe(kind), lead=lead, sections=sections)


def fill(template: str, **parts: str) -> str:
    """One of the templates beside this file. Parts are HTML."""
    return Template(_FILES.joinpath(template).read_text(encoding="utf-8")).substitute(parts)


def lead(text: str) -> str:
    """What a page or a section says first."""
    return f'<p class="lead">{safe(text)}</p>'


def safe(text: str) -> str:
    """Escaped for HTML; what does not print (control characters, direction marks, lone surrogates) is shown
    as U+FFFD, so that a program cannot look like another one."""
    return escape("".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text))


def figure(caption: str, body: str, kind: str = "") -> str:
    """A chart in its box. ``caption`` and ``body`` are HTML."""
    name = f' class="{kind}"' if kind else ""
    return f"<figure{name}><figcaption>{caption}</figcaption>{body}</figure>"


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], kinds: Iterable[str] = ()) -> str:
    """A table that scrolls sideways where it does not fit.

    Args:
        headers: HTML, one per column.
        rows: HTML of the cells.
        kinds: one CSS class per row; none for plain rows.
    """
    classes = list(kinds) or [""] * len(rows)
    head = "".join(f'<th scope="col">{header}</th>' for header in headers)
    body = "".join(
        f'<tr class="{kind}">{"".join(f"<td>{cell}</td>" for cell in row)}</tr>'
        for kind, row in zip(classes, rows, strict=True)
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def facts(values: Mapping[str, str], kind: str = "") -> str:
    """Names and values, which are text and not HTML."""
    name = f' class="{kind}"' if kind else ""
    items = "".join(f"<div><dt>{safe(key)}</dt><dd>{safe(value)}</dd></div>" for key, value in values.items())
    return f"<dl{name}>{items}</dl>"


def missing(what: str) -> str:
    """In place of a section that this run has nothing for. ``what`` is HTML."""
    return f'<p class="missing">{what}</p>'


def note(text: str) -> str:
    return f'<p class="note">{safe(text)}</p>'


def decimal(value: float, sign: str = "") -> str:
    """Two decimals, with a minus sign that is one; ``sign`` as in a format specification."""
    return f"{value:{sign}.2f}".replace("-", "\N{MINUS SIGN}")


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{seconds:.1f} s"
