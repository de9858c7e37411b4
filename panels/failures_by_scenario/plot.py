"""Draws a table of rates as a Plotly heat map: rows are slices, columns are failure modes."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

from loupe.brain.core import shares
from loupe.brain.core.p_values import equals
from loupe.brain.core.results import Rate
from loupe.brain.core.shown import plotly
from loupe.brain.core.taxonomy import failure_title
from loupe.brain.slicing.families import family_of
from loupe.panels import theme

#: an interval wider than this is drawn as unsure
WIDE = 0.2

_ROW = 46
#: pixels that a cell needs for its number, a letter of a row's label, and what stands around the cells
_CELL, _LETTER, _AROUND = 58, 7, 120
_MAX_LABEL = 28
_NOT_JUDGED = theme.faint_gray(0.16)


def draw(
    rows: Sequence[str], cells: Sequence[Sequence[Rate]], unfolded: Collection[str] = ()
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Returns Plotly (data, layout) of a heat map.

    Cells with a sure rate, with an unsure one and with none are three traces, so that each has its own colors. The
    axes are numbers, row and column of ``cells`` from 0, so that a click tells its cell whatever the labels are.

    Args:
        rows: how each row is called; the first is of all samples
        cells: the rates, row by row; all rows have the same failure modes
        unfolded: the families whose modes are shown
    """
    rates = [list(row) for row in cells]
    modes = [rate.failure for rate in rates[0]]
    top = max([0.1, *(rate.rate for row in rates for rate in row if rate.n)])
    sure = _trace("sure", rates, [[bool(rate.n) and not unsure(rate) for rate in row] for row in rates], top)
    faint = _trace("unsure", rates, [[bool(rate.n) and unsure(rate) for rate in row] for row in rates], top)
    faint["colorscale"] = theme.rate_scale(unsure=True)
    empty = _trace("not judged", rates, [[not rate.n for rate in row] for row in rates], top)
    empty |= {
        "colorscale": [[0, _NOT_JUDGED], [1, _NOT_JUDGED]],
        "textfont": {"size": 11, "color": theme.GRAY},
    }
    sure["showscale"] = True
    sure["colorbar"] = {
        "title": {"text": "failure rate", "side": "right"},
        "tickformat": ".0%",
        "thickness": 10,
        "outlinewidth": 0,
        "lenmode": "pixels",
        "len": max(130, min(260, _ROW * len(rows))),
        "y": 1,
        "yanchor": "top",
        "nticks": 5,
    }
    return [sure, faint, empty], _layout(rows, modes, unfolded)


def min_width(rows: Sequence[str], modes: int) -> int:
    """Returns the width in pixels below which the numbers of a heat map would run into each other."""
    return _AROUND + _LETTER * max(min(len(row), _MAX_LABEL) for row in rows) + _CELL * modes


def unsure(rate: Rate) -> bool:
    """Returns whether a rate says little: its interval is wide, or it is of too few samples."""
    return rate.too_few or rate.high - rate.low > WIDE


def _trace(name: str, rates: list[list[Rate]], shown: list[list[bool]], top: float) -> dict[str, Any]:
    def where(make: Any, otherwise: Any = "") -> list[list[Any]]:
        return [
            [make(rate) if drawn else otherwise for rate, drawn in zip(row, drawn_row, strict=True)]
            for row, drawn_row in zip(rates, shown, strict=True)
        ]

    return {
        "type": "heatmap",
        "name": name,
        "x": list(range(len(rates[0]))),
        "y": list(range(len(rates))),
        "z": where(lambda rate: rate.rate if rate.n else 0.0, None),
        "zmin": 0,
        "zmax": top,
        "text": where(_text),
        "texttemplate": "%{text}",
        "textfont": {"size": 13, "color": "white"},
        "hovertext": where(hover),
        "hoverinfo": "text",
        "hoverongaps": False,
        "colorscale": theme.rate_scale(),
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
    }


