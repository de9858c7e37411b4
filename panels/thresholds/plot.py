"""Draws scores as a Plotly histogram with a line through it: one side passes, the other fails."""

from __future__ import annotations

import math
from typing import Any

from loupe.brain.core.records import Output, Threshold
from loupe.brain.core.shares import tenths
from loupe.brain.core.shown import plotly
from loupe.brain.stats.histogram import Histogram
from loupe.panels import theme

#: the plot's margins in pixels: the slider under it takes them over, so that its thumb stands under the line
LEFT, RIGHT = 64, 24
HEIGHT = 228
#: where the tallest bar is this many times the usual one, heights are drawn as square roots
_STEEP = 25
#: characters of an axis' title that fit into a panel of 400 pixels
_MAX_TITLE = 52


def draw(
    counts: Histogram, output: Output, threshold: Threshold, used: Threshold
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Returns Plotly (data, layout).

    The third trace is not seen: over each position of the slider it says how many would fail there, and a click on it
    has that position as its x.

    Args:
        counts: the scores in bars
        output: what they are
        threshold: where the line is
        used: the threshold in use; a thin line where it is another one
    """
    total = [a + b for a, b in zip(counts.passing, counts.failing, strict=True)]
    filled = sorted(count for count in total if count)
    steep = bool(filled) and filled[-1] > _STEEP * filled[len(filled) // 2]

    def height(count: float) -> float:
        return math.sqrt(count) if steep else count

    middle = [_tidy(counts.start + counts.width * (bar + 0.5)) for bar in range(len(total))]
    common = {
        "type": "bar",
        "x": middle,
        "width": counts.width * (0.82 if counts.range.whole else 0.94),
        "hoverinfo": "skip",
    }
    # a bar that the line goes through has both: what fails stands on what passes
    passing = {
        **common,
        "name": "pass",
        "y": [height(count) for count in counts.passing],
        "marker": {"color": theme.PASS, "line": {"width": 0}},
    }
    failing = {
        **common,
        "name": "fail",
        "base": [height(count) for count in counts.passing],
        "y": [height(a) - height(b) for a, b in zip(total, counts.passing, strict=True)],
        "marker": {"color": theme.FAIL, "line": {"width": 0}},
    }
    top = 1.18 * height(max([1, *total]))
    return [passing, failing, _preview(counts, output, threshold, top)], _layout(
        counts, output, threshold, used, top, steep
    )


def condition(threshold: Threshold) -> str:
    """Returns where scores fail.

    >>> condition(Threshold("<", 0.6))
    'below 0.6'
    """
    return f"{'below' if threshold.op == '<' else 'above'} {threshold.value:g}"


def _preview(counts: Histogram, output: Output, threshold: Threshold, top: float) -> dict[str, Any]:
    positions = [counts.range.at(position) for position in range(len(counts.steps))]
    shares = [tenths(count / counts.judged) if counts.judged else "" for count in counts.steps]
    side = "below" if threshold.op == "<" else "above"
    return {
        "type": "scatter",
        "name": "preview",
        "mode": "markers",
        "x": positions,
        "y": [0.5 * top] * len(positions),
        "marker": {"size": 8, "opacity": 0},
        "customdata": [list(pair) for pair in zip(counts.steps, shares, strict=True)],
        "hovertemplate": f"{side} %{{x}}: <b>%{{customdata[0]:,}} of {counts.judged:,} fail</b> (%{{customdata[1]}})"
        "<br>click to put the line here<extra></extra>",
    }


def _layout(
    counts: Histogram, output: Output, threshold: Threshold, used: Threshold, top: float, steep: bool
) -> dict[str, Any]:
    pad = counts.width / 2 if counts.range.whole else 0
    place = _place(threshold, counts)
    return {
        "height": HEIGHT,
        "margin": {"t": 28, "l": LEFT, "r": RIGHT, "b": 52},
        "barmode": "overlay",
        "bargap": 0,
        "hovermode": "x",
        "hoverdistance": -1,
        "spikedistance": -1,
        "dragmode": False,
        "xaxis": {
            "range": [_tidy(counts.range.low - pad), _tidy(counts.range.high + pad)],
            "title": {"text": plotly(_axis(output)), "font": {"size": 13}, "standoff": 10},
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
            "automargin": False,
            "showspikes": True,
            "spikemode": "across",
            "spikesnap": "hovered data",
            "spikethickness": 1,
            "spikedash": "dot",
            "spikecolor": theme.GRAY,
            **({"dtick": 1} if counts.range.whole and counts.range.positions <= 20 else {"nticks": 10}),
        },
        "yaxis": {
            "range": [0, top],
            "title": {"text": "images (square-root scale)" if steep else "images", "font": {"size": 13}},
            "zeroline": False,
            "fixedrange": True,
            "automargin": False,
            **_ticks(top, steep),
        },
        "hoverlabel": theme.HOVER_LABEL,
        "shapes": [
            *([_rule(_place(used, counts), theme.GRAY, 1, "dash")] if used.value != threshold.value else []),
            _rule(place, theme.CHOSEN, 3, "solid"),
        ],
        "annotations": _annotations(counts, threshold, used, place),
    }


def _annotations(counts: Histogram, threshold: Threshold, used: Threshold, place: float) -> list[dict[str, Any]]:
    common = {
        "yref": "paper",
        "y": 1,
        "yanchor": "bottom",
        "showarrow": False,
        "font": {"size": 12, "color": theme.GRAY},
    }
    left = threshold.op == "<"
    sides = [
        {
            "x": place,
            "text": "◀ fail ",
            "xanchor": "right",
            "font": {"size": 12, "color": theme.FAIL if left else theme.PASS},
        },
        {
            "x": place,
            "text": " pass ▶",
            "xanchor": "left",
            "font": {"size": 12, "color": theme.PASS if left else theme.FAIL},
        },
    ]
    if not left:
        sides[0]["text"], sides[1]["text"] = "◀ pass ", " fail ▶"
    share = (place - counts.range.low) / ((counts.range.high - counts.range.low) or 1)
    # at an edge of the plot there is room on one side only
    kept = [side for side, fits in zip(sides, (share > 0.06, share < 0.94), strict=True) if fits]
    return [{**common, **each} for each in kept]


def _place(threshold: Threshold, counts: Histogram) -> float:
    """Returns where the line stands: between the two counts that it parts, where the scores are counts."""
    if not counts.range.whole:
        return threshold.value
    half = counts.range.step / 2
    return math.floor(threshold.value) + half if threshold.op == ">" else math.ceil(threshold.value) - half


def _rule(x: float, color: str, width: int, dash: str) -> dict[str, Any]:
    style = {"color": color, "width": width, "dash": dash}
    return {"type": "line", "xref": "x", "yref": "paper", "x0": x, "x1": x, "y0": 0, "y1": 1, "line": style}


def _axis(output: Output) -> str:
    name = output.name.replace("_", " ")
    full = f"{name} ({output.unit}; {output.direction})"
    # a panel is narrow, and what overflows it is cut: the sentence above says what is counted, too
    return full if len(full) <= _MAX_TITLE else f"{name} ({output.direction})"


def _ticks(top: float, steep: bool) -> dict[str, Any]:
    if not steep:
        return {"nticks": 6, "tickformat": ",d", **({"dtick": 1} if top < 5 else {})}
    highest = top * top
    counts = [0, *(base * 10**power for power in range(7) for base in (1, 3) if base * 10**power <= highest)]
    # ticks nearer than a twelfth of the height would write over each other
    kept: list[int] = []
    for count in counts:
        if not kept or math.sqrt(count) - math.sqrt(kept[-1]) > top / 12:
            kept.append(count)
    return {"tickvals": [math.sqrt(count) for count in kept], "ticktext": [f"{count:,}" for count in kept]}


def _tidy(number: float) -> float:
    return float(f"{number:.9g}")
