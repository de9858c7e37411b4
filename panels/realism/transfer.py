"""Draws what trains what, and the learning curve of real samples, by Plotly."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from loupe.brain.core.shares import tenths, whole
from loupe.brain.core.shown import plotly
from loupe.panels import theme

if TYPE_CHECKING:
    from loupe.brain.core.realism import Estimate, Transfer, TransferArm
    from loupe.panels.realism.plot import Drawn

#: numbers on a logarithmic axis that are nearer than this would touch in a narrow panel
_MIN_STEP = 1.6
_COLUMNS = ("on real", "on synthetic")
#: what is trained on, and the arms of its row; an arm of retrieved pictures begins with "retrieved "
_ROWS = (
    ("real", ("R→R", "R→S")),
    ("synthetic", ("S→R", "S→S")),
    ("both", ("R+S→R", "")),
    ("all synthetic", ("all S→R", "")),
    ("retrieved real", ("retrieved S→R", "")),
    ("real + retrieved", ("retrieved R+S→R", "")),
)


def matrix(transfer: Transfer) -> Drawn:
    """Returns the accuracy of each training set on each test set, brighter where it is higher."""
    arms = {arm.name: arm for arm in transfer.matrix} | {f"retrieved {arm.name}": arm for arm in transfer.retrieved}
    rows = [(name, [arms.get(own) for own in members]) for name, members in _ROWS if any(map(arms.get, members))]
    values = [arm.accuracy.value for _, own in rows for arm in own if arm is not None]
    low = min([transfer.chance, *values])
    cells: dict[str, Any] = {
        "type": "heatmap",
        "name": "",
        "x": list(range(len(_COLUMNS))),
        "y": list(range(len(rows))),
        "z": [[None if arm is None else arm.accuracy.value for arm in own] for _, own in rows],
        "zmin": low,
        "zmax": max([*values, low + 0.01]),
        "text": [["" if arm is None else _cell(arm) for arm in own] for _, own in rows],
        "texttemplate": "%{text}",
        "textfont": {"size": 13, "color": "white"},
        "hovertext": [["" if arm is None else _hover(arm) for arm in own] for _, own in rows],
        "hoverinfo": "text",
        "hoverongaps": False,
        "colorscale": theme.RIGHT_SCALE,
        "showscale": False,
        "xgap": 3,
        "ygap": 3,
    }
    axis = {"fixedrange": True, "zeroline": False, "showgrid": False, "automargin": True}
    return [cells], {
        "height": 40 + 48 * len(rows),
        "margin": {"t": 8, "l": 8, "r": 8, "b": 8},
        "xaxis": {**axis, "side": "top", "tickvals": list(range(len(_COLUMNS))), "ticktext": list(_COLUMNS)},
        "yaxis": {
            **axis,
            "autorange": "reversed",
            "tickvals": list(range(len(rows))),
            "ticktext": [name for name, _ in rows],
        },
        "hoverlabel": {"align": "left", **theme.HOVER_LABEL},
        "dragmode": False,
    }


def curve(transfer: Transfer) -> Drawn:
    """Returns the accuracy of real samples by their number, that of all synthetic ones, and where they meet."""
    sizes = [n for n, _ in transfer.curve]
    values = [each for _, each in transfer.curve]
    traces: list[dict[str, Any]] = [
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": "real",
            "x": sizes,
            "y": [each.value for each in values],
            "error_y": {
                "type": "data",
                "symmetric": False,
                "array": [each.high - each.value for each in values],
                "arrayminus": [each.value - each.low for each in values],
                "color": theme.SERIES[0],
                "thickness": 2,
                "width": 3,
            },
            "line": {"color": theme.SERIES[0], "width": 2.5},
            "marker": {"size": 8, "color": theme.SERIES[0]},
            "hovertext": [f"{n:,} real samples: {_span(each)}" for n, each in transfer.curve],
            "hoverinfo": "text",
        }
    ]
    arm = next((arm for arm in transfer.matrix if arm.name == "all S→R"), None)
    shapes = []
    if arm is not None:
        traces.append(_level(sizes, arm))
        traces += _meeting(transfer.equivalent_real_size, arm)
        shapes.append(
            {
                "type": "rect",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": arm.accuracy.low,
                "y1": arm.accuracy.high,
                "fillcolor": theme.FAIL,
                "opacity": 0.14,
                "line": {"width": 0},
                "layer": "below",
            }
        )
    axis = {"fixedrange": True, "zeroline": False, "gridcolor": theme.faint_gray(0.2)}
    ends = [math.log10(sizes[0] * 0.9), math.log10(sizes[-1] * 1.1)] if sizes and sizes[0] > 0 else None
    return traces, {
        "height": 300,
        "margin": {"t": 34, "l": 56, "r": 16, "b": 46},
        "xaxis": {
            **axis,
            "type": "log",
            **({"range": ends} if ends else {}),
            "tickvals": _apart(sizes),
            "ticktext": [f"{n:,}" for n in _apart(sizes)],
            "tickangle": 0,
            "title": {"text": "real samples"},
        },
        "yaxis": {**axis, "title": {"text": "accuracy"}},
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
        "showlegend": True,
        "shapes": shapes,
        "hoverlabel": {"align": "left", **theme.HOVER_LABEL},
        "dragmode": False,
    }


def _apart(sizes: list[int]) -> list[int]:
    """Returns the sizes that are written below the axis: the largest, and those far enough from the next one."""
    kept: list[int] = []
    for size in sorted(sizes, reverse=True):
        if not kept or size * _MIN_STEP <= kept[-1]:
            kept.append(size)
    return kept[::-1]


def _level(sizes: list[int], arm: TransferArm) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"all {arm.n_train:,} synthetic",
        "x": [size * factor for size, factor in zip((sizes[0], sizes[-1]), (0.5, 2), strict=True)],
        "y": [arm.accuracy.value] * 2,
        "line": {"color": theme.FAIL, "width": 2, "dash": "dash"},
        "hoverinfo": "skip",
    }


def _meeting(size: Estimate, arm: TransferArm) -> list[dict[str, Any]]:
    """Returns the mark of the equivalent real size, none where it lies off the curve."""
    if not (math.isfinite(size.value) and size.value > 0):
        return []
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": "as good as",
            "x": [size.value],
            "y": [arm.accuracy.value],
            "marker": {"size": 15, "color": theme.CHOSEN, "line": {"color": theme.FAIL, "width": 3}},
            "hovertext": [f"all synthetic samples train as well as {size.value:,.0f} real ones"],
            "hoverinfo": "text",
        }
    ]


def _cell(arm: TransferArm) -> str:
    return f"<b>{tenths(arm.accuracy.value)}</b><br>{100 * arm.accuracy.low:.0f}–{whole(arm.accuracy.high)}"


def _hover(arm: TransferArm) -> str:
    lines = [
        f"<b>{plotly(arm.name)}</b>: {_span(arm.accuracy)}",
        f"trained on {arm.n_train:,}, tested on {arm.n_test:,} samples",
    ]
    if math.isfinite(arm.calibration_error):
        lines.append(f"calibration error {arm.calibration_error:.3f}")
    known = sorted((value, name) for name, value in arm.recall.items() if math.isfinite(value))
    lines += [f"{plotly(name)}: {whole(value)} right" for value, name in known[:3]]
    return "<br>".join(lines)


def _span(each: Estimate) -> str:
    return f"{tenths(each.value)} ({tenths(each.low)} to {tenths(each.high)})"
