"""Lays out the panel "Duplicates": the pictures of a group side by side, what is known of each, and the buttons."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.operators.summary import PAIR_KINDS
from loupe.panels import theme, triage_layout, widgets
from loupe.panels.triage_layout import Thumb

if TYPE_CHECKING:
    from loupe.brain.store.duplicates.queue import Card, Decided, Group
    from loupe.panels.duplicates.panel import Content, DuplicatesPanel

#: the height of a picture of a group, the same for all
_HEIGHT = 150
_DECIDED = {"keep": "one is kept", "merge": "one is kept, with the others' labels", "distinct": "no duplicates"}
_KEEPS, _DROPS = theme.CHOSEN, theme.FAIL
_QUIET = {"button": {"sx": {"textTransform": "none", "minWidth": 0, "padding": "2px 5px", "fontSize": "0.8rem"}}}
_LEAK = {"container": {"sx": {"& p": {"margin": 0}, "& p:first-of-type strong:first-of-type": {"color": theme.FAIL}}}}


def draw(
    panel: types.Object,
    handlers: DuplicatesPanel,
    content: Content,
    choices: Mapping[str, Any],
    narrowed: Decided | None,
) -> None:
    """Draws a group.

    Args:
        panel: to draw on
        handlers: the panel whose methods are called
        content: the group in front, and how far the review has come
        choices: what the reader chose
        narrowed: the samples that the view is narrowed to, or None
    """
    _controls(panel, handlers, content)
    panel.md(_progress(content), name="progress", componentsProps=theme.TEXT)
    group, step = content.group, choices["step"]
    can = {
        "decide": group is not None,
        "undo": bool(choices["undo"]),
        "back": content.back is not None,
        "forward": content.forward is not None,
    }
    triage_layout.buttons(panel, handlers, step, None if group is None else group.answer, can)
    if group is None:
        panel.view("nothing", types.AlertView(severity="success", label=_nothing_left(content)))
    else:
        panel.md(_headline(group), name="headline", componentsProps=_LEAK if len(group.splits) > 1 else theme.TEXT)
        _cards(panel, handlers, content, group)
        _pages(panel, handlers, content)
        if content.beside is not None:
            _comparison(panel, handlers, group, content.beside)
        triage_layout.strip(panel, handlers, [_thumb(content, *each) for each in content.strip])
        triage_layout.note(panel, step, "group")
    _more(panel, handlers, content, narrowed)


def _controls(panel: types.Object, handlers: DuplicatesPanel, content: Content) -> None:
    row = widgets.grid(panel, "controls", "minmax(0, 1fr) minmax(0, 1fr)", gap=1)
    splits = {**content.offered_splits, "": "(none)"}
    widgets.dropdown(row, "splits", "Splits", splits, content.splits, handlers.on_splits)
    labels = {**{name: name for name in content.offered_labels}, "": "(none)"}
    widgets.dropdown(row, "label", "Labels", labels, content.label, handlers.on_label)


def _progress(content: Content) -> str:
    progress = content.progress
    parts = [
        f"**{progress.decided:,} of {counted(progress.groups, 'group')}** decided",
        f"{counted(progress.dropped, 'picture')} dropped",
    ]
    if progress.leaks is not None:
        left = f"{counted(progress.leaks, 'leak')} left" if progress.leaks else "no leak left"
        parts.append(f"**{left}**" if progress.leaks else left)
    return " · ".join(parts)


def _nothing_left(content: Content) -> str:
    progress = content.progress
    text = f"All {counted(progress.groups, 'group')} are decided: {counted(progress.dropped, 'picture')} dropped"
    if progress.leaks:
        return f"{text}. {counted(progress.leaks, 'leak')} are between pictures that were all kept."
    leaks = ", and no leak is left" if progress.leaks == 0 else ""
    return f"{text}{leaks}. Save the view of what is kept, and go on with that."


def _headline(group: Group) -> str:
    parts = []
    if len(group.splits) > 1:
        parts.append(f"**Leak**: {_listed(group.splits)}")
    if len(group.labels) > 1:
        parts.append(
            f"**Two labels**: {_listed(group.labels)}"
            if len(group.labels) == 2
            else f"**{len(group.labels)} labels**: {_listed(group.labels)}"
        )
    parts.append(counted(len(group.cards), "picture"))
    if group.outside:
        parts.append(f"{group.outside:,} more outside of this view, which stay as they are")
    lines = [" · ".join(parts)]
    if group.answer is not None and group.decided is not None:
        lines.append(_stands(group))
    return "\n\n".join(lines)


def _listed(counts: Mapping[str, int]) -> str:
    shown = [f"{escape(name or '(empty)')} {count:,}" for name, count in list(counts.items())[:4]]
    return ", ".join(shown) + (f" and {len(counts) - 4:,} more" if len(counts) > 4 else "")


def _stands(group: Group) -> str:
    decided = group.decided
    assert decided is not None
    assert group.answer is not None
    by = escape(decided.by or "somebody") + (f", by the rule “{escape(decided.rule)}”," if decided.rule else "")
    at = f" on {decided.at[:16].replace('T', ' ')} UTC" if decided.at else ""
    note = f" Note: {escape(decided.note)}" if decided.note else ""
    merged = f" Taken over: {escape(', '.join(decided.merged))}." if decided.merged else ""
    return f"**Decided**, {_DECIDED[group.answer]}, by {by}{at}.{merged}{note}"


def _cards(panel: types.Object, handlers: DuplicatesPanel, content: Content, group: Group) -> None:
    grid = widgets.grid(panel, "group", "repeat(auto-fill, minmax(min(100%, 168px), 1fr))", gap=1, alignItems="start")
    for number, card in enumerate(content.shown, 1):
        keeps = card.keeps or group.answer == "distinct"
        color = _KEEPS if keeps else theme.faint_gray(0.35)
        box = widgets.column(
            grid,
            f"card{number}",
            border=f"2px solid {color}",
            borderRadius="6px",
            padding="6px",
            rowGap="4px",
            backgroundColor=theme.faint_gray(0.06),
        )
        style = {
            "width": "100%",
            "height": _HEIGHT,
            "objectFit": "contain",
            "display": "block",
            "background": theme.faint_gray(0.12),
            "borderRadius": 4,
            "cursor": "pointer",
            "opacity": 1 if keeps else 0.72,
        }
        box.str(
            "picture",
            default=card.source,
            view=types.ImageView(
                alt=f"{number}: {card.name}",
                operator=handlers.on_keep,
                params={"id": card.id},
                componentsProps={"image": {"style": style, "title": f"{card.name}: keep this one"}},
            ),
        )
        box.md(_facts(card, group), name="facts", componentsProps=_FACTS)
        row = widgets.row(box, "buttons", rowGap="4px", gap="2px")
        row.btn(
            "keep",
            label=f"{'Kept' if group.answer in ('keep', 'merge') and card.keeps else 'Keep'}  [{number}]",
            variant="contained" if card.keeps else "outlined",
            on_click=handlers.on_keep,
            params={"id": card.id},
            componentsProps=triage_layout.keyed((str(number),), **_small(card.keeps)),
        )
        row.btn(
            "open",
            label="Open",
            variant="text",
            on_click=handlers.on_open,
            params={"id": card.id},
            componentsProps=_QUIET,
        )
        if not card.keeps:
            row.btn(
                "beside",
                label="Compare",
                variant="text",
                on_click=handlers.on_beside,
                params={"id": card.id},
                componentsProps=_QUIET,
            )


_FACTS = {
    "container": {"sx": {"& p": {"margin": 0, "fontSize": "0.82rem", "lineHeight": 1.45, "overflowWrap": "anywhere"}}}
}


def _small(keeps: bool) -> dict[str, Any]:
    sx: dict[str, Any] = {"minWidth": 0, "padding": "2px 8px", "fontSize": "0.8rem"}
    if keeps:
        sx |= {"color": "black", "backgroundColor": _KEEPS, "&:hover": {"backgroundColor": _KEEPS}}
    return sx


def _facts(card: Card, group: Group) -> str:
    picture = card.picture
    first = [f"**{escape(card.split)}**"] if card.split is not None else []
    first += [escape(card.label)] if card.label is not None else []
    kind = os.path.splitext(card.name)[1].lstrip(".").upper()
    second = [f"{picture.width:,} × {picture.height:,}"] if picture.width else []
    second += [escape(kind)] if kind else []
    second += [_size(picture.bytes)] if not math.isnan(picture.bytes) else []
    third = [f"sharpness {picture.sharpness:.2f}"] if not math.isnan(picture.sharpness) else []
    third += [escape(f"#{tag}") for tag in picture.tags[:4]]
    lines = [" · ".join(parts) for parts in (first, second, third) if parts]
    # lines of one paragraph: no gaps between them
    return "  \n".join([*lines, _alike(card, group)])


def _alike(card: Card, group: Group) -> str:
    if card.keeps:
        return "suggested: the best" if card.id == group.suggested else "your choice"
    if card.alike is None:
        return "the same by way of another one"
    kind, similarity = card.alike
    return PAIR_KINDS[kind] if kind != "near" else f"{PAIR_KINDS[kind]}, {similarity * 100:.0f} % alike"


def _size(count: float) -> str:
    """Returns the size of a file in words.

    >>> _size(1536.0), _size(2.5e6)
    ('1.5 kB', '2.4 MB')
    """
    for unit in ("B", "kB", "MB"):
        if count < 1024 or unit == "MB":
            break
        count /= 1024
    return f"{count:.0f} {unit}" if unit == "B" or count >= 100 else f"{count:.1f} {unit}"


def _pages(panel: types.Object, handlers: DuplicatesPanel, content: Content) -> None:
    next_one = content.group is not None and len(content.group.cards) > 1
    row = widgets.row(panel, "pages", rowGap="8px")
    if content.pages > 1:
        for name, label, key, page in (
            ("page_back", "Earlier", "PageUp", content.page - 1),
            ("page_forward", "More", "PageDown", content.page + 1),
        ):
            row.btn(
                name,
                label=f"{label}  [{key}]",
                variant="outlined",
                disabled=not 0 <= page < content.pages,
                on_click=handlers.on_page,
                params={"page": page},
                componentsProps=triage_layout.keyed((key,)),
            )
        row.md(f"Pictures {_range(content)}", name="page", componentsProps=theme.SMALL)
    if next_one:
        following = handlers.seen(content)["next"]
        label = "How they differ" if content.beside is None else "The next one" if following else "Close"
        row.btn(
            "differ",
            label=f"{label}  [d]",
            icon="compare",
            variant="outlined",
            on_click=handlers.on_beside,
            params={"id": following},
            componentsProps=triage_layout.keyed(("d",)),
        )


def _range(content: Content) -> str:
    from loupe.panels.duplicates.panel import PAGE

    first = content.page * PAGE
    total = 0 if content.group is None else len(content.group.cards)
    return f"{first + 1:,} to {first + len(content.shown):,} of {total:,}"


def _comparison(panel: types.Object, handlers: DuplicatesPanel, group: Group, other: Card) -> None:
    kept = next(card for card in group.cards if card.keeps)
    box = widgets.column(panel, "comparison", borderTop=f"1px solid {theme.faint_gray(0.35)}", paddingTop="8px")
    box.md(
        f"**{escape(kept.name)}** against **{escape(other.name)}**: {_alike(other, group)}. "
        "Black in the third picture: no difference.",
        name="title",
        componentsProps=theme.TEXT,
    )
    sides = widgets.grid(box, "sides", "repeat(3, minmax(0, 1fr))", gap=1)
    ratio = f"{kept.picture.width} / {kept.picture.height}" if kept.picture.width else "4 / 3"
    fit = {"width": "100%", "aspectRatio": ratio, "maxHeight": "40vh", "display": "block", "borderRadius": 4}
    for name, card in (("kept", kept), ("other", other)):
        style = {**fit, "objectFit": "contain", "background": theme.faint_gray(0.12)}
        sides.str(
            name,
            default=card.source,
            view=types.ImageView(alt=card.name, componentsProps={"image": {"style": style, "title": card.name}}),
        )
    # the browser takes one from the other: both are stretched to one shape, and what differs is made bright
    cell = {
        "display": "grid",
        "gridTemplateColumns": "minmax(0, 1fr)",
        "isolation": "isolate",
        "filter": "brightness(3)",
        "& > *": {"gridArea": "1 / 1"},
        "& > * + *": {"mixBlendMode": "difference"},
    }
    stack = sides.v_stack("difference", gap=0, componentsProps={"grid": {"sx": cell}})
    for name, card in (("below", kept), ("above", other)):
        style = {**fit, "objectFit": "fill"}
        stack.str(
            name,
            default=card.source,
            view=types.ImageView(
                alt="what differs" if name == "above" else "", componentsProps={"image": {"style": style}}
            ),
        )


def _thumb(content: Content, item: str, source: str, decided: bool) -> Thumb:
    in_front = content.group is not None and item == content.group.item
    return Thumb(item, source, "decided" if decided else "open", in_front=in_front, color=_DROPS if decided else None)


def _more(panel: types.Object, handlers: DuplicatesPanel, content: Content, narrowed: Decided | None) -> None:
    plain = {"button": {"sx": {"textTransform": "none"}}}
    row = widgets.row(panel, "more", minHeight="44px", rowGap="8px")
    row.md("In the grid:", name="label", componentsProps=theme.SMALL)
    dropped = content.progress.dropped
    for which, label in (("kept", "What is kept"), ("dropped", f"{dropped:,} dropped")):
        row.btn(
            f"show_{which}",
            label=label,
            variant="outlined",
            disabled=not dropped,
            on_click=handlers.on_show,
            params={"which": which},
            componentsProps=plain,
        )
    if narrowed is not None:
        widgets.show_all_button(row, handlers)
    row.btn(
        "save",
        label="Save the view of what is kept",
        icon="save",
        variant="outlined",
        disabled=not dropped,
        on_click=handlers.on_save,
        componentsProps=plain,
    )
    row.btn(
        "deduplicate",
        label="Decide the rest by a rule",
        icon="auto_fix_high",
        variant="outlined",
        on_click=handlers.on_deduplicate,
        componentsProps=plain,
    )
    widgets.refresh_button(row, handlers, componentsProps=plain)
