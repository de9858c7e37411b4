"""The panel "Worst slices": the last findings of ``discover_slices`` as cards, with the way to their samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.brain.core.findings import Finding, SliceFindings
from loupe.brain.core.taxonomy import ANY
from loupe.panels.base import Notice, Panel, Reading
from loupe.panels.latest import Shown

if TYPE_CHECKING:
    from loupe.brain.store.findings import Dismissal, InSlice


@dataclass(frozen=True)
class Content:
    """What is drawn.

    Attributes:
        findings: what was found last
        at, by: when, and by whom
        open: the findings that nobody has put aside, those of one slice together
        aside: why the others were, by key
        pictures: where the App's server serves the examples, by sample id
        stale: what has changed since; empty where nothing has
        failing_shows: whether the view can be narrowed to what fails
    """

    findings: SliceFindings
    at: str
    by: str
    open: tuple[tuple[Finding, ...], ...] = ()
    aside: Mapping[str, Dismissal] = field(default_factory=dict)
    pictures: Mapping[str, str] = field(default_factory=dict)
    stale: str = ""
    failing_shows: bool = True


class WorstSlices(Panel[Content]):
    """Shows what was kept; it computes nothing, so it opens at once whatever the size of the dataset."""

    name = "worst_slices"
    label = "Worst slices"
    icon = "troubleshoot"
    subject = "worst slices"
    help_markdown = (
        "Which slices of the samples fail more often than the rest: found on one half of the samples, confirmed on the "
        "other. 'Show' narrows the view to a slice. 'Dismiss' puts a finding aside, with the reason."
    )
    defaults = {"candidates": False, "aside": False, "dismissing": ""}
    actions = {**Panel.actions, "find": "Find the worst slices"}

    def narrowing(self) -> type[InSlice]:
        from loupe.brain.store.findings import InSlice

        return InSlice

    def read(self, view: Any, choices: Mapping[str, Any], kept: Any) -> Reading[Content] | Notice:
        from loupe.brain.store import columns, thresholds_view
        from loupe.brain.store import findings as store
        from loupe.panels.worst_slices.layout import MAX_CARDS

        last = store.load(view)
        if last is None:
            if not columns.any_checked(view):
                text = "Nothing here has been checked yet. Check the images first; then look for the worst slices."
                return Notice(text, "check")
            text = (
                "Nobody has looked for the worst slices of this dataset yet: combinations of conditions, like night × "
                "rain, under which failures are more frequent than elsewhere."
            )
            return Notice(text, "find")
        aside = store.dismissed(view)
        known = last.findings
        slices = [tuple(each for each in own if each.key not in aside) for own in known.by_slice()]
        shown = tuple(filter(None, slices))
        examples = sorted({each for own in shown[:MAX_CARDS] for each in own[0].examples})
        content = Content(
            known,
            last.at,
            last.by,
            shown,
            aside,
            thresholds_view.sources(view, examples),
            store.stale(view, last),
            set(known.judged) <= store.outcomes_known() | {ANY},
        )
        return Reading(content)

    def seen(self, content: Content) -> dict[str, Any]:
        return {"pictures": list(content.pictures)}

    def draw(self, panel: types.Object, content: Content, shown: Shown, narrowed: InSlice | None) -> None:
        from loupe.panels.worst_slices import layout

        layout.draw(panel, self, content, shown.choices, narrowed)

    def on_find(self, ctx: Any) -> None:
        ctx.prompt("@loupe/loupe/discover_slices")

    def on_rebalance(self, ctx: Any) -> None:
        """Opens the form that draws for the slices until enough passes."""
        from loupe.operators.rebalance import SLICES

        ctx.prompt("@loupe/loupe/rebalance", params={"source": SLICES})

    def on_show(self, ctx: Any) -> None:
        """Narrows the view to the samples of a finding, or to those of them that fail."""
        from loupe.brain.store import findings as store

        finding = self._finding(ctx)
        if finding is not None:
            before, _ = self.widened(ctx)
            to, ids = store.narrowing_of(before, finding, failing=ctx.params.get("failing") is True)
            self.narrow(ctx, to, f"Nothing of {finding.where} is in this view", ids)

    def on_open(self, ctx: Any) -> None:
        """A picture was clicked."""
        seen, wanted = ctx.panel.state.seen, ctx.params.get("id")
        if seen is not None and wanted in seen["pictures"]:
            ctx.ops.open_sample(id=wanted)

    def on_candidates(self, ctx: Any) -> None:
        self.choose(ctx, candidates=self.choices(ctx)["candidates"] is not True)
        self.redraw(ctx)

    def on_aside(self, ctx: Any) -> None:
        self.choose(ctx, aside=self.choices(ctx)["aside"] is not True)
        self.redraw(ctx)

    def on_dismiss(self, ctx: Any) -> None:
        """Asks why."""
        key = ctx.params.get("key")
        if isinstance(key, str):
            self.choose(ctx, dismissing=key)
            self.redraw(ctx)

    def on_cancel(self, ctx: Any) -> None:
        self.choose(ctx, dismissing="")
        self.redraw(ctx)

    def on_put_aside(self, ctx: Any) -> None:
        """Puts what a card says aside, with the reason that was typed."""
        from loupe.brain.store import findings as store

        finding = self._finding(ctx)
        reason = self._typed(ctx, finding.key) if finding is not None else ""
        last = store.load(ctx.dataset) if finding is not None else None
        if finding is None or last is None:
            return
        if not reason.strip():
            ctx.ops.notify("Say in a few words why: who looks here later will read it", variant="info")
            return
        aside = store.dismissed(ctx.dataset)
        own = [each for each in last.findings.findings if each.slice_key == finding.slice_key and each.key not in aside]
        store.dismiss(ctx.dataset, own, reason, by=getattr(ctx.user, "name", None) or "")
        self.choose(ctx, dismissing="")
        self.refresh(ctx)

    def _typed(self, ctx: Any, key: str) -> str:
        """Returns what stands in a card's field: the App sends it along with the click, and not with every letter."""
        card = ctx.panel.state.get(f"finding_{key}")
        typed = card.get(f"reason_{key}") if isinstance(card, Mapping) else None
        return typed if isinstance(typed, str) else ""

    def on_undo(self, ctx: Any) -> None:
        """Takes back that findings were put aside, all that were together."""
        from loupe.brain.store import findings as store

        key = ctx.params.get("key")
        if isinstance(key, str) and ctx.dataset is not None:
            store.restore(ctx.dataset, key)
            self.refresh(ctx)

    def _finding(self, ctx: Any) -> Finding | None:
        """Returns the finding whose button was pressed, as it is kept now; None where it is not there any more."""
        from loupe.brain.store import findings as store

        last = store.load(ctx.dataset) if ctx.dataset is not None else None
        listed = [*last.findings.findings, *last.findings.candidates] if last is not None else []
        finding = next((each for each in listed if each.key == ctx.params.get("key")), None)
        if finding is None:
            self.refresh(ctx)
        return finding
