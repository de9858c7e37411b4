"""Lays out the panel "Failures by scenario": the controls, the trail, the rates, the clicked cell and the legend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.brain.core.shown import field_name
from loupe.brain.core.shown import markdown as escape
from loupe.brain.slicing.columns import shown
from loupe.brain.slicing.ranking import ORDERS
from loupe.brain.slicing.table import Table
from loupe.panels import theme, widgets
from loupe.panels.failures_by_scenario import bars, picked, plot, rows
from loupe.panels.failures_by_scenario.reading import LAYOUTS, Content, texts

if TYPE_CHECKING:
    from loupe.brain.store.columns import Cell

#: what a click on a cell can show, and how it is called
STATES = {"failed": "failed", "passed": "passed", "unknown": "unknown", "unchecked": "not checked"}
#: how the cells of the table can be ordered
_ORDERS = {"lift": "lift over the rest", "rate": "failure rate", "n": "judged", "q": "q: the surest first"}
#: pixels that a plot of intervals needs
_MIN_BARS, _MIN_SIDES = 300, 420


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
    _controls(panel, handlers, content, choices)
    if content.trail:
        _trail(panel, handlers, content)
    place = None if narrowed is None else _place(content, narrowed)
    if content.layout == "table":
        rows.draw(panel, handlers, content.table, order_of(choices), place)
    else:
        _plot(panel, handlers, content, choices, place)
    picked.draw(panel, handlers, content, choices, narrowed)
    panel.md(_totals(content.table), name="totals", componentsProps=theme.TEXT)
    panel.md(_legend(content), name="legend", componentsProps=theme.SMALL)


def order_of(choices: Mapping[str, Any]) -> str:
    """Returns by what the cells are ordered; the App's state may hold anything."""
    return str(choices["order"]) if choices["order"] in ORDERS else ORDERS[0]


def name_of(cell: Cell) -> str:
    """Returns how a cell is called: its failure mode and its factors' values."""
    return f"{plot.title_of(cell.failure)} · {', '.join(map(shown, cell.values.values())) or 'all samples'}"


def _controls(panel: types.Object, handlers: Any, content: Content, choices: Mapping[str, Any]) -> None:
    # two beside each other also in a narrow panel: the map is what is looked at
    row = widgets.grid(panel, "controls", "repeat(auto-fill, minmax(140px, 1fr))", gap=1)
    factors = {**{path: field_name(path) for path in content.factors}, "": "none: all samples"}
    widgets.dropdown(row, "factor", "Factor", factors, content.table.factor, handlers.on_factor)
    widgets.dropdown(row, "layout", "Shown as", LAYOUTS, content.layout, handlers.on_layout)
    widgets.dropdown(row, "shows", "A click shows", STATES, choices["shows"], handlers.on_shows)
    if content.layout == "table":
        widgets.dropdown(row, "order", "Sorted by", _ORDERS, order_of(choices), handlers.on_order)
    if content.single is not None:
        modes = {mode: plot.title_of(mode) for mode in content.modes}
        widgets.dropdown(row, "mode", "Failure", modes, content.single.modes[0], handlers.on_mode)
    if content.layout == "sides":
        _groups(row, handlers, content, choices)
    more = widgets.row(panel, "more", rowGap="0px")
    # the choices go back to the defaults with another dataset, and the switches with them
    switches = {"every_mode": ("All columns", handlers.on_every_mode), "families": ("Families", handlers.on_families)}
    for name, (label, handler) in switches.items() if content.single is None else ():
        widgets.switch(more, name, label, choices[name], key=f"{name} {content.dataset}", on_change=handler)
    widgets.refresh_button(more, handlers)


def _groups(row: types.Object, handlers: Any, content: Content, choices: Mapping[str, Any]) -> None:
    groups = content.groups or {}
    if not groups:
        return
    chosen = choices["group_by"] if choices["group_by"] in groups else next(iter(groups))
    fields = {path: field_name(path) for path in groups}
    widgets.dropdown(row, "group_by", "Compare by", fields, chosen, handlers.on_group_by)
    if content.sides is not None:
        values = {shown(value): shown(value) for value in groups[chosen]}
        for name, label, value, handler in (
            ("first", "First", content.sides.a, handlers.on_first),
            ("second", "Second", content.sides.b, handlers.on_second),
        ):
            widgets.dropdown(row, name, label, values, shown(value), handler)


