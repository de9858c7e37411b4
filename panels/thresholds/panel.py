"""The panel "Thresholds": the scores of one failure mode, a line to move, and the pictures on both sides of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.operators.forms import is_number
from loupe.panels.base import Notice, Panel, Reading
from loupe.panels.latest import Overtaken, Shown

if TYPE_CHECKING:
    from loupe.brain.core.records import Threshold
    from loupe.brain.store.thresholds_view import Preview, Scored, Side, Which

#: how many pictures are shown on either side of the line
_EXAMPLES = 4
_SIDES = {"failing": "all that fail", "passing": "all that pass", "examples": "the pictures next to the line"}


@dataclass(frozen=True)
class Content:
    """What is drawn: what a threshold would flag, and for each failure mode to choose from how many fail now."""

    preview: Preview
    modes: Mapping[str, int]


@dataclass(frozen=True)
class _Kept:
    """What is not read again while the line moves."""

    modes: Mapping[str, int]
    failure: str
    scored: Scored


class Thresholds(Panel[Content]):
    """Nothing is decoded, and nothing is written until the line is saved.

    One column of numbers is read, and not again while the line moves.
    """

    name = "thresholds"
    label = "Thresholds"
    icon = "tune"
    subject = "scores"
    help_markdown = (
        "Where a score becomes a failure. Move the line by the slider, the arrow keys or a click in the plot, look at "
        "the pictures on both sides of it, and save it. No picture is read again. Samples that have no score are "
        "unknown: they neither fail nor pass."
    )
    #: ``value``: where the line is; None: where the threshold in use has it. What a late event is told by: ``placed``
    #: is the first turn of the slider since something else put the line somewhere, ``moved`` the serial that the App
    #: had drawn when the slider was moved last
    defaults = {"failure": None, "value": None, "placed": 0, "moved": 0}

    def narrowing(self) -> type[Side]:
        from loupe.brain.store.thresholds_view import Side

        return Side

    def read(self, view: Any, choices: Mapping[str, Any], kept: _Kept | None) -> Reading[Content] | Notice:
        from loupe.brain.store import columns, thresholds_view

        modes = thresholds_view.flagged(view) if kept is None else kept.modes
        if not modes:
            if columns.any_checked(view):
                text = "The checks could judge none of these images: there is no score to put a threshold on."
            else:
                text = (
                    "There are no scores here yet. Check the images: each check writes its scores, a threshold flags "
                    "them."
                )
            return Notice(text, "check")
        failure, value = choices["failure"], choices["value"]
        if not isinstance(failure, str) or failure not in modes:
            failure, value = next((name for name, failing in modes.items() if failing), next(iter(modes))), None
        if kept is None or kept.failure != failure:
            kept = _Kept(modes, failure, thresholds_view.read(view, failure))
        preview = thresholds_view.preview(
            view, failure, kept.scored, value=value if is_number(value) else None, examples=_EXAMPLES
        )
        tried = preview.threshold.value
        decided = {"failure": failure, "value": None if tried == preview.used.value else tried}
        return Reading(Content(preview, modes), decided, kept)

    def seen(self, content: Content) -> dict[str, Any]:
        preview = content.preview
        return {
            "failure": preview.failure,
            "op": preview.threshold.op,
            "value": preview.threshold.value,
            "default_used": preview.used == preview.default,
            "range": preview.histogram.range.to_dict(),
            "examples": [example.id for example in preview.examples],
        }

    def draw(self, panel: types.Object, content: Content, shown: Shown, narrowed: Side | None) -> None:
        from loupe.panels.thresholds import layout

        layout.draw(panel, self, content, shown.turn, narrowed)

    def on_failure(self, ctx: Any) -> None:
        failure = ctx.params.get("value")
        if not isinstance(failure, str):
            return
        if failure != self.choices(ctx)["failure"]:
            self._put(ctx, failure=failure, value=None)
        self.refresh(ctx)

    def on_change_dataset(self, ctx: Any) -> None:
        super().on_change_dataset(ctx)
        # a slider of the dataset before moves nothing here
        self.choose(ctx, placed=self.turn(ctx))

    def on_move(self, ctx: Any) -> None:
        """The slider was moved; its name says which failure mode it is of, and which slider it is."""
        name, value = str(ctx.params.get("path")).rpartition(".")[2], ctx.params.get("value")
        failure, _, turn = name.rpartition("__")
        if is_number(value) and turn.isdecimal():
            serial = ctx.panel.state.serial
            sent = {"placed": int(turn), "moved": serial if isinstance(serial, int) else 0}
            self._move(ctx, failure, value, in_place=int(turn) == self.turn(ctx), sent=sent)

    def on_pick(self, ctx: Any) -> None:
        """A place in the plot was clicked."""
        from loupe.brain.stats.histogram import Range

        seen, x = ctx.panel.state.seen, ctx.params.get("x")
        if seen is not None and is_number(x):
            self._move(ctx, seen["failure"], Range(**seen["range"]).nearest(x))

    def on_save(self, ctx: Any) -> None:
        """Keeps the line on the dataset and flags every sample of it anew."""
        from loupe.brain.verbs.steps import flagging

        seen = ctx.panel.state.seen
        if seen is not None:
            user = getattr(ctx.user, "name", None) or ""
            self._flag(ctx, seen["failure"], flagging.set_now(seen["op"], seen["value"], by=user))

    def on_default(self, ctx: Any) -> None:
        seen = ctx.panel.state.seen
        if seen is None:
            return
        if seen["default_used"]:
            self._move(ctx, seen["failure"], None)
        else:
            self._flag(ctx, seen["failure"], None)

    def on_show_failing(self, ctx: Any) -> None:
        self._show_side(ctx, "failing")

    def on_show_passing(self, ctx: Any) -> None:
        self._show_side(ctx, "passing")

    def on_show_examples(self, ctx: Any) -> None:
        self._show_side(ctx, "examples")

    def on_open(self, ctx: Any) -> None:
        """A picture was clicked."""
        seen, wanted = ctx.panel.state.seen, ctx.params.get("id")
        if seen is not None and wanted in seen["examples"]:
            ctx.ops.open_sample(id=wanted)

    def _move(
        self,
        ctx: Any,
        failure: str,
        value: float | None,
        *,
        in_place: bool = False,
        sent: Mapping[str, int] | None = None,
    ) -> None:
        """Puts the line elsewhere, or for None where the threshold in use has it.

        Args:
            ctx: the event's context
            failure: the failure mode whose line it is
            value: where to
            in_place: the slider stands there already
            sent: of a slider: its turn, and the serial that was drawn when it was moved

        Raises:
            Overtaken: another failure mode was chosen since, or the line was put elsewhere since
        """
        if failure != self.choices(ctx)["failure"]:
            raise Overtaken
        # further digits are dust of the slider's arithmetic
        value = None if value is None else float(f"{value:.9g}")
        if sent is None:
            self._put(ctx, value=value)
        else:
            self.choose(ctx, sent, value=value, moved=sent["moved"])
        self.refresh(ctx, again=False, in_place=in_place)

    def _put(self, ctx: Any, **choices: Any) -> None:
        """Notes where something else than the slider puts the line: what was sent of the slider before is late."""
        self.choose(ctx, placed=self.turn(ctx) + 1, **choices)

    def _flag(self, ctx: Any, failure: str, threshold: Threshold | None) -> None:
        from loupe.brain import api

        # a threshold is the dataset's: a part of the samples must not go on by the old one
        flags = api.flag(ctx.dataset, {failure: threshold})
        ctx.ops.notify(f"Flagged: {flags.counts.get(failure, 0):,} samples of the dataset fail", variant="success")
        ctx.ops.reload_samples()
        self._put(ctx, value=None)
        self.refresh(ctx)

    def _show_side(self, ctx: Any, which: Which) -> None:
        from loupe.brain.store.thresholds_view import Side

        seen = ctx.panel.state.seen
        if seen is not None:
            side = Side(seen["failure"], seen["op"], seen["value"], which)
            self.narrow(ctx, side, f"There is nothing to show of {_SIDES[which]}", ids=seen["examples"])
