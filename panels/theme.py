"""The panels' colors and sizes, in one place. Every color stands out from a white page and from a black one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

RGB = tuple[int, int, int]

PASS, FAIL = "rgb(98, 122, 168)", "rgb(224, 96, 44)"
#: what the reader chose: the cell that the view is narrowed to, the threshold that is tried
CHOSEN = "rgb(255, 179, 71)"
GRAY = "rgb(128, 134, 144)"

_UNSURE: RGB = (112, 118, 128)
# low to high: dark blue to bright orange; every step is dark enough for white text
_RATES: tuple[tuple[float, RGB], ...] = (
    (0.0, (44, 62, 88)),
    (0.25, (74, 84, 122)),
    (0.5, (132, 84, 112)),
    (0.75, (186, 82, 76)),
    (1.0, (214, 88, 36)),
)

#: of models and other series side by side: told apart by the color-blind, too
SERIES = (
    "rgb(78, 132, 206)",
    "rgb(224, 96, 44)",
    "rgb(38, 154, 116)",
    "rgb(178, 104, 190)",
    "rgb(190, 150, 40)",
    "rgb(128, 134, 144)",
)
#: of a confusion matrix: what is right, and what is not; every step is dark enough for white text
RIGHT_SCALE = [[0.0, "rgb(70, 78, 92)"], [1.0, "rgb(52, 104, 182)"]]
WRONG_SCALE = [[0.0, "rgb(70, 78, 92)"], [0.5, "rgb(178, 82, 56)"], [1.0, "rgb(206, 84, 34)"]]

#: of a Plotly layout
HOVER_LABEL = {
    "bgcolor": "rgb(32, 36, 44)",
    "bordercolor": "rgb(90, 96, 106)",
    "font": {"color": "white", "size": 13},
}
#: of a Plotly plot
PLOT_CONFIG = {"displayModeBar": False, "scrollZoom": False, "responsive": True}

#: of a text in Markdown
TEXT = {"container": {"sx": {"& p": {"margin": 0}}}}
SMALL = {"container": {"sx": {"& p": {"margin": 0, "fontSize": "0.85rem", "opacity": 0.75}}}}
_LINES = {
    # the last lines are seen first
    **{"display": "flex", "flexDirection": "column-reverse", "maxHeight": "20rem", "overflow": "auto"},
    **{"margin": 0, "padding": "8px", "borderRadius": "4px", "backgroundColor": "rgba(128, 134, 144, 0.12)"},
}
_LINE = {
    **{"whiteSpace": "pre-wrap !important", "overflowWrap": "anywhere", "fontSize": "0.75rem"},
    **{"color": "inherit !important", "background": "none !important", "padding": "0 !important"},
}
#: of lines of a log
LOG = {"container": {"sx": {"& pre": _LINES, "& pre *": _LINE}}}
LARGE = {"container": {"sx": {"& p": {"margin": 0, "fontSize": "1.15rem"}}}}

#: one column as wide as the panel: a plot would be as narrow as the text otherwise
ONE_COLUMN = {"gridTemplateColumns": "minmax(0, 1fr)"}


def faint_gray(opacity: float) -> str:
    """Returns the gray of what is hardly there; opacity in [0, 1]."""
    return f"rgba(128, 134, 144, {opacity})"


def rate_scale(*, unsure: bool = False) -> list[list[Any]]:
    """Returns Plotly's color scale for failure rates; grayer where they are unsure."""
    return [[at, _css(_blend(color, _UNSURE, 0.6) if unsure else color)] for at, color in _RATES]


def _blend(color: RGB, other: RGB, share: float) -> tuple[int, ...]:
    return tuple(round(a + (b - a) * share) for a, b in zip(color, other, strict=True))


def _css(color: Sequence[int]) -> str:
    return f"rgb({', '.join(map(str, color))})"
