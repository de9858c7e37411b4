"""The panel "Failures by scenario": a heat map of failure rates; a click on a cell shows its samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fiftyone.operators as foo
from fiftyone.operators import types

if TYPE_CHECKING:
    from loupe.brain.slicing.table import Table
    from loupe.brain.store.columns import Cell

#: what a click on a cell can show, and how it is said
_STATES = {"failed": "failed", "passed": "passed", "unknown": "unknown", "unchecked": "not checked"}
_CONTROLS = {"factor": None, "shows": "failed", "every_mode": False}


class FailuresByScenario(foo.Panel):
    """Rows are the values of a factor, columns are failure modes.

    Its state: ``controls`` (what the reader chose), ``table`` (what is drawn), ``of`` (the view that it was read from),
    ``view`` (the view that it is drawn for), ``factors`` (to choose from) and ``notice`` (what to do where nothing can
    be drawn). Which cell the view is narrowed to stands in the view alone.
    """

    @property
    def config(self) -> foo.PanelConfig:
        return foo.PanelConfig(
            name="failures_by_scenario",
            label="Failures by scenario",
            icon="grid_on",
            help_markdown=(
                "How often each kind of failure happens, for each value of a factor. Samples that a check could not "
                "judge, or that were not checked, do not count into a rate: hover over a cell to see them. A click on "
                "a cell shows its samples."
            ),
        )

    def execute(self, ctx: Any) -> Any:
        # the App says "the view has changed" three times after every event, with the panel's state as it was before:
        # to draw that would show the old table for a moment
        if ctx.params.get("__method__") == "on_change_view" and _is_drawn(ctx):
            return None
        return super().execute(ctx)

    def on_load(self, ctx: Any) -> None:
        _refresh(ctx)

    def on_change_dataset(self, ctx: Any) -> None:
        ctx.panel.state.set("controls", dict(_CONTROLS))
        _refresh(ctx)

    def on_change_view(self, ctx: Any) -> None:
        # where the panel's own click narrowed the view the table stays, so that the next click can go elsewhere
        if ctx.panel.state.table is None or ctx.panel.state.of != _of(ctx):
            _refresh(ctx)
        else:
            ctx.panel.state.set("view", _view(ctx))

    def on_factor(self, ctx: Any) -> None:
        _choose(ctx, "factor")
        _refresh(ctx)

    def on_every_mode(self, ctx: Any) -> None:
        _choose(ctx, "every_mode")
        _refresh(ctx)

    def on_shows(self, ctx: Any) -> None:
        _choose(ctx, "shows")

    def on_refresh(self, ctx: Any) -> None:
        _refresh(ctx)

    def on_check(self, ctx: Any) -> None:
        ctx.prompt("@loupe/loupe/check")

    def on_flag(self, ctx: Any) -> None:
        ctx.prompt("@loupe/loupe/flag")

    def on_click(self, ctx: Any) -> None:
        """Narrows the view to the samples of the clicked cell."""
        from loupe.brain.slicing.rates import State
        from loupe.brain.slicing.table import Table
        from loupe.brain.store import columns

        row, column = ctx.params.get("y"), ctx.params.get("x")
        if ctx.panel.state.table is None or not isinstance(row, int) or not isinstance(column, int):
            return
        table = Table.from_dict(ctx.panel.state.table)
        if not (0 <= row <= len(table.values) and 0 <= column < len(table.modes)):
            return
        shows = _controls(ctx)["shows"]
        values = {} if row == 0 else {table.factor: table.values[row - 1]}
        cell = columns.Cell(values, table.modes[column], State[shows.upper()])
        before, _ = columns.widen(ctx.view)
        view = columns.narrow(before, cell)
        if len(view):
            ctx.ops.set_view(view)
        else:
            ctx.ops.notify(f"Nothing to show that is {_STATES[shows]}: {_name(cell)}", variant="info")

    def on_show_all(self, ctx: Any) -> None:
        """Sets the view back to what it was before the click."""
        from loupe.brain.store import columns

        before, cell = columns.widen(ctx.view)
        if cell is not None:
            ctx.ops.set_view(before)

    def render(self, ctx: Any) -> types.Property:
        panel = types.Object()
        if ctx.panel.state.table is None:
            self._render_notice(panel, ctx.panel.state.notice or {"text": "Loading …", "action": ""})
        else:
            self._render_controls(panel, ctx)
            self._render_table(panel, ctx)
        # one column as wide as the panel: the plot would be as narrow as the text otherwise
        wide = {"grid": {"sx": {"gridTemplateColumns": "minmax(0, 1fr)"}}}
        return types.Property(panel, view=types.GridView(orientation="vertical", gap=1, pad=2, componentsProps=wide))

    def _render_notice(self, panel: types.Object, notice: dict[str, str]) -> None:
        panel.view("notice", types.AlertView(severity="info", label=notice["text"]))
        actions = {
            "check": ("Check the images", self.on_check),
            "flag": ("Flag the failures", self.on_flag),
            "refresh": ("Try again", self.on_refresh),
        }
        if notice["action"] in actions:
            label, handler = actions[notice["action"]]
            panel.btn("action", label=label, on_click=handler, variant="contained")

    def _render_controls(self, panel: types.Object, ctx: Any) -> None:
        chosen = _controls(ctx)
        row = panel.h_stack("controls", gap=2, align_y="end")
        factors = types.DropdownView()
        for path in ctx.panel.state.factors:
            factors.add_choice(path, label=path.removeprefix("scenario."))
        row.str("factor", view=factors, label="Factor", default=chosen["factor"], on_change=self.on_factor)
        shows = types.DropdownView()
        for name, label in _STATES.items():
            shows.add_choice(name, label=label)
        row.str("shows", view=shows, label="A click shows the", default=chosen["shows"], on_change=self.on_shows)
        row.bool(
            "every_mode",
            view=types.SwitchView(),
            label="Also what never fails",
            default=chosen["every_mode"],
            on_change=self.on_every_mode,
        )
        row.btn("refresh", label="Refresh", icon="refresh", variant="outlined", on_click=self.on_refresh)

    def _render_table(self, panel: types.Object, ctx: Any) -> None:
        from loupe.brain.slicing.rates import shown
        from loupe.brain.slicing.table import Table
        from loupe.brain.store import columns
        from loupe.panels import heatmap

        table = Table.from_dict(ctx.panel.state.table)
        panel.md(_totals(table), name="totals")
        rows = ["all samples", *(shown(value) for value in table.values)]
        data, layout = heatmap.draw(rows, [table.overall, *table.cells])
        _, cell = columns.widen(ctx.view)
        if cell is not None:
            line = panel.h_stack("picked", gap=2, align_y="center")
            said = f"Showing {_STATES[cell.state.name.lower()]}: {_name(cell)}"
            line.view("said", types.AlertView(severity="info", label=said))
            line.btn("show_all", label="Show all", icon="undo", variant="contained", on_click=self.on_show_all)
            place = _place(table, cell)
            if place is not None:
                layout = heatmap.outlined(layout, *place)
        # the plot's data stand in the view: panel data would be merged with those of the table before
        panel.plot(
            "heatmap",
            data=data,
            layout=layout,
            config={"displayModeBar": False, "scrollZoom": False, "responsive": True},
            on_click=self.on_click,
            height=f"{layout['height']}px",
        )
        small = {"container": {"sx": {"& p": {"fontSize": "0.85rem", "opacity": 0.75}}}}
        panel.md(_legend(table), name="legend", componentsProps=small)


def _controls(ctx: Any) -> dict[str, Any]:
    return {**_CONTROLS, **(ctx.panel.state.controls or {})}


def _choose(ctx: Any, name: str) -> None:
    ctx.panel.state.set("controls", {**_controls(ctx), name: ctx.params["value"]})


def _of(ctx: Any) -> str:
    """Returns which samples the table is of: the dataset, and the view's stages but for the panel's own."""
    from loupe.brain.store import columns

    return columns.fingerprint(columns.widen(ctx.view)[0])


def _view(ctx: Any) -> str:
    """Returns which samples the App shows."""
    from loupe.brain.store import columns

    return columns.fingerprint(ctx.view) if ctx.dataset is not None else ""


def _is_drawn(ctx: Any) -> bool:
    """Returns whether the panel shows the current view, or is about to: a new choice has an event of its own."""
    table, chosen = ctx.panel.state.table, _controls(ctx)
    if table is None:
        return False
    return chosen["factor"] != table["factor"] or ctx.panel.state.view == _view(ctx)


def _name(cell: Cell) -> str:
    from loupe.brain.slicing.rates import shown
    from loupe.panels.heatmap import title

    return f"{title(cell.failure)} · {', '.join(map(shown, cell.values.values())) or 'all samples'}"


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


def _refresh(ctx: Any) -> None:
    """Reads the rates of the current view and keeps what is drawn."""
    from loupe.brain.core.errors import LoupeError

    chosen = _controls(ctx)
    try:
        table, factors, notice = _read(ctx, chosen["factor"], chosen["every_mode"])
    except LoupeError as error:
        table, factors, notice = None, [], {"text": str(error), "action": "refresh"}
    if table is None:
        ctx.panel.state.set({"table": None, "notice": notice})
        return
    ctx.panel.state.set(
        {
            "table": table.to_dict(),
            "of": _of(ctx),
            "view": _view(ctx),
            "factors": factors,
            "notice": None,
            "controls": {**chosen, "factor": table.factor},
        }
    )


def _read(ctx: Any, factor: str | None, every_mode: bool) -> tuple[Table | None, list[str], dict[str, str] | None]:
    """Returns the table and the factors to choose from, or else a notice that says what to do next."""
    from loupe.brain.slicing.table import tabulate
    from loupe.brain.store import columns

    def notice(text: str, action: str = "") -> tuple[None, list[str], dict[str, str]]:
        return None, [], {"text": text, "action": action}

    if ctx.dataset is None:
        return notice("Open a dataset to see its failures.")
    view, _ = columns.widen(ctx.view)
    if not len(view):
        return notice("There are no samples here. Generate or import some, or clear the view.", "refresh")
    if not columns.any_checked(view):
        return notice("Nothing here has been checked yet. Check the images to see what fails, and where.", "check")
    factors = columns.factors(view)
    if not factors:
        return notice(
            "There is nothing to slice by: no scenario fields, and no other string field with a few values. Generate "
            "from a template with factors, import prompts with factor columns, or add a string field.",
            "refresh",
        )
    factor = factor if factor in factors else factors[0]
    read = columns.read(view, [factor])
    states = read.judged()
    if not states:
        return notice("The checks could judge none of these images, or their scores were not flagged yet.", "flag")
    return tabulate(factor, read.factors[factor], states, every_mode=every_mode), factors, None


def _totals(table: Table) -> str:
    parts = [f"**{table.n:,}** {'sample' if table.n == 1 else 'samples'}", f"**{table.failed:,}** fail in some way"]
    if table.unknown:
        parts.append(f"**{table.unknown:,}** that a check could not judge")
    if table.unchecked:
        parts.append(f"**{table.unchecked:,}** not fully checked")
    return " · ".join(parts)


def _legend(table: Table) -> str:
    from loupe.panels.heatmap import unsure

    parts = ["Each cell: the share that failed, and of how many judged."]
    if any(rate.n and unsure(rate) for row in table.cells for rate in row):
        parts.append("Grey with ±: too few to be sure, by the 95 % interval.")
    if table.values_left_out:
        n = len(table.values)
        parts.append(f"The {n} most frequent values of {n + table.values_left_out:,} are shown.")
    if table.modes_left_out:
        parts.append(
            f"{table.modes_left_out} more {'was' if table.modes_left_out == 1 else 'were'} judged, none failed."
        )
    return " ".join(parts)
