"""Charts as inline SVG: no scripts, no fonts or styles of their own.

Colours come from the page through the classes ``s0`` .. ``s5`` (series) and ``axis``, ``grid``, so one SVG
serves light and dark pages; dashes tell series apart without colour. Every chart carries a title and a
description for screen readers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from rewardranker.rendering.svg import (
    BOTTOM,
    CHARACTER,
    LEFT,
    RIGHT,
    Format,
    Frame,
    Scale,
    at,
    dash,
    document,
    label,
    legend,
    number,
    percent,
)

TWIN_RIGHT = 64  # room for the second axis
_MOST_POINTS = 400
_NOISY = 30  # points from which a running mean is drawn


@dataclass(frozen=True)
class Series:
    """One line: points in the order in which they are joined. Points that are not finite are left out."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True)
class Axis:
    """What an axis says.

    Attributes:
        form: how its ticks are written.
        shown: its ends; ``None``: around everything.
        log: logarithmic, where the values are above zero and span a factor of ten; else it stays linear.
    """

    label: str
    form: Format = number
    shown: tuple[float, float] | None = None
    log: bool = False


@dataclass(frozen=True)
class Size:
    """In pixels; ``right`` is the margin there, in which a second axis has room."""

    width: int = 520
    height: int = 250
    right: int = RIGHT


PLAIN = Size()


def line_chart(title: str, series: Sequence[Series], x: Axis, y: Axis, size: Size = PLAIN) -> str:
    """Lines with axes and, for more than one, a legend. Long or noisy series get a running mean on top.

    Raises:
        ValueError: no finite point at all.
    """
    drawn = [points for points in map(_points, series) if len(points)]
    names = [one.name for one in series if len(_points(one))]
    if not drawn:
        raise ValueError(f"chart {title!r} has no finite point")
    everything = np.concatenate(drawn)
    key, top = legend(names, size.width) if len(names) > 1 else ("", 12)
    frame = _frame(size, top, _counted(everything[:, 0], x), _fitting(everything[:, 1], y))
    lines = "".join(_line(frame, points, index) for index, points in enumerate(drawn))
    summary = _summary(names, drawn, x.label)
    return document(title, summary, size.width, size.height, frame.axes(x.label, y.label, y.form) + lines + key)


def twin_chart(
    title: str,
    lines: tuple[Series, Series],
    x: Axis,
    y: tuple[Axis, Axis],
    size: Size = PLAIN,
    cloud: bool = False,
) -> str:
    """Two lines of different units over the same x: the first has the left axis, the second the right one.

    Args:
        size: its margin on the right should be :data:`TWIN_RIGHT`.
        cloud: x is measured and not counted: points are dots, and the line is a running mean of both coordinates.

    Raises:
        ValueError: one of them has no finite point.
    """
    drawn = [_points(one) for one in lines]
    if not all(map(len, drawn)):
        raise ValueError(f"chart {title!r} needs finite points on both axes")
    names = [one.name for one in lines]
    key, top = legend(names, size.width)
    x_scale = _counted(np.concatenate(drawn)[:, 0], x)
    frames = [_frame(size, top, x_scale, _fitting(points[:, 1], axis)) for points, axis in zip(drawn, y, strict=True)]
    draw = _cloud if cloud else _line
    paths = "".join(draw(frame, points, i) for i, (frame, points) in enumerate(zip(frames, drawn, strict=True)))
    axes = frames[0].axes(x.label, y[0].label, y[0].form) + frames[1].right_axis(y[1].label, y[1].form)
    return document(title, _summary(names, drawn, x.label), size.width, size.height, axes + paths + key)


def _frame(size: Size, top: int, x: Scale, y: Scale) -> Frame:
    return Frame(LEFT, top, size.width - LEFT - size.right, size.height - top - BOTTOM, x, y)


