"""Lays out the panel "Overview": the totals, what to do next, and a row for each failure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.brain.core.results import Rate
from loupe.brain.core.shares import tenths
from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.brain.core.taxonomy import failure_title
from loupe.panels import theme, widgets

if TYPE_CHECKING:
    from loupe.brain.store.columns import Cell
    from loupe.brain.store.overview import Picture, Shown

_STEPS = {
    "check": ("Check the images", "no check has looked at"),
    "flag": ("Flag the failures", "scored, and no threshold was put to them, of"),
    "find_duplicates": ("Find duplicates", "not looked through for duplicates:"),
}


def draw(panel: types.Object, handlers: Any, content: Shown, narrowed: Cell | None) -> None:
    """Draws what is known.

    Args:
        panel: to draw on
        handlers: the panel whose methods are called
        content: what is known
        narrowed: the samples that the view is narrowed to, or None
    """
    known = content.known
    panel.md(_totals(content), name="totals", componentsProps=theme.TEXT)
    head = widgets.row(panel, "head")
    widgets.refresh_button(head, handlers)
    # always there: what was clicked stays under the mouse
    widgets.show_all_button(head, handlers, disabled=narrowed is None)
    _steps(panel, handlers, content)
    for rate in known.failing:
        if rate.failure in content.pictures:
            _failure(panel, handlers, rate, content.pictures[rate.failure])
    panel.md(_rest(content), name="rest", componentsProps=theme.SMALL)


def _totals(content: Shown) -> str:
    known = content.known
    parts = [
        f"**{counted(known.n, 'sample')}**",
        f"**{known.failed:,}** fail in some way",
        f"**{known.passed:,}** pass what was judged",
    ]
    if known.unchecked:
        parts.append(f"**{known.unchecked:,}** not checked")
    if known.unknown:
        parts.append(f"**{known.unknown:,}** have a check that could not tell")
    return " · ".join(parts)


def _steps(panel: types.Object, handlers: Any, content: Shown) -> None:
    for step, number in content.next.items():
        label, reason = _STEPS[step]
        row = widgets.row(panel, f"next_{step}")
        row.btn(step, label=label, variant="contained", on_click=getattr(handlers, f"on_{step}"))
        row.md(f"{reason} {counted(number, 'sample')}", name="reason", componentsProps=theme.SMALL)


def _failure(panel: types.Object, handlers: Any, rate: Rate, pictures: Sequence[Picture]) -> None:
    part = widgets.column(panel, f"failure_{rate.failure}", marginTop="8px")
    # the button stands beside the words, however many lines they take
    head = widgets.grid(part, "head", "minmax(0, 1fr) auto", gap=2, alignItems="center")
    text = f"**{failure_title(rate.failure)}** · {rate.failures:,} of {rate.n:,} judged ({tenths(rate.rate)}, "
    text += f"95 % interval {tenths(rate.low)} to {tenths(rate.high)})"
    unsure = [
        f"{number:,} {word}" for number, word in ((rate.unknown, "unknown"), (rate.unchecked, "not checked")) if number
    ]
    head.md(" · ".join([text, *unsure]), name="text", componentsProps=theme.TEXT)
    head.btn("show", label="Show", variant="outlined", on_click=handlers.on_show, params={"failure": rate.failure})
    row = widgets.grid(part, "pictures", "repeat(4, minmax(0, 120px))", gap=1)
    for number, picture in enumerate(pictures):
        row.str(
            f"picture{number}",
            default=picture.source,
            view=types.ImageView(
                alt=f"{failure_title(rate.failure)} {number + 1}",
                operator=handlers.on_open,
                params={"id": picture.id},
                componentsProps={"image": {"style": _PICTURE}},
            ),
        )


_PICTURE = {
    "width": "100%",
    "height": 84,
    "objectFit": "contain",
    "background": theme.faint_gray(0.12),
    "borderRadius": 3,
    "cursor": "pointer",
    "display": "block",
}


def _rest(content: Shown) -> str:
    known = content.known
    more = [rate for rate in known.failing if rate.failure not in content.pictures]
    parts = []
    if more:
        parts.append("Also: " + ", ".join(f"{failure_title(rate.failure)} {rate.failures:,}" for rate in more) + ".")
    if known.clean:
        parts.append(f"Judged, and nothing has: {', '.join(map(failure_title, known.clean))}.")
    if known.unjudged:
        parts.append(f"Could be judged nowhere: {', '.join(map(failure_title, known.unjudged))}.")
    if content.as_asked:
        asked = ", ".join(f"{failure_title(failure)} {count:,}" for failure, count in content.as_asked.items())
        parts.append(f"As the prompts ask, and so no failure: {asked}.")
    # what a reason quotes of a prompt is no Markdown of ours
    parts += [f"{escape(check)}: {escape(sentence)}." for check, sentence in content.inapplicable.items()]
    return "\n\n".join(parts)
