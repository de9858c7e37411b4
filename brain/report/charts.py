"""The small drawings of a report, as SVG."""

from __future__ import annotations

import math

from loupe.brain.core.shown import html
from loupe.brain.report.blocks import Bar, Chart

_WIDTH, _HEIGHT = 220, 16
_SIDE, _MARGIN = 240, 34
_DASHES = ("", "6 3", "2 3", "8 3 2 3")


def interval_bar(bar: Bar, top: float) -> str:
    """Returns a share as a dot on the band of its interval; of what it is held against a mark.

    Args:
        bar: the share
        top: where the scale ends
    """
    if math.isnan(bar.rate):
        return ""

    def at(share: float) -> float:
        return round(min(share / top, 1) * _WIDTH, 1)

    band = f'<rect class="band" x="{at(bar.low)}" y="4" width="{max(at(bar.high) - at(bar.low), 1):.1f}" height="8"/>'
    mark = "" if bar.against is None else f'<rect class="mark" x="{at(bar.against)}" y="0" width="1.5" height="16"/>'
    return (
        f'<svg class="interval" viewBox="-4 0 {_WIDTH + 8} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'role="img" aria-label="interval"><rect class="rail" x="0" y="7.5" width="{_WIDTH}" height="1"/>{band}{mark}'
        f'<circle class="dot" cx="{at(bar.rate)}" cy="8" r="4"/></svg>'
    )


def chart(block: Chart) -> str:
    """Returns curves over the unit square, each with a color and a dash of its own, and their names below.

    A curve of a single point is a dot with its number.
    """

    def x(share: float) -> float:
        return round(_MARGIN + share * _SIDE, 1)

    def y(share: float) -> float:
        return round(8 + (1 - share) * _SIDE, 1)

    ticks = "".join(
        f'<line class="tick" x1="{x(0)}" x2="{x(1)}" y1="{y(at)}" y2="{y(at)}"/>'
        f'<text x="{x(0) - 4}" y="{y(at) + 4}" text-anchor="end">{at:g}</text>'
        f'<text x="{x(at)}" y="{y(0) + 14}" text-anchor="middle">{at:g}</text>'
        for at in (0, 0.25, 0.5, 0.75, 1)
    )
    diagonal = f'<line class="diagonal" x1="{x(0)}" y1="{y(0)}" x2="{x(1)}" y2="{y(1)}"/>' if block.diagonal else ""
    lines = "".join(
        _dot(number, x(curve.points[0][0]), y(curve.points[0][1]))
        if len(curve.points) == 1
        else f'<polyline class="c{number % 4}" stroke-dasharray="{_DASHES[number % 4]}" '
        f'points="{" ".join(f"{x(px)},{y(py)}" for px, py in curve.points)}"/>'
        for number, curve in enumerate(block.curves)
    )
    names = "".join(
        f'<span class="c{number % 4}">{f"{number + 1} " if len(curve.points) == 1 else ""}{html(curve.name)}</span>'
        for number, curve in enumerate(block.curves)
    )
    width, height = _SIDE + _MARGIN + 12, _SIDE + 46
    return (
        f'<figure class="chart"><figcaption>{html(block.title)}</figcaption>'
        f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">{ticks}{diagonal}{lines}'
        f'<text x="{x(0.5)}" y="{y(0) + 32}" text-anchor="middle">{html(block.x)}</text></svg>'
        f'<div class="names"><i>{html(block.y)}</i>{names}</div></figure>'
    )


def _dot(number: int, x: float, y: float) -> str:
    return (
        f'<circle class="point c{number % 4}" cx="{x}" cy="{y}" r="4"/>'
        f'<text x="{x + 6}" y="{y - 5}">{number + 1}</text>'
    )
