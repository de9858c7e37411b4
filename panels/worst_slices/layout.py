"""Lays out the panel "Worst slices": what was looked for, a card for each finding, and what is folded below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.brain.core.findings import Finding
from loupe.brain.core.p_values import equals
from loupe.brain.core.shares import tenths
from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.brain.core.taxonomy import failure_title
from loupe.panels import theme, widgets
from loupe.panels.worst_slices import plot

#: so many slices have a card
MAX_CARDS = 20

if TYPE_CHECKING:
    from loupe.brain.store.findings import Dismissal, InSlice
    from loupe.panels.worst_slices.panel import Content

_CARD = {"border": f"1px solid {theme.faint_gray(0.45)}", "borderRadius": "6px", "padding": "12px", "marginTop": "10px"}
_CHOSEN = {**_CARD, "border": f"2px solid {theme.CHOSEN}"}
_PICTURE = {
    "width": "100%",
    "height": 84,
    "objectFit": "contain",
    "background": theme.faint_gray(0.12),
    "borderRadius": 3,
    "cursor": "pointer",
    "display": "block",
}
_BARS = {"width": "100%", "maxWidth": plot.WIDTH, "height": plot.HEIGHT, "objectFit": "fill", "display": "block"}


def draw(
    panel: types.Object, handlers: Any, content: Content, choices: Mapping[str, Any], narrowed: InSlice | None
) -> None:
    """Draws what was found.

    Args:
        panel: to draw on
        handlers: the panel whose methods are called
        content: what was found, and what was put aside
        choices: what the reader chose
        narrowed: the slice that the view is narrowed to, or None
    """
    panel.md(_totals(content), name="totals", componentsProps=theme.TEXT)
    head = widgets.row(panel, "head")
    head.btn("find", label="Look again", icon="troubleshoot", variant="outlined", on_click=handlers.on_find)
    widgets.refresh_button(head, handlers)
    widgets.show_all_button(head, handlers, disabled=narrowed is None)
    if content.open:
        head.btn("rebalance", label="Rebalance", icon="balance", variant="outlined", on_click=handlers.on_rebalance)
    if content.stale:
        panel.view("stale", types.AlertView(severity="warning", label=content.stale))
    known = content.findings
    if known.message:
        panel.view("message", types.AlertView(severity="info", label=f"{known.message}.{_advice(content)}"))
    elif not content.open:
        panel.view("message", types.AlertView(severity="info", label="All findings were put aside: see below."))
    for number, findings in enumerate(content.open[:MAX_CARDS]):
        _card(panel, handlers, content, findings, number, choices, narrowed)
    if len(content.open) > MAX_CARDS:
        more = f"{len(content.open) - MAX_CARDS:,} more slices, less sure: **Loupe: find the worst slices** lists all."
        panel.md(more, name="more_slices", componentsProps=theme.SMALL)
    _below(panel, handlers, content, choices, narrowed)
    panel.md(_how(content), name="how", componentsProps=theme.SMALL)


def _totals(content: Content) -> str:
    known = content.findings
    number = len(content.open)
    parts = [
        f"**{counted(number, 'slice')}** {'fails' if number == 1 else 'fail'} more often than the rest",
        f"**{counted(known.n, 'sample')}**",
        f"looked for {_when(content.at)}" + (f" by {escape(content.by)}" if content.by else ""),
    ]
    return " · ".join(parts)


def _advice(content: Content) -> str:
    known = content.findings
    if known.candidates:
        return " More samples confirm more: what looked worst is listed below."
    if not any(known.judged.values()):
        return ""
    return " Other factors may show more: look again with those that you think of."


def _card(
    panel: types.Object,
    handlers: Any,
    content: Content,
    findings: Sequence[Finding],
    number: int,
    choices: Mapping[str, Any],
    narrowed: InSlice | None,
) -> None:
    finding = findings[0]
    chosen = narrowed is not None and narrowed.key == finding.key
    card = widgets.column(panel, f"finding_{finding.key}", **(_CHOSEN if chosen else _CARD))
    card.md(f"**{number + 1}. {escape(finding.where)}**", name="title", componentsProps=theme.LARGE)
    card.md(f"{escape(finding.sentence)}.", name="sentence", componentsProps=theme.TEXT)
    card.str(
        "bars",
        default=plot.bars(finding.rate, finding.rest),
        view=types.ImageView(alt=_spoken(finding), componentsProps={"image": {"style": _BARS}}),
    )
    _pictures(card, handlers, content, finding)
    card.md(_more(findings), name="more", componentsProps=theme.SMALL)
    row = widgets.row(card, "buttons")
    row.btn(
        "show",
        label=f"Show {finding.whole.n + finding.whole.unknown + finding.whole.unchecked:,}",
        variant="contained",
        on_click=handlers.on_show,
        params={"key": finding.key, "failing": False},
    )
    if content.failing_shows:
        row.btn(
            "failing",
            label=f"Show the {finding.whole.failures:,} that fail",
            variant="outlined",
            on_click=handlers.on_show,
            params={"key": finding.key, "failing": True},
        )
    if choices["dismissing"] == finding.key:
        _ask_why(card, handlers, finding)
    else:
        dismiss = {"on_click": handlers.on_dismiss, "params": {"key": finding.key}}
        row.btn("dismiss", label="Dismiss …", variant="outlined", **dismiss)


def _ask_why(card: types.Object, handlers: Any, finding: Finding) -> None:
    card.str(
        f"reason_{finding.key}",
        label="Why is it put aside? Who looks here later will read it.",
        view=types.TextFieldView(placeholder="e.g. known: a lens cap on camera 3"),
    )
    row = widgets.row(card, "why")
    params = {"key": finding.key}
    row.btn("confirm", label="Put aside", variant="contained", on_click=handlers.on_put_aside, params=params)
    row.btn("cancel", label="Cancel", variant="outlined", on_click=handlers.on_cancel)


def _pictures(card: types.Object, handlers: Any, content: Content, finding: Finding) -> None:
    shown = [(each, content.pictures[each]) for each in finding.examples if content.pictures.get(each)]
    if not shown:
        return
    row = widgets.grid(card, "pictures", "repeat(4, minmax(0, 120px))", gap=1)
    for number, (sample_id, source) in enumerate(shown):
        row.str(
            f"picture{number}",
            default=source,
            view=types.ImageView(
                alt=f"{failure_title(finding.failure)} in {finding.where}, {number + 1}",
                operator=handlers.on_open,
                params={"id": sample_id},
                componentsProps={"image": {"style": _PICTURE}},
            ),
        )


def _spoken(finding: Finding) -> str:
    return f"{tenths(finding.rate.rate)} of the slice fail, {tenths(finding.rest.rate)} of the rest"


def _more(findings: Sequence[Finding]) -> str:
    finding, others = findings[0], findings[1:]
    own, whole = finding.rate, finding.whole
    parts = [
        f"The bars: {own.failures:,} of {own.n:,} against {finding.rest.failures:,} of {finding.rest.n:,}, on the half "
        "of the samples that it was not found on",
        f"both halves: {whole.failures:,} of {whole.n:,} judged",
    ]
    if whole.unknown or whole.unchecked:
        parts.append(f"{whole.unknown:,} unknown, {whole.unchecked:,} not checked")
    text = "; ".join(parts) + "."
    if others:
        named = [
            f"{failure_title(each.failure)} {tenths(each.rate.rate)} against {tenths(each.rest.rate)}"
            for each in others
        ]
        more = f" and {len(others) - 6} more" if len(others) > 6 else ""
        text += f"\n\nFails more often there, too: {escape(', '.join(named[:6]))}{more}."
    if finding.also:
        also = ", ".join(f"{_values(each.slice.values)} ({tenths(each.rate)})" for each in finding.also[:6])
        more = f" and {len(finding.also) - 6} more" if len(finding.also) > 6 else ""
        text += f"\n\nFolded in, since this explains them: {escape(also)}{more}."
    return text


def _values(values: Mapping[str, str]) -> str:
    return " × ".join(f"{name.removeprefix('scenario.')} {value}" for name, value in values.items())


def _below(
    panel: types.Object, handlers: Any, content: Content, choices: Mapping[str, Any], narrowed: InSlice | None
) -> None:
    candidates, together = content.findings.candidates, _together(content.aside)
    if candidates:
        opened = choices["candidates"] is True
        number = counted(len(candidates), "slice")
        label = f"{'▾' if opened else '▸'} Not confirmed: {number} that looked worst"
        panel.btn("unfold_candidates", label=label, variant="text", on_click=handlers.on_candidates)
        if opened:
            panel.md(
                "No findings: each looked worse on one half, and chance explains what the other half shows without the "
                "slices above. So p and q leave those out, and the rates do not.",
                name="candidates_note",
                componentsProps=theme.SMALL,
            )
            _lines(panel, handlers, candidates, narrowed)
    if together:
        opened = choices["aside"] is True
        label = f"{'▾' if opened else '▸'} Put aside: {counted(len(together), 'slice')}"
        panel.btn("unfold_aside", label=label, variant="text", on_click=handlers.on_aside)
        if opened:
            for key, (dismissal, others) in together.items():
                _put_aside(panel, handlers, key, dismissal, others)


def _lines(panel: types.Object, handlers: Any, candidates: Sequence[Finding], narrowed: InSlice | None) -> None:
    for number, finding in enumerate(candidates):
        row = widgets.row(panel, f"candidate_{number}")
        params = {"key": finding.key, "failing": False}
        row.btn("show", label="Show", variant="outlined", on_click=handlers.on_show, params=params)
        text = (
            f"{failure_title(finding.failure)} · {finding.where}: {tenths(finding.rate.rate)} of {finding.rate.n:,} "
            f"against {tenths(finding.rest.rate)}, p {equals(finding.p)}, q {equals(finding.q)}"
        )
        bold = narrowed is not None and narrowed.key == finding.key
        row.md(f"**{escape(text)}**" if bold else escape(text), name="text", componentsProps=theme.SMALL)


def _together(aside: Mapping[str, Dismissal]) -> dict[str, tuple[Dismissal, int]]:
    """Returns what was put aside at once by the key of the first, and how many others were with it."""
    groups: dict[str, list[str]] = {}
    for key, dismissal in aside.items():
        groups.setdefault(dismissal.together or key, []).append(key)
    return {keys[0]: (aside.get(first, aside[keys[0]]), len(keys) - 1) for first, keys in groups.items()}


def _put_aside(panel: types.Object, handlers: Any, key: str, dismissal: Dismissal, others: int) -> None:
    row = widgets.row(panel, f"aside_{key}")
    row.btn("undo", label="Undo", icon="undo", variant="outlined", on_click=handlers.on_undo, params={"key": key})
    who = f"{dismissal.by}, " if dismissal.by else ""
    more = f"; and {counted(others, 'more failure mode')} there" if others else ""
    text = f"{escape(dismissal.sentence + more)}. **{escape(dismissal.reason)}** ({escape(who + _when(dismissal.at))})"
    row.md(text, name="text", componentsProps=theme.SMALL)


def _how(content: Content) -> str:
    known = content.findings
    parts = []
    if known.searched:
        parts.append(
            f"{known.searched:,} slices were looked at on one half of the samples, and {known.tested:,} tested on the "
            "other: q corrects for all of them. "
            + (
                f"The samples are in {known.groups:,} groups that belong together (one prompt's, near duplicates)."
                if known.groups < known.n
                else ""
            )
        )
    if known.factors:
        parts.append(f"Factors: {escape(', '.join(known.factors))}.")
    unsure = {name: known.unknown[name] + known.unchecked[name] for name in known.judged}
    if len(known.judged) == 1 and any(unsure.values()):
        parts.append(
            f"{counted(next(iter(unsure.values())), 'sample')} that nobody could judge or has looked at count nowhere."
        )
    return "\n\n".join([*parts, *(f"{escape(note)}." for note in known.notes)])


def _when(at: str) -> str:
    try:
        return datetime.fromisoformat(at).strftime("%Y-%m-%d %H:%M UTC")
    except ValueError:
        return at
