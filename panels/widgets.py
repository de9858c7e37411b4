"""The inputs that panels share.

None of them has a default, nor a value in the panel's state: the App takes a change of either for a choice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fiftyone.operators import types

from loupe.panels import theme


def row(panel: types.Object, name: str, **more: str) -> types.Object:
    """Adds a row that breaks where the panel is narrow; ``more`` are further styles."""
    sx = {"display": "flex", "flexWrap": "wrap", "alignItems": "center", "& > *": {"width": "auto"}, **more}
    added: types.Object = panel.h_stack(name, gap=2, align_y="center", componentsProps={"grid": {"sx": sx}})
    return added


def column(panel: types.Object, name: str, **sx: Any) -> types.Object:
    """Adds a column as wide as there is room; ``sx`` are further styles."""
    styles = {"grid": {"sx": {**theme.ONE_COLUMN, **sx}}}
    added: types.Object = panel.v_stack(name, gap=1, componentsProps=styles)
    return added


def scrolled(panel: types.Object, min_width: int, name: str = "scrolled") -> types.Object:
    """Adds a column that is at least so many pixels wide; where the panel is narrower, a bar below it says so."""
    outer = column(panel, name, overflowX="auto", **theme.SCROLLBAR)
    return column(outer, "wide", minWidth=f"{min_width}px")


def refresh_button(row: types.Object, handlers: Any, **more: Any) -> None:
    """Adds the button that reads everything anew; ``handlers`` is the panel."""
    row.btn("refresh", label="Refresh", icon="refresh", variant="outlined", on_click=handlers.on_refresh, **more)


def show_all_button(row: types.Object, handlers: Any, **more: Any) -> None:
    """Adds the button that sets the view back to what it was; ``handlers`` is the panel."""
    row.btn("show_all", label="Show all", icon="undo", variant="contained", on_click=handlers.on_show_all, **more)


def grid(panel: types.Object, name: str, columns: str, *, gap: int, **more: str) -> types.Object:
    """Adds a grid with these template columns of CSS; ``more`` are further styles."""
    sx = {"display": "grid", "gridAutoFlow": "row", "gridTemplateColumns": columns, **more}
    added: types.Object = panel.h_stack(name, gap=gap, componentsProps={"grid": {"sx": sx}})
    return added


def dropdown(
    panel: types.Object,
    name: str,
    label: str,
    choices: Mapping[str, str],
    chosen: str,
    on_change: Callable[..., Any],
    *,
    focused: bool = True,
) -> None:
    """Adds a list to choose from.

    Args:
        panel: to add it to
        name: of the input
        label: what it is for
        choices: for each value how it is called
        chosen: the value that it shows, whatever the App keeps of it
        on_change: the handler; it gets the value as ``value``
        focused: the App focuses a panel's first input as it opens, and scrolls there: False of one that is far down
    """
    # the App keeps nothing of it at first, and grays out what it takes for a placeholder
    shown: dict[str, Any] = {"value": chosen, "sx": {".MuiSelect-select": {"opacity": 1}}}
    if not focused:
        shown["autoFocus"] = False
    view = types.DropdownView(componentsProps={"select": shown})
    for value, title in choices.items():
        view.add_choice(value, label=title)
    panel.str(name, view=view, label=label, on_change=on_change)


def switch(
    panel: types.Object, name: str, label: str, chosen: bool, *, key: str, on_change: Callable[..., Any]
) -> None:
    """Adds a switch. It moves by itself; ``chosen`` is where it stands at first and whenever ``key`` is a new one."""
    props = {"switch": {"key": key, "defaultChecked": chosen}}
    panel.bool(name, view=types.SwitchView(componentsProps=props), label=label, on_change=on_change)


def plot(
    panel: types.Object, name: str, drawn: tuple[list[dict[str, Any]], dict[str, Any]], on_click: Callable[..., Any]
) -> None:
    """Adds a Plotly plot, given as its data and layout."""
    data, layout = drawn
    # its data stand in the view: panel data would be merged with those of the plot before
    panel.plot(
        name, data=data, layout=layout, config=theme.PLOT_CONFIG, on_click=on_click, height=f"{layout['height']}px"
    )
