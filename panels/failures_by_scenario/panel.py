"""The panel "Failures by scenario": a heat map of failure rates; a click on a cell shows its samples."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.brain.core.shown import counted
from loupe.panels.base import Notice, Panel, Reading
from loupe.panels.failures_by_scenario import reading
from loupe.panels.failures_by_scenario.reading import LAYOUTS, Content, Kept, texts
from loupe.panels.latest import Shown

if TYPE_CHECKING:
    from loupe.brain.store.columns import Cell


class FailuresByScenario(Panel[Content]):
    """Rows are the values of a factor, columns are failure modes."""

    name = "failures_by_scenario"
    label = "Failures by scenario"
    icon = "grid_on"
    subject = "failures"
    help_markdown = (
        "How often each kind of failure happens, for each value of a factor: as a heat map, as a table that sorts, as "
        "intervals, or two groups (two models) side by side. Samples that a check could not judge, or that were not "
        "checked, do not count into a rate: hover over a cell to see them. A click on a cell shows its samples; from "
        "there look within them by another factor, save them as a view, tag them, or send them to a job. By the "
        "keyboard: the table has a button for each cell."
    )
    #: ``families``: whether there is a column for each family; ``unfolded``: those whose modes are shown; ``trail``:
    #: the steps into the dataset, as plain values; ``group_by``, ``first`` and ``second``: the two groups;
    #: ``named``: the key of a cell and the name that the reader gave it
    defaults = {
        "factor": None,
        "layout": "map",
        "shows": "failed",
        "every_mode": False,
        "families": False,
        "unfolded": (),
        "order": "lift",
        "mode": "any",
        "trail": (),
        "group_by": None,
        "first": None,
        "second": None,
        "named": None,
    }
    actions = {**Panel.actions, "back": "Back"}

    def narrowing(self) -> type[Cell]:
        from loupe.brain.store.columns import Cell

        return Cell

    def read(self, view: Any, choices: Mapping[str, Any], kept: Kept | None) -> Reading[Content] | Notice:
        return reading.read(view, choices, kept)

    def seen(self, content: Content) -> dict[str, Any]:
        table = content.drawn
        sides = content.sides
        # a query is a text here: the App takes the dots in it for a way through its state
        return {
            "factor": table.factor,
            "values": list(table.values),
            "modes": list(table.modes),
            "where": list(content.where),
            "within": content.within,
            "fitted": content.fitted,
            "path": [[step.factor.name, step.value] for step in content.trail],
            "steps": json.dumps([step.to_dict() for step in content.trail]),
            "groups": None if sides is None else [sides.field, sides.a, sides.b, *content.of_groups],
        }

    def draw(self, panel: types.Object, content: Content, shown: Shown, narrowed: Cell | None) -> None:
        from loupe.panels.failures_by_scenario import layout

        layout.draw(panel, self, content, shown.choices, narrowed)

    def on_factor(self, ctx: Any) -> None:
        self.choose(ctx, factor=ctx.params.get("value"))
        self.refresh(ctx)

    def on_layout(self, ctx: Any) -> None:
        self._choose_listed(ctx, "layout", list(LAYOUTS))

    def on_mode(self, ctx: Any) -> None:
        self._choose_text(ctx, "mode")

    def on_group_by(self, ctx: Any) -> None:
        self.choose(ctx, first=None, second=None)
        self._choose_text(ctx, "group_by")

    def on_first(self, ctx: Any) -> None:
        self._choose_text(ctx, "first")

    def on_second(self, ctx: Any) -> None:
        self._choose_text(ctx, "second")

    def on_every_mode(self, ctx: Any) -> None:
        self.choose(ctx, every_mode=ctx.params.get("value") is True)
        self.refresh(ctx, again=False)

    def on_families(self, ctx: Any) -> None:
        self.choose(ctx, families=ctx.params.get("value") is True)
        self.refresh(ctx, again=False)

    def on_order(self, ctx: Any) -> None:
        from loupe.brain.slicing.ranking import ORDERS

        if ctx.params.get("value") in ORDERS:
            self.choose(ctx, order=ctx.params["value"])
            self.redraw(ctx)

    def on_shows(self, ctx: Any) -> None:
        from loupe.panels.failures_by_scenario import layout

        if ctx.params.get("value") in list(layout.STATES):
            self.choose(ctx, shows=ctx.params["value"])
            self.redraw(ctx)

    def _choose_text(self, ctx: Any, name: str) -> None:
        if isinstance(ctx.params.get("value"), str):
            self.choose(ctx, **{name: ctx.params["value"]})
            self.refresh(ctx, again=False)

    def _choose_listed(self, ctx: Any, name: str, values: list[str]) -> None:
        if ctx.params.get("value") in values:
            self._choose_text(ctx, name)

    def _fold(self, ctx: Any, family: str) -> None:
        """Unfolds a family, or folds it."""
        known = texts(self.choices(ctx)["unfolded"])
        self.choose(ctx, unfolded=[each for each in known if each != family] + [family] * (family not in known))
        self.refresh(ctx, again=False)

    # the samples of a cell

    def on_click(self, ctx: Any) -> None:
        """A cell of the heat map or of the table was clicked."""
        from loupe.brain.slicing.families import family_of

        seen, column = ctx.panel.state.seen, ctx.params.get("x")
        if seen is None or not isinstance(column, int) or not 0 <= column < len(seen["modes"]):
            return
        family = family_of(seen["modes"][column])
        if family is None:
            self._narrow(ctx, ctx.params.get("y"), column)
        elif self.choices(ctx)["layout"] == "map":
            self._fold(ctx, family)
        else:
            ctx.ops.notify("Turn Families off to see the samples of one failure", variant="info")

    def on_bar(self, ctx: Any) -> None:
        """A point of a row was clicked."""
        self._narrow(ctx, ctx.params.get("y"), 0)

    def on_side(self, ctx: Any) -> None:
        """A point of one of two groups was clicked."""
        from loupe.operators.forms import is_number
        from loupe.panels.failures_by_scenario import bars

        seen, y = ctx.panel.state.seen, ctx.params.get("y")
        if seen is None or not is_number(y) or not seen.get("groups"):
            return
        row, side = bars.side_of(y)
        field, a, b, of_a, of_b = seen["groups"]
        self._narrow(ctx, row, 0, ({field: a}, of_a) if side == "a" else ({field: b}, of_b))

    def _narrow(self, ctx: Any, row: Any, column: int, group: tuple[Mapping[str, Any], str] | None = None) -> None:
        """Narrows the view to the samples of a cell that was seen; row 0 is that of all samples."""
        from loupe.brain.slicing.outcomes import State
        from loupe.brain.store.columns import Cell
        from loupe.panels.failures_by_scenario import layout

        seen = ctx.panel.state.seen
        if seen is None or not isinstance(row, int) or not 0 <= row <= len(seen["values"]):
            return
        shows = self.choices(ctx)["shows"]
        values: dict[str, Any] = dict(seen["path"])
        wheres = [seen["within"]] if row == 0 and seen["within"] else []
        if row:
            values[seen["factor"]] = seen["values"][row - 1]
            wheres.append(seen["where"][row - 1])
        if group is not None:
            values |= group[0]
            wheres.append(group[1])
        queries = [json.loads(where) for where in wheres]
        where = None if not queries else queries[0] if len(queries) == 1 else {"$and": queries}
        cell = Cell(values, seen["modes"][column], State[shows.upper()], where)
        self.narrow(ctx, cell, f"Nothing to show that is {layout.STATES[shows]}: {layout.name_of(cell)}")

    def on_within(self, ctx: Any) -> None:
        """Goes into the value of the clicked cell, by another factor."""
        from loupe.brain.slicing.columns import shown

        seen, narrowed, factor = ctx.panel.state.seen, self.widened(ctx)[1], ctx.params.get("value")
        if seen is None or narrowed is None or not isinstance(factor, str) or not factor:
            return
        if seen["fitted"] and seen["factor"] in narrowed.values:
            value = narrowed.values[seen["factor"]]
            step = {"factor": json.loads(seen["fitted"]), "value": shown(value)}
            # from what was seen: the App sends the choice twice
            self.choose(ctx, trail=[*json.loads(seen["steps"]), step], factor=factor)
            self.refresh(ctx)

    def on_back(self, ctx: Any) -> None:
        """Goes back on the trail: to the depth of the button that was pressed, or one step."""
        trail, depth = self.choices(ctx)["trail"], ctx.params.get("depth")
        trail = list(trail) if isinstance(trail, (list, tuple)) else []
        kept = trail[:depth] if isinstance(depth, int) and depth >= 0 else trail[:-1]
        left = trail[len(kept) :]
        factor = left[0].get("factor") if left and isinstance(left[0], Mapping) else None
        # by what was looked at there
        self.choose(ctx, trail=kept, factor=factor.get("name") if isinstance(factor, Mapping) else None)
        self.refresh(ctx)

    def on_name(self, ctx: Any) -> None:
        """The reader typed a name for the samples of the clicked cell."""
        key = str(ctx.params.get("path")).rpartition("name_")[2]
        if isinstance(ctx.params.get("value"), str):
            self.choose(ctx, named=[key, ctx.params["value"]])

    def on_save_view(self, ctx: Any) -> None:
        from loupe.brain.store import keeping
        from loupe.panels.failures_by_scenario import picked

        narrowed = self.widened(ctx)[1]
        if narrowed is not None:
            name, given = picked.name_for(narrowed, self.choices(ctx))
            name = name if given else keeping.free_name(ctx.view, name)
            keeping.save(ctx.view, name)
            ctx.ops.notify(f"Saved the view '{name}': it is in the App's list of views", variant="success")
            ctx.ops.reload_dataset()

    def on_tag(self, ctx: Any) -> None:
        from loupe.brain.store import keeping
        from loupe.panels.failures_by_scenario import picked

        narrowed = self.widened(ctx)[1]
        if narrowed is not None:
            name, _ = picked.name_for(narrowed, self.choices(ctx))
            count = keeping.tag(ctx.view, name)
            ctx.ops.notify(f"Tagged {counted(count, 'sample')}: {name}", variant="success")
            ctx.ops.reload_samples()

    def on_send(self, ctx: Any) -> None:
        """Opens an operator's form on the samples of the clicked cell."""
        from loupe.panels.failures_by_scenario import picked

        if ctx.params.get("value") in list(picked.jobs()):
            ctx.prompt(f"@loupe/loupe/{ctx.params['value']}", params={"view_target": "CURRENT_VIEW"})
