"""Lays out the panel "Compare": the controls, the leaderboard, and two of its contenders slice by slice."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.brain.core.comparison import Comparison, Difference
from loupe.brain.core.shown import counted, field_name
from loupe.brain.core.shown import markdown as escape
from loupe.brain.core.taxonomy import failure_title
from loupe.panels import theme, widgets
from loupe.panels.comparison import plot

if TYPE_CHECKING:
    from loupe.brain.store.comparison.view import Pairs
    from loupe.panels.comparison.panel import Content, Two

_PAIRED = {"auto": "as pairs", "none": "unpaired"}


def draw(
    panel: types.Object, handlers: Any, content: Content, choices: Mapping[str, Any], narrowed: Pairs | None
) -> None:
    """Draws a comparison.

    Args:
        panel: to draw on
        handlers: the panel whose methods are called
        content: what was read
        choices: what the reader chose
        narrowed: the pairs that the view is narrowed to, or None
    """
    _controls(panel, handlers, content, choices)
    made = content.comparison
    if made is None:
        panel.view("problem", types.AlertView(severity="info", label=content.problem))
        return
    chosen = [content.two.difference.a, content.two.difference.b] if content.two else []
    panel.md(_head(made), name="head", componentsProps=theme.TEXT)
    _plot(panel, "leaderboard", plot.leaderboard(made, chosen), handlers.on_contender)
    panel.md(_notes(made), name="notes", componentsProps=theme.SMALL)
    if content.two is None:
        text = "Fewer than two of these were judged. Check the images of the others to compare them."
        panel.view("few", types.AlertView(severity="info", label=text))
        panel.btn("check", label="Check the images", variant="contained", on_click=handlers.on_check)
        return
    _two(panel, handlers, content, content.two, narrowed)


def _plot(
    panel: types.Object, name: str, drawn: tuple[list[dict[str, Any]], dict[str, Any]], on_click: Callable[..., Any]
) -> None:
    """Adds a plot that scrolls where the panel is too narrow for its words."""
    wide = widgets.scrolled(panel, plot.MIN_WIDTH, f"{name}_scrolled")
    widgets.plot(wide, name, drawn, on_click)


def _controls(panel: types.Object, handlers: Any, content: Content, choices: Mapping[str, Any]) -> None:
    row = widgets.grid(panel, "controls", "repeat(auto-fit, minmax(115px, 1fr))", gap=1)
    offered = {name: field_name(name) for name in content.offered}
    widgets.dropdown(row, "by", "Compare", offered, content.by, handlers.on_by)
    failures = {name: "any failure" if name == "any" else failure_title(name) for name in content.failures}
    widgets.dropdown(row, "failure", "Failure", failures, content.failure, handlers.on_failure)
    widgets.dropdown(row, "paired", "Samples", _PAIRED, choices["paired"], handlers.on_paired)
    more = widgets.row(panel, "more")
    widgets.refresh_button(more, handlers)


def _head(made: Comparison) -> str:
    judged = [own for own in made.standings if own.rate.n]
    if not judged:
        return "Nothing was judged of any of them."
    first = [own for own in judged if own.rank_low == 1]
    name = f"**{escape(_named(judged[0].name))}**"
    if len(judged) == 1:
        return f"Only {name} was judged."
    if len(first) == 1:
        return f"{name} fails the least, for certain. Ranks hold all at once, with 95 % confidence."
    if len(first) == len(judged):
        return f"Nothing tells these {len(judged)} apart: each could be the best, and the worst."
    return f"{len(first)} of {len(judged)} could be the best. Ranks hold all at once, with 95 % confidence."


def _named(name: str) -> str:
    text = " ".join(name.split())
    return text if len(text) <= 60 else f"{text[:59]}…"


def _notes(made: Comparison) -> str:
    notes = [_sentence(note) for note in made.notes]
    if len(made.standings) > plot.MAX_ROWS:
        notes.append(f"The first {plot.MAX_ROWS} of {len(made.standings)} are shown.")
    if made.tied:
        notes.append("Those that an orange line joins are tied.")
    return " ".join(notes)


def _sentence(note: str) -> str:
    text = escape(note)
    return f"{text[:1].upper()}{text[1:]}."


def _two(panel: types.Object, handlers: Any, content: Content, two: Two, narrowed: Pairs | None) -> None:
    own = two.difference
    names = (
        [standing.name for standing in content.comparison.standings if standing.rate.n] if content.comparison else []
    )
    titles = {name: _named(name) for name in names}
    row = widgets.grid(panel, "two", "repeat(auto-fit, minmax(115px, 1fr))", gap=1)
    widgets.dropdown(row, "new", "Where does this one", titles, own.a, handlers.on_new)
    widgets.dropdown(row, "old", "fail more than", titles, own.b, handlers.on_old)
    if two.factors:
        factors = {name: field_name(name) for name in two.factors}
        widgets.dropdown(row, "factor", "By", factors, two.factor, handlers.on_factor)
    panel.md(_verdict(own), name="verdict", componentsProps=theme.TEXT)
    buttons = widgets.row(panel, "buttons", minHeight="52px")
    buttons.btn("swap", label="Swap", icon="swap_horiz", variant="outlined", on_click=handlers.on_swap)
    if own.paired:
        label = f"Show {counted(len(two.pairs), 'pair')} that changed"
        buttons.btn(
            "show", label=label, icon="compare", variant="contained", disabled=not two.pairs, on_click=handlers.on_show
        )
    if narrowed is not None:
        widgets.show_all_button(buttons, handlers)
    buttons.md(_shown(own, len(two.pairs), narrowed), name="sentence", componentsProps=theme.SMALL)
    if two.changed is None:
        text = "There is no scenario to look at these two by: a field with a few values that both have."
        panel.md(text, name="no_factor", componentsProps=theme.SMALL)
        return
    _plot(panel, "slices", plot.differences(two.changed), handlers.on_slice)
    panel.md(_legend(two), name="legend", componentsProps=theme.SMALL)
    _regressions(panel, handlers, two)


def _regressions(panel: types.Object, handlers: Any, two: Two) -> None:
    new, old = (escape(_named(name)) for name in (two.difference.a, two.difference.b))
    if two.regressions is None:
        row = widgets.row(panel, "search")
        text = "Look through combinations"
        row.btn("search", label=text, icon="search", variant="outlined", on_click=handlers.on_search)
        row.md(
            "Where did it get worse, by one factor or two? Takes some seconds.", name="why", componentsProps=theme.SMALL
        )
        return
    if not two.regressions:
        text = f"Looked through all factors and each two of them: **{new}** surely fails more than **{old}** nowhere."
    else:
        lines = "\n".join(f"- {escape(each)}" for each in two.regressions)
        how = "chosen on one half of the samples and confirmed on the other"
        text = f"**Where {new} got worse than {old}**, {how}:\n\n{lines}"
    panel.md(text, name="regressions", componentsProps=theme.SMALL)


def _verdict(own: Difference) -> str:
    a, b = (f"**{escape(_named(name))}**" for name in (own.a, own.b))
    if math.isnan(own.difference):
        return f"{a} and {b} share nothing that was judged."
    points = f"{100 * abs(own.difference):.1f} points"
    low, high = (f"{100 * end:+.1f}".replace("-", "−") for end in (own.low, own.high))
    how = f"{own.n:,} pairs" if own.paired else f"unpaired, {own.n_a:,} and {own.n_b:,} judged"
    if own.left_out:
        how += f", {own.left_out:,} left out: one of the two is unknown"
    word = "more" if own.difference > 0 else "less"
    sure = "" if own.p_adjusted <= 0.05 else " That is not sure: they are tied."
    return f"{a} fails {points} {word} than {b} (95 % interval {low} to {high}; {how}).{sure}"


def _shown(own: Difference, pairs: int, narrowed: Pairs | None) -> str:
    if narrowed is not None:
        where = f", where {narrowed.where}" if narrowed.where else ""
        text = f"Showing pairs: {_named(narrowed.new)} fails, {_named(narrowed.old)} passed{where}."
        return escape(text)
    if not own.paired:
        return "These two share no samples, so there are no pairs to show."
    if pairs:
        from loupe.panels.comparison.panel import MAX_PAIRS

        first = f" The first {MAX_PAIRS:,} of them." if pairs > MAX_PAIRS else ""
        return f"In a changed pair {escape(_named(own.a))} fails, and {escape(_named(own.b))} passed.{first}"
    return "No pair changed: nothing that passed fails now."


def _legend(two: Two) -> str:
    assert two.changed is not None
    parts = ["Orange: surely more failures, blue: surely fewer, gray: nothing tells, corrected for all rows."]
    parts.append("Beside each name: how many pairs." if two.difference.paired else "Beside each name: how many judged.")
    if two.difference.paired:
        parts.append("Click a row to see its changed pairs.")
    if any(min(own.n_a, own.n_b) < plot.FEW for own in two.changed.differences):
        parts.append(f"Few: fewer than {plot.FEW}.")
    return " ".join(parts)
