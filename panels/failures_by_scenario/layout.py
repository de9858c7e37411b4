"""Lays out the panel "Failures by scenario": the controls, the totals, the heat map and its legend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.brain.slicing.columns import shown
from loupe.brain.slicing.table import Table
from loupe.operators.summary import escape, failure_title
from loupe.panels import theme, widgets
from loupe.panels.failures_by_scenario import plot

if TYPE_CHECKING:
    from loupe.brain.store.columns import Cell
    from loupe.panels.failures_by_scenario.panel import Content

#: what a click on a cell can show, and how it is called
STATES = {"failed": "failed", "passed": "passed", "unknown": "unknown", "unchecked": "not checked"}


def draw(
    panel: types.Object, handlers: Any, content: Content, choices: Mapping[str, Any], narrowed: Cell | None
) -> None:
    """Draws a table.

    Args:
        panel: to draw on
        handlers: the panel whose methods are called
        content: the table, and the factors to choose from
        choices: what the reader chose
        narrowed: the cell that the view is narrowed to, or None
    """
    from loupe.panels.failures_by_scenario.panel import unfolded

    table = content.table
    _controls(panel, handlers, content, choices)
    rows = ["all samples", *(shown(value) for value in table.values)]
    data, layout = plot.draw(rows, [table.overall, *table.cells], unfolded(choices))
    place = None if narrowed is None else _place(table, narrowed)
    if place is not None:
        layout = plot.outlined(layout, *place)
    # many columns scroll, and none is narrower than its number
    scrolled = widgets.column(panel, "scrolled", overflowX="auto")
    wide = widgets.column(scrolled, "wide", minWidth=f"{plot.min_width(rows, len(table.modes))}px")
    widgets.plot(wide, "heatmap", (data, layout), handlers.on_click)
    # below the heat map, and there before a click, too: the cell that was clicked stays under the mouse
    picked = widgets.row(panel, "picked", minHeight="52px")
    if narrowed is None:
        click = "Click a family to unfold it, and a cell of a failure" if choices["families"] else "Click a cell"
        picked.md(f"{click} to see its samples.", name="sentence", componentsProps=theme.SMALL)
    else:
        picked.btn("show_all", label="Show all", icon="undo", variant="contained", on_click=handlers.on_show_all)
        sentence = f"Showing {STATES[narrowed.state.name.lower()]}: {escape(name_of(narrowed))}"
        picked.md(sentence, name="sentence", componentsProps=theme.TEXT)
    panel.md(_totals(table), name="totals", componentsProps=theme.TEXT)
    panel.md(_legend(table), name="legend", componentsProps=theme.SMALL)


def name_of(cell: Cell) -> str:
    """Returns how a cell is called: its failure mode and its factor's value."""
    return f"{failure_title(cell.failure)} · {', '.join(map(shown, cell.values.values())) or 'all samples'}"


def _controls(panel: types.Object, handlers: Any, content: Content, choices: Mapping[str, Any]) -> None:
    # two beside each other also in a narrow panel: the map is what is looked at
    row = widgets.grid(panel, "controls", "repeat(2, minmax(0, 240px))", gap=1)
    factors = {**{path: path.removeprefix("scenario.") for path in content.factors}, "": "none: all samples"}
    widgets.dropdown(row, "factor", "Factor", factors, content.table.factor, handlers.on_factor)
    widgets.dropdown(row, "shows", "A click shows", STATES, choices["shows"], handlers.on_shows)
    more = widgets.row(panel, "more", rowGap="0px")
    # the choices go back to the defaults with another dataset, and the switches with them
    for name, label, handler in (
        ("every_mode", "All columns", handlers.on_every_mode),
        ("families", "Families", handlers.on_families),
    ):
        widgets.switch(more, name, label, choices[name], key=f"{name} {content.dataset}", on_change=handler)
    more.btn("refresh", label="Refresh", icon="refresh", variant="outlined", on_click=handlers.on_refresh)


def _place(table: Table, cell: Cell) -> tuple[int, int] | None:
    """Returns the row and column of a cell, or None where the table does not show it."""
    if cell.failure not in table.modes:
        return None
    column = table.modes.index(cell.failure)
    if not cell.values:
        return 0, column
    if list(cell.values) != [table.factor] or cell.values[table.factor] not in table.values:
        return None
    return 1 + table.values.index(cell.values[table.factor]), column


def _totals(table: Table) -> str:
    parts = [f"**{table.n:,}** {'sample' if table.n == 1 else 'samples'}", f"**{table.failed:,}** fail in some way"]
    if table.unknown:
        parts.append(f"**{table.unknown:,}** that a check could not judge")
    if table.unchecked:
        parts.append(f"**{table.unchecked:,}** not fully checked")
    return " · ".join(parts)


def _legend(table: Table) -> str:
    parts = ["Each cell: the share that failed, and of how many judged."]
    if any(rate.n and plot.unsure(rate) for row in table.cells for rate in row):
        parts.append("Grey with ±: too few to be sure, by the 95 % interval.")
    if table.values_left_out:
        n = len(table.values)
        parts.append(f"The {n} most frequent values of {n + table.values_left_out:,} are shown.")
    if table.milder_left_out:
        parts.append(
            f"The {len(table.modes)} columns where a row fares the worst, against all samples; "
            f"{table.milder_left_out} more fail: see All columns."
        )
    if table.modes_left_out:
        parts.append(
            f"{table.modes_left_out} more {'was' if table.modes_left_out == 1 else 'were'} judged, none failed."
        )
    return " ".join(parts)
