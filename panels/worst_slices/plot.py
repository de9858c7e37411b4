"""Draws the rate of a slice beside that of the rest, with their intervals: a small picture of two bars."""

from __future__ import annotations

import base64
import html

from loupe.brain.core.results import Rate
from loupe.panels import theme

#: in units of the picture, which is as wide as there is room, up to this many pixels
WIDTH, HEIGHT = 440, 58
_LABEL, _NUMBER, _BAR = 74, 52, 16


def bars(rate: Rate, rest: Rate) -> str:
    """Returns the picture as the address of an image: it holds all of it.

    Args:
        rate: of the slice
        rest: of all other samples
    """
    top = max(0.05, *(share for share in (rate.high, rest.high) if share == share))
    rows = [_row("slice", rate, 6, theme.FAIL, top), _row("the rest", rest, 34, theme.PASS, top)]
    svg = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}'>{''.join(rows)}</svg>"
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _row(name: str, rate: Rate, y: int, color: str, top: float) -> str:
    width = WIDTH - _LABEL - _NUMBER
    text = f"font-family='sans-serif' font-size='13' fill='{theme.GRAY}'"
    label = f"<text x='0' y='{y + 13}' {text}>{html.escape(name)}</text>"
    if not rate.n:
        return f"{label}<text x='{_LABEL}' y='{y + 13}' {text}>not judged</text>"

    def at(share: float) -> float:
        return round(_LABEL + width * min(share / top, 1), 1)

    bar = f"<rect x='{_LABEL}' y='{y}' width='{max(1, at(rate.rate) - _LABEL)}' height='{_BAR}' rx='2' fill='{color}'/>"
    middle = y + _BAR / 2
    line = f"stroke='{theme.GRAY}' stroke-width='2'"
    ends = "".join(f"<path d='M{at(end)} {y + 2}V{y + _BAR - 2}' {line}/>" for end in (rate.low, rate.high))
    whisker = f"<path d='M{at(rate.low)} {middle}H{at(rate.high)}' {line}/>{ends}"
    number = f"<text x='{WIDTH}' y='{y + 13}' text-anchor='end' {text}>{rate.rate * 100:.1f} %</text>"
    return label + bar + whisker + number
