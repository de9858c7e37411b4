"""Draws a leaderboard and two contenders slice by slice, as Plotly interval bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from loupe.brain.core.comparison import Comparison, Difference, Standing
from loupe.brain.core.shares import percent
from loupe.brain.core.shown import plotly
from loupe.brain.slicing.changed import Changed
from loupe.brain.slicing.columns import shown
from loupe.panels import theme

#: so many contenders can be looked through at once
MAX_ROWS = 40
#: a slice of fewer pairs, or samples of one of the two, says little
FEW = 20

#: pixels below which the words of a row would run into each other
MIN_WIDTH = 460
_ROW, _AROUND = 40, 56
_MAX_LABEL = 22
#: of the width: what the ties take
_TIES = 0.1


def leaderboard(made: Comparison, chosen: Sequence[str]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Returns Plotly (data, layout): a row for each contender, the fewest failures first, and lines that join the tied.

    The rows are numbers from 0, so that a click tells its row whatever the names are.

    Args:
        made: the comparison
        chosen: the two that are looked at: their names stand out
    """
    rows = made.standings[:MAX_ROWS]
    judged = [(at, own) for at, own in enumerate(rows) if own.rate.n]
    top = max([0.05, *(own.rate.high for _, own in judged)])
    data = [
        *_intervals(
            [own.rate.rate for _, own in judged],
            [at for at, _ in judged],
            [own.rate.low for _, own in judged],
            [own.rate.high for _, own in judged],
            [theme.PASS for _ in judged],
            [f"{percent(own.rate.rate)} of {own.rate.n:,}" for _, own in judged],
        ),
        _hover([own.rate.rate for _, own in judged], [at for at, _ in judged], [_standing(own) for _, own in judged]),
    ]
    absent = [(at, own) for at, own in enumerate(rows) if not own.rate.n]
    if absent:
        data.append(
            {
                "type": "scatter",
                "mode": "text",
                "x": [0] * len(absent),
                "y": [at for at, _ in absent],
                "text": ["  not judged"] * len(absent),
                "textposition": "middle right",
                "textfont": {"color": theme.GRAY, "size": 12},
                "hovertext": [_standing(own) for _, own in absent],
                "hoverinfo": "text",
                "showlegend": False,
            }
        )
    data += _ties(made, {own.name: at for at, own in enumerate(rows)})
    labels = [_label(f"{own.rank if own.rank_low else '–'}", own.name, own.name in chosen) for own in rows]
    layout = _layout(labels, [0, 1.5 * top], "failure rate, 95 % interval")
    layout["xaxis"] |= {"domain": [0, 1 - _TIES - 0.02], "tickformat": ".0%", "rangemode": "nonnegative"}
    layout["xaxis2"] = {
        "domain": [1 - _TIES, 1],
        "range": [-0.5, max(1, len(made.tied)) - 0.5],
        "visible": False,
        "fixedrange": True,
    }
    if made.tied:
        layout["annotations"] = [
            {
                **{"text": "tied", "xref": "paper", "x": 1 - _TIES / 2, "yref": "paper", "y": 1, "yanchor": "bottom"},
                **{"showarrow": False, "font": {"size": 11, "color": theme.GRAY}},
            }
        ]
    return data, layout


