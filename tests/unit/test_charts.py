"""Charts: points where they belong, text that stays text, scales that fit."""

from __future__ import annotations

import math
import re

import pytest
from report_runs import parse

from rewardranker.rendering.charts import TWIN_RIGHT, Axis, Series, Size, bar_chart, histogram, line_chart, twin_chart
from rewardranker.rendering.svg import Scale, number, percent


def test_line_chart_puts_points_where_they_belong() -> None:
    """Width 100 - 58 - 12 = 30 for x in [0, 10]; height 100 - 12 - 40 = 48 for y in [0, 1], top at 12."""
    svg = line_chart("t", [Series("s", [0, 5, 10], [0, 1, 0.5])], Axis("x"), Axis("y", shown=(0, 1)), Size(100, 100))
    assert 'd="M58.0 60.0L73.0 12.0L88.0 36.0"' in svg
    assert {"x", "y"} <= set(parse(svg).text)  # the axes' names


def test_charts_escape_their_names_and_refuse_nothing_to_draw() -> None:
    hostile = "<script>&\"'"
    drawn = (
        line_chart(hostile, [Series(hostile, [0], [1]), Series("b", [0], [2])], Axis(hostile), Axis(hostile)),
        histogram(hostile, {hostile: [1.0, 2.0]}, hostile),
        bar_chart(hostile, [hostile], {hostile: [0.5]}),
    )
    for svg in drawn:
        assert "<script" not in svg
        parse(svg)
    with pytest.raises(ValueError, match="no finite point"):
        line_chart("t", [Series("s", [0.0], [float("nan")])], Axis("x"), Axis("y"))
    with pytest.raises(ValueError, match="no finite value"):
        histogram("t", {"a": [float("inf")]}, "x")


def test_histogram_shares_are_of_each_group() -> None:
    """Two bins over [0, 1]: a = 3 of 4 below, b = 1 of 2 below; the description carries counts and means."""
    svg = histogram("t", {"a": [0, 0, 0, 1], "b": [0, 1]}, "x", bins=2, width=170, height=156)
    assert "a: 4 values, mean 0.25; b: 2 values, mean 0.5" in svg
    first, second = (re.findall(r"[ML]([\d.]+) ([\d.]+)", d) for d in re.findall(r'area" d="([^"]+)Z', svg))
    baseline = float(first[0][1])
    heights = [[round(baseline - float(points[i][1]), 1) for i in (1, 3)] for points in (first, second)]
    assert heights[0][0] == pytest.approx(3 * heights[0][1], abs=0.3)
    assert heights[1][0] == pytest.approx(heights[1][1], abs=0.3)
    assert heights[1][0] == pytest.approx(heights[0][0] * 2 / 3, abs=0.3)


def test_twin_chart_gives_each_line_its_own_scale() -> None:
    """Plot 100 high under a legend of 26: top 26, bottom 126. Left 0..10, right 0..1: both lines run from the
    bottom to the middle, though one ends at 5 and the other at 0.5."""
    chart = twin_chart(
        "t",
        (Series("score", [0, 1], [0, 5]), Series("rate", [0, 1], [0, 0.5])),
        Axis("x"),
        (Axis("score", shown=(0, 10)), Axis("rate", percent, (0, 1))),
        Size(222, 166, TWIN_RIGHT),
    )
    first, second = re.findall(r'line" d="(M[\d. L]+)"', chart)[:2]
    assert first == second == "M58.0 126.0L158.0 76.0"
    assert "50 %" in chart and ">10</text>" in chart
    with pytest.raises(ValueError, match="on both axes"):
        twin_chart("t", (Series("a", [0], [1]), Series("b", [0], [math.nan])), Axis("x"), (Axis("a"), Axis("b")))


def test_logarithmic_scale_has_round_ticks_and_even_decades() -> None:
    scale = Scale(0.01, 100, log=True)
    assert [scale.share(value) for value in (0.01, 1, 100)] == pytest.approx([0, 0.5, 1])
    assert scale.ticks() == pytest.approx([0.01, 0.1, 1, 10, 100])
    assert Scale(0.5, 6, log=True).ticks() == pytest.approx([0.5, 1, 2, 5])
    assert scale.share(1e-9) == 0 and scale.share(1e9) == 1


@pytest.mark.parametrize(("low", "middle", "high"), [(0, 5, 10), (2, 4, 6), (0.1, 1, 10)])
def test_logarithmic_only_where_it_helps(low: float, middle: float, high: float) -> None:
    """The middle value lies half-way: on a linear axis if it touches zero or spans little, else on a logarithmic."""
    svg = line_chart(
        "t", [Series("s", [0, 1, 2], [low, middle, high])], Axis("x"), Axis("y", log=True), Size(100, 100)
    )
    ys = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", svg)]
    assert ys[0] > ys[2]
    assert ys[1] == pytest.approx((ys[0] + ys[2]) / 2, abs=0.11)


def test_ticks_have_a_minus_sign() -> None:
    assert (number(-2.5), percent(-0.1), percent(0.3)) == ("−2.5", "−10 %", "30 %")
