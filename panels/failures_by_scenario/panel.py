"""The panel "Failures by scenario": a heat map of failure rates; a click on a cell shows its samples."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.panels.base import Notice, Panel, Reading
from loupe.panels.latest import Shown

if TYPE_CHECKING:
    from loupe.brain.slicing.table import Table
    from loupe.brain.store.columns import Cell, Columns


#: so many columns can be looked through at once
MAX_MODES = 12


@dataclass(frozen=True)
class _Kept:
    """What is not read again while only other columns are shown."""

    offered: Mapping[str, Any]
    name: str
    values: Columns


@dataclass(frozen=True)
class Content:
    """What is drawn: a dataset's table, the factors to choose from, and the query of each of its rows' values."""

    dataset: str
    table: Table
    factors: tuple[str, ...]
    where: tuple[str, ...] = ()


def unfolded(choices: Mapping[str, Any]) -> list[str]:
    """Returns the families whose modes are shown; the App's state may hold anything."""
    given = choices["unfolded"]
    return [each for each in given if isinstance(each, str)] if isinstance(given, (list, tuple)) else []


class FailuresByScenario(Panel[Content]):
    """Rows are the values of a factor, columns are failure modes."""

    name = "failures_by_scenario"
    label = "Failures by scenario"
    icon = "grid_on"
    subject = "failures"
    help_markdown = (
        "How often each kind of failure happens, for each value of a factor. Samples that a check could not judge, or "
        "that were not checked, do not count into a rate: hover over a cell to see them. A click on a cell shows its "
        "samples."
    )
    #: ``families``: whether there is a column for each family; ``unfolded``: those whose modes are shown
    defaults = {"factor": None, "shows": "failed", "every_mode": False, "families": False, "unfolded": ()}

    def narrowing(self) -> type[Cell]:
        from loupe.brain.store.columns import Cell

        return Cell

    def read(self, view: Any, choices: Mapping[str, Any], kept: _Kept | None) -> Reading[Content] | Notice:
        from loupe.brain.slicing import families
        from loupe.brain.slicing.table import tabulate
        from loupe.brain.store import choices as store_choices
        from loupe.brain.store import columns, runs

        if kept is None and not columns.any_checked(view):
            return Notice("Nothing here has been checked yet. Check the images to see what fails, and where.", "check")
        offered = store_choices.factors(view) if kept is None else kept.offered
        # without a factor there is a row of all samples, and that may be what is wanted
        name = choices["factor"]
        if not isinstance(name, str) or (name and name not in offered):
            name = next(iter(offered), "")
        if kept is None or kept.name != name:
            kept = _Kept(offered, name, columns.read(view, [offered[name]] if name else []))
        values = kept.values
        states = values.judged()
        if not states:
            text = "The checks could judge none of these images, or their scores were not flagged yet."
            return Notice(text, "flag")
        column = values.factors[name] if name else [None] * len(next(iter(states.values())))
        every_mode, shown = choices["every_mode"], None
        if choices["families"]:
            states, shown = families.fold(states, unfolded(choices), every_mode=every_mode)
        table = tabulate(name, column, states, every_mode=every_mode, max_modes=MAX_MODES, columns=shown)
        queries = store_choices.queries(view, values.by[0], table.values) if name else []
        content = Content(runs.root(view).name, table, tuple(offered), tuple(map(json.dumps, queries)))
        return Reading(content, decided={"factor": name}, kept=kept)

    def seen(self, content: Content) -> dict[str, Any]:
        table = content.table
        # a query is a text here: the App takes the dots in it for a way through its state
        return {
            "factor": table.factor,
            "values": list(table.values),
            "modes": list(table.modes),
            "where": list(content.where),
        }

    def draw(self, panel: types.Object, content: Content, shown: Shown, narrowed: Cell | None) -> None:
        from loupe.panels.failures_by_scenario import layout

        layout.draw(panel, self, content, shown.choices, narrowed)

    def on_factor(self, ctx: Any) -> None:
        self.choose(ctx, factor=ctx.params.get("value"))
        self.refresh(ctx)

    def on_every_mode(self, ctx: Any) -> None:
        self.choose(ctx, every_mode=ctx.params.get("value") is True)
        self.refresh(ctx, again=False)

    def on_families(self, ctx: Any) -> None:
        self.choose(ctx, families=ctx.params.get("value") is True)
        self.refresh(ctx, again=False)

    def _fold(self, ctx: Any, family: str) -> None:
        """Unfolds a family, or folds it."""
        known = unfolded(self.choices(ctx))
        self.choose(ctx, unfolded=[each for each in known if each != family] + [family] * (family not in known))
        self.refresh(ctx, again=False)

    def on_shows(self, ctx: Any) -> None:
        from loupe.panels.failures_by_scenario import layout

        if ctx.params.get("value") in list(layout.STATES):
            self.choose(ctx, shows=ctx.params["value"])
            self.redraw(ctx)

    def on_click(self, ctx: Any) -> None:
        """Narrows the view to the samples of the clicked cell of the table that was seen."""
        from loupe.brain.slicing.families import family_of
        from loupe.brain.slicing.outcomes import State
        from loupe.brain.store.columns import Cell
        from loupe.panels.failures_by_scenario import layout

        seen, row, column = ctx.panel.state.seen, ctx.params.get("y"), ctx.params.get("x")
        if seen is None or not isinstance(row, int) or not isinstance(column, int):
            return
        if not (0 <= row <= len(seen["values"]) and 0 <= column < len(seen["modes"])):
            return
        family = family_of(seen["modes"][column])
        if family is not None:
            self._fold(ctx, family)
            return
        shows = self.choices(ctx)["shows"]
        values = {} if row == 0 else {seen["factor"]: seen["values"][row - 1]}
        where = None if row == 0 else json.loads(seen["where"][row - 1])
        cell = Cell(values, seen["modes"][column], State[shows.upper()], where)
        self.narrow(ctx, cell, f"Nothing to show that is {layout.STATES[shows]}: {layout.name_of(cell)}")
