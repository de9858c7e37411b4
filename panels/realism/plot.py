"""Draws the measures of a synthetic set by Plotly, each over what a second real set would have."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from loupe.brain.core.shown import plotly
from loupe.panels import theme
from loupe.panels.realism import names

if TYPE_CHECKING:
    from loupe.brain.core.realism import RealismMetric

Drawn = tuple[list[dict[str, Any]], dict[str, Any]]

#: classes beyond these are counted only
MAX_ROWS = 30
#: ratios are drawn within these; what lies beyond stands at the edge, as a triangle
_LOW, _HIGH = 0.125, 8.0
_TICKS = (0.125, 0.25, 0.5, 1, 2, 4, 8)
#: in pixels: of a group's title and of a row, and where in a row its name and its bar stand
_HEADING, _ROW, _NAME, _BAR = 30, 42, 9, 27
_MAX_LABEL = 40
#: how much lower what is below a name stands
_BELOW = 15
AS_REAL, OTHER = theme.SERIES[0], theme.FAIL


def measures(metrics: Sequence[RealismMetric]) -> Drawn:
    """Returns each measure's ratio with its interval, in groups, over the band of two real sets."""
    by_name = {each.name: each for each in metrics}
    rows: list[tuple[str, RealismMetric | None]] = []
    for title, members in names.GROUPS.items():
        own = [by_name[name] for name in members if name in by_name and math.isfinite(_ratio(by_name[name]))]
        if own:
            rows.append((f"<b>{title}</b>", None))
            rows += [(names.TITLES[each.name], each) for each in own]
    return _forest(rows, [names.SAYS.get(each.name, "") if each else "" for _, each in rows])


def by_value(
    rows: Sequence[tuple[str, RealismMetric]],
    dates: Mapping[str, str] | None = None,
    says: Mapping[str, str] | None = None,
) -> Drawn:
    """Returns the ratio of one measure for each class, scenario or generator, with its interval.

    Args:
        rows: their names and measures, in order
        dates: what stands below each name, where anything does
        says: a line on each
    """
    shown = rows[:MAX_ROWS]
    lines = [[*([says[name]] if says and name in says else []), "Click to show them"] for name, _ in shown]
    below = [plotly(dates[name]) for name, _ in shown] if dates else []
    named = [(plotly(_short(name)), each) for name, each in shown]
    return _forest(named, ["<br>".join(own) for own in lines], below)


def without_ratio(metrics: Sequence[RealismMetric]) -> str:
    """Returns the measures that are no ratio, beside what two real sets have, in words."""
    by_name = {each.name: each for each in metrics}
    parts = []
    for name in names.WITHOUT_RATIO:
        each = by_name.get(name)
        if each is None or math.isnan(each.value):
            continue
        text = f"{names.TITLES[name]} {each.value:.3g}"
        if math.isfinite(each.null_low):
            text += f", at equal sizes {each.matched:.3g} (two real sets: {each.null_low:.2g} to {each.null_high:.2g})"
        parts.append(text)
    return " · ".join(parts)


def _forest(
    rows: Sequence[tuple[str, RealismMetric | None]], says: Sequence[str], below_names: Sequence[str] = ()
) -> Drawn:
    """Returns a row for each measure, its name above its bar: in a narrow panel the bar has all of the width.

    The first trace holds a point for each row, so that a click tells which.
    """
    tops, total, more = [], 0, _BELOW if below_names else 0
    for _, each in rows:
        tops.append(total)
        total += _HEADING if each is None else _ROW + more
    places = [top + _BAR + more for top in tops]
    annotations = []
    for top, (name, each) in zip(tops, rows, strict=True):
        below = _HEADING / 2 if each is None else _NAME
        common = {"xref": "paper", "y": top + below, "yanchor": "middle", "showarrow": False, "font": {"size": 12.5}}
        annotations.append({**common, "text": name, "x": 0, "xanchor": "left"})
        if each is not None:
            annotations.append({**common, "text": _value(each), "x": 1, "xanchor": "right"})
    annotations += [_small(text, top + _NAME + _BELOW) for top, text in zip(tops, below_names, strict=False)]
    axis = {"fixedrange": True, "zeroline": False}
    middle = {"type": "line", "x0": 1, "x1": 1, "y0": 0, "y1": 1, "yref": "paper", "layer": "below"}
    return [_points(rows, places, says), _bands(rows, places)], {
        "height": 52 + total,
        "margin": {"t": 6, "l": 12, "r": 12, "b": 46},
        "xaxis": {
            **axis,
            "gridcolor": theme.faint_gray(0.2),
            "type": "log",
            "range": [math.log10(_LOW * 0.88), math.log10(_HIGH * 1.14)],
            "tickvals": list(_TICKS),
            "ticktext": ["⅛", "¼", "½", "1", "2", "4", "8"],
            "title": {"text": "over a second real set"},
        },
        "yaxis": {**axis, "showgrid": False, "showticklabels": False, "range": [total, 0]},
        "shapes": [{**middle, "line": {"color": theme.GRAY, "width": 1.5}}],
        "annotations": annotations,
        "showlegend": False,
        "hoverlabel": {"align": "left", **theme.HOVER_LABEL},
        "dragmode": False,
    }


