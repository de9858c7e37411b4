"""Lays out the panel "Review": the buttons, the picture and what is known of it, and what the decisions say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.brain.core import registry
from loupe.brain.core.review import STATUS_TITLES
from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.brain.core.taxonomy import failure_title
from loupe.panels import theme, triage_layout, widgets
from loupe.panels.review_failures import close_ups
from loupe.panels.triage_layout import Thumb

if TYPE_CHECKING:
    from loupe.brain.core.review import Decision
    from loupe.brain.stats.intervals import Proportion
    from loupe.brain.store.narrowing import Narrowing
    from loupe.brain.store.review.evidence import Evidence
    from loupe.panels.review_failures.panel import Content, Review

_ORDERS = {
    "random": "Flagged, at random: gives the precision",
    "worst": "Flagged, the worst first",
    "threshold": "Around the threshold, both sides",
    "passed": "Passed, at random: gives the recall",
    "unsure": "The unsure ones again",
}
_PILES = {"open": "open", "real": "real", "false_alarm": "false alarm", "unsure": "unsure"}


def draw(
    panel: types.Object, handlers: Review, content: Content, choices: Mapping[str, Any], narrowed: Narrowing | None
) -> None:
    """Draws a review.

    Args:
        panel: to draw on
        handlers: the panel whose methods are called
        content: what was decided, and the picture in front
        choices: what the reader chose
        narrowed: the samples that the view is narrowed to, or None
    """
    _controls(panel, handlers, content)
    panel.md(_progress(content), name="progress", componentsProps=theme.TEXT)
    item, step = content.item, choices["step"]
    chosen = item.decision.status if item is not None and item.decision is not None else None
    can = {
        "decide": item is not None,
        "undo": bool(choices["undo"]),
        "back": content.back is not None,
        "forward": content.forward is not None,
    }
    triage_layout.buttons(panel, handlers, step, chosen, can)
    if item is None:
        panel.view("nothing", types.AlertView(severity="success", label=_nothing_left(content)))
    else:
        marks = [(mark.label, mark.bounds) for mark in item.marks]
        over = triage_layout.overlay(item.size, marks) if item.size and marks else None
        title = f"{failure_title(content.failure)}: {item.name}"
        cards = close_ups.of_marks(item)
        beside = close_ups.beside(panel)
        triage_layout.picture(beside, handlers, item.source, title, over)
        close_ups.draw(beside, item.source, cards)
        panel.md(_evidence(content, item), name="evidence", componentsProps=theme.TEXT)
        thumbs = [
            Thumb(
                queued.id,
                queued.source,
                "nobody has decided" if decision is None else STATUS_TITLES[decision.status],
                in_front=queued.id == item.id,
                color=None if decision is None else handlers.answers[decision.status].color,
            )
            for queued, decision in content.strip
        ]
        triage_layout.strip(panel, handlers, thumbs)
        triage_layout.note(panel, step)
    _offer(panel, handlers, content)
    _more(panel, handlers, content, narrowed)


def _controls(panel: types.Object, handlers: Review, content: Content) -> None:
    row = widgets.grid(panel, "controls", "minmax(0, 1fr) minmax(0, 1.4fr)", gap=1)
    modes = {name: f"{failure_title(name)}: {count:,}" for name, count in content.modes.items()}
    widgets.dropdown(row, "failure", "Failure", modes, content.failure, handlers.on_failure)
    widgets.dropdown(row, "order", "Which, in which order", _ORDERS, content.order, handlers.on_order)


def _progress(content: Content) -> str:
    result = content.result
    parts = [f"**{result.decided:,} of {result.flagged:,}** flagged reviewed"]
    if result.precision.n:
        parts.append(f"precision so far **{_share(result.precision)}** ({result.precision.k} of {result.precision.n})")
    elif result.decided:
        parts.append("precision: review some **at random**")
    if result.unsure:
        parts.append(f"{result.unsure:,} unsure, left out")
    if result.not_drawn:
        parts.append(f"{result.not_drawn:,} seen in another order, left out")
    if result.passed_reviewed or content.order == "passed":
        parts.append(f"**{result.passed_reviewed:,}** of {result.passed:,} passed reviewed")
        if result.recall.rate == result.recall.rate:
            low, high = round(result.recall.low * 100), round(result.recall.high * 100)
            parts.append(f"recall **{result.recall.rate * 100:.0f} % [{low}, {high}]**")
    return " · ".join(parts)


def _share(share: Proportion) -> str:
    """Returns a share in whole percent with its interval."""
    return f"{share.rate * 100:.0f} % [{round(share.low * 100)}, {round(share.high * 100)}]"


def _nothing_left(content: Content) -> str:
    title, result = failure_title(content.failure), content.result
    match content.order:
        case "unsure":
            return "Nobody is unsure of any sample here."
        case "passed":
            return f"Every sample that passed for {title} here was reviewed."
        case "threshold":
            return f"Every sample that was judged for {title} here was reviewed."
    if not result.flagged:
        return f"No sample is flagged as {title} here: choose another failure, or review what passed."
    return f"All {counted(result.flagged, 'flagged sample')} were reviewed: choose another failure, or what passed."


def _evidence(content: Content, item: Evidence) -> str:
    _, output = registry.failures()[content.failure]
    threshold = content.threshold
    side = "below" if threshold.op == "<" else "above"
    score = "no score" if item.score is None else f"**{item.score:.4g}**"
    verdict = "Flagged" if content.flagged else "Passed"
    facts = f"{verdict}: {escape(output.name.replace('_', ' '))} {score} ({escape(output.unit)}), "
    facts += f"fails {side} {threshold.value:.4g} ({escape(threshold.source)}). {escape(output.description)}"
    lines = [f"{facts.rstrip('.')}."]
    seen = [escape(mark.label) for mark in item.marks if mark.label]
    if seen:
        lines.append(f"Seen: {', '.join(dict.fromkeys(seen))}.")
    if item.prompt:
        lines.append(f"Prompt: {escape(item.prompt)}")
    if item.decision is not None:
        lines.append(_stands(item.decision))
    return "\n\n".join(lines)


def _stands(decision: Decision) -> str:
    by = escape(decision.by or "somebody")
    at = f" on {decision.at[:16].replace('T', ' ')} UTC" if decision.at else ""
    note = f": {escape(decision.note)}" if decision.note else ""
    return f"**{STATUS_TITLES[decision.status].capitalize()}**, {by} decided{at}{note}"


def _offer(panel: types.Object, handlers: Review, content: Content) -> None:
    offer = content.result.offer
    card = widgets.column(panel, "offer", borderTop=f"1px solid {theme.faint_gray(0.35)}", paddingTop="8px")
    head = widgets.row(card, "head")
    head.md("**A better threshold**", name="title", componentsProps=theme.TEXT)
    from loupe.panels.review_failures.panel import WANTED

    choices = {f"{wanted:g}": f"for a precision of {wanted * 100:g} %" for wanted in WANTED}
    widgets.dropdown(head, "wanted", "", choices, f"{content.wanted:g}", handlers.on_wanted)
    if offer.threshold is None:
        card.md(f"None is offered: {escape(offer.reason)}.", name="text", componentsProps=theme.SMALL)
        return
    assert offer.precision is not None
    assert offer.current is not None
    assert offer.kept is not None
    side = "below" if offer.threshold.op == "<" else "above"
    text = (
        f"Fails **{side} {offer.threshold.value:.4g}** instead of {content.threshold.value:.4g}: precision "
        f"**{_share(offer.precision)}** against {_share(offer.current)}, on {offer.current.n} decisions that did not "
        f"choose it. It flags **{offer.flags:,}** samples here instead of {offer.flagged:,}, and keeps "
        f"{offer.kept.k} of {offer.kept.n} real ones."
    )
    card.md(text, name="text", componentsProps=theme.TEXT)
    row = widgets.row(card, "apply_row")
    row.btn("apply", label="Use it and flag anew", icon="save", variant="contained", on_click=handlers.on_apply)


def _more(panel: types.Object, handlers: Review, content: Content, narrowed: Narrowing | None) -> None:
    result = content.result
    counts = {
        "open": result.remaining,
        "real": result.real,
        "false_alarm": result.false_alarms,
        "unsure": result.unsure,
    }
    row = widgets.row(panel, "more", minHeight="44px", rowGap="8px")
    row.md("In the grid:", name="label", componentsProps=theme.SMALL)
    for which, words in _PILES.items():
        row.btn(
            f"show_{which}",
            label=counted(counts[which], words) if which == "false_alarm" else f"{counts[which]:,} {words}",
            variant="outlined",
            disabled=not counts[which],
            on_click=handlers.on_show,
            params={"which": which},
            componentsProps={"button": {"sx": {"textTransform": "none"}}},
        )
    triage_layout.more_like(row, handlers, enabled=content.item is not None)
    if narrowed is not None:
        widgets.show_all_button(row, handlers)
    widgets.refresh_button(row, handlers)
    row.btn("annotate", label="Send to annotation", icon="edit_note", variant="outlined", on_click=handlers.on_annotate)
