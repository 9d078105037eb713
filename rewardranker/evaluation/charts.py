"""Charts as inline SVG: no scripts, no fonts or styles of their own.

Colours come from the page through the classes ``s0`` .. ``s5`` (series) and ``axis``, ``grid``, so one SVG
serves light and dark pages; dashes tell series apart without colour. Every chart carries a title and a
description for screen readers. All text is escaped. Sizes are in SVG units, close to pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

Format = Callable[[float], str]

_DASHES = ("", "6 3", "2 3", "8 3 2 3", "10 4", "4 4")
_LEFT, _RIGHT, _BOTTOM = 58, 12, 40
_CHARACTER = 6.6  # width of a character at the charts' 12 px, near enough to place a legend
_MOST_POINTS = 400


@dataclass(frozen=True)
class Series:
    """One line: points in order of ``x``. Points that are not finite are left out."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True)
class _Frame:
    """The plotting area and its scales."""

    left: float
    top: float
    width: float
    height: float
    x_range: tuple[float, float]
    y_range: tuple[float, float]

    def x(self, value: float) -> float:
        low, high = self.x_range
        return self.left + self.width * (value - low) / (high - low)

    def y(self, value: float) -> float:
        low, high = self.y_range
        return self.top + self.height * (1 - (value - low) / (high - low))

    def axes(self, x_label: str, y_label: str, y_format: Format) -> str:
        parts, bottom = [], self.top + self.height
        for tick in _ticks(*self.y_range):
            y = self.y(tick)
            parts.append(f'<line class="grid" x1="{self.left}" x2="{self.left + self.width}" {_at("y", y)}/>')
            parts.append(_text(self.left - 6, y + 4, y_format(tick), "end"))
        for tick in _ticks(*self.x_range, about=max(3, int(self.width / 70))):
            parts.append(_text(self.x(tick), bottom + 16, f"{tick:g}", "middle"))
        parts.append(f'<line class="axis" x1="{self.left}" x2="{self.left + self.width}" {_at("y", bottom)}/>')
        parts.append(_text(self.left + self.width / 2, bottom + 34, x_label, "middle"))
        middle = self.top + self.height / 2
        turn = f'transform="rotate(-90 12 {middle:.1f})"'
        parts.append(f'<text x="12" y="{middle:.1f}" text-anchor="middle" {turn}>{escape(y_label)}</text>')
        return "".join(parts)


def percent(value: float) -> str:
    """A share as a tick label."""
    return f"{100 * value:g} %"


def line_chart(
    title: str,
    series: Sequence[Series],
    x_label: str,
    y_label: str,
    width: int = 520,
    height: int = 250,
    y_range: tuple[float, float] | None = None,
    y_format: Format = "{:g}".format,
) -> str:
    """Lines with axes and, for more than one, a legend. Long or noisy series get a running mean on top.

    Raises:
        ValueError: no finite point at all.
    """
    drawn = [points for points in map(_points, series) if len(points)]
    names = [one.name for one in series if len(_points(one))]
    if not drawn:
        raise ValueError(f"chart {title!r} has no finite point")
    everything = np.concatenate(drawn)
    legend, top = _legend(names, width) if len(names) > 1 else ("", 12)
    frame = _Frame(
        _LEFT,
        top,
        width - _LEFT - _RIGHT,
        height - top - _BOTTOM,
        _widen(everything[:, 0].min(), everything[:, 0].max(), 0.0),
        y_range or _widen(everything[:, 1].min(), everything[:, 1].max(), 0.06),
    )
    lines = "".join(_line(frame, points, index) for index, points in enumerate(drawn))
    summary = "; ".join(
        f"{name}: {points[0, 1]:.3g} at {x_label} {points[0, 0]:g}, {points[-1, 1]:.3g} at {points[-1, 0]:g}"
        for name, points in zip(names, drawn, strict=True)
    )
    return _svg(title, summary, width, height, frame.axes(x_label, y_label, y_format) + lines + legend)


