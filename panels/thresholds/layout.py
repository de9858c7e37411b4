"""Lays out the panel "Thresholds": the words, the plot, the slider, the pictures and the buttons."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.brain.core import registry
from loupe.brain.core.records import Threshold
from loupe.brain.core.shares import tenths
from loupe.brain.core.shown import markdown as escape
from loupe.brain.core.taxonomy import failure_title
from loupe.brain.stats.histogram import Histogram
from loupe.operators import forms
from loupe.panels import theme, widgets
from loupe.panels.thresholds import plot

if TYPE_CHECKING:
    from loupe.brain.store.thresholds_view import Example, Preview, Side
    from loupe.panels.thresholds.panel import Content

#: a slider's own, in pixels
_PADDING = 16
_NARROWED = {
    "failing": "The grid shows all that fail",
    "passing": "The grid shows all that pass",
    "examples": "The grid shows the pictures next to the line",
}


def draw(panel: types.Object, handlers: Any, content: Content, turn: int, narrowed: Side | None) -> None:
    """Draws the failure mode that is chosen.

    Args:
        panel: to draw on
        handlers: the panel whose methods are called
        content: what the threshold would flag, and the failure modes to choose from
        turn: of the slider: a new one moves it
        narrowed: the side of the threshold that the view is narrowed to, or None
    """
    preview = content.preview
    threshold, used, default = preview.threshold, preview.used, preview.default
    _, output = registry.failures()[preview.failure]

    _controls(panel, handlers, content)
    panel.md(escape(output.description), name="what", componentsProps=theme.SMALL)
    widgets.plot(panel, "plot", plot.draw(preview.histogram, output, threshold, used), handlers.on_pick)
    _slider(panel, handlers, preview, turn)
    panel.md(_counts(preview), name="counts", componentsProps=theme.LARGE)
    buttons = widgets.row(panel, "buttons")
    buttons.btn(
        "save",
        label="Save and flag",
        icon="save",
        variant="contained",
        disabled=threshold.value == used.value,
        on_click=handlers.on_save,
    )
    buttons.btn(
        "default",
        label="Back to the default",
        icon="undo",
        variant="outlined",
        disabled=threshold.value == used.value == default.value,
        on_click=handlers.on_default,
    )
    buttons.md(_origin(used, default), name="origin", componentsProps=theme.SMALL)
    _examples(panel, handlers, preview)
    _views(panel, handlers, narrowed)


def _controls(panel: types.Object, handlers: Any, content: Content) -> None:
    row = panel.h_stack("controls", gap=2, align_y="end")
    modes = {name: f"{failure_title(name)}: {failing:,} fail now" for name, failing in content.modes.items()}
    widgets.dropdown(row, "failure", "Failure", modes, content.preview.failure, handlers.on_failure)
    row.btn("refresh", label="Refresh", icon="refresh", variant="outlined", on_click=handlers.on_refresh)


def _slider(panel: types.Object, handlers: Any, preview: Preview, turn: int) -> None:
    over = preview.histogram.range
    # its thumb stands under the line of the plot
    left, width = _slider_place(preview.histogram)
    # a new name moves the slider itself; without a key the App makes a new one at each step, which loses the keyboard
    key = f"{preview.failure}__{turn}"
    props = {
        "key": key,
        "defaultValue": preview.threshold.value,
        "sx": {"marginLeft": left, "width": width},
        "aria-label": "Threshold",
    }
    view = forms.slider(over.low, over.high, over.step, **props)
    # the App puts 48 pixels above a slider and as many below it
    row = widgets.column(panel, "slider", marginTop="-44px", marginBottom="-36px")
    row.float(key, view=view, on_change=handlers.on_move)


def _slider_place(drawn: Histogram) -> tuple[str, str]:
    """Returns the left margin and the width that put a slider's ends under those of the plot's range, in CSS."""
    half = drawn.width / 2 if drawn.range.whole else 0
    share = half / (drawn.range.high - drawn.range.low + 2 * half)
    left, right = plot.LEFT - _PADDING, plot.RIGHT - _PADDING
    room = f"(100% - {left + right}px)"
    return f"calc({left}px + {room} * {share:.5f})", f"calc({room} * {1 - 2 * share:.5f})"


def _counts(preview: Preview) -> str:
    drawn, used = preview.histogram, preview.used
    parts = [f"**{drawn.failed:,} of {drawn.judged:,}** judged fail {plot.condition(preview.threshold)}"]
    if drawn.judged:
        interval = f"{tenths(preview.low)} to {tenths(preview.high)}"
        parts[0] += f" ({tenths(preview.rate)}, 95 % interval {interval})"
    parts.append(f"**{drawn.unknown:,}** unknown")
    if preview.threshold.value != used.value:
        more = drawn.failed - preview.failing_by_used
        change = "as many as" if not more else f"**{abs(more):,} {'more' if more > 0 else 'fewer'}** than"
        parts.append(f"{change} {plot.condition(used)}, which is in use ({preview.failing_by_used:,})")
    beyond = [(drawn.below, "below", drawn.range.low, "first"), (drawn.above, "above", drawn.range.high, "last")]
    parts += [f"{count:,} {side} {end:g} stand in the {bar} bar" for count, side, end, bar in beyond if count]
    return " · ".join(parts)


def _origin(used: Threshold, default: Threshold) -> str:
    """Returns where the threshold in use comes from."""
    provenance = f" ({escape(default.provenance)})" if default.provenance else ""
    by = f" by {escape(used.by)}" if used.by else ""
    at = f" on {escape(_moment(used.at))}" if used.at else ""
    its_default = f"the default is {default.value:g}{provenance}"
    if used.source.startswith("calibrated:"):
        run = escape(used.source.removeprefix("calibrated:"))
        return f"In use: {plot.condition(used)}, calibrated by {run}{at}; {its_default}."
    if used.source.startswith("review of "):
        return f"In use: {plot.condition(used)}, from the {escape(used.source)}{at}; {its_default}."
    if used.source == "default":
        return f"In use: the default, {plot.condition(used)}{provenance}."
    return f"In use: {plot.condition(used)}. Set{by or (' by hand' if not at else '')}{at}; {its_default}."


def _moment(at: str) -> str:
    """Returns a time as it is read.

    >>> _moment("2026-11-24T21:31:05+01:00")
    '2026-11-24 20:31 UTC'
    """
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return at
    return f"{moment.astimezone(UTC) if moment.tzinfo else moment:%Y-%m-%d %H:%M} UTC"


def _examples(panel: types.Object, handlers: Any, preview: Preview) -> None:
    op = preview.threshold.op
    both = widgets.grid(panel, "examples", "repeat(auto-fit, minmax(260px, 1fr))", gap=2)
    first, second = {"<": ("below", "above"), ">": ("above", "below")}[op]
    sides = {
        "failing": (f"Just {first} the line: fail", preview.failing, theme.FAIL),
        "passing": (f"Just {second} the line: pass", preview.passing, theme.PASS),
    }
    # in the order of the axis
    for name in ("failing", "passing") if op == "<" else ("passing", "failing"):
        title, examples, color = sides[name]
        group = widgets.column(both, name)
        text = f"**{title}**" + ("" if examples else "\n\nNone.")
        group.md(text, name="title", componentsProps=theme.TEXT)
        if examples:
            _pictures(group, handlers, examples, color)


def _pictures(panel: types.Object, handlers: Any, examples: tuple[Example, ...], color: str) -> None:
    row = widgets.grid(panel, "pictures", "repeat(4, minmax(0, 1fr))", gap=1)
    for number, example in enumerate(examples):
        row.str(
            f"picture{number}",
            default=example.source,
            view=types.ImageView(
                alt=f"score {example.score:.4g}",
                label=f"{example.score:.4g}",
                operator=handlers.on_open,
                params={"id": example.id},
                componentsProps={"image": {"style": _picture(color)}, "header": _PICTURE_HEADER},
            ),
        )


_PICTURE_HEADER = {"label": {"sx": {"fontSize": "0.8rem", "color": "text.secondary"}}}


def _picture(color: str) -> dict[str, Any]:
    return {
        "width": "100%",
        "height": 78,
        "objectFit": "contain",
        "background": theme.faint_gray(0.12),
        "borderBottom": f"3px solid {color}",
        "borderRadius": 3,
        "cursor": "pointer",
        "display": "block",
    }


def _views(panel: types.Object, handlers: Any, narrowed: Side | None) -> None:
    row = widgets.row(panel, "views")
    buttons = {
        "show_examples": ("Show these in the grid", handlers.on_show_examples),
        "show_failing": ("Show all failing", handlers.on_show_failing),
        "show_passing": ("Show passing", handlers.on_show_passing),
    }
    for name, (label, handler) in buttons.items():
        row.btn(name, label=label, variant="outlined", on_click=handler)
    if narrowed is not None:
        row.btn("show_all", label="Show all", icon="undo", variant="contained", on_click=handlers.on_show_all)
        row.md(_NARROWED[narrowed.which], name="narrowed", componentsProps=theme.SMALL)
