"""Lays out the panel "Thresholds": the words, the plot, the slider, the pictures and the buttons."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fiftyone.operators import types

from loupe.brain.core import registry
from loupe.brain.core.records import Threshold
from loupe.brain.stats.histogram import Histogram
from loupe.brain.stats.intervals import wilson
from loupe.operators import forms
from loupe.operators.summary import escape, failure_title
from loupe.panels import histogram

_TEXT = {"container": {"sx": {"& p": {"margin": 0}}}}
_SMALL = {"container": {"sx": {"& p": {"margin": 0, "fontSize": "0.85rem", "opacity": 0.75}}}}
_LARGE = {"container": {"sx": {"& p": {"margin": 0, "fontSize": "1.15rem"}}}}
_NARROWED = {
    "failing": "The grid shows all that fail",
    "passing": "The grid shows all that pass",
    "examples": "The grid shows the pictures next to the line",
}


def notice(panel: types.Object, handlers: Any, said: Mapping[str, str]) -> None:
    """Says what to do where nothing can be drawn."""
    panel.view("notice", types.AlertView(severity="info", label=said["text"]))
    actions = {"check": ("Check the images", handlers.on_check), "refresh": ("Try again", handlers.on_refresh)}
    if said["action"] in actions:
        label, handler = actions[said["action"]]
        panel.btn("action", label=label, on_click=handler, variant="contained")


def drawn(panel: types.Object, handlers: Any, state: Any, narrowed: str | None) -> None:
    """Draws the failure mode that is chosen.

    Args:
        panel: to draw on
        handlers: the panel whose methods are called
        state: of the panel
        narrowed: to which side of the line the view is narrowed, or None
    """
    facts = state.drawn
    of = Histogram.from_dict(facts["histogram"])
    line, used, default = (Threshold(**facts[name]) for name in ("line", "used", "default"))
    _, output = registry.failures()[facts["failure"]]

    _controls(panel, handlers, state)
    panel.md(escape(output.description), name="what", componentsProps=_SMALL)
    data, layout = histogram.draw(of, output, line, used)
    # the plot's data stand in the view: panel data would be merged with those of the plot before
    panel.plot(
        "plot",
        data=data,
        layout=layout,
        config={"displayModeBar": False, "scrollZoom": False, "responsive": True},
        on_click=handlers.on_pick,
        height=f"{layout['height']}px",
    )
    _slider(panel, handlers, of, line, state)
    panel.md(_counts(of, line, used, facts["failing_by_used"]), name="counts", componentsProps=_LARGE)
    buttons = _row(panel, "buttons")
    buttons.btn(
        "save",
        label="Save and flag",
        icon="save",
        variant="contained",
        disabled=line.value == used.value,
        on_click=handlers.on_save,
    )
    buttons.btn(
        "default",
        label="Back to the default",
        icon="undo",
        variant="outlined",
        disabled=line.value == used.value == default.value,
        on_click=handlers.on_default,
    )
    buttons.md(_origin(used, default), name="origin", componentsProps=_SMALL)
    _examples(panel, handlers, facts["examples"], line)
    _views(panel, handlers, narrowed)


def _row(panel: types.Object, name: str) -> types.Object:
    """Adds a row that breaks where the panel is narrow."""
    sx = {"display": "flex", "flexWrap": "wrap", "alignItems": "center", "& > *": {"width": "auto"}}
    row: types.Object = panel.h_stack(name, gap=2, align_y="center", componentsProps={"grid": {"sx": sx}})
    return row


def _controls(panel: types.Object, handlers: Any, state: Any) -> None:
    row = panel.h_stack("controls", gap=2, align_y="end")
    # neither the list nor the slider has a default or a value of the state: the App takes a change of it for a choice
    choices = types.DropdownView(componentsProps={"select": {"value": state.drawn["failure"]}})
    for name, failing in state.modes.items():
        choices.add_choice(name, label=f"{failure_title(name)}: {failing:,} fail now")
    row.str("failure", view=choices, label="Failure", on_change=handlers.on_failure)
    row.btn("refresh", label="Refresh", icon="refresh", variant="outlined", on_click=handlers.on_refresh)


def _slider(panel: types.Object, handlers: Any, of: Histogram, line: Threshold, state: Any) -> None:
    # its thumb stands under the line of the plot; 16 pixels are the slider's own padding
    half = of.width / 2 if of.range.whole else 0
    share = half / (of.range.high - of.range.low + 2 * half)
    left, right = histogram.LEFT - 16, histogram.RIGHT - 16
    place = {
        "marginLeft": f"calc({left}px + (100% - {left + right}px) * {share:.5f})",
        "width": f"calc((100% - {left + right}px) * {1 - 2 * share:.5f})",
    }
    # a new name moves the slider itself; without a key the App makes a new one at each step, which loses the keyboard
    key = f"{state.drawn['failure']}__{state.turn}"
    over = of.range
    props = {"key": key, "defaultValue": line.value, "sx": place, "aria-label": "Threshold"}
    view = forms.slider(over.low, over.high, over.step, **props)
    # the App puts 48 pixels above a slider and as many below it
    close = {"gridTemplateColumns": "minmax(0, 1fr)", "marginTop": "-44px", "marginBottom": "-36px"}
    row = panel.v_stack("slider", componentsProps={"grid": {"sx": close}})
    row.float(key, view=view, on_change=handlers.on_move)


def _counts(of: Histogram, line: Threshold, used: Threshold, failing_by_used: int) -> str:
    parts = [f"**{of.failed:,} of {of.judged:,}** judged fail {histogram.said(line)}"]
    if of.judged:
        low, high = (float(end) for end in wilson(of.failed, of.judged))
        parts[0] += f" ({_percent(of.failed / of.judged)}, 95 % interval {_percent(low)} to {_percent(high)})"
    parts.append(f"**{of.unknown:,}** unknown")
    if line.value != used.value:
        more = of.failed - failing_by_used
        change = "as many as" if not more else f"**{abs(more):,} {'more' if more > 0 else 'fewer'}** than"
        parts.append(f"{change} {histogram.said(used)}, which is in use ({failing_by_used:,})")
    beyond = [(of.below, "below", of.range.low, "first"), (of.above, "above", of.range.high, "last")]
    parts += [f"{count:,} {side} {end:g} stand in the {bar} bar" for count, side, end, bar in beyond if count]
    return " · ".join(parts)


def _percent(share: float) -> str:
    """Returns a share with one decimal, and never 0 % or 100 % of what is only nearly so.

    >>> _percent(0.067), _percent(0.0001), _percent(0.9999), _percent(1.0)
    ('6.7 %', '< 0.1 %', '> 99.9 %', '100.0 %')
    """
    if 0 < share < 0.0005:
        return "< 0.1 %"
    return "> 99.9 %" if 0.9995 <= share < 1 else f"{share * 100:.1f} %"


def _origin(used: Threshold, default: Threshold) -> str:
    """Returns where the threshold in use comes from."""
    provenance = f" ({escape(default.provenance)})" if default.provenance else ""
    by = f" by {escape(used.by)}" if used.by else ""
    at = f" on {escape(_moment(used.at))}" if used.at else ""
    its_default = f"the default is {default.value:g}{provenance}"
    if used.source.startswith("calibrated:"):
        run = escape(used.source.removeprefix("calibrated:"))
        return f"In use: {histogram.said(used)}, calibrated by {run}{at}; {its_default}."
    if used.source == "default":
        return f"In use: the default, {histogram.said(used)}{provenance}."
    return f"In use: {histogram.said(used)}. Set{by or (' by hand' if not at else '')}{at}; {its_default}."


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


def _examples(panel: types.Object, handlers: Any, examples: Mapping[str, Any], line: Threshold) -> None:
    sx = {"display": "grid", "gridAutoFlow": "row", "gridTemplateColumns": "repeat(auto-fit, minmax(260px, 1fr))"}
    both = panel.h_stack("examples", gap=2, componentsProps={"grid": {"sx": sx}})
    side = {"<": ("below", "above"), ">": ("above", "below")}[line.op]
    titles = {"failing": f"Just {side[0]} the line: fail", "passing": f"Just {side[1]} the line: pass"}
    # in the order of the axis
    for name in ("failing", "passing") if line.op == "<" else ("passing", "failing"):
        group = both.v_stack(name, gap=1, componentsProps={"grid": {"sx": {"gridTemplateColumns": "minmax(0, 1fr)"}}})
        shown = examples[name]
        group.md(f"**{titles[name]}**" + ("" if shown else "\n\nNone."), name="title", componentsProps=_TEXT)
        if not shown:
            continue
        columns = {"display": "grid", "gridAutoFlow": "row", "gridTemplateColumns": "repeat(4, minmax(0, 1fr))"}
        row = group.h_stack("pictures", gap=1, componentsProps={"grid": {"sx": columns}})
        for number, each in enumerate(shown):
            row.str(
                f"picture{number}",
                default=each["source"],
                view=types.ImageView(
                    alt=f"score {each['score']:.4g}",
                    label=escape(f"{each['score']:.4g}"),
                    operator=handlers.on_open,
                    params={"id": each["id"]},
                    componentsProps={"image": {"style": _picture(name)}, "header": _PICTURE_HEADER},
                ),
            )


_PICTURE_HEADER = {"label": {"sx": {"fontSize": "0.8rem", "color": "text.secondary"}}}


def _picture(side: str) -> dict[str, Any]:
    color = histogram.FAIL if side == "failing" else histogram.PASS
    return {
        "width": "100%",
        "height": 78,
        "objectFit": "contain",
        "background": "rgba(128, 134, 144, 0.12)",
        "borderBottom": f"3px solid {color}",
        "borderRadius": 3,
        "cursor": "pointer",
        "display": "block",
    }


def _views(panel: types.Object, handlers: Any, narrowed: str | None) -> None:
    row = _row(panel, "views")
    buttons = {
        "show_examples": ("Show these in the grid", handlers.on_show_examples),
        "show_failing": ("Show all failing", handlers.on_show_failing),
        "show_passing": ("Show passing", handlers.on_show_passing),
    }
    for name, (label, handler) in buttons.items():
        row.btn(name, label=label, variant="outlined", on_click=handler)
    if narrowed is not None:
        row.btn("show_all", label="Show all", icon="undo", variant="contained", on_click=handlers.on_show_all)
        row.md(_NARROWED[narrowed], name="narrowed", componentsProps=_SMALL)