def histogram(
    title: str,
    groups: Mapping[str, Sequence[float]],
    x_label: str,
    width: int = 520,
    height: int = 230,
    bins: int = 24,
) -> str:
    """Overlaid histograms, each a share of its own group. The outermost 1 % lands in the end bins.

    Raises:
        ValueError: no finite value in any group.
    """
    values = {name: np.asarray(group, dtype=float) for name, group in groups.items()}
    values = {name: group[np.isfinite(group)] for name, group in values.items()}
    together = np.concatenate(list(values.values())) if values else np.empty(0)
    if not together.size:
        raise ValueError(f"chart {title!r} has no finite value")
    low, high = np.percentile(together, [0.5, 99.5])
    edges = np.linspace(*_widen(low, high, 0.0), bins + 1)
    shares = {
        name: np.histogram(np.clip(group, edges[0], edges[-1]), edges)[0] / max(len(group), 1)
        for name, group in values.items()
    }
    legend, top = _legend([f"{name} ({len(values[name])})" for name in values], width, swatch="area")
    tallest = max(float(share.max()) for share in shares.values())
    frame = _Frame(
        _LEFT, top, width - _LEFT - _RIGHT, height - top - _BOTTOM, (edges[0], edges[-1]), (0, 1.08 * tallest)
    )
    areas = "".join(_steps(frame, edges, share, index) for index, share in enumerate(shares.values()))
    summary = "; ".join(
        f"{name}: {len(group)} values, mean {group.mean():.3g}" for name, group in values.items() if len(group)
    )
    body = frame.axes(x_label, "share of group", percent) + areas + legend
    return _svg(title, summary, width, height, body)


def bar_chart(title: str, categories: Sequence[str], series: Mapping[str, Sequence[float]], width: int = 1040) -> str:
    """Horizontal bars of shares, grouped by category, each with its value."""
    thick, gap, left = 13, 12, 140
    legend, top = _legend(list(series), width, swatch="bar")
    longest = max((value for values in series.values() for value in values), default=0.0) or 1.0
    parts, y = [], float(top)
    for index, category in enumerate(categories):
        middle = y + thick * len(series) / 2 + 4
        parts.append(_text(left - 8, middle, category, "end"))
        for number, values in enumerate(series.values()):
            length = (width - left - 70) * values[index] / longest
            size = f'width="{length:.1f}" height="{thick - 2}"'
            parts.append(f'<rect class="s{number % 6} bar" x="{left}" y="{y:.1f}" {size}/>')
            parts.append(_text(left + length + 6, y + thick - 3, f"{100 * values[index]:.1f} %", "start"))
            y += thick
        y += gap
    summary = "; ".join(
        f"{name}: " + ", ".join(f"{c} {v:.1%}" for c, v in zip(categories, values, strict=True))
        for name, values in series.items()
    )
    return _svg(title, summary, width, int(y), legend + "".join(parts))


def stacked_bar(title: str, segments: Sequence[tuple[str, float, str, int]], width: int = 1040) -> str:
    """One bar of (name, value, value as text, series number) parts; names where they fit."""
    total = sum(value for _, value, _, _ in segments) or 1.0
    parts, x = [], 0.0
    for name, value, shown, number in segments:
        size = width * value / total
        tooltip = f"<title>{escape(name)}: {escape(shown)}</title>"
        rectangle = f'x="{x:.1f}" y="0" width="{max(size - 1.5, 0.5):.1f}" height="26"'
        parts.append(f'<rect class="s{number} bar" {rectangle}>{tooltip}</rect>')
        if size > _CHARACTER * len(name) + 10:
            parts.append(_text(x + size / 2, 17, name, "middle", "on-bar"))
        x += size
    summary = ", ".join(f"{name} {shown}" for name, _, shown, _ in segments)
    return _svg(title, summary, width, 26, "".join(parts))


def interval_mark(value: float, low: float, high: float, longest: float, width: int = 120) -> str:
    """A dot with its interval on a scale from 0 to ``longest``: for a table cell beside the numbers."""
    scale = (width - 12) / (longest or 1.0)
    x, a, b = (6 + scale * number for number in (value, low, high))
    return (
        f'<svg class="mark" width="{width}" height="14" viewBox="0 0 {width} 14" aria-hidden="true">'
        f'<line class="grid" x1="6" x2="{width - 6}" {_at("y", 7)}/>'
        f'<line class="whisker" x1="{a:.1f}" x2="{b:.1f}" {_at("y", 7)}/>'
        f'<circle class="s0 bar" cx="{x:.1f}" cy="7" r="4"/></svg>'
    )


