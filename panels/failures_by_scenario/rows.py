"""Draws the cells of a table of rates one below the other, in order: each can be reached by the keyboard."""

from __future__ import annotations

from typing import Any

from fiftyone.operators import types

from loupe.brain.core.results import Rate
from loupe.brain.core.shown import markdown as escape
from loupe.brain.slicing.columns import shown
from loupe.brain.slicing.ranking import ranked
from loupe.brain.slicing.table import Table
from loupe.panels import theme, widgets
from loupe.panels.failures_by_scenario import bars, plot

#: nobody reads further down
MAX_ROWS = 25
_COLUMNS = (
    "minmax(150px, 2.2fr) minmax(52px, 0.8fr) minmax(84px, 1.1fr) minmax(64px, 0.9fr) minmax(48px, 0.7fr) "
    "minmax(64px, 0.8fr)"
)
_CELL = {"container": {"sx": {"& p": {"margin": 0, "fontSize": "0.9rem", "whiteSpace": "nowrap"}}}}
_FAINT = {"container": {"sx": {"& p": {**_CELL["container"]["sx"]["& p"], "opacity": 0.6}}}}
#: a button with a name of any length, on the left
_BUTTON = {
    "button": {"sx": {"justifyContent": "flex-start", "textAlign": "left", "textTransform": "none", "width": "100%"}}
}


def draw(panel: types.Object, handlers: Any, table: Table, order: str, place: tuple[int, int] | None) -> None:
    """Draws the first cells of a table.

    Args:
        panel: to draw on
        handlers: the panel whose methods are called
        table: the rates
        order: by what they are ordered
        place: the row and column of the cell that the view is narrowed to, row 0 being all samples; or None
    """
    cells = ranked(table, order)
    if not cells:
        text = "There is no judged cell: choose a factor, or check more images."
        panel.view("no_rows", types.AlertView(severity="info", label=text))
        return
    scrolled = widgets.column(panel, "scrolled", overflowX="auto")
    grid = widgets.grid(
        widgets.column(scrolled, "wide", minWidth="520px"), "table", _COLUMNS, gap=1, alignItems="center"
    )
    for name, head in (
        ("slice", "Slice"), ("rate", "Fails"), ("interval", "95 % interval"), ("of", "Of judged"), ("lift", "Lift"),
        ("q", "q"),
    ):  # fmt: skip
        grid.md(f"**{head}**", name=f"head_{name}", componentsProps=_CELL)
    for at, (row, column) in enumerate(cells[:MAX_ROWS]):
        rate, value = table.cells[row][column], table.values[row]
        label = f"{plot.title_of(rate.failure)} · {shown(value)}"
        grid.btn(
            f"cell{at}",
            label=label if len(label) <= 60 else f"{label[:59]}…",
            variant="contained" if place == (1 + row, column) else "outlined",
            on_click=handlers.on_click,
            params={"x": column, "y": 1 + row},
            componentsProps=_BUTTON,
        )
        for name, text in _texts(rate).items():
            grid.md(escape(text), name=f"{name}{at}", componentsProps=_FAINT if rate.too_few else _CELL)
    if len(cells) > MAX_ROWS:
        panel.md(f"The first {MAX_ROWS} of {len(cells):,} cells.", name="more_rows", componentsProps=theme.SMALL)


def _texts(rate: Rate) -> dict[str, str]:
    meaning = bars.meaning_of(rate)
    mark = {"worse": " ▲", "better": " ▼"}.get(meaning, "")
    return {
        "rate": plot.percent(rate.rate),
        "interval": f"{plot.percent(rate.low)} to {plot.percent(rate.high)}",
        "of": f"{rate.failures:,} of {rate.n:,}",
        "lift": _lift(rate.lift),
        "q": "too few" if rate.too_few else plot.q_of(rate.q).removeprefix("q ").removeprefix("= ") + mark,
    }


def _lift(lift: float) -> str:
    if lift != lift:
        return "–"
    return f"{lift:.1f} ×" if lift < 1000 else "only here"
