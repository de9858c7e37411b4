"""The measures by class or scenario; and generators or prompt styles side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.brain.core.shown import markdown as escape
from loupe.brain.core.shown import plotly
from loupe.panels import theme, widgets
from loupe.panels.realism import headings, names, plot
from loupe.panels.realism.panel import MEASURES

if TYPE_CHECKING:
    from loupe.brain.core.realism import Realism
    from loupe.panels.realism.panel import Content

_MAX_LISTED = 200
_MAX_TIES = 5
#: the App shows nothing for an empty text; no class is called so
_NONE = "\n"


def draw(panel: types.Object, handlers: Any, content: Content, made: Realism) -> None:
    """Draws one measure of each class, scenario or generator."""
    by = content.kept.by
    if not by:
        return
    headings.heading(panel, "by", _title(by, made), _text(content, made))
    if content.rows:
        choices = widgets.grid(panel, "by_choices", "repeat(2, minmax(0, 240px))", gap=1)
        measures = {name: names.TITLES[name] for name in MEASURES}
        widgets.dropdown(
            choices, "measure_of", "Measure", measures, content.measure, handlers.on_measure, focused=False
        )
        shown = {name: name for name, _ in content.rows[:_MAX_LISTED] if name in content.kept.shows}
        if shown:
            widgets.dropdown(
                choices,
                "value_of",
                "Show the samples of",
                {_NONE: "choose one …", **shown},
                _NONE,
                handlers.on_value,
                focused=False,
            )
        widgets.plot(panel, "by", plot.by_value(content.rows, _dates(made), _says(content, made)), handlers.on_row)
    parts = []
    highest = made.highest(content.measure) if made.alone else ""
    if highest:
        parts.append(f"{names.TITLES[content.measure].capitalize()}: {escape(highest[:1].lower() + highest[1:])}")
    if len(content.rows) > plot.MAX_ROWS:
        parts.append(f"{len(content.rows) - plot.MAX_ROWS:,} more are {'not drawn' if made.released else 'higher'}")
    if made.left_out:
        some = [f"{escape(name)} ({real:,} real, {other:,} synthetic)" for name, (real, other) in made.left_out.items()]
        more = f" and {len(some) - 6:,} more" if len(some) > 6 else ""
        parts.append(f"Too few samples on a side to tell: {', '.join(some[:6])}{more}")
    if parts:
        panel.md(". ".join(parts) + ".", name="by_others", componentsProps=theme.SMALL)


def _title(by: str, made: Realism) -> str:
    if not made.alone:
        return f"By {escape(by)}"
    return "Generators side by side" if by == "generation.model" or made.released else f"{escape(by)}, side by side"


def _text(content: Content, made: Realism) -> str:
    if not content.rows:
        return ""
    order = "The lowest first."
    if made.alone and made.released:
        order = "The oldest first, and at the end those whose release date is not known."
    against = "Each against all real samples. " if made.alone else ""
    tie = " Bars that overlap are a tie." if made.alone else ""
    return f"{against}{order} Bars: 95 of 100 splits.{tie} Click a row to show its samples."


def _dates(made: Realism) -> dict[str, str]:
    """Returns what stands behind a generator's name; nothing where no date is known at all."""
    if not made.released:
        return {}
    return {name: made.released.get(name, "release date unknown") for name in made.by}


def _says(content: Content, made: Realism) -> dict[str, str]:
    ties = made.ties(content.measure)
    texts = {}
    for name, _ in content.rows[: plot.MAX_ROWS]:
        tied = ties.get(name, ())
        more = f" and {len(tied) - _MAX_TIES:,} more" if len(tied) > _MAX_TIES else ""
        texts[name] = f"a tie with {plotly(', '.join(tied[:_MAX_TIES]))}{more}" if tied else "no tie"
    return texts