def _counted(values: np.ndarray, axis: Axis) -> Scale:
    return Scale(*axis.shown) if axis.shown else Scale.around(values.min(), values.max(), 0.0)


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
    x_scale = Scale.around(float(np.percentile(together, 0.5)), float(np.percentile(together, 99.5)), 0.0)
    edges = np.linspace(x_scale.low, x_scale.high, bins + 1)
    shares = {
        name: np.histogram(np.clip(group, edges[0], edges[-1]), edges)[0] / max(len(group), 1)
        for name, group in values.items()
    }
    key, top = legend([f"{name} ({len(values[name])})" for name in values], width, swatch="area")
    tallest = max(float(share.max()) for share in shares.values())
    frame = Frame(LEFT, top, width - LEFT - RIGHT, height - top - BOTTOM, x_scale, Scale(0, 1.08 * tallest))
    areas = "".join(_steps(frame, edges, share, index) for index, share in enumerate(shares.values()))
    summary = "; ".join(
        f"{name}: {len(group)} values, mean {group.mean():.3g}" for name, group in values.items() if len(group)
    )
    body = frame.axes(x_label, "share of group", percent) + areas + key
    return document(title, summary, width, height, body)


def bar_chart(
    title: str,
    categories: Sequence[str],
    series: Mapping[str, Sequence[float]],
    value_format: Format = percent,
    width: int = 1040,
) -> str:
    """Horizontal bars of shares, grouped by category, each with its value as text."""
    thick, gap, left = 13, 12, 140
    key, top = legend(list(series), width, swatch="bar", left=left)
    longest = max((value for values in series.values() for value in values), default=0.0) or 1.0
    parts, y = [], float(top)
    for index, category in enumerate(categories):
        middle = y + thick * len(series) / 2 + 4
        parts.append(label(left - 8, middle, category, "end"))
        for order, values in enumerate(series.values()):
            length = (width - left - 70) * values[index] / longest
            size = f'width="{length:.1f}" height="{thick - 2}"'
            parts.append(f'<rect class="s{order % 6} bar" x="{left}" y="{y:.1f}" {size}/>')
            text = value_format(values[index])
            parts.append(label(left + length + 6, y + thick - 3, text, "start"))
            y += thick
        y += gap
    summary = "; ".join(
        f"{name}: " + ", ".join(f"{c} {v:.1%}" for c, v in zip(categories, values, strict=True))
        for name, values in series.items()
    )
    return document(title, summary, width, int(y), key + "".join(parts))


def stacked_bar(title: str, segments: Sequence[tuple[str, float, str, int]], width: int = 1040) -> str:
    """One bar of (name, value, value as text, series number) parts; names where they fit, else their end."""
    total = sum(value for _, value, _, _ in segments) or 1.0
    parts, x = [], 0.0
    for name, value, shown, order in segments:
        size = width * value / total
        tooltip = f"<title>{escape(name)}: {escape(shown)}</title>"
        rectangle = f'x="{x:.1f}" y="0" width="{max(size - 1.5, 0.5):.1f}" height="26"'
        parts.append(f'<rect class="s{order} bar" {rectangle}>{tooltip}</rect>')
        end = name.partition("-")[2]
        for text in (name, "" if end.isdigit() else end):
            if text and size > CHARACTER * len(text) + 10:
                parts.append(label(x + size / 2, 17, text, "middle", "on-bar"))
                break
        x += size
    summary = ", ".join(f"{name} {shown}" for name, _, shown, _ in segments)
    return document(title, summary, width, 26, "".join(parts))


def interval_mark(value: float, low: float, high: float, scale: Scale, reference: float, width: int = 150) -> str:
    """A dot with its interval, and a tick at ``reference``: for a table cell beside the numbers."""
    x, a, b, tick = (6 + (width - 12) * scale.share(v) for v in (value, low, high, reference))
    return (
        f'<svg class="mark" width="{width}" height="16" viewBox="0 0 {width} 16" aria-hidden="true">'
        f'<line class="grid" x1="6" x2="{width - 6}" {at("y", 8)}/>'
        f'<line class="axis" {at("x", tick)} y1="2" y2="14"/>'
        f'<line class="whisker" x1="{a:.1f}" x2="{b:.1f}" {at("y", 8)}/>'
        f'<circle class="s0 bar" cx="{x:.1f}" cy="8" r="4"/></svg>'
    )


