"""Draws an evaluation by Plotly: slices with interval bars, curves, and the confusion matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from loupe.brain.core.shares import tenths
from loupe.brain.core.shown import plotly
from loupe.panels import theme

if TYPE_CHECKING:
    from loupe.brain.store.evaluation.view import Point

Drawn = tuple[list[dict[str, Any]], dict[str, Any]]

#: rows beyond these are counted only
MAX_ROWS = 40
_MAX_LABEL = 48
#: of a row in pixels: its name, the bar of each model, and what parts it from the next
_NAME, _BAR, _GAP = 20, 15, 8
_CURVES = {
    "precision_recall": ("recall", "precision"),
    "roc": ("false positive rate", "true positive rate"),
    "reliability": ("mean confidence", "share that is right"),
}
#: a curve's name as it is chosen
CURVE_TITLES = {
    "precision_recall": "Precision and recall",
    "roc": "ROC",
    "reliability": "Calibration",
}


def color_of(models: Sequence[str], model: str) -> str:
    """Returns the color of a model."""
    return theme.SERIES[list(models).index(model) % len(theme.SERIES)]


def bars(points: Sequence[Point], models: Sequence[str]) -> Drawn:
    """Returns each row's value with its interval, the first row at the top.

    The name of a row stands above its bars, so that in a narrow panel the bars have all of the width.

    Args:
        points: of the rows, each model's in the order of the rows
        models: all models
    """
    names = list(dict.fromkeys(point.row for point in points))
    place = {name: at for at, name in enumerate(names)}
    high = _NAME + _BAR * len(models) + _GAP
    traces = []
    for number, model in enumerate(models):
        own = [point for point in points if point.model == model and point.value is not None]
        color = color_of(models, model)
        below = -0.5 + (_NAME + _BAR * (number + 0.5)) / high
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": plotly(model),
                "x": [point.value for point in own],
                "y": [place[point.row] + below for point in own],
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": [_beyond(point.high, point.value) for point in own],
                    "arrayminus": [_beyond(point.value, point.low) for point in own],
                    "color": color,
                    "thickness": 3,
                    "width": 4,
                },
                "marker": {
                    "size": 10,
                    "color": color,
                    "symbol": ["circle-open" if point.few else "circle" for point in own],
                    "line": {"width": 2, "color": color},
                },
                "hovertext": [_hover(point) for point in own],
                "hoverinfo": "text",
            }
        )
    counts = {point.row: point.n for point in points}
    several = len(models) > 1
    return traces, {
        "height": 40 + (30 if several else 8) + len(names) * high,
        "margin": {"t": 30 if several else 8, "l": 12, "r": 16, "b": 32},
        "xaxis": {**_axis(), "range": [-0.02, 1.02], "tickformat": ".1f", "side": "bottom"},
        "yaxis": {**_axis(), "range": [len(names) - 0.5, -0.5], "showticklabels": False, "showgrid": False},
        "annotations": [
            {
                "text": f"{_short(name)}  <i>({counts[name]:,})</i>",
                "x": 0,
                "xref": "paper",
                "xanchor": "left",
                "y": place[name] - 0.5 + _NAME / 2 / high,
                "yanchor": "middle",
                "showarrow": False,
                "font": {"size": 12.5},
            }
            for name in names
        ],
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
        "showlegend": several,
        "hoverlabel": {"align": "left", **theme.HOVER_LABEL},
        "dragmode": False,
    }


def curve(curves: Sequence[Mapping[str, Any]], models: Sequence[str], threshold: float | None) -> Drawn:
    """Returns curves of one name, one a model, with a mark where the threshold is."""
    name = curves[0]["name"]
    traces: list[dict[str, Any]] = []
    if name != "precision_recall":
        traces.append(_diagonal())
    for each in curves:
        color = color_of(models, each["model"])
        traces.append(_reliability(each, color) if name == "reliability" else _line(each, color))
        if name != "reliability" and threshold is not None:
            traces.append(_mark(each, color, threshold))
    x, y = _CURVES[name]
    return traces, {
        "height": 300,
        "margin": {"t": 34 if len(models) > 1 else 8, "l": 54, "r": 16, "b": 44},
        "xaxis": {**_axis(), "range": [-0.02, 1.02], "title": {"text": x}},
        "yaxis": {**_axis(), "range": [-0.02, 1.05], "title": {"text": y}},
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
        "hoverlabel": {"align": "left", **theme.HOVER_LABEL},
        "showlegend": len(models) > 1,
        "dragmode": False,
    }


def _line(each: Mapping[str, Any], color: str) -> dict[str, Any]:
    hover = [
        f"confidence from {at:.2f} on<br>{y:.3f} at {x:.3f}"
        for x, y, at in zip(each["x"], each["y"], each["at"], strict=True)
    ]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": plotly(each["model"]),
        "x": each["x"],
        "y": each["y"],
        "line": {"color": color, "width": 2.5},
        "hovertext": hover,
        "hoverinfo": "text",
    }


def _mark(each: Mapping[str, Any], color: str, threshold: float) -> dict[str, Any]:
    """Returns the mark of the threshold: the last point that is at least as sure."""
    sure = [at for at, value in enumerate(each["at"]) if value >= threshold]
    at = sure[-1:] or [0]
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [each["x"][place] for place in at],
        "y": [each["y"][place] for place in at],
        "marker": {"size": 13, "color": theme.CHOSEN, "line": {"color": color, "width": 3}},
        "hovertext": [f"the threshold: {threshold:g}"],
        "hoverinfo": "text",
        "showlegend": False,
    }


def _reliability(each: Mapping[str, Any], color: str) -> dict[str, Any]:
    columns = list(zip(each["x"], each["y"], each["at"], each["low"], each["high"], strict=True))
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "name": plotly(each["model"]),
        "x": each["x"],
        "y": each["y"],
        "line": {"color": color, "width": 1.5, "dash": "dot"},
        "marker": {"size": 9, "color": color},
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": [high - y for _, y, _, _, high in columns],
            "arrayminus": [y - low for _, y, _, low, _ in columns],
            "color": color,
            "thickness": 2,
            "width": 3,
        },
        "hovertext": [
            f"{tenths(y)} right at a mean confidence of {tenths(x)}<br>interval {tenths(low)} to "
            f"{tenths(high)} · {n:,.0f} predictions"
            for x, y, n, low, high in columns
        ],
        "hoverinfo": "text",
    }


def _diagonal() -> dict[str, Any]:
    line = {"color": theme.GRAY, "width": 1, "dash": "dash"}
    common = {"type": "scatter", "mode": "lines", "hoverinfo": "skip", "showlegend": False}
    return {**common, "x": [0, 1], "y": [0, 1], "line": line}


def matrix(labels: Sequence[str], counts: Sequence[Sequence[int]], chosen: tuple[int, int] | None) -> Drawn:
    """Returns the matrix: right ones in blue on the diagonal, mistakes in orange, by their share of the row.

    Args:
        labels: of rows and columns; the last is nothing
        counts: by ground truth and prediction
        chosen: the cell that the view is narrowed to
    """
    size = len(labels)
    shares = [[count / max(1, sum(row)) for count in row] for row in counts]
    right = [[share if a == b else None for b, share in enumerate(row)] for a, row in enumerate(shares)]
    wrong = [[share if a != b else None for b, share in enumerate(row)] for a, row in enumerate(shares)]
    right[size - 1][size - 1] = None
    names = [plotly(label if len(label) <= 14 else f"{label[:13]}…") for label in labels]
    layout: dict[str, Any] = {
        "height": 96 + 40 * size,
        "margin": {"t": 8, "l": 8, "r": 8, "b": 8},
        "xaxis": {
            "side": "top",
            "title": {"text": "predicted"},
            "tickvals": list(range(size)),
            "ticktext": names,
            "tickangle": -35 if size > 4 else 0,
            **_axis(),
            "showgrid": False,
            "automargin": True,
        },
        "yaxis": {
            "autorange": "reversed",
            # without it the names of the classes would touch it
            "title": {"text": "ground truth", "standoff": 14},
            "tickvals": list(range(size)),
            "ticktext": names,
            **_axis(),
            "showgrid": False,
            "automargin": True,
        },
        "hoverlabel": {"align": "left", **theme.HOVER_LABEL},
        "dragmode": False,
        "shapes": [] if chosen is None else [_frame(*chosen)],
    }
    return [
        _cells("right", right, counts, labels, theme.RIGHT_SCALE),
        _cells("wrong", wrong, counts, labels, theme.WRONG_SCALE),
    ], layout


def _cells(name: str, z: Any, counts: Any, labels: Sequence[str], scale: Any) -> dict[str, Any]:
    def text(row: int, column: int) -> str:
        return "" if z[row][column] is None or not counts[row][column] else _count(counts[row][column])

    def hover(row: int, column: int) -> str:
        if z[row][column] is None:
            return ""
        truth, given = plotly(labels[row]), plotly(labels[column])
        return (
            f"<b>{truth}</b> taken for <b>{given}</b><br>{counts[row][column]:,} · {tenths(z[row][column])} of {truth}"
        )

    places = range(len(labels))
    return {
        "type": "heatmap",
        "name": name,
        "x": list(places),
        "y": list(places),
        "z": z,
        "zmin": 0,
        "zmax": 1,
        "text": [[text(row, column) for column in places] for row in places],
        "texttemplate": "%{text}",
        "textfont": {"size": 13, "color": "white"},
        "hovertext": [[hover(row, column) for column in places] for row in places],
        "hoverinfo": "text",
        "hoverongaps": False,
        "colorscale": scale,
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
    }


def _frame(row: int, column: int) -> dict[str, Any]:
    line = {"color": theme.CHOSEN, "width": 3}
    ends = {"x0": column - 0.48, "x1": column + 0.48, "y0": row - 0.48, "y1": row + 0.48}
    return {"type": "rect", **ends, "line": line}


def _axis() -> dict[str, Any]:
    return {"fixedrange": True, "zeroline": False, "gridcolor": theme.faint_gray(0.25)}


def _beyond(high: float | None, low: float | None) -> float:
    return max(0.0, high - low) if high is not None and low is not None else 0.0


def _hover(point: Point) -> str:
    lines = [f"<b>{plotly(point.row)}</b> · {plotly(point.model)}", f"{point.value:.3f}"]
    if point.low is not None and point.high is not None:
        lines.append(f"interval: {point.low:.3f} to {point.high:.3f}")
    lines.append(f"{point.n:,} ground truths" + (": few" if point.few else ""))
    return "<br>".join(lines)


def _count(count: int) -> str:
    """Returns a count that fits into a cell.

    >>> _count(999), _count(12345), _count(2500000)
    ('999', '12k', '2.5M')
    """
    if count < 10_000:
        return f"{count:,}"
    return f"{count / 1000:.0f}k" if count < 1_000_000 else f"{count / 1e6:.1f}M"


def _short(label: str) -> str:
    return plotly(label if len(label) <= _MAX_LABEL else f"{label[: _MAX_LABEL - 1]}…")
