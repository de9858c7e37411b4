"""The panel "Drift": what ``loupe.find_drift`` found last, over time, with the slices and pictures behind it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.panels.base import Notice, Panel, Reading
from loupe.panels.latest import Shown

if TYPE_CHECKING:
    from loupe.brain.core.drift import Drift, DriftBatch
    from loupe.brain.store.drift.kept import Kept, Part
    from loupe.brain.store.overview import Picture

#: so many quantities can be looked through at once: those that are the surest in some batch
_MAX_QUANTITIES = 14


@dataclass(frozen=True)
class Show:
    """Samples that a button shows: the batch, or a slice of it.

    Attributes:
        key: of the slice; empty: the whole batch
        name: how it is called
        where: the database's query, as JSON
    """

    key: str
    name: str
    where: str


@dataclass(frozen=True)
class Content:
    """What is drawn.

    Attributes:
        kept: what was found
        batch: the one that is looked at
        quantities: those that are drawn, the surest first
        quantity: the one that is looked at
        shows: what can be shown of the batch
        newest, oldest: the pictures that are the most typical of it, and of the reference
    """

    kept: Kept
    batch: DriftBatch
    quantities: tuple[str, ...]
    quantity: str
    shows: tuple[Show, ...]
    newest: tuple[Picture, ...]
    oldest: tuple[Picture, ...]


class DriftPanel(Panel[Content]):
    """Draws what is kept on the dataset; nothing is computed here."""

    name = "drift"
    label = "Drift"
    icon = "timeline"
    subject = "drift"
    help_markdown = (
        "What of new samples differs from a reference: vectors, scores, confidences, labels and factors, batch by "
        "batch. The gray band is what chance alone makes. A click on a cell of the map looks at that batch; Show "
        "narrows the view to the samples behind it."
    )
    defaults = {"batch": None, "quantity": None}
    actions = {**Panel.actions, "find_drift": "Compare with a reference"}

    def narrowing(self) -> type[Part]:
        from loupe.brain.store.drift.kept import Part

        return Part

    def read(self, view: Any, choices: Mapping[str, Any], kept: Kept | None) -> Reading[Content] | Notice:
        from loupe.brain.store.drift import kept as drift_kept

        kept = kept or drift_kept.load(view)
        if kept is None:
            return Notice(
                "Nothing has been compared yet. Choose a reference (another dataset, a saved view, or the first day) "
                "to see what of these samples differs from it.",
                "find_drift",
            )
        drift = kept.drift
        batch = _chosen_batch(drift, choices["batch"])
        quantities = _quantities(drift)
        quantity = choices["quantity"]
        if quantity not in quantities:
            own = [shift.quantity for shift in batch.shifts if shift.quantity in quantities]
            quantity = next(iter([*own, *quantities]), "")
        newest, oldest = drift_kept.pictures(view, kept, batch)
        content = Content(kept, batch, quantities, quantity, _shows(kept, batch), newest, oldest)
        return Reading(content, decided={"batch": batch.name, "quantity": quantity}, kept=kept)

    def seen(self, content: Content) -> dict[str, Any]:
        # a query is a text here: the App takes the dots in it for a way through its state
        return {
            "batches": [each.name for each in content.kept.drift.batches],
            "quantities": list(content.quantities),
            "shows": [[show.name, show.where] for show in content.shows],
            "stages": content.kept.stages,
            "pictures": [picture.id for picture in (*content.newest, *content.oldest) if picture.id],
        }

    def draw(self, panel: types.Object, content: Content, shown: Shown, narrowed: Part | None) -> None:
        from loupe.panels.drift import layout

        layout.draw(panel, self, content, narrowed)

    def on_find_drift(self, ctx: Any) -> None:
        ctx.prompt("@loupe/loupe/find_drift")

    def on_nothing(self, ctx: Any) -> None:
        """A plot without anything to click was clicked."""

    def on_batch(self, ctx: Any) -> None:
        self.choose(ctx, batch=ctx.params.get("value"))
        self.refresh(ctx, again=False)

    def on_quantity(self, ctx: Any) -> None:
        self.choose(ctx, quantity=ctx.params.get("value"))
        self.refresh(ctx, again=False)

    def on_cell(self, ctx: Any) -> None:
        """A cell of the map was clicked: a batch and a quantity."""
        self._look_at(ctx, ctx.params.get("x"), ctx.params.get("y"))

    def on_time(self, ctx: Any) -> None:
        """A point over time was clicked: a batch."""
        self._look_at(ctx, ctx.params.get("x"), None)

    def _look_at(self, ctx: Any, column: Any, row: Any) -> None:
        seen = ctx.panel.state.seen
        if seen is None or not isinstance(column, int) or not 0 <= column < len(seen["batches"]):
            return
        chosen = {"batch": seen["batches"][column]}
        if isinstance(row, int) and 0 <= row < len(seen["quantities"]):
            chosen["quantity"] = seen["quantities"][row]
        self.choose(ctx, **chosen)
        self.refresh(ctx, again=False)

    def on_show(self, ctx: Any) -> None:
        """Narrows the view to the samples of the batch, or of a slice of it."""
        from loupe.brain.store import narrowing
        from loupe.brain.store.drift import kept as drift_kept

        seen, at = ctx.panel.state.seen, ctx.params.get("at")
        if seen is None or not isinstance(at, int) or not 0 <= at < len(seen["shows"]):
            return
        name, where = seen["shows"][at]
        base = self.widened(ctx)[0]
        if seen["stages"]:
            base = drift_kept.view_of(ctx.dataset, seen["stages"])
        view = narrowing.narrow(base, drift_kept.Part(name, json.loads(where)))
        if len(view.limit(1)):
            ctx.ops.set_view(view)
        else:
            ctx.ops.notify(f"No sample is in {name} any more: compare again", variant="info")

    def on_open(self, ctx: Any) -> None:
        """A picture was clicked."""
        seen, wanted = ctx.panel.state.seen, ctx.params.get("id")
        if seen is not None and wanted in seen["pictures"]:
            ctx.ops.open_sample(id=wanted)


def _chosen_batch(drift: Drift, name: Any) -> DriftBatch:
    """Returns the batch of that name; else the last that drifted, or the last."""
    from loupe.brain.core.drift import DRIFTED

    drifted = [batch for batch in drift.batches if batch.verdict == DRIFTED]
    return next((batch for batch in drift.batches if batch.name == name), (drifted or list(drift.batches))[-1])


def _quantities(drift: Drift) -> tuple[str, ...]:
    """Returns the quantities that are drawn: those that are the surest in some batch first."""
    surest: dict[str, tuple[float, float]] = {}
    for batch in drift.batches:
        for shift in batch.shifts:
            p = (shift.p_adjusted, shift.p) if shift.p == shift.p else (2.0, 2.0)
            surest[shift.quantity] = min(p, surest.get(shift.quantity, (2.0, 2.0)))
    return tuple(sorted(surest, key=lambda name: (surest[name], name))[:_MAX_QUANTITIES])


def _shows(kept: Kept, batch: DriftBatch) -> tuple[Show, ...]:
    own = kept.batches.get(batch.name)
    if own is None and kept.drift.by:
        return ()
    made = [Show("", batch.name, json.dumps(own or {}))]
    for driver in batch.drivers:
        for factor, value in driver.slice.values.items():
            key = f"{factor}\n{value}"
            if key in kept.slices:
                where = {"$and": [dict(own or {}), dict(kept.slices[key])]}
                made.append(Show(key, f"{batch.name}, {driver.slice}", json.dumps(where)))
    return tuple({show.key: show for show in made}.values())
