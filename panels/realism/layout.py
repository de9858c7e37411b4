"""Lays out the panel "Realism": findings with pictures, measures, classes, the map, spectra, and what trains what."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.brain.core.realism import ADDITIVE_ONLY, COLLAPSE, INSUFFICIENT_DATA, LABEL_MISMATCH, MEMORIZED, USEFUL
from loupe.brain.core.shares import tenths, whole
from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.operators.wording import in_app
from loupe.panels import theme, widgets
from loupe.panels.realism import cloud, headings, holes, parts, pictures, plot, transfer

if TYPE_CHECKING:
    from loupe.brain.core.realism import Realism, Transfer, Verdict
    from loupe.brain.store.realism.kept import Part
    from loupe.panels.realism.panel import Content

#: of a finding; what is not named is a fault
_COLORS = {USEFUL: theme.SERIES[2], ADDITIVE_ONLY: theme.SERIES[0], INSUFFICIENT_DATA: theme.GRAY}
#: the App shows nothing for an empty text; no map is called so
_PLANE = "\n"


def draw(panel: types.Object, handlers: Any, content: Content, narrowed: Part | None) -> None:
    """Draws what was found.

    Args:
        panel: to draw on
        handlers: the panel whose methods are called
        content: what was found, and what of it is looked at
        narrowed: the samples that the view is narrowed to, or None
    """
    made = content.kept.realism
    panel.md(f"**{_title(content)}**", name="title", componentsProps=theme.LARGE)
    panel.md(_compared(content), name="compared", componentsProps=theme.SMALL)
    head = widgets.row(panel, "head")
    again = "Compare again" if made is not None else "Compare with real images"
    head.btn("compare", label=again, icon="balance", variant="outlined", on_click=handlers.on_compare)
    widgets.refresh_button(head, handlers)
    widgets.show_all_button(head, handlers, disabled=narrowed is None)
    if narrowed is not None:
        head.md(f"Showing {escape(narrowed.name)}", name="sentence", componentsProps=theme.TEXT)
    if content.gone:
        panel.view("gone", types.AlertView(severity="warning", label=f"{content.gone}: compare again."))
    for number, warning in enumerate(made.warnings if made is not None else ()):
        panel.view(
            f"warning{number}", types.AlertView(severity="warning", label=f"{warning[:1].upper()}{warning[1:]}.")
        )
    used = _findings(panel, handlers, content)
    if made is not None:
        _measures(panel, handlers, content, made)
        parts.draw(panel, handlers, content, made)
        holes.draw(panel, handlers, content, made)
        _map(panel, handlers, content)
        _spectra(panel, handlers, made)
        pictures.others(panel, handlers, content, used)
    _transfer(panel, handlers, content.kept.transfer)


def _title(content: Content) -> str:
    made, worth = content.kept.realism, content.kept.transfer
    if made is not None:
        return f"{counted(made.n_synthetic, 'synthetic sample')} against {made.n_real:,} real ones"
    return f"What the synthetic samples are worth as training data: {escape(worth.label)}" if worth is not None else ""


def _compared(content: Content) -> str:
    kept, parts = content.kept, []
    if kept.realism is not None:
        parts = [f"Real samples of {escape(kept.real)}", f"compared {_when(kept.at)}"]
        if kept.realism.unknown:
            parts.append(f"{counted(kept.realism.unknown, 'sample')} without a usable vector left out")
    if kept.transfer is not None:
        parts.append(f"transfer tested {_when(kept.transfer_at)}")
    return " · ".join(parts)


def _when(at: str) -> str:
    return f"{at[:16].replace('T', ' ')} UTC"


# findings


def _findings(panel: types.Object, handlers: Any, content: Content) -> set[str]:
    """Draws a card for each finding; returns the kinds of pictures that were shown."""
    kept = content.kept
    own = kept.realism.findings if kept.realism is not None else ()
    # a transfer test says more of a set's use than what the comparison found on half of the real samples
    worth = kept.transfer.findings if kept.transfer is not None else ()
    of_use = (USEFUL, ADDITIVE_ONLY, INSUFFICIENT_DATA)
    listed = [each for each in own if not (worth and each.name in of_use)] + list(worth)
    used: set[str] = set()
    for number, verdict in enumerate(listed):
        color = _COLORS.get(verdict.name, theme.FAIL)
        card = widgets.column(panel, f"finding{number}", **_card(color))
        styled = {"container": {"sx": {"& p": {"margin": 0, "color": color, "letterSpacing": "0.04em"}}}}
        card.md(f"**{escape(verdict.name.replace('_', ' '))}**", name="name", componentsProps=styled)
        card.md(f"{escape(verdict.sentence)}.", name="sentence", componentsProps=theme.TEXT)
        if verdict.next:
            card.md(f"**Next:** {escape(in_app(verdict.next))}", name="next", componentsProps=theme.TEXT)
        _next(card, handlers, content, verdict)
        used |= pictures.of_finding(card, handlers, content, verdict, used)
    if not listed:
        text = "It neither replaces real samples nor helps beside them, as far as these samples tell"
        alike = kept.realism is not None
        if kept.realism is not None:
            text = kept.realism.without_findings()
            alike = text.startswith("Nothing")
        panel.view("nothing", types.AlertView(severity="success" if alike else "info", label=f"{text}."))
    return used


def _card(color: str) -> dict[str, str]:
    return {
        "border": f"1px solid {theme.faint_gray(0.4)}",
        "borderLeft": f"5px solid {color}",
        "borderRadius": "6px",
        "padding": "10px 12px",
        "marginTop": "6px",
    }


def _next(card: types.Object, handlers: Any, content: Content, verdict: Verdict) -> None:
    made = content.kept.realism
    if verdict.name == COLLAPSE and made is not None and made.holes is not None and made.holes.holes:
        button = {"label": "Suggest prompts", "on_click": handlers.on_suggest}
    elif verdict.name == MEMORIZED:
        button = {"label": "Find memorized images", "on_click": handlers.on_find_memorized}
    elif verdict.name == LABEL_MISMATCH:
        button = {"label": "Find label issues", "on_click": handlers.on_find_label_issues}
    else:
        return
    row = widgets.row(card, "buttons")
    row.btn("next_button", variant="outlined", **button)


# how it lies to the real set


def _measures(panel: types.Object, handlers: Any, content: Content, made: Realism) -> None:
    metrics = made.metrics.get(content.vectors, ())
    if not metrics:
        return
    text = (
        "1: as a second real set of that size. Gray: where real sets lie to each other. Blue: within it. Orange: "
        "outside. Bars: 95 of 100 splits. A triangle: beyond the edge."
    )
    headings.heading(panel, "measures", "How real it is", text)
    if len(made.metrics) > 1:
        choices = widgets.grid(panel, "embedders", "repeat(1, minmax(0, 280px))", gap=1)
        fields = {name: name for name in made.metrics}
        widgets.dropdown(choices, "vectors_of", "Vectors", fields, content.vectors, handlers.on_vectors, focused=False)
    widgets.plot(panel, "measures", plot.measures(metrics), handlers.on_nothing)
    others = plot.without_ratio(metrics)
    if others:
        panel.md(escape(others), name="measures_others", componentsProps=theme.SMALL)


def _map(panel: types.Object, handlers: Any, content: Content) -> None:
    made = content.cloud
    if made is None or not (made.real and made.synthetic):
        return
    if content.map:
        text = f"The map {content.map!r}, which loupe.embed or FiftyOne has made of this dataset. "
        text += "It keeps neighbors together; how far groups lie apart says little."
    else:
        text = f"The two directions in which both are spread the widest: {whole(made.share)} of the spread. What lies "
        text += "apart here is apart; what lies together may not be near."
    text += " Rings: real samples without a synthetic one near. Click a point to open it."
    headings.heading(panel, "map", "Both sets in one map", escape(text))
    if content.kept.maps:
        choices = widgets.grid(panel, "map_choices", "repeat(1, minmax(0, 280px))", gap=1)
        offered = {_PLANE: "widest directions", **{key: key for key in content.kept.maps}}
        chosen = content.map or _PLANE
        widgets.dropdown(choices, "map_of", "Map", offered, chosen, handlers.on_map, focused=False)
    widgets.plot(panel, "map", cloud.points(made), handlers.on_point)


def _spectra(panel: types.Object, handlers: Any, made: Realism) -> None:
    if not made.bands:
        text = "No spectra were compared: turn on spectra, with at least 100 pictures on each side."
        headings.heading(panel, "spectra", "Spectra", text)
        return
    text = "Power of the synthetic pictures over that of the real ones. Gray: where two real sets lie."
    headings.heading(panel, "spectra", "Spectra", text if made.bands_chance else text.split(" Gray")[0])
    widgets.plot(panel, "spectra", cloud.spectra(made.bands, made.bands_chance), handlers.on_nothing)


# what it is worth


def _transfer(panel: types.Object, handlers: Any, made: Transfer | None) -> None:
    if made is None:
        text = (
            "Not known yet whether it trains as well as real samples: that takes a class a sample on both sides, and "
            "real samples to test on."
        )
        headings.heading(panel, "transfer", "What it is worth as training data", text)
        row = widgets.row(panel, "transfer_row")
        row.btn(
            "test", label="Test transfer", icon="model_training", variant="contained", on_click=handlers.on_transfer
        )
        return
    headings.heading(panel, "transfer", "What it is worth as training data", _worth(made))
    widgets.plot(panel, "matrix", transfer.matrix(made), handlers.on_nothing)
    text = (
        f"Rows: trained on; columns: tested. Accuracy with its 95 % interval; guessing gives {whole(made.chance)}. All "
        "but 'all synthetic' are trained on equally many samples of each class."
    )
    panel.md(escape(text), name="matrix_text", componentsProps=theme.SMALL)
    if made.curve:
        headings.heading(panel, "curve", "How many real samples it replaces", _replaces(made))
        widgets.plot(panel, "curve", transfer.curve(made), handlers.on_nothing)
    row = widgets.row(panel, "transfer_row")
    row.btn("test", label="Test again", icon="model_training", variant="outlined", on_click=handlers.on_transfer)


def _worth(made: Transfer) -> str:
    utility, gain = made.utility, made.gain
    parts = [f"Classes of {escape(made.label)}"]
    if math.isfinite(utility.value):
        parts.append(f"utility **{utility.value:.2f}** ({utility.low:.2f} to {utility.high:.2f}): 1 is as good as real")
    if math.isfinite(gain.value):
        parts.append(
            f"beside real ones {tenths(gain.value, signed=True)} accuracy "
            f"({tenths(gain.low, signed=True)} to {tenths(gain.high, signed=True)})"
        )
    if made.left_out:
        parts.append(f"left out, on one side only: {escape(', '.join(list(made.left_out)[:6]))}")
    return " · ".join(parts)


def _replaces(made: Transfer) -> str:
    size = made.equivalent_real_size
    if math.isnan(size.value):
        return "Not known."
    value, low, high = (_samples(each, made) for each in (size.value, size.low, size.high))
    return f"All synthetic samples train as well as {value} real ones (95 % interval: {low} to {high})."


def _samples(size: float, made: Transfer) -> str:
    """Returns a number of real samples; beyond the ends of the curve nothing was measured."""
    if math.isinf(size):
        return f"more than all {made.curve[-1][0]:,}"
    return f"{size:,.0f}" if size > 0 else f"fewer than {made.curve[0][0]:,}"
