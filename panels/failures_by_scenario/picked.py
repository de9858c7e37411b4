"""Draws what was clicked, and what can be done with its samples: look within, save, tag, send to an operator."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.brain.core.hashes import json_hash
from loupe.brain.core.shown import field_name
from loupe.brain.core.shown import markdown as escape
from loupe.brain.slicing.columns import shown
from loupe.panels import theme, widgets
from loupe.panels.failures_by_scenario import plot
from loupe.panels.failures_by_scenario.reading import Content

if TYPE_CHECKING:
    from loupe.brain.store.columns import Cell

#: what a list shows of which nothing is chosen yet
_NOTHING = "(nothing)"
#: the operators whose forms can be opened on the samples
_JOBS = {"check": "Check them again", "review": "Review them", "find_duplicates": "Find duplicates", "embed": "Embed"}


def jobs() -> dict[str, str]:
    """Returns the operators that are here, and what each is called for."""
    return {name: label for name, label in _JOBS.items() if importlib.util.find_spec(f"loupe.operators.{name}")}


def draw(
    panel: types.Object, handlers: Any, content: Content, choices: Mapping[str, Any], narrowed: Cell | None
) -> None:
    """Draws the rows below the rates."""
    from loupe.panels.failures_by_scenario import layout

    # there before a click, too: the cell that was clicked stays under the mouse
    row = widgets.row(panel, "picked", minHeight="52px")
    if narrowed is None:
        folded = content.layout == "map" and choices["families"]
        click = "Click a family to unfold it, and a cell of a failure" if folded else _CLICK[content.layout]
        row.md(f"{click} to see its samples.", name="sentence", componentsProps=theme.SMALL)
        return
    widgets.show_all_button(row, handlers)
    sentence = f"Showing {layout.STATES[narrowed.state.name.lower()]}: {escape(layout.name_of(narrowed))}"
    row.md(sentence, name="sentence", componentsProps=theme.TEXT)
    # in rows that break: each input as wide as a narrow panel
    act = widgets.grid(panel, "act", "repeat(auto-fill, minmax(140px, 1fr))", gap=1)
    names = [name for name in content.factors if name not in narrowed.values]
    if content.table.factor in narrowed.values and names:
        within = {_NOTHING: f"in {shown(narrowed.values[content.table.factor])}, by …"}
        within |= {name: field_name(name) for name in names}
        widgets.dropdown(act, "within", "Look within", within, _NOTHING, handlers.on_within)
    widgets.dropdown(act, "send", "Send to a job", {_NOTHING: "choose …", **jobs()}, _NOTHING, handlers.on_send)
    text = proposed(narrowed)
    field = {"field": {"placeholder": text, "inputProps": {"aria-label": "Name for these samples"}}}
    act.str(
        f"name_{key_of(narrowed)}",
        view=types.TextFieldView(componentsProps=field, placeholder=text),
        label="Name",
        on_change=handlers.on_name,
    )
    keep = widgets.row(panel, "keep")
    keep.btn("save_view", label="Save as view", icon="bookmark_add", variant="outlined", on_click=handlers.on_save_view)
    keep.btn("tag", label="Tag", icon="sell", variant="outlined", on_click=handlers.on_tag)


_CLICK = {
    "map": "Click a cell",
    "table": "Press a row's button",
    "bars": "Click a point",
    "sides": "Click a point of either group",
}


def proposed(cell: Cell) -> str:
    """Returns how a cell's samples may be called."""
    parts = [plot.title_of(cell.failure), *map(shown, cell.values.values())]
    if cell.state.name != "FAILED":
        parts.append(cell.state.name.lower())
    return " · ".join(parts)


def key_of(cell: Cell) -> str:
    """Returns what tells a cell from others: a new one has an empty field for its name."""
    return json_hash(cell.facts(), 4)


def name_for(cell: Cell, choices: Mapping[str, Any]) -> tuple[str, bool]:
    """Returns the name that the reader gave, or the proposed one, and whether the reader gave it."""
    named = choices["named"]
    if isinstance(named, (list, tuple)) and len(named) == 2 and named[0] == key_of(cell):
        text = str(named[1]).strip()
        if text:
            return text, True
    return proposed(cell), False
