"""Draws both sets in one plane, and their spectra, by Plotly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from loupe.brain.core.shares import whole
from loupe.panels import theme

if TYPE_CHECKING:
    from loupe.brain.core.cloud import Cloud
    from loupe.panels.realism.plot import Drawn

REAL, SYNTHETIC, HOLE = theme.SERIES[0], theme.FAIL, theme.CHOSEN


def _parts(cloud: Cloud) -> list[tuple[str, str, list[str], list[tuple[float, float]]]]:
    real = list(zip(cloud.real, cloud.real_at, cloud.covered, strict=True))
    near = [(sample_id, at) for sample_id, at, covered in real if covered]
    holes = [(sample_id, at) for sample_id, at, covered in real if not covered]
    synthetic = list(zip(cloud.synthetic, cloud.synthetic_at, strict=True))
    named = (("real", REAL, near), ("synthetic", SYNTHETIC, synthetic), ("real, none near", HOLE, holes))
    return [(name, color, [each for each, _ in own], [at for _, at in own]) for name, color, own in named]


def ids(cloud: Cloud) -> list[list[str]]:
    """Returns the ids of the points of each trace of ``points``."""
    return [own for _, _, own, _ in _parts(cloud)]


def points(cloud: Cloud) -> Drawn:
    """Returns real and synthetic samples as points, and the real ones that no synthetic one lies near as rings."""
    traces = [
        {
            "type": "scatter",
            "mode": "markers",
            "name": name,
            "x": [x for x, _ in at],
            "y": [y for _, y in at],
            "marker": {
                "size": 8 if color == HOLE else 6,
                "color": color,
                "symbol": "circle-open" if color == HOLE else "circle",
                "opacity": 0.9 if color == HOLE else 0.55,
                "line": {"width": 2 if color == HOLE else 0, "color": color},
            },
            "hovertext": [name] * len(at),
            "hoverinfo": "text",
        }
        for name, color, _, at in _parts(cloud)
    ]
    axis = {
        "fixedrange": True,
        "zeroline": False,
        "showticklabels": False,
        "showgrid": False,
        "showline": True,
        "linecolor": theme.faint_gray(0.4),
        "mirror": True,
    }
    return traces, {
        "height": 380,
        "margin": {"t": 34, "l": 10, "r": 10, "b": 10},
        "xaxis": axis,
        "yaxis": {**axis},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "bgcolor": "rgba(0, 0, 0, 0)"},
        "showlegend": True,
        "hoverlabel": {"align": "left", **theme.HOVER_LABEL},
        "dragmode": False,
    }


def spectra(bands: Sequence[float], chance: Sequence[tuple[float, float]]) -> Drawn:
    """Returns the power of the synthetic pictures over that of the real ones, by how fine the detail is.

    Args:
        bands: log10 of it, from 0 to the finest detail
        chance: where two halves of the real set lie
    """
    x = [(at + 0.5) / len(bands) for at in range(len(bands))]
    traces: list[dict[str, Any]] = []
    if chance:
        edge = {"type": "scatter", "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "name": ""}
        traces.append({**edge, "x": x, "y": [_decibels(low) for low, _ in chance]})
        high = [_decibels(high) for _, high in chance]
        traces.append({**edge, "x": x, "y": high, "fill": "tonexty", "fillcolor": theme.faint_gray(0.35)})
    traces.append(
        {
            "type": "scatter",
            "mode": "lines+markers",
            "name": "",
            "x": x,
            "y": [_decibels(value) for value in bands],
            "line": {"color": SYNTHETIC, "width": 2.5},
            "marker": {"size": 7, "color": SYNTHETIC},
            "hovertext": [
                f"at {whole(place)} of the finest detail<br>{10**value:.3g} times the power of real pictures"
                for place, value in zip(x, bands, strict=True)
            ],
            "hoverinfo": "text",
        }
    )
    axis = {"fixedrange": True, "gridcolor": theme.faint_gray(0.2)}
    return traces, {
        "height": 260,
        "margin": {"t": 10, "l": 56, "r": 36, "b": 46},
        "xaxis": {
            **axis,
            "zeroline": False,
            "range": [0, 1],
            "tickvals": [0, 0.25, 0.5, 0.75, 1],
            "ticktext": ["coarse", "¼", "½", "¾", "finest"],
            "title": {"text": "detail"},
        },
        "yaxis": {**axis, "zeroline": True, "zerolinecolor": theme.GRAY, "title": {"text": "power over real, dB"}},
        "showlegend": False,
        "hoverlabel": {"align": "left", **theme.HOVER_LABEL},
        "dragmode": False,
    }


def _decibels(log10: float) -> float:
    return 10 * log10
