"""Draws the rates of one failure mode as points with their intervals: a row for each value of a factor."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from loupe.brain.core.results import Rate
from loupe.brain.core.shown import plotly
from loupe.brain.slicing.columns import shown
from loupe.brain.slicing.side_by_side import Pair, SideBySide
from loupe.panels import theme
from loupe.panels.failures_by_scenario.plot import hover, q_of, short

#: a slice differs from the rest where its q is below this
SURE = 0.05
_ROW = 40
#: how far the points of two groups stand from the middle of their row
_APART = 0.17
#: by what a point says: its color and its shape, so that neither is needed to tell it
_MARKS = {
    "worse": (theme.FAIL, "triangle-up"),
    "better": (theme.PASS, "triangle-down"),
    "like the rest": (theme.GRAY, "circle"),
    "too few to say": (theme.GRAY, "circle-open"),
}


def meaning_of(rate: Rate) -> str:
    """Returns what a rate says against the rest: one of the marks.

    >>> from loupe.brain.core.results import Slice
    >>> meaning_of(Rate(Slice({}), "blur", 5, 1, 0, 0, 0.2, 0.04, 0.6))
    'too few to say'
    """
    if rate.too_few:
        return "too few to say"
    if math.isnan(rate.q) or rate.q >= SURE or math.isnan(rate.lift):
        return "like the rest"
    return "worse" if rate.lift > 1 else "better"


def draw(rows: Sequence[str], rates: Sequence[Rate]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Returns Plotly (data, layout) of the intervals of some rows; the first is of all samples."""
    data = []
    for meaning, (color, symbol) in _MARKS.items():
        own = [at for at, rate in enumerate(rates) if rate.n and meaning_of(rate) == meaning]
        if own:
            data.append(_points(meaning, own, [rates[at] for at in own], color, symbol))
    unjudged = [at for at, rate in enumerate(rates) if not rate.n]
    if unjudged:
        data.append(_words(unjudged, ["not judged"] * len(unjudged), [hover(rates[at]) for at in unjudged]))
    overall = rates[0]
    lines = [_vertical(overall.rate)] if overall.n else []
    return data, _layout(rows, [rate.high for rate in rates if rate.n], lines)


def draw_sides(rows: Sequence[str], sides: SideBySide) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Returns Plotly (data, layout) of two groups' intervals in each row, and of what lies between them."""
    pairs = [sides.overall, *sides.rows]
    data = []
    looks = ((theme.FAIL, "circle", -_APART, "a", sides.a), (theme.PASS, "diamond", _APART, "b", sides.b))
    for color, symbol, offset, side, value in looks:
        own = [at for at, pair in enumerate(pairs) if getattr(pair, side).n]
        rates = [getattr(pairs[at], side) for at in own]
        points = _points(short(shown(value)), [at + offset for at in own], rates, color, symbol)
        points["hovertext"] = [
            f"<b>{plotly(shown(value))}</b> · {hover(rate)}<br>{_difference(pairs[at], sides)}"
            for at, rate in zip(own, rates, strict=True)
        ]
        data.append(points)
    ends = [rate.high for pair in pairs for rate in (pair.a, pair.b) if rate.n]
    layout = _layout(rows, ends, [])
    layout["annotations"] = [
        {
            "x": 1,
            "xref": "paper",
            "xanchor": "right",
            "y": at,
            "text": f"<b>{text}</b>" if pair.differs else text,
            "showarrow": False,
            "font": {"size": 12, "color": theme.FAIL if pair.differs else theme.GRAY},
        }
        for at, pair in enumerate(pairs)
        if (text := _points_apart(pair))
    ]
    # the differences stand beside the points
    layout["xaxis"]["domain"] = [0, 0.74]
    return data, layout


def side_of(y: float) -> tuple[int, str]:
    """Returns which row and which group a point of two groups side by side stands for.

    >>> side_of(2.17), side_of(-0.17)
    ((2, 'b'), (0, 'a'))
    """
    row = round(y)
    return row, "a" if y < row else "b"


def _points_apart(pair: Pair) -> str:
    if math.isnan(pair.difference):
        return ""
    return f"{_signed(pair.difference)} [{_signed(pair.low)}, {_signed(pair.high)}]"


def _signed(share: float) -> str:
    return f"{100 * share:+.0f}".replace("-", "−") if abs(share) >= 0.005 else "0"


def _difference(pair: Pair, sides: SideBySide) -> str:
    if math.isnan(pair.difference):
        return "nothing to compare with: the other one was not judged here"
    a, b = (plotly(shown(value)) for value in (sides.a, sides.b))
    text = f"{a} against {b}: {_points_apart(pair)} points"
    return f"{text}: too few to say" if pair.too_few else f"{text}, {q_of(pair.q)}"


def _points(name: str, rows: Sequence[float], rates: Sequence[Rate], color: str, symbol: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [rate.rate for rate in rates],
        "y": list(rows),
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [rate.high - rate.rate for rate in rates],
            "arrayminus": [rate.rate - rate.low for rate in rates],
            "color": color,
            "thickness": 2.5,
            "width": 5,
        },
        "marker": {"color": color, "symbol": symbol, "size": 12, "line": {"color": color, "width": 2}},
        "hovertext": [hover(rate) for rate in rates],
        "hoverinfo": "text",
    }


def _words(rows: Sequence[int], words: Sequence[str], hovers: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "text",
        "name": "",
        "showlegend": False,
        "x": [0.0] * len(rows),
        "y": list(rows),
        "text": list(words),
        "textposition": "middle right",
        "textfont": {"size": 11, "color": theme.GRAY},
        "hovertext": list(hovers),
        "hoverinfo": "text",
    }


def _vertical(x: float) -> dict[str, Any]:
    style = {"color": theme.GRAY, "width": 1.5, "dash": "dot"}
    return {"type": "line", "yref": "paper", "x0": x, "x1": x, "y0": 0, "y1": 1, "line": style}


def _layout(rows: Sequence[str], ends: Sequence[float], shapes: list[dict[str, Any]]) -> dict[str, Any]:
    if len(rows) > 1:
        style = {"color": theme.GRAY, "width": 1}
        shapes = [*shapes, {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 0.5, "y1": 0.5, "line": style}]
    return {
        "height": 110 + _ROW * len(rows),
        "margin": {"t": 8, "l": 8, "r": 8, "b": 8},
        "xaxis": {
            "range": [-0.01, min(1.02, 1.08 * max([0.05, *ends]))],
            "tickformat": ".0%",
            "nticks": 6,
            "gridcolor": theme.faint_gray(0.25),
            "zeroline": False,
            "fixedrange": True,
            "automargin": True,
        },
        "yaxis": {
            "range": [len(rows) - 0.5, -0.5],
            "tickvals": list(range(len(rows))),
            "ticktext": [f"<b>{short(rows[0])}</b>", *map(short, rows[1:])],
            "ticklabelstandoff": 6,
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
            "automargin": True,
        },
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "font": {"size": 12}},
        "showlegend": True,
        "hovermode": "closest",
        "hoverlabel": {"align": "left", **theme.HOVER_LABEL},
        "dragmode": False,
        "shapes": shapes,
    }


def framed(layout: dict[str, Any], row: int) -> dict[str, Any]:
    """Returns a layout with a frame around one row."""
    frame = {
        "type": "rect",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": row - 0.46,
        "y1": row + 0.46,
        "line": {"color": theme.CHOSEN, "width": 2},
    }
    return {**layout, "shapes": [*layout["shapes"], frame]}
