"""The panel "Thresholds": the scores of one failure mode, a line to move, and the pictures on both sides of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fiftyone.operators as foo
from fiftyone.operators import types

from loupe.panels import latest

if TYPE_CHECKING:
    from loupe.brain.core.records import Threshold
    from loupe.brain.store.thresholds_view import Scored

#: how many pictures are shown on either side of the line
_EXAMPLES = 4
_SIDES = {"failing": "all that fail", "passing": "all that pass", "examples": "the pictures next to the line"}


class Thresholds(foo.Panel):
    """Nothing is decoded, and nothing is written until the line is saved.

    One column of numbers is read, and not again while the line moves.

    Its state: ``drawn`` (the failure mode, the line, what is drawn of them), ``modes`` (to choose from), ``turn``
    (raised to move the slider itself), ``of`` (the view it was read from), ``view`` (the view it is drawn for) and
    ``notice`` (what to do where nothing can be drawn). Whether the view is narrowed to one side of the line stands in
    the view alone. What the App keeps of its inputs is never written here: it would take that for a choice, and write
    all of the state as it was before.
    """

    @property
    def config(self) -> foo.PanelConfig:
        return foo.PanelConfig(
            name="thresholds",
            label="Thresholds",
            icon="tune",
            help_markdown=(
                "Where a score becomes a failure. Move the line by the slider, the arrow keys or a click in the plot, "
                "look at the pictures on both sides of it, and save it. No picture is read again. Samples that "
                "have no score are unknown: they neither fail nor pass."
            ),
        )

    def execute(self, ctx: Any) -> Any:
        # to draw what is out of date would show the old line for a moment
        if _is_late(ctx):
            return None
        try:
            return super().execute(ctx)
        except latest.Overtaken:
            return None

    def on_load(self, ctx: Any) -> None:
        _refresh(ctx)

    def on_change_dataset(self, ctx: Any) -> None:
        _refresh(ctx, anew=True)

    def on_change_view(self, ctx: Any) -> None:
        # where one of the panel's own buttons narrowed the view, all scores stay drawn
        if ctx.panel.state.drawn is None or ctx.panel.state.of != _of(ctx):
            _refresh(ctx)
        else:
            ctx.panel.state.set("view", _view(ctx))

    def on_refresh(self, ctx: Any) -> None:
        _refresh(ctx)

    def on_failure(self, ctx: Any) -> None:
        if isinstance(ctx.params.get("value"), str):
            latest.choose(ctx.panel_id, ctx.params["value"])
            _refresh(ctx)

    def on_move(self, ctx: Any) -> None:
        """The slider was moved; its name says which failure mode it is of."""
        failure = str(ctx.params.get("path")).rpartition(".")[2].rpartition("__")[0]
        _move(ctx, failure, ctx.params.get("value"))

    def on_pick(self, ctx: Any) -> None:
        """A place in the plot was clicked."""
        from loupe.brain.stats.histogram import Range
        from loupe.operators.forms import is_number

        x, drawn = ctx.params.get("x"), ctx.panel.state.drawn
        if drawn is not None and is_number(x):
            _move(ctx, drawn["failure"], Range(**drawn["histogram"]["range"]).nearest(x), slider_too=True)

    def on_save(self, ctx: Any) -> None:
        """Keeps the line on the dataset and flags every sample of it anew."""
        from loupe.brain.verbs import flag

        drawn = ctx.panel.state.drawn
        if drawn is not None:
            user = getattr(ctx.user, "name", None) or ""
            _flag(ctx, flag.set_now(drawn["line"]["op"], drawn["line"]["value"], by=user))

    def on_default(self, ctx: Any) -> None:
        drawn = ctx.panel.state.drawn
        if drawn is None:
            return
        if drawn["used"] == drawn["default"]:
            _move(ctx, drawn["failure"], drawn["default"]["value"], slider_too=True)
        else:
            _flag(ctx, None)

    def on_show_failing(self, ctx: Any) -> None:
        _show(ctx, "failing")

    def on_show_passing(self, ctx: Any) -> None:
        _show(ctx, "passing")

    def on_show_examples(self, ctx: Any) -> None:
        _show(ctx, "examples")

    def on_show_all(self, ctx: Any) -> None:
        """Sets the view back to what it was before the panel narrowed it."""
        from loupe.brain.store import thresholds_view

        before, which = thresholds_view.widen(ctx.view)
        if which is not None:
            ctx.ops.set_view(before)

    def on_open(self, ctx: Any) -> None:
        """A picture was clicked."""
        drawn, wanted = ctx.panel.state.drawn, ctx.params.get("id")
        if drawn is not None and wanted in {each["id"] for side in drawn["examples"].values() for each in side}:
            ctx.ops.open_sample(id=wanted)

    def on_check(self, ctx: Any) -> None:
        ctx.prompt("@loupe/loupe/check")

    def render(self, ctx: Any) -> types.Property:
        from loupe.panels import thresholds_layout

        panel = types.Object()
        if ctx.panel.state.drawn is None:
            thresholds_layout.notice(panel, self, ctx.panel.state.notice or {"text": "Loading …", "action": ""})
        else:
            thresholds_layout.drawn(panel, self, ctx.panel.state, _narrowed(ctx))
        # one column as wide as the panel: the plot would be as narrow as the text otherwise
        wide = {"grid": {"sx": {"gridTemplateColumns": "minmax(0, 1fr)"}}}
        return types.Property(panel, view=types.GridView(orientation="vertical", gap=1, pad=2, componentsProps=wide))


def _of(ctx: Any) -> str:
    """Returns which samples the scores are of: the dataset, and the view's stages but for the panel's own."""
    from loupe.brain.store import columns, thresholds_view

    return columns.fingerprint(thresholds_view.widen(ctx.view)[0])


def _view(ctx: Any) -> str:
    """Returns which samples the App shows."""
    from loupe.brain.store import columns

    return columns.fingerprint(ctx.view) if ctx.dataset is not None else ""


def _narrowed(ctx: Any) -> str | None:
    from loupe.brain.store import thresholds_view

    return thresholds_view.widen(ctx.view)[1] if ctx.dataset is not None else None


def _is_late(ctx: Any) -> bool:
    """Returns whether it is "the view has changed", and the panel shows that view already.

    The App says so three times after every event, with the panel's state as it was before.
    """
    if ctx.params.get("__method__") != "on_change_view" or ctx.panel.state.drawn is None:
        return False
    return bool(ctx.panel.state.view == _view(ctx))


def _move(ctx: Any, failure: str, value: Any, *, slider_too: bool = False) -> None:
    """Puts the line elsewhere; the slider is there already where it was the slider that was moved.

    Raises:
        Overtaken: a later event draws something else
    """
    from loupe.brain.core.errors import LoupeError
    from loupe.brain.store import thresholds_view
    from loupe.operators.forms import is_number

    with latest.moving(ctx.panel_id, failure):
        if not is_number(value):
            raise latest.Overtaken
        view, _ = thresholds_view.widen(ctx.view)
        try:
            found = _look(view, failure, float(f"{value:.9g}"), latest.kept(ctx.panel_id, f"{_of(ctx)} {failure}"))
        except LoupeError as error:
            ctx.panel.state.set({"drawn": None, "notice": {"text": str(error), "action": "refresh"}})
            return
    ctx.panel.state.set({"drawn": found, "turn": int(ctx.panel.state.turn or 0) + slider_too})


def _flag(ctx: Any, threshold: Threshold | None) -> None:
    from loupe.brain import api
    from loupe.brain.core.errors import LoupeError

    failure = ctx.panel.state.drawn["failure"]
    try:
        # a threshold is the dataset's: a part of the samples must not go on by the old one
        flags = api.flag(ctx.dataset, {failure: threshold})
    except LoupeError as error:
        ctx.ops.notify(str(error), variant="error")
        return
    ctx.ops.notify(f"Flagged: {flags.counts.get(failure, 0):,} samples of the dataset fail", variant="success")
    ctx.ops.reload_samples()
    _refresh(ctx, to_used=True)


def _show(ctx: Any, which: Any) -> None:
    from loupe.brain.core.records import Threshold
    from loupe.brain.store import thresholds_view

    drawn = ctx.panel.state.drawn
    if drawn is None:
        return
    line = Threshold(**drawn["line"])
    before, _ = thresholds_view.widen(ctx.view)
    if which == "examples":
        ids = [each["id"] for side in drawn["examples"].values() for each in side]
        view = thresholds_view.examples(before, drawn["failure"], line, ids)
    else:
        view = thresholds_view.side(before, drawn["failure"], line, which)
    if len(view.limit(1)):
        ctx.ops.set_view(view)
    else:
        ctx.ops.notify(f"There is nothing to show of {_SIDES[which]}", variant="info")


def _refresh(ctx: Any, *, anew: bool = False, to_used: bool = False) -> None:
    """Reads the scores of the current view and keeps what is drawn.

    Args:
        ctx: the event's context
        anew: whether to forget the failure mode that was chosen
        to_used: whether to put the line where the threshold in use has it
    """
    from loupe.brain.core.errors import LoupeError

    before = ctx.panel.state.drawn
    failure, value = None, None
    if not anew:
        failure = latest.chosen(ctx.panel_id) or (before and before["failure"])
        moved = (
            before is not None and before["failure"] == failure and before["line"]["value"] != before["used"]["value"]
        )
        value = before["line"]["value"] if moved and not to_used else None
    try:
        found, notice = _read(ctx, failure, value)
    except LoupeError as error:
        found, notice = None, {"text": str(error), "action": "refresh"}
    if found is None:
        ctx.panel.state.set({"drawn": None, "notice": notice})
        return
    latest.choose(ctx.panel_id, found["drawn"]["failure"])
    turn = int(ctx.panel.state.turn or 0) + 1
    ctx.panel.state.set({**found, "of": _of(ctx), "view": _view(ctx), "notice": None, "turn": turn})


def _read(ctx: Any, failure: str | None, value: float | None) -> tuple[dict[str, Any] | None, dict[str, str] | None]:
    """Returns what is drawn and the failure modes to choose from, or else a notice that says what to do next."""
    from loupe.brain.store import columns, thresholds_view

    if ctx.dataset is None:
        return None, {"text": "Open a dataset to see its scores.", "action": ""}
    view, _ = thresholds_view.widen(ctx.view)
    if not len(view.limit(1)):
        text = "There are no samples here. Generate or import some, or clear the view."
        return None, {"text": text, "action": "refresh"}
    modes = thresholds_view.flagged(view)
    if not modes:
        text = "There are no scores here yet. Check the images: each check writes its scores, a threshold flags them."
        if columns.any_checked(view):
            text = "The checks could judge none of these images: there is no score to put a threshold on."
        return None, {"text": text, "action": "check"}
    if failure is None or failure not in modes:
        failure = next((name for name, failing in modes.items() if failing), next(iter(modes)))
        value = None
    column = thresholds_view.read(view, failure)
    latest.keep(ctx.panel_id, f"{_of(ctx)} {failure}", column)
    return {"drawn": _look(view, failure, value, column), "modes": modes}, None


def _look(view: Any, failure: str, value: float | None, column: Scored | None) -> dict[str, Any]:
    """Returns what is drawn of a failure mode.

    Args:
        view: the samples
        failure: the failure mode
        value: where the line is; None: where the threshold in use has it
        column: the scores, where they have been read already
    """
    from loupe.brain.core import registry
    from loupe.brain.core.records import Threshold
    from loupe.brain.stats import histogram
    from loupe.brain.store import thresholds_view

    _, output = registry.failures()[failure]
    used, default = thresholds_view.in_use(view, failure)
    line = Threshold(used.op, used.value if value is None else value)
    column = column or thresholds_view.read(view, failure)
    over = histogram.score_range(output, column.scores, default.value, used.value)
    if not over.low <= line.value <= over.high:  # the same while the line moves: the plot and the slider stand still
        over = histogram.score_range(output, column.scores, default.value, used.value, line.value)
    near = histogram.nearest(column.scores, line, _EXAMPLES)
    found = thresholds_view.sources(view, [column.ids[index] for side in near for index in side])
    examples = {
        # in the order of the axis
        name: [
            {"id": column.ids[index], "score": float(column.scores[index]), "source": found.get(column.ids[index], "")}
            for index in sorted(side, key=lambda index: float(column.scores[index]))
        ]
        for name, side in zip(("failing", "passing"), near, strict=True)
    }
    return {
        "failure": failure,
        "line": line.to_dict(),
        "used": used.to_dict(),
        "default": default.to_dict(),
        "failing_by_used": int(used.violates(column.scores).sum()),
        "histogram": histogram.histogram(column.scores, line, over).to_dict(),
        "examples": examples,
    }
