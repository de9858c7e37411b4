"""The panel "Realism": what ``compare_to_real`` and ``test_transfer`` found last, with the pictures behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.panels.base import Notice, Panel, Reading
from loupe.panels.latest import Shown

if TYPE_CHECKING:
    from loupe.brain.core.cloud import Cloud
    from loupe.brain.core.realism import Realism, RealismMetric
    from loupe.brain.store.overview import Picture
    from loupe.brain.store.realism.kept import Kept, Part, PicturedPair

#: measures that classes and scenarios are compared by
MEASURES = ("recall", "coverage", "precision", "density", "authenticity")


@dataclass(frozen=True)
class Content:
    """What is drawn.

    Attributes:
        kept: what was found
        gone: what of the samples is not there any more; empty: all are
        pictures: by kind, those that show it the best
        pairs: the pictures that are nearest to a copy
        vectors: the field of vectors whose measures are drawn; empty where nothing was compared
        measure: that classes and scenarios are compared by
        rows: of those, the farthest below a second real set first, generators by release: their names and measures
        holes: of the largest holes the real pictures in their middle
        map: the key of the stored map that is drawn; empty: the plane in which both are spread the widest
        cloud: where both sides lie in it
    """

    kept: Kept
    gone: str
    pictures: Mapping[str, tuple[Picture, ...]]
    pairs: tuple[PicturedPair, ...]
    vectors: str
    measure: str
    rows: tuple[tuple[str, RealismMetric], ...]
    holes: tuple[tuple[Picture, ...], ...] = ()
    map: str = ""
    cloud: Cloud | None = None


class RealismPanel(Panel[Content]):
    """Draws what is kept on the synthetic dataset; nothing is computed here."""

    name = "realism"
    label = "Realism"
    icon = "balance"
    subject = "realism"
    help_markdown = (
        "How a synthetic set lies to a real one, and what it is worth as training data. Every measure stands beside "
        "what a second real set would have: 1 is as real. A click on a picture opens it, a click on a class or on a "
        "point narrows the view."
    )
    defaults = {"vectors": None, "measure": "recall", "map": ""}
    actions = {**Panel.actions, "compare": "Compare with real images"}

    def narrowing(self) -> type[Part]:
        from loupe.brain.store.realism.kept import Part

        return Part

    def read(self, view: Any, choices: Mapping[str, Any], kept: Any) -> Reading[Content] | Notice:
        from loupe.brain.store.realism import kept as store

        if kept is None:
            known = store.load(view)
            if known is None:
                return Notice(
                    "These samples have not been compared with real ones yet. Embed both with the same embedder, then "
                    "compare: what differs, in what, and what to do about it. Whether they train as well as real ones "
                    "is what 'Loupe: test transfer to real images' says.",
                    "compare",
                )
            compared = known.realism is not None
            kinds = store.KINDS if compared else ()
            kept = (known, store.gone(view, known), {kind: store.worst(view, known, kind) for kind in kinds},
                    store.pairs(view, known), store.holes(view, known))  # fmt: skip
        known, gone, pictures, pairs, holes = kept
        made = known.realism
        names = list(made.metrics) if made is not None else []
        vectors = choices["vectors"] if choices["vectors"] in names else next(iter(names), "")
        measure = choices["measure"] if choices["measure"] in MEASURES else MEASURES[0]
        rows = (
            () if made is None else made.by_release(measure) if made.alone and made.released else made.lowest(measure)
        )
        stored = store.on_map(view, known, choices["map"]) if isinstance(choices["map"], str) else None
        shown = choices["map"] if stored is not None else ""
        content = Content(
            known,
            gone,
            pictures,
            pairs,
            vectors,
            measure,
            rows,
            holes,
            shown,
            known.cloud if stored is None else stored,
        )
        return Reading(content, decided={"vectors": vectors, "measure": measure, "map": shown}, kept=kept)

    def seen(self, content: Content) -> dict[str, Any]:
        opened = [each.id for own in content.pictures.values() for each in own]
        opened += [each.id for pair in content.pairs for each in (pair.synthetic, pair.real)]
        opened += [each.id for own in content.holes for each in own]
        return {"pictures": sorted(set(filter(None, opened))), "rows": [name for name, _ in content.rows]}

    def draw(self, panel: types.Object, content: Content, shown: Shown, narrowed: Part | None) -> None:
        from loupe.panels.realism import layout

        layout.draw(panel, self, content, narrowed)

    # buttons

    def on_compare(self, ctx: Any) -> None:
        ctx.prompt("@loupe/loupe/compare_to_real")

    def on_transfer(self, ctx: Any) -> None:
        ctx.prompt("@loupe/loupe/test_transfer")

    def on_suggest(self, ctx: Any) -> None:
        """Suggests prompts for the holes; the dataset keeps them, and they are shown."""
        from loupe.brain.verbs.suggest_prompts import suggest_prompts

        content = self._content(ctx)
        if content is None or content.kept.realism is None:
            return
        made = suggest_prompts(content.kept.realism, ctx.dataset)
        if not len(made):
            ctx.ops.notify("; ".join(made.notes) or "Nothing is missing that prompts could ask for", variant="info")
        self.refresh(ctx)

    def on_rebalance(self, ctx: Any) -> None:
        """Opens the form that draws for the holes until enough passes."""
        from loupe.operators.rebalance import HOLES

        ctx.prompt("@loupe/loupe/rebalance", params={"source": HOLES})

    def on_suggest_otherwise(self, ctx: Any) -> None:
        ctx.prompt("@loupe/loupe/suggest_prompts")

    def on_generate(self, ctx: Any) -> None:
        from loupe.operators.generate import SUGGESTED

        ctx.prompt("@loupe/loupe/generate", params={"prompts__source": SUGGESTED})

    def on_find_memorized(self, ctx: Any) -> None:
        ctx.prompt("@loupe/loupe/find_memorized")

    def on_find_label_issues(self, ctx: Any) -> None:
        ctx.prompt("@loupe/loupe/find_label_issues")

    def on_nothing(self, ctx: Any) -> None:
        """A plot without anything to click was clicked."""

    def on_vectors(self, ctx: Any) -> None:
        self.choose(ctx, vectors=ctx.params.get("value"))
        self.refresh(ctx, again=False)

    def on_measure(self, ctx: Any) -> None:
        self.choose(ctx, measure=ctx.params.get("value"))
        self.refresh(ctx, again=False)

    def on_map(self, ctx: Any) -> None:
        self.choose(ctx, map=ctx.params.get("value"))
        self.refresh(ctx, again=False)

    def on_row(self, ctx: Any) -> None:
        """A class or scenario was clicked."""
        seen, at = ctx.panel.state.seen, ctx.params.get("idx")
        if seen is not None and isinstance(at, int) and 0 <= at < len(seen["rows"]):
            self._show_value(ctx, seen["rows"][at])

    def on_value(self, ctx: Any) -> None:
        """A class or scenario was chosen from the list."""
        seen, value = ctx.panel.state.seen, ctx.params.get("value")
        if seen is not None and value in seen["rows"]:
            self._show_value(ctx, value)

    def on_kind(self, ctx: Any) -> None:
        """Narrows the view to the samples of a kind that pictures show some of, the worst first."""
        from loupe.brain.store.realism import kept as store

        which, content = ctx.params.get("which"), self._content(ctx)
        if content is not None and isinstance(which, str) and (which == "pairs" or which in content.pictures):
            to, ids = store.more(self.widened(ctx)[0], content.kept, which)
            self.narrow(ctx, to, "None of them is in this view", ids)

    def on_point(self, ctx: Any) -> None:
        """A point of the map was clicked: it opens, where it is of this dataset."""
        content = self._content(ctx)
        if content is None or content.cloud is None:
            return
        from loupe.panels.realism import cloud

        ids = cloud.ids(content.cloud)
        trace, at = ctx.params.get("trace_idx"), ctx.params.get("idx")
        if not (isinstance(trace, int) and 0 <= trace < len(ids) and isinstance(at, int) and 0 <= at < len(ids[trace])):
            return
        sample_id = ids[trace][at]
        if len(ctx.dataset.select([sample_id])):
            ctx.ops.open_sample(id=sample_id)
        else:
            ctx.ops.notify(f"That sample is in the dataset {content.kept.real}", variant="info")

    def on_open(self, ctx: Any) -> None:
        """A picture was clicked."""
        seen, wanted = ctx.panel.state.seen, ctx.params.get("id")
        if seen is not None and wanted in seen["pictures"]:
            ctx.ops.open_sample(id=wanted)

    def on_open_real(self, ctx: Any) -> None:
        """Opens the dataset of the real samples."""
        content = self._content(ctx)
        if content is not None and content.kept.real:
            ctx.ops.open_dataset(content.kept.real)

    def _show_value(self, ctx: Any, value: Any) -> None:
        from loupe.brain.store.realism import kept as store

        content = self._content(ctx)
        if content is None or not isinstance(value, str):
            return
        to = store.of_value(content.kept, value)
        if to is None:
            ctx.ops.notify("No query of the database tells these samples from the others", variant="info")
        else:
            self.narrow(ctx, to, f"No sample of {to.name} is left: compare again")

    def _content(self, ctx: Any) -> Content | None:
        """Returns what was drawn last; read again where this server has forgotten it."""
        shown = self._open(ctx).shown
        if shown is None or shown.content is None:
            self.refresh(ctx)
            shown = self._open(ctx).shown
        content = shown.content if shown is not None else None
        return content if isinstance(content, Content) else None


def _rows(made: Realism, measure: str) -> tuple[tuple[str, RealismMetric], ...]:
    return made.by_release(measure) if made.alone and made.released else made.lowest(measure)
