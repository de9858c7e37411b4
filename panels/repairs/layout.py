"""Lays out the panel "Repairs": the buttons, both pictures with the region outlined, the numbers, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.brain.core.taxonomy import failure_title
from loupe.panels import theme, triage_layout, widgets
from loupe.panels.triage_layout import Thumb

if TYPE_CHECKING:
    from loupe.brain.store.narrowing import Narrowing
    from loupe.brain.store.repair.queue import Number, Pair
    from loupe.panels.repairs.panel import Content, Repairs

_HEIGHT = "min(34vh, 320px)"
_WHICH = {"all": "All repairs, those kept first", "kept": "Kept by the gate", "refused": "Refused by the gate"}
_METHODS = {
    "inpaint": "the region drawn anew",
    "image_to_image": "drawn anew from the whole picture",
    "redraw": "drawn anew from the prompt",
}
_STATUS = {
    "better": "The gate kept it: a sample beside the original",
    "refused": "The gate refused it: no sample was added",
    "accepted": "Taken: a sample beside the original",
    "undone": "The original was kept: no repaired sample stands beside it",
    "unknown": "Nobody can tell",
}
_COLORS = {"better": theme.PASS, "accepted": theme.PASS, "refused": theme.GRAY, "undone": theme.FAIL}


def draw(
    panel: types.Object, handlers: Repairs, content: Content, choices: Mapping[str, Any], narrowed: Narrowing | None
) -> None:
    """Draws a repair.

    Args:
        panel: to draw on
        handlers: the panel whose methods are called
        content: the repair in front, and how far the review has come
        choices: what the reader chose
        narrowed: the samples that the view is narrowed to, or None
    """
    _controls(panel, handlers, content)
    panel.md(_progress(content), name="progress", componentsProps=theme.TEXT)
    item = content.item
    can = {
        "decide": item is not None,
        "undo": bool(choices["undo"]),
        "back": content.back is not None,
        "forward": content.forward is not None,
    }
    chosen = item.status if item is not None and item.by else None
    triage_layout.buttons(panel, handlers, choices["step"], chosen, can)
    if item is None:
        panel.view("nothing", types.AlertView(severity="success", label=_nothing_left(content)))
    else:
        panel.md(_headline(item), name="headline", componentsProps=theme.TEXT)
        _pictures(panel, handlers, item)
        panel.md(_facts(item), name="facts", componentsProps=theme.TEXT)
        thumbs = [
            Thumb(key, source, _STATUS.get(title, title), key == item.key, _COLORS.get(status))
            for key, source, title, status in content.strip
        ]
        triage_layout.strip(panel, handlers, thumbs)
    _more(panel, handlers, content, narrowed)


def _controls(panel: types.Object, handlers: Repairs, content: Content) -> None:
    from loupe.panels.repairs.panel import ANY

    row = widgets.grid(panel, "controls", "minmax(0, 1fr) minmax(0, 1fr)", gap=1)
    failures = {ANY: f"All failures: {sum(content.failures.values()):,}"}
    failures |= {name: f"{failure_title(name)}: {count:,}" for name, count in content.failures.items()}
    widgets.dropdown(row, "failure", "Failure", failures, content.failure, handlers.on_failure)
    widgets.dropdown(row, "which", "Which", _WHICH, content.which, handlers.on_which)


def _progress(content: Content) -> str:
    return (
        f"**{content.decided:,} of {counted(content.total, 'repair')}** decided · the gate kept **{content.kept:,}** "
        f"and refused {content.refused:,}"
    )


def _nothing_left(content: Content) -> str:
    if content.which != "all" and not (content.kept if content.which == "kept" else content.refused):
        return f"The gate {content.which} none of these: choose others above."
    return f"All {counted(content.total, 'repair')} here are decided. The repaired pictures are in the grid."


def _headline(item: Pair) -> str:
    parts = [f"**{failure_title(item.failure)}**"]
    target = next((number for number in item.numbers if number.target), None)
    if target is not None:
        parts.append(f"{_words(target.name)} **{_value(target.before)} → {_value(target.after)}**")
    status = f"**{_STATUS.get(item.status, item.status)}**"
    if item.by:
        at = f" on {item.at[:16].replace('T', ' ')} UTC" if item.at else ""
        status += f" ({escape(item.by)} decided{at})"
    parts.append(status)
    lines = [" · ".join(parts)]
    if item.reason:
        lines.append(f"Why the gate refused it: {escape(item.reason)}.")
    return "\n\n".join(lines)


def _pictures(panel: types.Object, handlers: Repairs, item: Pair) -> None:
    grid = widgets.grid(panel, "pair", "repeat(auto-fit, minmax(min(100%, 140px), 1fr))", gap=1, alignItems="start")
    over = None
    if item.size and item.outline:
        over = triage_layout.outlines(item.size, item.outline)
    how = f"Attempt {item.attempt}, {_METHODS.get(item.method, item.method)}"
    for name, title, source in (("before", "Original", item.before), ("after", how, item.after)):
        column = widgets.column(grid, name)
        column.md(f"**{escape(title)}**", name="title", componentsProps=theme.SMALL)
        if source:
            triage_layout.picture(column, handlers, source, f"{title}: {item.name}", over, _HEIGHT)
        else:
            text = (
                "The file of the original is no more."
                if name == "before"
                else "The file was deleted: run 'Loupe: repair images' again."
            )
            column.view("gone", types.AlertView(severity="warning", label=text))


def _facts(item: Pair) -> str:
    lines = ["| Measure | Before | After | Fails |", "|---|---|---|---|"]
    lines += [_row(number) for number in item.numbers]
    text = "\n".join(lines) if item.numbers else ""
    return f"{text}\n\nPrompt: {escape(item.prompt)}" if item.prompt else text


def _row(number: Number) -> str:
    name = escape(_words(number.name))
    cells = [f"**{name}**" if number.target else name, _value(number.before), _value(number.after), number.threshold]
    return f"| {' | '.join(cells)} |"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _value(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3g}"


def _more(panel: types.Object, handlers: Repairs, content: Content, narrowed: Narrowing | None) -> None:
    row = widgets.row(panel, "more", minHeight="44px", rowGap="8px")
    row.md("In the grid:", name="label", componentsProps=theme.SMALL)
    for which, label in (("repaired", "Repaired pictures"), ("refused", "Refused originals")):
        row.btn(
            f"show_{which}",
            label=label,
            variant="outlined",
            on_click=handlers.on_show,
            params={"which": which},
            componentsProps={"button": {"sx": {"textTransform": "none"}}},
        )
    if narrowed is not None:
        widgets.show_all_button(row, handlers)
    widgets.refresh_button(row, handlers)
    row.btn("repair", label="Repair more", icon="healing", variant="outlined", on_click=handlers.on_repair)