def _layout(rows: Sequence[str], modes: Sequence[str], unfolded: Collection[str]) -> dict[str, Any]:
    slanted = len(modes) > 4
    return {
        "height": 120 + _ROW * len(rows),
        "margin": {"t": 8, "l": 8, "r": 8, "b": 8},
        "xaxis": {
            "side": "top",
            "tickvals": list(range(len(modes))),
            "ticktext": [_heading(mode, unfolded) for mode in modes],
            "tickangle": -35 if slanted else 0,
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
            "automargin": True,
        },
        "yaxis": {
            "autorange": "reversed",
            "tickvals": list(range(len(rows))),
            "ticktext": [f"<b>{short(rows[0])}</b>", *map(short, rows[1:])],
            "ticklabelstandoff": 6,
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
            "automargin": True,
        },
        "hoverlabel": {"align": "left", **theme.HOVER_LABEL},
        "dragmode": False,
        "shapes": [_rule(0.5)] if len(rows) > 1 else [],
    }


def title_of(column: str) -> str:
    """Returns how a column is called.

    >>> title_of("family:artifact"), title_of("blur")
    ('Artifact: any', 'Blur')
    """
    return failure_title(family_of(column) or column)


def _heading(column: str, unfolded: Collection[str]) -> str:
    family = family_of(column)
    if family is None:
        return plotly(failure_title(column))
    return f"<b>{'▾' if family in unfolded else '▸'} {plotly(family.capitalize())}</b>"


def outlined(layout: dict[str, Any], row: int, column: int) -> dict[str, Any]:
    """Returns a layout with a frame around one cell."""
    frame = {
        "type": "rect",
        "x0": column - 0.48,
        "x1": column + 0.48,
        "y0": row - 0.46,
        "y1": row + 0.46,
        "line": {"color": theme.CHOSEN, "width": 3},
    }
    return {**layout, "shapes": [*layout["shapes"], frame]}


def _rule(y: float) -> dict[str, Any]:
    style = {"color": theme.GRAY, "width": 2}
    return {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": y, "y1": y, "line": style}


#: a cell is narrow: whole percent from 1 % on
percent = partial(shares.percent, decimal_below=0.01)


def _text(rate: Rate) -> str:
    if not rate.n:
        return "not<br>judged"
    if unsure(rate):
        half = 50 * (rate.high - rate.low)
        return f"{percent(rate.rate)}<br><span style='font-size:11px'>± {half:.0f} · {rate.n}</span>"
    return f"<b>{percent(rate.rate)}</b><br><span style='font-size:11px'>{rate.n}</span>"


def against_rest(rate: Rate) -> str:
    """Returns how a rate compares with the rest of the samples; empty where there is no rest.

    >>> from loupe.brain.core.results import Slice
    >>> against_rest(Rate(Slice({"time": "night"}), "blur", 20, 8, 0, 0, 0.4, 0.2, 0.6, lift=2.5, q=0.012))
    '2.5 × the rest, q = .012'
    """
    if math.isnan(rate.lift):
        return ""
    times = f"{rate.lift:.3g} × the rest" if math.isfinite(rate.lift) else "the rest never fails"
    return times if math.isnan(rate.q) else f"{times}, {q_of(rate.q)}"


def q_of(q: float) -> str:
    """Returns how a q-value is written.

    >>> q_of(0.0123), q_of(0.00004)
    ('q = .012', 'q < .001')
    """
    return f"q {equals(q)}"


def hover(rate: Rate) -> str:
    """Returns what is said of a rate when the mouse is over it."""
    where = plotly(", ".join(rate.slice.values.values()) or "all samples")
    lines = [f"<b>{plotly(title_of(rate.failure))}</b> · {where}"]
    if rate.n:
        lines.append(f"{percent(rate.rate)} failed: {rate.failures:,} of {rate.n:,} judged")
        lines.append(f"95 % interval: {percent(rate.low)} to {percent(rate.high)}")
        if against_rest(rate):
            lines.append(against_rest(rate))
        if rate.too_few:
            lines.append(f"too few to say: under {rate.min_n} judged")
    else:
        lines.append("not judged")
    if family_of(rate.failure) is not None:
        lines.append("click to unfold or fold the family")
    lines.append(f"unknown: {rate.unknown:,} · not checked: {rate.unchecked:,}")
    return "<br>".join(lines)


def short(label: str) -> str:
    """Returns a row's label as Plotly shows it, cut where it is long."""
    return plotly(label if len(label) <= _MAX_LABEL else f"{label[: _MAX_LABEL - 1]}…")