def _trail(panel: types.Object, handlers: Any, content: Content) -> None:
    """Draws the way back: each step before the last is a button."""
    row = widgets.row(panel, "trail", columnGap="4px")
    names = ["All samples", *(f"{field_name(step.factor.name)}: {step.value}" for step in content.trail)]
    for depth, name in enumerate(names[:-1]):
        row.btn(
            f"step{depth}", label=_cut(name), variant="outlined", on_click=handlers.on_back, params={"depth": depth}
        )
        row.md("›", name=f"then{depth}", componentsProps=theme.TEXT)
    row.md(f"**{escape(_cut(names[-1]))}**", name="here", componentsProps=theme.TEXT)


def _cut(name: str) -> str:
    return name if len(name) <= 40 else f"{name[:39]}…"


def _plot(
    panel: types.Object,
    handlers: Any,
    content: Content,
    choices: Mapping[str, Any],
    place: tuple[int, int] | None,
) -> None:
    table = content.drawn
    labels = ["all samples", *(shown(value) for value in table.values)]
    if content.layout == "sides" and content.sides is None:
        text = "There are no two groups here: choose what to compare by, a field with at least two values."
        panel.view("no_groups", types.AlertView(severity="info", label=text))
        return
    if content.sides is not None:
        data, layout = bars.draw_sides(labels, content.sides)
        width, handler = _MIN_SIDES, handlers.on_side
    elif content.single is not None:
        data, layout = bars.draw(labels, [rates[0] for rates in (table.overall, *table.cells)])
        width, handler = _MIN_BARS, handlers.on_bar
    else:
        data, layout = plot.draw(labels, [table.overall, *table.cells], texts(choices["unfolded"]))
        width, handler = plot.min_width(labels, len(table.modes)), handlers.on_click
    if place is not None:
        layout = bars.framed(layout, place[0]) if content.single is not None else plot.outlined(layout, *place)
    # many columns scroll, and none is narrower than its number
    wide = widgets.scrolled(panel, width)
    # a plot is known by its name: that of one layout says nothing of another's axes
    widgets.plot(wide, "heatmap" if content.single is None else content.layout, (data, layout), handler)


def _place(content: Content, cell: Cell) -> tuple[int, int] | None:
    """Returns the row and column of a cell, or None where the table does not show it."""
    table = content.drawn
    if cell.failure not in table.modes:
        return None
    column = table.modes.index(cell.failure)
    values = dict(cell.values)
    for step in content.trail:
        if values.pop(step.factor.name, None) != step.value:
            return None
    if content.sides is not None:
        values.pop(content.sides.field, None)
    if not values:
        return 0, column
    if list(values) != [table.factor] or values[table.factor] not in table.values:
        return None
    return 1 + table.values.index(values[table.factor]), column


def _totals(table: Table) -> str:
    parts = [f"**{table.n:,}** {'sample' if table.n == 1 else 'samples'}", f"**{table.failed:,}** fail in some way"]
    if table.unknown:
        parts.append(f"**{table.unknown:,}** that a check could not judge")
    if table.unchecked:
        parts.append(f"**{table.unchecked:,}** not fully checked")
    return " · ".join(parts)


def _legend(content: Content) -> str:
    table = content.drawn
    rates = [rate for row in table.cells for rate in row if rate.n]
    parts = []
    if rates and all(rate.too_few for rate in rates):
        parts.append(
            f"**Too few samples in each row to say anything** (under {rates[0].min_n} judged): choose a factor with "
            "fewer values, leave the part that you are in, or check more images."
        )
    parts.append(_HOW[content.layout])
    if content.layout in ("map", "table") and any(plot.unsure(rate) for rate in rates):
        parts.append("Gray with ±: too few to be sure, by the 95 % interval or fewer than 10 judged.")
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


_HOW = {
    "map": "Each cell: the share that failed, and of how many judged.",
    "table": "Lift: how many times as often as the rest of the samples. q: how likely so much is chance, corrected for "
    "all cells that were looked at; below 0.05 is sure.",
    "bars": "Each point: the share that failed, with its 95 % interval. Dotted: all samples. Worse and better than the "
    "rest: q below 0.05, corrected for all rows.",
    "sides": "Right: the first minus the second, in points, with the 95 % interval; bold where it leaves out 0. "
    "Pictures of one prompt and seed are not paired here: the panel Compare does that.",
}