def _small(text: str, y: int) -> dict[str, Any]:
    font = {"size": 11, "color": theme.GRAY}
    place = {"xref": "paper", "x": 0, "xanchor": "left", "y": y, "yanchor": "middle"}
    return {"text": text, **place, "showarrow": False, "font": font}


def _points(
    rows: Sequence[tuple[str, RealismMetric | None]], places: Sequence[int], says: Sequence[str]
) -> dict[str, Any]:
    ratios = [None if each is None else _ratio(each) for _, each in rows]
    drawn = [None if ratio is None or math.isnan(ratio) else _within(ratio) for ratio in ratios]
    colors = [color(each) for _, each in rows]
    ends = [
        (0.0, 0.0) if each is None or x is None else _beyond(each, x) for (_, each), x in zip(rows, drawn, strict=True)
    ]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "",
        "x": drawn,
        "y": list(places),
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [above for _, above in ends],
            "arrayminus": [below for below, _ in ends],
            "color": theme.GRAY,
            "thickness": 2.5,
            "width": 4,
        },
        "marker": {
            "size": 11,
            "color": colors,
            "symbol": [_symbol(each, ratio) for (_, each), ratio in zip(rows, ratios, strict=True)],
            "line": {"width": 2, "color": colors},
            "opacity": 1,
        },
        "hovertext": [_hover(name, each, text) for (name, each), text in zip(rows, says, strict=True)],
        "hoverinfo": "text",
    }


def _bands(rows: Sequence[tuple[str, RealismMetric | None]], places: Sequence[int]) -> dict[str, Any]:
    """Returns where real sets lie to each other, a thick gray line in each row."""
    x: list[float | None] = []
    y: list[int | None] = []
    for at, (_, each) in zip(places, rows, strict=True):
        if each is not None and math.isfinite(each.null_low) and each.null > 0:
            x += [_within(each.null_low / each.null), _within(each.null_high / each.null), None]
            y += [at, at, None]
    line = {"color": theme.faint_gray(0.35), "width": 13}
    return {"type": "scatter", "mode": "lines", "name": "", "x": x, "y": y, "line": line, "hoverinfo": "skip"}


def color(each: RealismMetric | None) -> str:
    """Returns the color of a measure: whether a second real set may have it, too; gray where that is not known."""
    if each is None or not math.isfinite(each.null_low):
        return theme.GRAY
    return AS_REAL if each.chance else OTHER


def _ratio(each: RealismMetric) -> float:
    return each.value if each.name in names.OF_THEMSELVES else each.ratio


def _within(value: float) -> float:
    return min(max(value, _LOW), _HIGH) if value > 0 else _LOW


def _beyond(each: RealismMetric | None, x: float | None) -> tuple[float, float]:
    """Returns how far the interval reaches below and above a point; nothing where it is not known."""
    if each is None or x is None:
        return 0.0, 0.0
    if not (math.isfinite(each.low) and math.isfinite(each.high)):
        return 0.0, 0.0
    return max(0.0, x - _within(each.low)), max(0.0, _within(each.high) - x)


def _symbol(each: RealismMetric | None, ratio: float | None) -> str:
    if each is None or ratio is None:
        return "circle"
    if ratio > _HIGH:
        return "triangle-right"
    if ratio < _LOW:
        return "triangle-left"
    return "circle" if math.isfinite(each.null_low) else "circle-open"


def _value(each: RealismMetric) -> str:
    ratio = _ratio(each)
    return "not known" if math.isnan(ratio) else f"<b>{ratio:.2f}</b>" if ratio < 100 else f"<b>{ratio:,.0f}</b>"


def _hover(name: str, each: RealismMetric | None, says: str) -> str:
    if each is None:
        return name
    lines = [f"<b>{name}</b>", *([says] if says else []), f"value {each.value:.3g}"]
    if math.isfinite(each.matched):
        lines.append(f"at equal sizes {each.matched:.3g}")
    if math.isfinite(each.null_low):
        lines.append(f"two real sets: {each.null_low:.3g} to {each.null_high:.3g}")
    if math.isfinite(each.low):
        lines.append(f"ratio {_ratio(each):.3g}, in 95 of 100 splits {each.low:.3g} to {each.high:.3g}")
    return "<br>".join(lines)


def _short(label: str) -> str:
    return label if len(label) <= _MAX_LABEL else f"{label[: _MAX_LABEL - 1]}…"