def differences(of: Changed) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Returns Plotly (data, layout): for each slice by how much the new one fails more, with its interval.

    Args:
        of: two contenders slice by slice
    """
    drawn = [(at, own) for at, own in enumerate(of.differences) if own.n_a and own.n_b]
    reach = max([5.0, *(100 * max(abs(own.low), abs(own.high)) for _, own in drawn)])
    data = [
        *_intervals(
            [100 * own.difference for _, own in drawn],
            [at for at, _ in drawn],
            [100 * own.low for _, own in drawn],
            [100 * own.high for _, own in drawn],
            [_color(own) for _, own in drawn],
            [_points(own.difference) for _, own in drawn],
        ),
        _hover(
            [100 * own.difference for _, own in drawn],
            [at for at, _ in drawn],
            [_slice(shown(of.values[at]), own, of.worse[at]) for at, own in drawn],
        ),
    ]
    labels = []
    for value, own in zip(of.values, of.differences, strict=True):
        count = f"{own.n:,}" if own.paired else f"{own.n_a:,}, {own.n_b:,}"
        few = min(own.n_a, own.n_b) < FEW
        small = f"<span style='font-size:11px'>{count}{' few' if few else ''}</span>"
        labels.append(f"{plotly(_short(shown(value)))}  {small}")
    layout = _layout(labels, [-1.1 * reach, 1.7 * reach], "← fails less    ·    fails more, points →")
    layout["xaxis"] |= {"tickformat": "+d"}
    zero = {
        "type": "line",
        "x0": 0,
        "x1": 0,
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "line": {"color": theme.GRAY, "width": 1},
    }
    layout["shapes"] = [zero]
    return data, layout


def _intervals(
    values: Sequence[float],
    rows: Sequence[int],
    low: Sequence[float],
    high: Sequence[float],
    colors: Sequence[str],
    texts: Sequence[str],
) -> list[dict[str, Any]]:
    """Returns the intervals as lines, the points on them, and a text behind the end of each: a trace each."""
    common = {"type": "scatter", "hoverinfo": "skip", "showlegend": False}
    lines = {
        **common,
        "name": "intervals",
        "mode": "lines",
        # from the low end to the high end of each row, and a gap
        "x": [end for ends in zip(low, high, strict=True) for end in (*ends, None)],
        "y": [each for row in rows for each in (row, row, None)],
        "line": {"color": theme.GRAY, "width": 3},
    }
    points = {
        **common,
        "name": "points",
        "mode": "markers",
        "x": list(values),
        "y": list(rows),
        "marker": {"color": list(colors), "size": 13},
    }
    words = {
        **common,
        "name": "words",
        "mode": "text",
        "x": list(high),
        "y": list(rows),
        "text": [f"  {text}" for text in texts],
        "textposition": "middle right",
        "textfont": {"size": 12, "color": theme.GRAY},
        "cliponaxis": False,
    }
    return [lines, points, words]


def _hover(values: Sequence[float], rows: Sequence[int], texts: Sequence[str]) -> dict[str, Any]:
    """Returns a trace that is not seen: it says what stands under the mouse, and a click on it has its row."""
    return {
        "type": "scatter",
        "name": "facts",
        "mode": "markers",
        "x": list(values),
        "y": list(rows),
        "marker": {"size": 26, "opacity": 0},
        "hovertext": list(texts),
        "hoverinfo": "text",
        "showlegend": False,
    }


def _ties(made: Comparison, row_of: dict[str, int]) -> list[dict[str, Any]]:
    """Returns a line for each group of those that are tied, beside the rows."""
    lines = []
    for number, group in enumerate(made.tied):
        rows = [row_of[name] for name in group if name in row_of]
        if len(rows) > 1:
            text = f"Nothing tells these {len(group)} apart:<br>" + "<br>".join(
                plotly(_short(name)) for name in group[:12]
            )
            lines.append(
                {
                    "type": "scatter",
                    "name": "tied",
                    "mode": "lines+markers",
                    "xaxis": "x2",
                    "x": [number] * len(rows),
                    "y": rows,
                    "line": {"color": theme.CHOSEN, "width": 4},
                    "marker": {"color": theme.CHOSEN, "size": 9},
                    "hovertext": [text] * len(rows),
                    "hoverinfo": "text",
                    "showlegend": False,
                }
            )
    return lines


def _layout(labels: Sequence[str], x_range: list[float], title: str) -> dict[str, Any]:
    return {
        "height": _AROUND + 24 + _ROW * len(labels),
        "margin": {"t": 24, "l": 8, "r": 8, "b": 44},
        "hovermode": "closest",
        "dragmode": False,
        "xaxis": {
            "range": x_range,
            "title": {"text": title, "font": {"size": 12}, "standoff": 8},
            "zeroline": False,
            "fixedrange": True,
            "nticks": 5,
            "tickangle": 0,
        },
        "yaxis": {
            "range": [len(labels) - 0.5, -0.5],
            "tickvals": list(range(len(labels))),
            "ticktext": list(labels),
            "ticklabelstandoff": 6,
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
            "automargin": True,
        },
        "hoverlabel": {"align": "left", **theme.HOVER_LABEL},
        "shapes": [],
    }


def _label(rank: str, name: str, chosen: bool) -> str:
    text = plotly(_short(name))
    return f"<span style='font-size:11px'>{rank}</span>  {f'<b>{text}</b>' if chosen else text}"


def _short(label: str) -> str:
    text = " ".join(label.split()) or "(blank)"
    return text if len(text) <= _MAX_LABEL else f"{text[: _MAX_LABEL - 1]}…"


def _standing(own: Standing) -> str:
    rate = own.rate
    lines = [f"<b>{plotly(' '.join(own.name.split()))}</b> · rank {own.rank}"]
    if rate.n:
        lines.append(f"{percent(rate.rate)} failed: {rate.failures:,} of {rate.n:,} judged")
        lines.append(f"95 % interval: {percent(rate.low)} to {percent(rate.high)}")
        if own.effective_n < rate.n - 0.5:
            lines.append(f"alike within their prompts: as good as {own.effective_n:,.0f}")
        lines.append("click to look at it below")
    lines.append(f"unknown: {rate.unknown:,} · not checked: {rate.unchecked:,}")
    return "<br>".join(lines)


def _slice(value: str, own: Difference, worse: int) -> str:
    a, b = (plotly(_short(name)) for name in (own.a, own.b))
    lines = [f"<b>{plotly(value)}</b>: {a} {percent(own.rate_a)}, {b} {percent(own.rate_b)}"]
    lines.append(f"{_points(own.difference)} points, 95 % interval {_points(own.low)} to {_points(own.high)}")
    lines.append(verdict(own))
    if own.paired:
        lines.append(f"{own.n:,} pairs; {worse:,} changed: now it fails, before it passed")
        if worse:
            lines.append("click to see them")
    else:
        lines.append(f"unpaired: {own.n_a:,} and {own.n_b:,} judged")
    return "<br>".join(lines)


def verdict(own: Difference) -> str:
    """Returns what a difference tells, after correction for all that were looked at."""
    if not own.p_adjusted <= 0.05:
        return "nothing tells them apart"
    return "surely more failures" if own.difference > 0 else "surely fewer failures"


def _color(own: Difference) -> str:
    if not own.p_adjusted <= 0.05:
        return theme.GRAY
    return theme.FAIL if own.difference > 0 else theme.PASS


def _points(difference: float) -> str:
    """Returns a difference in percentage points.

    >>> _points(0.149), _points(-0.004)
    ('+14.9', '−0.4')
    """
    return f"{100 * difference:+.1f}".replace("-", "−")
