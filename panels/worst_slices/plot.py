"""Draws the rate of a slice above that of the rest, with their intervals: a small picture of two bars."""

from __future__ import annotations

import base64

from loupe.brain.core.results import Rate
from loupe.brain.core.shares import tenths
from loupe.brain.core.shown import html
from loupe.panels import theme

#: in pixels; it is as wide as there is room, up to this, and its letters are as large however narrow it is
WIDTH, HEIGHT = 440, 76
_ROW, _BAR = 38, 12


def bars(rate: Rate, rest: Rate) -> str:
    """Returns the picture as the address of an image: it holds all of it.

    Args:
        rate: of the slice
        rest: of all other samples
    """
    top = max(0.05, *(share for share in (rate.high, rest.high) if share == share))
    rows = [_row("slice", rate, 0, theme.FAIL, top), _row("the rest", rest, _ROW, theme.PASS, top)]
    # no box of its own: the shares of its width are those of the room that it gets
    svg = f"<svg xmlns='http://www.w3.org/2000/svg' width='100%' height='{HEIGHT}'>{''.join(rows)}</svg>"
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _row(name: str, rate: Rate, y: int, color: str, top: float) -> str:
    text = f"y='{y + 13}' font-family='sans-serif' font-size='13' fill='{theme.GRAY}'"
    label = f"<text x='0' {text}>{html(name)}</text>"
    if not rate.n:
        return f"{label}<text x='99%' text-anchor='end' {text}>not judged</text>"
    number = f"<text x='99%' text-anchor='end' {text}>{tenths(rate.rate)}</text>"

    def at(share: float) -> str:
        return f"{99 * min(share / top, 1):.1f}%"

    above, below = y + 19, y + 19 + _BAR
    bar = f"<rect x='0' y='{above}' width='{at(rate.rate)}' height='{_BAR}' rx='2' fill='{color}'/>"
    line = f"stroke='{theme.GRAY}' stroke-width='2'"
    middle = above + _BAR / 2
    whisker = f"<line x1='{at(rate.low)}' x2='{at(rate.high)}' y1='{middle}' y2='{middle}' {line}/>"
    ends = "".join(
        f"<line x1='{at(end)}' x2='{at(end)}' y1='{above + 1}' y2='{below - 1}' {line}/>"
        for end in (rate.low, rate.high)
    )
    return label + number + bar + whisker + ends
