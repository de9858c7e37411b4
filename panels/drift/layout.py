"""Lays out the panel "Drift": what is compared, the map, one quantity over time, and the batch that is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.brain.core.drift import ALL, DRIFTED, TOO_FEW, DriftBatch, Shift
from loupe.brain.core.p_values import equals
from loupe.brain.core.shares import tenths, whole
from loupe.brain.core.shown import counted, field_name
from loupe.brain.core.shown import markdown as escape
from loupe.panels import theme, widgets
from loupe.panels.drift import plot

if TYPE_CHECKING:
    from loupe.brain.store.drift.kept import Part
    from loupe.brain.store.overview import Picture
    from loupe.panels.drift.panel import Content

_MAX_DRIFTED = 6
#: of sentences below each other
_LINES = {"container": {"sx": {"& p": {"margin": "0 0 6px 0"}}}}
_VERDICTS = {DRIFTED: "drifted", TOO_FEW: "too few samples to tell"}


def draw(panel: types.Object, handlers: Any, content: Content, narrowed: Part | None) -> None:
    """Draws what was found.

    Args:
        panel: to draw on
        handlers: the panel whose methods are called
        content: what was found, and what of it is looked at
        narrowed: the samples that the view is narrowed to, or None
    """
    drift, batch = content.kept.drift, content.batch
    panel.md(f"**{escape(drift.sentence())}**", name="verdict", componentsProps=theme.LARGE)
    panel.md(_compared(content), name="compared", componentsProps=theme.SMALL)
    head = widgets.row(panel, "head")
    head.btn("again", label="Compare again", icon="timeline", variant="outlined", on_click=handlers.on_find_drift)
    widgets.refresh_button(head, handlers)
    # always there: what was clicked stays under the mouse
    widgets.show_all_button(head, handlers, disabled=narrowed is None)
    if narrowed is not None:
        head.md(f"Showing {escape(narrowed.name)}", name="sentence", componentsProps=theme.TEXT)
    if len(drift.batches) > 1:
        _over_time(panel, handlers, content)
    elif batch.shifts:
        widgets.plot(panel, "forest", plot.forest(batch, content.quantities), handlers.on_nothing)
    if drift.calibration is not None and any(each.calibration for each in drift.batches) and len(drift.batches) > 1:
        panel.md(
            "**Over-confidence**: how much surer than right the predictions are. Orange: surely too sure.",
            name="confidence_title",
            componentsProps=theme.TEXT,
        )
        widgets.plot(panel, "confidence", plot.confidence(drift, batch.name), handlers.on_time)
    _batch(panel, handlers, content)
    for number, note in enumerate(drift.notes):
        panel.md(escape(note), name=f"note{number}", componentsProps=theme.SMALL)


def _compared(content: Content) -> str:
    drift = content.kept.drift
    parts = [f"Against {escape(field_name(drift.reference))}, {counted(drift.n_reference, 'sample')}"]
    if drift.by:
        parts.append(f"batches by {escape(field_name(drift.by))}")
    if drift.groups:
        parts.append(f"kept together by {escape(', '.join(map(field_name, drift.groups)))}")
    if drift.left_out:
        parts.append(f"{counted(drift.left_out, 'sample')} in no batch")
    parts.append(f"a false alarm in {whole(drift.alpha)} of such comparisons")
    parts.append(f"compared {content.kept.at[:16].replace('T', ' ')} UTC")
    return " · ".join(parts)


def _over_time(panel: types.Object, handlers: Any, content: Content) -> None:
    drift, batch = content.kept.drift, content.batch
    if content.quantities:
        wide = widgets.scrolled(panel, plot.min_width(content.quantities, len(drift.batches)))
        drawn = plot.heatmap(drift, content.quantities, batch.name, content.quantity)
        widgets.plot(wide, "heatmap", drawn, handlers.on_cell)
        text = "Orange: drifted. Blue: no evidence. Gray: too few samples. Click a cell to look at it."
        panel.md(text, name="legend", componentsProps=theme.SMALL)
    choices = widgets.grid(panel, "choices", "repeat(2, minmax(0, 240px))", gap=1)
    batches = {each.name: f"{each.name}: {_VERDICTS.get(each.verdict, each.verdict)}" for each in drift.batches}
    widgets.dropdown(choices, "batch", "Batch", batches, batch.name, handlers.on_batch)
    if content.quantities:
        quantities = {name: field_name(name) for name in content.quantities}
        widgets.dropdown(choices, "quantity", "Quantity", quantities, content.quantity, handlers.on_quantity)
        widgets.plot(panel, "timeline", plot.timeline(drift, content.quantity, batch.name), handlers.on_time)
        text = "Bars: 95 % interval. The gray band: where 95 of 100 batches lie by chance alone."
        panel.md(text, name="band", componentsProps=theme.SMALL)


def _batch(panel: types.Object, handlers: Any, content: Content) -> None:
    batch = content.batch
    part = widgets.column(panel, "looked_at", marginTop="8px")
    head = widgets.row(part, "head")
    head.md(_verdict(batch), name="verdict", componentsProps=theme.TEXT)
    shows = {show.key: at for at, show in enumerate(content.shows)}
    if "" in shows:
        params = {"at": shows[""]}
        head.btn("show", label="Show the batch", variant="outlined", on_click=handlers.on_show, params=params)
    if batch.verdict == TOO_FEW:
        reason = escape(batch.reason[:1].upper() + batch.reason[1:])
        part.md(
            f"{reason}. Compare larger batches: a month instead of a day, or all samples as one.",
            name="few",
            componentsProps=theme.TEXT,
        )
        return
    drifted = batch.drifted()
    lines = [_sentence(shift) for shift in drifted[:_MAX_DRIFTED]]
    if len(drifted) > _MAX_DRIFTED:
        lines.append(f"and {len(drifted) - _MAX_DRIFTED} more")
    if lines:
        part.md("\n\n".join(lines), name="shifts", componentsProps=_LINES)
    if not drifted:
        part.md(_would_be_seen(batch), name="seen", componentsProps=theme.SMALL)
    _where_from(part, handlers, content, shows)
    if batch.calibration is not None:
        part.md(_sure(batch), name="sure", componentsProps=theme.TEXT)
    if content.newest or content.oldest:
        sides = widgets.grid(part, "sides", "repeat(auto-fit, minmax(260px, 1fr))", gap=2)
        _side(sides, handlers, "newest", f"Most typical of {escape(batch.name)}", content.newest)
        _side(sides, handlers, "oldest", "Most typical of the reference", content.oldest)


def _verdict(batch: DriftBatch) -> str:
    # of all samples as one batch the name says no more than their number
    name = f"**{escape(batch.name)}**, {counted(batch.n, 'sample')}"
    name = f"**All {counted(batch.n, 'sample')}**" if batch.name == ALL else name
    text = f"{name}: **{_VERDICTS.get(batch.verdict, batch.verdict)}**"
    return text if batch.verdict == TOO_FEW else f"{text} (p {escape(equals(batch.p))})"


def _sentence(shift: Shift) -> str:
    chance = f"by chance alone {plot.number(shift, shift.null_low)} to {plot.number(shift, shift.null_high)}"
    return f"{escape(_without_path(shift, shift.quantity))} · {escape(chance)}"


def _would_be_seen(batch: DriftBatch) -> str:
    tested = [shift for shift in batch.shifts if shift.verdict != TOO_FEW][:4]
    listed = "; ".join(
        f"{field_name(shift.quantity)} {shift.effect} {plot.number(shift, shift.detectable)}" for shift in tested
    )
    return f"So many samples would have shown, in 4 of 5 cases: {escape(listed)}."


def _where_from(part: types.Object, handlers: Any, content: Content, shows: dict[str, int]) -> None:
    batch = content.batch
    if not batch.drifted():
        return
    if not batch.drivers:
        text = "No slice stands out: what shifted did so about the same in all of them."
        part.md(text, name="everywhere", componentsProps=theme.SMALL)
    for number, driver in enumerate(batch.drivers[:_MAX_DRIFTED]):
        row = widgets.grid(part, f"driver{number}", "76px minmax(0, 1fr)", gap=1)
        key = next((f"{factor}\n{value}" for factor, value in driver.slice.values.items()), "")
        params = {"at": shows.get(key)}
        disabled = key not in shows
        button = {"label": "Show", "variant": "outlined", "disabled": disabled, "params": params}
        row.btn("show", on_click=handlers.on_show, **button)
        row.md(escape(_without_path(driver, driver.quantity)), name="text", componentsProps=theme.TEXT)


def _without_path(sentence: object, quantity: str) -> str:
    """Returns a sentence on a quantity with its name as the rows have it."""
    return str(sentence).replace(quantity, field_name(quantity), 1)


def _sure(batch: DriftBatch) -> str:
    made = batch.calibration
    assert made is not None
    text = f"Predictions: confidence {tenths(made.confidence)}, right {tenths(made.right)}, so "
    if made.low > 0:
        text += "too sure by"
    elif made.high < 0:
        text += "not sure enough by"
    else:
        text += "about as sure as right:"
    interval = f"95 % interval {tenths(made.low, signed=True)} to {tenths(made.high, signed=True)}"
    return escape(f"{text} {tenths(abs(made.gap))} ({interval}, {made.n:,} predictions)")


def _side(panel: types.Object, handlers: Any, name: str, title: str, pictures: tuple[Picture, ...]) -> None:
    side = widgets.column(panel, name)
    side.md(f"**{title}**" if pictures else f"**{title}**: none left", name="title", componentsProps=theme.TEXT)
    row = widgets.grid(side, "pictures", "repeat(4, minmax(0, 110px))", gap=1)
    for number, picture in enumerate(pictures):
        opens: dict[str, Any] = {"operator": handlers.on_open, "params": {"id": picture.id}} if picture.id else {}
        style = {**_PICTURE, **({"cursor": "pointer"} if picture.id else {})}
        view = types.ImageView(alt=f"{title} {number + 1}", componentsProps={"image": {"style": style}}, **opens)
        row.str(f"picture{number}", default=picture.source, view=view)


_PICTURE = {
    "width": "100%",
    "height": 84,
    "objectFit": "contain",
    "background": theme.faint_gray(0.12),
    "borderRadius": 3,
    "display": "block",
}
