"""Lays out the panel "Label issues": the answers, the picture, its neighbors and their labels, and what remains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.brain.core.shown import counted
from loupe.brain.core.shown import markdown as escape
from loupe.panels import theme, triage_layout, widgets
from loupe.panels.label_corrections.panel import IS
from loupe.panels.triage_layout import Thumb

if TYPE_CHECKING:
    from loupe.brain.core.review import Decision
    from loupe.brain.store.relabel.evidence import Evidence, Neighbor
    from loupe.brain.store.relabel.queue import Pair
    from loupe.brain.store.review.queue import Pile
    from loupe.panels.label_corrections.panel import Content, LabelCorrections

_ORDERS = {
    "worst": "The most probable issues first",
    "random": "All labels, at random: measures what remains",
    "copies": "Copies with different labels",
    "unsure": "The unsure ones again",
}
_PILES = {"open": "open", "real": "wrong", "false_alarm": "kept", "unsure": "unsure"}
_MAX_PAIRS, _MAX_NAME = 6, 22
_HEIGHT = "min(28vh, 260px)"


def draw(
    panel: types.Object, handlers: LabelCorrections, content: Content, choices: Mapping[str, Any], narrowed: Pile | None
) -> None:
    """Draws the label in front, and what is known of all.

    Args:
        panel: to draw on
        handlers: the panel whose methods are called
        content: what was read
        choices: what the reader chose
        narrowed: the samples that the view is narrowed to, or None
    """
    item, step = content.item, choices["step"]
    widgets.dropdown(panel, "order", "Which, in which order", _orders(content), content.order, handlers.on_order)
    panel.md(_progress(content), name="progress", componentsProps=theme.TEXT)
    if content.order == "worst":
        _pairs(panel, handlers, content)
    can = {
        "decide": item is not None,
        "undo": bool(choices["undo"]),
        "back": content.back is not None,
        "forward": content.forward is not None,
    }
    answers = content.answers or {name: handlers.answers[name] for name in ("unsure", "none")}
    triage_layout.buttons(panel, handlers, step, _chosen(item), can, answers)
    if item is None:
        panel.view("nothing", types.AlertView(severity="success", label=_nothing_left(content)))
        if content.order != "random":
            row = widgets.row(panel, "nothing_row")
            row.btn(
                "at_random", label=handlers.actions["at_random"], variant="contained", on_click=handlers.on_at_random
            )
    else:
        panel.md(_labels(item), name="labels", componentsProps=theme.LARGE)
        triage_layout.picture(panel, handlers, item.source, f"Label: {item.name}", None, _HEIGHT)
        _neighbors(panel, handlers, content, item)
        if stands := _stands(item):
            panel.md(stands, name="stands", componentsProps=theme.TEXT)
        _inputs(panel, handlers, content, step)
        thumbs = [
            Thumb(
                queued.id,
                queued.source,
                _title(queued.given, queued.suggested, decision),
                in_front=queued.id == item.id,
                color=None if decision is None else _color(handlers, decision),
            )
            for queued, decision in content.strip
        ]
        triage_layout.strip(panel, handlers, thumbs)
    _more(panel, handlers, content, narrowed)


def _orders(content: Content) -> dict[str, str]:
    counts = {"worst": content.issues[0], "copies": content.copies, "unsure": content.counts["unsure"]}
    return {name: f"{title} ({counts[name]:,})" if name in counts else title for name, title in _ORDERS.items()}


def _progress(content: Content) -> str:
    n, decided = content.issues
    counts, remaining = content.counts, content.remaining
    made = ", ".join(f"{counts[name]:,} {name}" for name in ("changed", "kept", "unsure") if counts[name])
    parts = [f"**{decided:,} of {n:,}** issues decided" + (f" ({made} of all)" if made else "")]
    low, high = remaining.low * 100, remaining.high * 100
    parts.append(
        f"still wrong, estimated: **{remaining.rate * 100:.1f} % [{low:.1f}, {high:.1f}]** of {remaining.n:,} labels"
    )
    if remaining.wide and content.order != "random":
        parts.append("decide some **at random** to narrow it")
    return " · ".join(parts)


def _pairs(panel: types.Object, handlers: LabelCorrections, content: Content) -> None:
    row = widgets.row(panel, "mixed_up", rowGap="6px", columnGap="6px")
    row.md("Mixed up:", name="label", componentsProps=theme.SMALL)
    shown = list(content.pairs[:_MAX_PAIRS])
    shown += [pair for pair in content.pairs[_MAX_PAIRS:] if (pair.given, pair.suggested) == content.pair]
    for number, pair in enumerate(shown):
        chosen = (pair.given, pair.suggested) == content.pair
        row.btn(
            f"pair{number}",
            label=_pair(pair),
            title=f"{pair.k:,} of {pair.n:,} labeled {pair.given} are probably {pair.suggested}; {pair.open:,} open",
            variant="contained" if chosen else "outlined",
            on_click=handlers.on_pair,
            params={"pair": [pair.given, pair.suggested]},
            componentsProps={"button": {"sx": {"textTransform": "none", "padding": "1px 8px"}}},
        )
    if content.pair is not None:
        row.btn("pair_all", label="All", icon="clear", variant="outlined", on_click=handlers.on_pair, params={})


def _pair(pair: Pair) -> str:
    return f"{_short(pair.given)} → {_short(pair.suggested)}: {pair.k:,} of {pair.n:,}"


def _short(name: str) -> str:
    return name if len(name) <= _MAX_NAME else f"{name[: _MAX_NAME - 1]}…"


def _chosen(item: Evidence | None) -> str | None:
    """Returns the answer that stands on the picture in front."""
    if item is None or item.decision is None:
        return None
    status, correction = item.decision.status, item.decision.correction
    if status != "real":
        return "keep" if status == "false_alarm" else "unsure"
    if correction == "":
        return "none"
    suggested = None if item.suggestion is None else item.suggestion.label
    return "accept" if correction in (None, suggested) else f"{IS}{correction}"


def _labels(item: Evidence) -> str:
    parts = ["no label" if item.given is None else f"Given **{escape(item.given)}**"]
    if item.score is not None and item.given is not None:
        parts[0] += f" ({_percent(1 - item.score)})"
    if item.suggestion is not None:
        probability = item.suggestion.probability
        parts.append(
            f"suggested **{escape(item.suggestion.label)}**"
            + ("" if probability is None else f" ({_percent(probability)})")
        )
    elif item.score is None:
        parts.append("not judged")
    else:
        parts.append("nothing is suggested instead")
    return " · ".join(parts)


def _percent(share: float) -> str:
    if not 0.001 <= share <= 0.999:
        return "< 0.1 %" if share < 0.5 else "> 99.9 %"
    return f"{share * 100:.0f} %" if 0.01 <= share <= 0.99 else f"{share * 100:.1f} %"


def _neighbors(panel: types.Object, handlers: LabelCorrections, content: Content, item: Evidence) -> None:
    if not content.neighbors:
        text = "Its nearest neighbors are not known: there are no vectors. Run **Loupe: embed images**."
        panel.md(text, name="no_neighbors", componentsProps=theme.SMALL)
        return
    among = f" of {content.among:,} drawn" if content.among else ""
    panel.md(f"Nearest by their vectors{among}, with their labels:", name="near_title", componentsProps=theme.SMALL)
    row = widgets.grid(panel, "near", f"repeat({len(content.neighbors)}, minmax(0, 120px))", gap=1)
    for number, neighbor in enumerate(content.neighbors):
        cell = widgets.column(row, f"near{number}")
        style = {
            "width": "100%",
            "height": 74,
            "objectFit": "contain",
            "background": theme.faint_gray(0.12),
            "borderRadius": 3,
            "borderBottom": f"4px solid {_agrees(neighbor, item)}",
            "cursor": "zoom-in",
            "display": "block",
        }
        title = f"{neighbor.label or 'no label'}, cosine {neighbor.cosine:.2f}"
        cell.str(
            "image",
            default=neighbor.source,
            view=types.ImageView(
                alt=f"Neighbor: {title}",
                operator=handlers.on_near,
                params={"id": neighbor.id},
                componentsProps={"image": {"style": style, "title": title}},
            ),
        )
        cell.md(f"**{escape(_short(neighbor.label or '–'))}**", name="label", componentsProps=_CENTERED)


_CENTERED = {"container": {"sx": {"& p": {"margin": 0, "textAlign": "center", "overflowWrap": "anywhere"}}}}


def _agrees(neighbor: Neighbor, item: Evidence) -> str:
    """Returns the color of the answer that a neighbor speaks for."""
    if item.suggestion is not None and neighbor.label == item.suggestion.label:
        return theme.SERIES[2]
    return theme.PASS if neighbor.label is not None and neighbor.label == item.given else theme.GRAY


def _stands(item: Evidence) -> str:
    lines = []
    if item.decision is not None:
        by = escape(item.decision.by or "somebody")
        at = f" on {item.decision.at[:16].replace('T', ' ')} UTC" if item.decision.at else ""
        note = f": {escape(item.decision.note)}" if item.decision.note else ""
        lines.append(f"**{escape(_says(item.decision))}**, {by} decided{at}{note}")
    if item.corrected is not None and item.decision is None:
        by = escape(item.corrected.by or "somebody")
        lines.append(f"**{escape(item.corrected.corrected or '')}** was accepted by its score, by {by}")
    return "\n\n".join(lines)


def _says(decision: Decision) -> str:
    if decision.status != "real":
        return "Kept as it is" if decision.status == "false_alarm" else "Unsure"
    if decision.correction == "":
        return "No class fits"
    return "The suggestion was accepted" if decision.correction is None else f"It is {decision.correction}"


def _title(given: str | None, suggested: str | None, decision: Decision | None) -> str:
    label = f"{given or 'no label'}{f' → {suggested}' if suggested else ''}"
    return f"{label}: {'nobody has decided' if decision is None else _says(decision)}"


def _color(handlers: LabelCorrections, decision: Decision) -> str:
    if decision.status != "real":
        return handlers.answers["keep" if decision.status == "false_alarm" else "unsure"].color
    return handlers.answers["none" if decision.correction == "" else "accept"].color


def _inputs(panel: types.Object, handlers: LabelCorrections, content: Content, step: int) -> None:
    """Adds the list of classes and the note; new ones with each picture, so that they are empty."""
    row = widgets.grid(panel, "inputs", "minmax(0, 1fr) minmax(0, 1.6fr)", gap=1, maxWidth="760px", alignItems="end")
    props = {"autocomplete": {"aria-keyshortcuts": "c", "aria-label": "Another class"}}
    view = types.AutocompleteView(
        allow_user_input=False,
        choices=[types.Choice(name, label=name) for name in content.classes],
        componentsProps=props,
    )
    row.str(f"class__{step}", view=view, label="Another class  [c]: type, Enter", on_change=handlers.on_class)
    triage_layout.note(row, step)


def _nothing_left(content: Content) -> str:
    n, _ = content.issues
    match content.order:
        case "unsure":
            return "Nobody is unsure of any label here."
        case "copies":
            return "No copies with different labels are left here. Run 'Loupe: find duplicates' to look for copies."
        case "random":
            return "Every label that was judged here was decided."
    if content.pair is not None:
        return f"All issues of {content.pair[0]} → {content.pair[1]} were decided: choose another pair, or all."
    if not n:
        return "No label is probably wrong here. Look at some at random, to know how many are all the same."
    return f"All {counted(n, 'issue')} were decided. Look at some labels at random, to know how many are wrong still."


def _more(panel: types.Object, handlers: LabelCorrections, content: Content, narrowed: Pile | None) -> None:
    n, decided = content.issues
    counts = content.counts
    shown = {"open": n - decided, "real": counts["changed"], "false_alarm": counts["kept"], "unsure": counts["unsure"]}
    row = widgets.row(panel, "more", minHeight="44px", rowGap="8px")
    row.md("In the grid:", name="label", componentsProps=theme.SMALL)
    for which, words in _PILES.items():
        row.btn(
            f"show_{which}",
            label=f"{shown[which]:,} {words}",
            variant="outlined",
            disabled=not shown[which],
            on_click=handlers.on_show,
            params={"which": which},
            componentsProps={"button": {"sx": {"textTransform": "none"}}},
        )
    if narrowed is not None:
        widgets.show_all_button(row, handlers)
    widgets.refresh_button(row, handlers)
    row.btn("relabel", label="Accept by score", icon="label", variant="outlined", on_click=handlers.on_relabel)
    text = f"Corrected labels: **{escape(content.into)}**; {escape(content.labels.label)} stays as it is."
    panel.md(text, name="fields", componentsProps=theme.SMALL)