def share_mark(share: float, order: int = 0, width: int = 150) -> str:
    """A bar of a share, for a table cell beside the number."""
    return (
        f'<svg class="mark" width="{width}" height="12" viewBox="0 0 {width} 12" aria-hidden="true">'
        f'<rect class="s{order % 6} bar" x="0" y="1" width="{max(1.0, width * share):.1f}" height="10"/></svg>'
    )


def _points(series: Series) -> np.ndarray:
    """``[P, 2]`` finite points, thinned to what a screen can show by averaging neighbours."""
    points = np.column_stack([np.asarray(series.x, dtype=float), np.asarray(series.y, dtype=float)])
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) <= _MOST_POINTS:
        return points
    return np.array([part.mean(axis=0) for part in np.array_split(points, _MOST_POINTS)])


def _fitting(values: np.ndarray, axis: Axis) -> Scale:
    if axis.shown:
        return Scale(*axis.shown)
    low, high = float(values.min()), float(values.max())
    return Scale.around(low, high, 0.06, axis.log and 0 < 10 * low <= high)


def _summary(names: Sequence[str], drawn: Sequence[np.ndarray], x_label: str) -> str:
    return "; ".join(
        f"{name}: {points[0, 1]:.3g} at {x_label} {points[0, 0]:g}, {points[-1, 1]:.3g} at {points[-1, 0]:g}"
        for name, points in zip(names, drawn, strict=True)
    )


def _line(frame: Frame, points: np.ndarray, index: int) -> str:
    if len(points) == 1:
        x, y = frame.x(points[0, 0]), frame.y(points[0, 1])
        return f'<circle class="s{index % 6} bar" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'
    if len(points) < _NOISY:
        return f'<path class="s{index % 6} line" d="{_path(frame, points)}"{dash(index)}/>'
    smooth = np.column_stack([points[:, 0], _running_mean(points[:, 1], len(points) // 20)])
    raw = f'<path class="s{index % 6} line raw" d="{_path(frame, points)}"/>'
    return f'{raw}<path class="s{index % 6} line" d="{_path(frame, smooth)}"{dash(index)}/>'


def _cloud(frame: Frame, points: np.ndarray, index: int) -> str:
    kind = f"s{index % 6}"
    dots = "".join(
        f'<circle class="{kind} dot" cx="{frame.x(x):.1f}" cy="{frame.y(y):.1f}" r="2.5"/>' for x, y in points
    )
    smooth = np.column_stack([_running_mean(column, len(points) // 8) for column in points.T])
    return f'{dots}<path class="{kind} line" d="{_path(frame, smooth)}"{dash(index)}/>'


def _running_mean(values: np.ndarray, reach: int) -> np.ndarray:
    """Over ``reach`` values on either side, near the ends over what there is of them."""
    return np.array([values[max(0, i - reach) : i + reach + 1].mean() for i in range(len(values))])


def _path(frame: Frame, points: np.ndarray) -> str:
    return "M" + "L".join(f"{frame.x(x):.1f} {frame.y(y):.1f}" for x, y in points)


def _steps(frame: Frame, edges: np.ndarray, shares: np.ndarray, index: int) -> str:
    corners = [f"{frame.x(edges[0]):.1f} {frame.y(0):.1f}"]
    for left, right, share in zip(edges[:-1], edges[1:], shares, strict=True):
        corners += [f"{frame.x(left):.1f} {frame.y(share):.1f}", f"{frame.x(right):.1f} {frame.y(share):.1f}"]
    corners.append(f"{frame.x(edges[-1]):.1f} {frame.y(0):.1f}")
    return f'<path class="s{index % 6} area" d="M{"L".join(corners)}Z"{dash(index)}/>'