def _points(series: Series) -> np.ndarray:
    """``[P, 2]`` finite points, thinned to what a screen can show by averaging neighbours."""
    points = np.column_stack([np.asarray(series.x, dtype=float), np.asarray(series.y, dtype=float)])
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) <= _MOST_POINTS:
        return points
    return np.array([part.mean(axis=0) for part in np.array_split(points, _MOST_POINTS)])


def _line(frame: _Frame, points: np.ndarray, index: int) -> str:
    dash = f' stroke-dasharray="{_DASHES[index % 6]}"' if index % 6 else ""
    if len(points) == 1:
        x, y = frame.x(points[0, 0]), frame.y(points[0, 1])
        return f'<circle class="s{index % 6} bar" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'
    if len(points) < 30:
        return f'<path class="s{index % 6} line" d="{_path(frame, points)}"{dash}/>'
    reach = max(1, len(points) // 30)
    mean = [points[max(0, i - reach) : i + reach + 1, 1].mean() for i in range(len(points))]
    smooth = np.column_stack([points[:, 0], mean])
    raw = f'<path class="s{index % 6} line raw" d="{_path(frame, points)}"/>'
    return f'{raw}<path class="s{index % 6} line" d="{_path(frame, smooth)}"{dash}/>'


def _path(frame: _Frame, points: np.ndarray) -> str:
    low, high = frame.y_range
    return "M" + "L".join(f"{frame.x(x):.1f} {frame.y(min(max(y, low), high)):.1f}" for x, y in points)


def _steps(frame: _Frame, edges: np.ndarray, shares: np.ndarray, index: int) -> str:
    corners = [f"{frame.x(edges[0]):.1f} {frame.y(0):.1f}"]
    for left, right, share in zip(edges[:-1], edges[1:], shares, strict=True):
        corners += [f"{frame.x(left):.1f} {frame.y(share):.1f}", f"{frame.x(right):.1f} {frame.y(share):.1f}"]
    corners.append(f"{frame.x(edges[-1]):.1f} {frame.y(0):.1f}")
    dash = f' stroke-dasharray="{_DASHES[index % 6]}"' if index % 6 else ""
    return f'<path class="s{index % 6} area" d="M{"L".join(corners)}Z"{dash}/>'


def _legend(names: Sequence[str], width: int, swatch: str = "line") -> tuple[str, int]:
    """The legend, in as many rows as it needs, and the height where the plot may begin."""
    parts, x, y = [], float(_LEFT), 10
    for index, name in enumerate(names):
        size = 30 + _CHARACTER * len(name) + 14
        if index and x + size > width:
            x, y = float(_LEFT), y + 17
        dash = f' stroke-dasharray="{_DASHES[index % 6]}"' if index % 6 and swatch != "bar" else ""
        if swatch == "line":
            parts.append(f'<path class="s{index % 6} line" d="M{x:.1f} {y}h22"{dash}/>')
        else:
            box = f'x="{x:.1f}" y="{y - 6}" width="20" height="11"'
            parts.append(f'<rect class="s{index % 6} {swatch}" {box}{dash}/>')
        parts.append(_text(x + 28, y + 4, name, "start"))
        x += size
    return "".join(parts), y + 16


def _ticks(low: float, high: float, about: int = 5) -> list[float]:
    rough = (high - low) / about
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def _widen(low: float, high: float, share: float) -> tuple[float, float]:
    """Room around the values; never an empty range, which could not be divided by."""
    margin = (high - low) * share if high > low else max(abs(low) * 0.1, 0.5)
    return float(low - margin), float(high + margin)


def _at(axis: str, value: float) -> str:
    return f'{axis}1="{value:.1f}" {axis}2="{value:.1f}"'


def _text(x: float, y: float, text: str, anchor: str, kind: str = "") -> str:
    name = f' class="{kind}"' if kind else ""
    return f'<text{name} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(title: str, summary: str, width: int, height: int, body: str) -> str:
    return f'<svg role="img" viewBox="0 0 {width} {height}" aria-label="{escape(f"{title}. {summary}")}">{body}</svg>'
