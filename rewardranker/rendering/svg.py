"""Parts of a chart as SVG text: scales with their ticks, the plotting area, the legend.

Sizes are in SVG units, close to pixels. All text is escaped here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

Format = Callable[[float], str]

DASHES = ("", "6 3", "2 3", "8 3 2 3", "10 4", "4 4")
CHARACTER = 6.6  # width of a character at the charts' 12 px, near enough to place a legend
LEFT, RIGHT, BOTTOM = 58, 12, 40


@dataclass(frozen=True)
class Scale:
    """The values along an axis. A logarithmic one needs ``low`` above zero."""

    low: float
    high: float
    log: bool = False

    @classmethod
    def around(cls, low: float, high: float, room: float, log: bool = False) -> Scale:
        """Room around the values, as a share of their range; never an empty range, which could not be divided by."""
        if log:
            factor = (high / low) ** room if high > low else 2.0
            return cls(float(low / factor), float(high * factor), True)
        margin = (high - low) * room if high > low else max(abs(low) * 0.1, 0.5)
        return cls(float(low - margin), float(high + margin))

    def share(self, value: float) -> float:
        """Where on the axis: 0 at ``low``, 1 at ``high``; what lies outside goes to the nearer end."""
        low, high, at = self.low, self.high, min(max(value, self.low), self.high)
        if self.log:
            low, high, at = math.log(low), math.log(high), math.log(at)
        return (at - low) / (high - low)

    def ticks(self, about: int = 5) -> list[float]:
        """Round values, some ``about`` of them."""
        if self.log:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            for factors in ((1, 2, 5), (1, 3), (1,)):
                found = [factor * 10.0**power for power in powers for factor in factors]
                found = [value for value in found if self.low <= value <= self.high]
                if len(found) <= about + 1:
                    break
            return found
        rough = (self.high - self.low) / about
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(i * step, 12) for i in range(first, last + 1)]


@dataclass(frozen=True)
class Frame:
    """The plotting area and its scales."""

    left: float
    top: float
    width: float
    height: float
    x_scale: Scale
    y_scale: Scale

    def x(self, value: float) -> float:
        return self.left + self.width * self.x_scale.share(value)

    def y(self, value: float) -> float:
        return self.top + self.height * (1 - self.y_scale.share(value))

    @property
    def _rows(self) -> int:
        return min(8, max(2, int(self.height / 28)))

    def axes(self, x_label: str, y_label: str, y_format: Format) -> str:
        parts, bottom = [], self.top + self.height
        for tick in self.y_scale.ticks(self._rows):
            y = self.y(tick)
            parts.append(f'<line class="grid" x1="{self.left}" x2="{self.left + self.width}" {at("y", y)}/>')
            parts.append(label(self.left - 6, y + 4, y_format(tick), "end"))
        for tick in self.x_scale.ticks(max(3, int(self.width / 70))):
            parts.append(label(self.x(tick), bottom + 16, number(tick), "middle"))
        parts.append(f'<line class="axis" x1="{self.left}" x2="{self.left + self.width}" {at("y", bottom)}/>')
        parts.append(label(self.left + self.width / 2, bottom + 34, x_label, "middle"))
        return "".join(parts) + self._turned(12, y_label)

    def right_axis(self, y_label: str, y_format: Format) -> str:
        """A second scale on the right; its ticks draw no grid, which would cross the first one's."""
        edge = self.left + self.width
        texts = [
            label(edge + 6, self.y(tick) + 4, y_format(tick), "start", "s1 ink")
            for tick in self.y_scale.ticks(self._rows)
        ]
        return "".join(texts) + self._turned(edge + 54, y_label, "s1 ink")

    def _turned(self, x: float, text: str, kind: str = "") -> str:
        middle = self.top + self.height / 2
        turn = f'transform="rotate(-90 {x:.1f} {middle:.1f})"'
        return f'<text{css(kind)} x="{x:.1f}" y="{middle:.1f}" text-anchor="middle" {turn}>{escape(text)}</text>'


def number(value: float) -> str:
    """A tick, with a minus sign that is one."""
    return f"{value:g}".replace("-", "\N{MINUS SIGN}")


def percent(value: float) -> str:
    """A share as a tick."""
    return f"{number(round(100 * value, 10))} %"


def legend(names: Sequence[str], width: int, swatch: str = "line", left: float = LEFT) -> tuple[str, int]:
    """The legend, in as many rows as it needs, and the height where the plot may begin."""
    parts, x, y = [], float(left), 10
    for index, name in enumerate(names):
        size = 30 + CHARACTER * len(name) + 14
        if index and x + size > width:
            x, y = float(left), y + 17
        if swatch == "line":
            parts.append(f'<path class="s{index % 6} line" d="M{x:.1f} {y}h22"{dash(index)}/>')
        else:
            box = f'x="{x:.1f}" y="{y - 6}" width="20" height="11"'
            parts.append(f'<rect class="s{index % 6} {swatch}" {box}{dash(index) if swatch == "area" else ""}/>')
        parts.append(label(x + 28, y + 4, name, "start"))
        x += size
    return "".join(parts), y + 16


def dash(index: int) -> str:
    """Dashes tell series apart without colour."""
    return f' stroke-dasharray="{DASHES[index % 6]}"' if index % 6 else ""


def at(axis: str, value: float) -> str:
    return f'{axis}1="{value:.1f}" {axis}2="{value:.1f}"'


def css(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def label(x: float, y: float, text: str, anchor: str, kind: str = "") -> str:
    return f'<text{css(kind)} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def document(title: str, summary: str, width: int, height: int, body: str) -> str:
    """The SVG; title and summary are for screen readers."""
    return f'<svg role="img" viewBox="0 0 {width} {height}" aria-label="{escape(f"{title}. {summary}")}">{body}</svg>'
