"""The panel "Overview": the failures of the samples with pictures, what nobody knows, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.panels.base import Notice, Panel, Reading
from loupe.panels.latest import Shown

if TYPE_CHECKING:
    from loupe.brain.store.columns import Cell
    from loupe.brain.store.overview import Shown as Content


class Overview(Panel["Content"]):
    """Works on any dataset of images: no factor is needed, nor any check."""

    name = "overview"
    label = "Overview"
    icon = "dashboard"
    subject = "failures"
    help_markdown = (
        "Which failures there are, with some pictures of each, and how many samples no check could judge or has looked "
        "at. A click on a picture opens it; the button beside a failure shows all that have it."
    )

    def narrowing(self) -> type[Cell]:
        from loupe.brain.store.columns import Cell

        return Cell

    def read(self, view: Any, choices: Mapping[str, Any], kept: Any) -> Reading[Content] | Notice:
        from loupe.brain.store import overview

        return Reading(overview.read(view))

    def seen(self, content: Content) -> dict[str, Any]:
        return {
            "modes": list(content.pictures),
            "pictures": [picture.id for pictures in content.pictures.values() for picture in pictures],
        }

    def draw(self, panel: types.Object, content: Content, shown: Shown, narrowed: Cell | None) -> None:
        from loupe.panels.overview import layout

        layout.draw(panel, self, content, narrowed)

    def on_find_duplicates(self, ctx: Any) -> None:
        ctx.prompt("@loupe/loupe/find_duplicates")

    def on_show(self, ctx: Any) -> None:
        """Narrows the view to the samples that have a failure."""
        from loupe.brain.core.taxonomy import failure_title
        from loupe.brain.slicing.outcomes import State
        from loupe.brain.store.columns import Cell

        seen, failure = ctx.panel.state.seen, ctx.params.get("failure")
        if seen is not None and failure in seen["modes"]:
            self.narrow(ctx, Cell({}, failure, State.FAILED), f"Nothing has {failure_title(failure)} any more")

    def on_open(self, ctx: Any) -> None:
        """A picture was clicked."""
        seen, wanted = ctx.panel.state.seen, ctx.params.get("id")
        if seen is not None and wanted in seen["pictures"]:
            ctx.ops.open_sample(id=wanted)
