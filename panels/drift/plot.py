"""Draws drift as Plotly plots: quantities by batches, one quantity over time, and confidence against outcome."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from loupe.brain.core.drift import AREA, DRIFTED, MEAN, SHARE, TOO_FEW, VARIATION, Confidence, Drift, DriftBatch, Shift
from loupe.brain.core.p_values import equals
from loupe.brain.core.shares import tenths
from loupe.brain.core.shown import field_name, plotly
from loupe.panels import theme

_ROW = 34
_MAX_LABEL = 22
_HEIGHT = 250
#: letters of an axis' names that stand beside each other in a narrow panel
_MAX_TICKS = 24
#: an effect so many halves of the band that chance makes is drawn in the strongest color
_FAR = 5.0
#: with more batches a cell has no room for its number
_MAX_NUMBERED = 12
#: pixels of a column with numbers, and of one without
_CELL, _SMALL_CELL = 62, 16
_NOT_KNOWN = theme.faint_gray(0.16)
_BAND = theme.faint_gray(0.22)

Drawn = tuple[list[dict[str, Any]], dict[str, Any]]


def heatmap(drift: Drift, quantities: Sequence[str], batch: str, quantity: str) -> Drawn:
    """Returns Plotly (data, layout) of a map: a row for each quantity, a column for each batch.

    Orange is what drifted, blue what shows no evidence, the stronger the farther from what chance makes; gray is what
    too few samples have. The axes are numbers, so that a click tells its cell whatever the names are.

    Args:
        drift: what was found
        quantities: the rows
        batch, quantity: those that are looked at: their cell is framed
    """
    shifts = [{shift.quantity: shift for shift in each.shifts} for each in drift.batches]
    cells = [[own.get(name) for own in shifts] for name in quantities]
    numbered = len(drift.batches) <= _MAX_NUMBERED
    traces = []
    for name, scale in (
        ("drifted", [[0, "rgb(190, 104, 66)"], [1, theme.FAIL]]),
        ("no evidence", [[0, "rgb(66, 80, 108)"], [1, theme.PASS]]),
        ("too few", [[0, _NOT_KNOWN], [1, _NOT_KNOWN]]),
    ):
        own = [[_state(cell) == name for cell in row] for row in cells]
        traces.append(
            {
                "type": "heatmap",
                "name": name,
                "x": list(range(len(drift.batches))),
                "y": list(range(len(quantities))),
                "z": _where(cells, own, _far, None),
                "zmin": 0,
                "zmax": _FAR,
                "text": _where(cells, own, lambda cell: _text(cell) if numbered else "", ""),
                "texttemplate": "%{text}",
                "textfont": {"size": 12, "color": theme.GRAY if name == "too few" else "white"},
                "hovertext": [
                    [
                        _hover(cell, each.name, row) if mine else ""
                        for cell, mine, each in zip(line, mine_row, drift.batches, strict=True)
                    ]
                    for line, mine_row, row in zip(cells, own, quantities, strict=True)
                ],
                "hoverinfo": "text",
                "hoverongaps": False,
                "colorscale": scale,
                "showscale": False,
                "xgap": 2,
                "ygap": 2,
            }
        )
    layout = _layout(90 + _ROW * len(quantities))
    names = [each.name for each in drift.batches]
    layout["xaxis"] |= {**_ticks(names), "side": "top"}
    layout["yaxis"] |= {
        "autorange": "reversed",
        "tickvals": list(range(len(quantities))),
        "ticktext": [_short(field_name(name)) for name in quantities],
        "ticklabelstandoff": 6,
    }
    if batch in names and quantity in quantities:
        layout["shapes"] = [_frame(names.index(batch), list(quantities).index(quantity))]
    return traces, layout


def timeline(drift: Drift, quantity: str, batch: str) -> Drawn:
    """Returns Plotly (data, layout) of one quantity: its effect in each batch, and what chance alone makes of it."""
    listed = [(at, each, _shift(each, quantity)) for at, each in enumerate(drift.batches)]
    known = [(at, each, shift) for at, each, shift in listed if shift is not None and not math.isnan(shift.value)]
    places = [at for at, _, _ in known]
    shifts = [shift for _, _, shift in known]
    band: list[tuple[str, list[float], str]] = [
        ("high", [shift.null_high for shift in shifts], ""),
        ("low", [shift.null_low for shift in shifts], "tonexty"),
    ]
    data: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "name": f"by chance, {end}",
            "mode": "lines",
            "x": _widened(places),
            "y": _ends(values),
            "line": {"width": 0, "shape": "hvh"},
            "hoverinfo": "skip",
            **({"fill": fill, "fillcolor": _BAND} if fill else {}),
        }
        for end, values, fill in band
    ]
    for verdict, color, symbol in ((DRIFTED, theme.FAIL, "circle"), ("no evidence", theme.PASS, "circle-open")):
        own = [(at, each, shift) for at, each, shift in known if shift.verdict == verdict]
        data.append(
            {
                "type": "scatter",
                "name": verdict,
                "mode": "markers",
                "x": [at for at, _, _ in own],
                "y": [shift.value for _, _, shift in own],
                "error_y": _bars([(shift.value, shift.low, shift.high) for _, _, shift in own], color),
                "marker": {"color": color, "size": 10, "symbol": symbol, "line": {"width": 2, "color": color}},
                "hovertext": [_hover(shift, each.name, quantity) for _, each, shift in own],
                "hoverinfo": "text",
            }
        )
    layout = _layout(_HEIGHT)
    names = [each.name for each in drift.batches]
    layout["xaxis"] |= {**_ticks(names), "range": [-0.6, len(names) - 0.4]}
    layout["yaxis"] |= {"title": {"text": _axis(shifts), "font": {"size": 12}}, **_grid()}
    layout["shapes"] = _chosen(names, batch)
    return data, layout


def forest(batch: DriftBatch, quantities: Sequence[str]) -> Drawn:
    """Returns Plotly (data, layout) of the quantities of one batch, each against what chance alone makes of it."""
    own = {shift.quantity: shift for shift in batch.shifts}
    rows = [(at, own[name]) for at, name in enumerate(quantities) if name in own and not math.isnan(own[name].outside)]
    data = []
    for verdict, color, symbol in ((DRIFTED, theme.FAIL, "circle"), ("no evidence", theme.PASS, "circle-open")):
        mine = [(at, shift) for at, shift in rows if shift.verdict == verdict]
        ends = [_scaled(shift) for _, shift in mine]
        data.append(
            {
                "type": "scatter",
                "name": verdict,
                "mode": "markers",
                "x": [value for value, _, _ in ends],
                "y": [at for at, _ in mine],
                "error_x": _bars(ends, color),
                "marker": {"color": color, "size": 10, "symbol": symbol, "line": {"width": 2, "color": color}},
                "hovertext": [_hover(shift, batch.name, shift.quantity) for _, shift in mine],
                "hoverinfo": "text",
            }
        )
    layout = _layout(90 + _ROW * len(quantities))
    layout["xaxis"] |= {
        "title": {"text": "shift; the band is what chance alone makes", "font": {"size": 12}},
        "zeroline": True,
        "zerolinecolor": theme.GRAY,
        "showticklabels": False,
    }
    layout["yaxis"] |= {
        "range": [len(quantities) - 0.4, -0.6],
        "tickvals": list(range(len(quantities))),
        "ticktext": [_short(field_name(name)) for name in quantities],
        "ticklabelstandoff": 6,
    }
    band = {"type": "rect", "xref": "x", "yref": "paper", "x0": -1, "x1": 1, "y0": 0, "y1": 1, "layer": "below"}
    layout["shapes"] = [{**band, "fillcolor": _BAND, "line": {"width": 0}}]
    return data, layout


def confidence(drift: Drift, batch: str) -> Drawn:
    """Returns Plotly (data, layout) of how much surer than right the predictions of each batch are."""
    names = [each.name for each in drift.batches]
    known = [(at, each.calibration) for at, each in enumerate(drift.batches) if each.calibration is not None]
    points = [made for _, made in known]
    data = [
        {
            "type": "scatter",
            "name": "over-confidence",
            "mode": "lines+markers",
            "x": [at for at, _ in known],
            "y": [made.gap for made in points],
            "error_y": _bars([(made.gap, made.low, made.high) for made in points], theme.PASS),
            "line": {"color": theme.PASS, "width": 1, "dash": "dot"},
            "marker": {"color": [theme.FAIL if made.low > 0 else theme.PASS for made in points], "size": 9},
            "hovertext": [_hover_confidence(made, names[at]) for at, made in known],
            "hoverinfo": "text",
        }
    ]
    layout = _layout(_HEIGHT)
    layout["xaxis"] |= {**_ticks(names), "range": [-0.6, len(names) - 0.4]}
    layout["yaxis"] |= {
        "title": {"text": "confidence − share right", "font": {"size": 12}},
        "tickformat": "+.0%",
        **_grid(),
        "zeroline": True,
        "zerolinecolor": theme.GRAY,
        "zerolinewidth": 2,
    }
    layout["shapes"] = _chosen(names, batch)
    if drift.calibration is not None:
        level = {
            "type": "line",
            "xref": "paper",
            "x0": 0,
            "x1": 1,
            "y0": drift.calibration.gap,
            "y1": drift.calibration.gap,
        }
        layout["shapes"].append({**level, "line": {"color": theme.GRAY, "width": 1, "dash": "dash"}})
        layout["annotations"] = [
            {
                "xref": "paper", "x": 1, "y": drift.calibration.gap, "xanchor": "right",
                # beside the line, and on the side that the line of no gap is not on
                "yanchor": "top" if drift.calibration.gap < 0 else "bottom",
                "text": "reference", "showarrow": False, "font": {"size": 11, "color": theme.GRAY},
            }
        ]  # fmt: skip
    return data, layout


def number(shift: Shift, value: float) -> str:
    """Returns an effect in words of its own kind.

    >>> number(Shift("x", "labels", 9, 9, "drifted", "total variation"), 0.1234)
    '12.3 %'
    """
    if math.isnan(value):
        return "?"
    if shift.effect == AREA:
        return f"{value:.2f}"
    if shift.effect in (SHARE, VARIATION):
        return f"{value * 100:{'+' if shift.effect == SHARE else ''}.1f} %"
    return f"{value:+.3g}"


def _state(cell: Shift | None) -> str:
    return TOO_FEW if cell is None or math.isnan(cell.value) else cell.verdict


def _where(cells: Sequence[Sequence[Shift | None]], own: Sequence[Sequence[bool]], make: Any, other: Any) -> list[Any]:
    return [
        [make(cell) if mine else other for cell, mine in zip(row, mine_row, strict=True)]
        for row, mine_row in zip(cells, own, strict=True)
    ]


def _far(cell: Shift | None) -> float:
    return 0.0 if cell is None or math.isnan(cell.outside) else min(abs(cell.outside), _FAR)


def min_width(rows: Sequence[str], batches: int) -> int:
    """Returns the width in pixels below which the numbers of a map would run into each other."""
    label = max((min(len(field_name(row)), _MAX_LABEL) for row in rows), default=0)
    return 60 + 7 * label + (_CELL if batches <= _MAX_NUMBERED else _SMALL_CELL) * batches


def _text(cell: Shift | None) -> str:
    if cell is None or math.isnan(cell.value):
        return "too few"
    made = number(cell, cell.value) if cell.effect not in (MEAN, "") else f"{cell.value:+.2g}"
    return f"<b>{made}</b>" if cell.verdict == DRIFTED else made


def _hover(cell: Shift | None, batch: str, quantity: str) -> str:
    head = f"<b>{plotly(quantity)}</b> · {plotly(batch)}"
    if cell is None or math.isnan(cell.value):
        few = "" if cell is None else f": {cell.n_reference:,} and {cell.n:,} samples have it"
        return f"{head}<br>too few to tell{few}"
    lines = [head, f"<b>{cell.verdict}</b>, p {equals(cell.p_adjusted)}"]
    lines.append(f"{cell.effect}: {number(cell, cell.value)} ({number(cell, cell.low)} to {number(cell, cell.high)})")
    if cell.effect in (MEAN, SHARE):
        lines.append(f"reference {cell.reference:.4g}, here {cell.new:.4g}")
    lines.append(f"by chance alone: {number(cell, cell.null_low)} to {number(cell, cell.null_high)}")
    lines.append(f"of {cell.n_reference:,} and {cell.n:,} samples")
    return "<br>".join(lines)


def _hover_confidence(made: Confidence, batch: str) -> str:
    return (
        f"<b>{plotly(batch)}</b><br>confidence {tenths(made.confidence)}, right {tenths(made.right)}<br>"
        f"over-confidence {tenths(made.gap, signed=True)} ({tenths(made.low, signed=True)} to "
        f"{tenths(made.high, signed=True)})<br>"
        f"calibration error {tenths(made.ece)}, of {made.n:,} predictions"
    )


def _shift(batch: DriftBatch, quantity: str) -> Shift | None:
    return next((shift for shift in batch.shifts if shift.quantity == quantity), None)


def _scaled(shift: Shift) -> tuple[float, float, float]:
    """Returns the effect and its interval in halves of the band that chance makes, from the middle of it."""
    middle, half = (shift.null_high + shift.null_low) / 2, (shift.null_high - shift.null_low) / 2
    value, low, high = ((end - middle) / half for end in (shift.value, shift.low, shift.high))
    return value, low, high


def _bars(ends: Sequence[tuple[float, float, float]], color: str) -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [0 if math.isnan(high) else high - value for value, _, high in ends],
        "arrayminus": [0 if math.isnan(low) else value - low for value, low, _ in ends],
        "color": color,
        "thickness": 1.5,
        "width": 4,
    }


def _axis(shifts: Sequence[Shift]) -> str:
    effect = shifts[0].effect if shifts else ""
    return {AREA: "area under the ROC curve", VARIATION: "total variation of the mix"}.get(effect, effect)


def _widened(places: Sequence[int]) -> list[float]:
    return [places[0] - 0.5, *places, places[-1] + 0.5] if places else []


def _ends(values: Sequence[float]) -> list[float]:
    return [values[0], *values, values[-1]] if values else []


def _ticks(names: Sequence[str]) -> dict[str, Any]:
    step = max(1, math.ceil(len(names) / 12))
    places = list(range(0, len(names), step))
    return {
        "tickvals": places,
        "ticktext": [_short(names[at]) for at in places],
        "tickangle": -35 if sum(min(len(names[at]), _MAX_LABEL) for at in places) > _MAX_TICKS else 0,
    }


def _grid() -> dict[str, Any]:
    return {"showgrid": True, "gridcolor": theme.faint_gray(0.2), "zeroline": False}


def _chosen(names: Sequence[str], batch: str) -> list[dict[str, Any]]:
    if batch not in names or len(names) < 2:
        return []
    at = names.index(batch)
    band = {"type": "rect", "yref": "paper", "x0": at - 0.45, "x1": at + 0.45, "y0": 0, "y1": 1}
    return [{**band, "line": {"color": theme.CHOSEN, "width": 2}, "layer": "below"}]


def _frame(column: int, row: int) -> dict[str, Any]:
    place = {"x0": column - 0.48, "x1": column + 0.48, "y0": row - 0.46, "y1": row + 0.46}
    return {"type": "rect", **place, "line": {"color": theme.CHOSEN, "width": 3}}


def _layout(height: int) -> dict[str, Any]:
    axis = {"showgrid": False, "zeroline": False, "fixedrange": True, "automargin": True}
    return {
        "height": height,
        "margin": {"t": 8, "l": 8, "r": 8, "b": 8},
        "xaxis": dict(axis),
        "yaxis": dict(axis),
        "showlegend": False,
        "hoverlabel": {"align": "left", **theme.HOVER_LABEL},
        "dragmode": False,
        "shapes": [],
    }


def _short(label: str) -> str:
    return plotly(label if len(label) <= _MAX_LABEL else f"{label[: _MAX_LABEL - 1]}…")
