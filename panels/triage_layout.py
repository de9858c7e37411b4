"""Draws what triage panels share: the buttons and their keys, the large picture with its marks, the strip, the note."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fiftyone.operators import types

from loupe.brain.core.shown import html
from loupe.panels import theme, widgets

if TYPE_CHECKING:
    from loupe.panels.triage import Answer, Triage

#: the height of the large picture: it is the same for every picture, so that nothing below it moves
HEIGHT = "min(46vh, 460px)"
_SHOWN_KEYS = {"ArrowLeft": "←", "ArrowRight": "→"}


@dataclass(frozen=True)
class Thumb:
    """A picture of the strip: its item, where it is served, whether it is in front, and the color of its decision."""

    item: str
    source: str
    title: str
    in_front: bool = False
    color: str | None = None


def keyed(keys: Sequence[str], **sx: Any) -> dict[str, Any]:
    """Returns what a button needs to be pressed by keys, see keys.js; ``sx`` are further styles."""
    return {"button": {"aria-keyshortcuts": " ".join(keys), "sx": {"textTransform": "none", **sx}}}


def buttons(
    panel: types.Object,
    handlers: Triage[Any],
    step: int,
    chosen: str | None,
    can: Mapping[str, bool],
    answers: Mapping[str, Answer] | None = None,
) -> types.Object:
    """Adds the answers, undo, back and forward; returns their row.

    Args:
        panel: to add them to
        handlers: the panel whose methods are called
        step: of this drawing
        chosen: the answer that stands on the item in front
        can: whether ``"decide"``, ``"undo"``, ``"back"`` and ``"forward"`` do anything now
        answers: what can be decided of the item in front, where that differs by the item
    """
    row = widgets.row(panel, "answers", rowGap="8px")
    for number, (name, answer) in enumerate((handlers.answers if answers is None else answers).items()):
        row.btn(
            f"answer_{name}" if answers is None else f"answer{number}",
            label=f"{answer.label}  [{answer.keys[0]}]",
            variant="contained",
            disabled=not can["decide"],
            on_click=handlers.on_decide,
            params={"answer": name, "step": step},
            componentsProps=keyed(
                answer.keys,
                color="white",
                backgroundColor=answer.color,
                fontWeight=600,
                outline=f"3px solid {theme.CHOSEN}" if name == chosen else "none",
                **{"&:hover": {"backgroundColor": answer.color, "filter": "brightness(1.12)"}},
            ),
        )
    others = {
        "undo": ("Undo  [z]", ("z", "Backspace"), handlers.on_undo, "undo"),
        "back": ("Back  [←]", ("ArrowLeft",), handlers.on_back, ""),
        "forward": ("Next  [→]", ("ArrowRight",), handlers.on_forward, ""),
    }
    for name, (label, keys, handler, icon) in others.items():
        row.btn(
            name,
            label=label,
            icon=icon or None,
            variant="outlined",
            disabled=not can[name],
            on_click=handler,
            params={"step": step},
            componentsProps=keyed(keys),
        )
    return row


def more_like(row: types.Object, handlers: Triage[Any], *, enabled: bool) -> None:
    """Adds the button that shows in the grid what is like the picture in front.

    Args:
        row: the row to add it to
        handlers: the panel whose methods are called
        enabled: whether there is a picture in front
    """
    row.btn(
        "more_like",
        label="More like this  [m]",
        icon="image_search",
        variant="outlined",
        disabled=not enabled,
        on_click=handlers.on_more_like,
        componentsProps=keyed(("m",)),
    )


def picture(
    panel: types.Object, handlers: Triage[Any], source: str, alt: str, overlay: str | None, height: str = HEIGHT
) -> None:
    """Adds the large picture; over it, where there are marks, an SVG of the same shape."""
    # both stand in the same cell, and fit into it in the same way
    cell = {
        "display": "grid",
        "gridTemplateColumns": "minmax(0, 1fr)",
        "& > *": {"gridArea": "1 / 1"},
        # a click on the marks is one on the picture below them
        "& > * + *": {"pointerEvents": "none"},
    }
    framed = panel.v_stack("picture", gap=0, componentsProps={"grid": {"sx": cell}})
    style = {"width": "100%", "height": height, "objectFit": "contain", "display": "block"}
    look = {"background": theme.faint_gray(0.12), "borderRadius": 4, "cursor": "zoom-in"}
    framed.str(
        "large",
        default=source,
        view=types.ImageView(
            alt=alt,
            operator=handlers.on_open,
            componentsProps={"image": {"style": {**style, **look}, "loading": "eager"}},
        ),
    )
    if overlay is not None:
        props = {"image": {"style": {**style, "pointerEvents": "none"}}}
        framed.str("marks", default=overlay, view=types.ImageView(alt="what the check saw", componentsProps=props))


def overlay(size: tuple[int, int], marks: Iterable[tuple[str, tuple[float, float, float, float]]]) -> str:
    """Returns marks as the address of an SVG with the shape of a picture.

    Args:
        size: the picture's width and height
        marks: for each its label, and x, y, width, height in [0, 1]
    """
    scale = 1000 / max(size)
    width, height = size[0] * scale, size[1] * scale
    parts = []
    for label, (x, y, w, h) in marks:
        box = f'x="{x * width:.1f}" y="{y * height:.1f}" width="{w * width:.1f}" height="{h * height:.1f}"'
        parts.append(f'<rect {box} fill="none" stroke="black" stroke-opacity=".6" stroke-width="7"/>')
        parts.append(f'<rect {box} fill="none" stroke="{theme.CHOSEN}" stroke-width="4"/>')
        if label:
            top = y * height - 8 if y * height > 34 else y * height + 26
            place = f'x="{x * width + 3:.1f}" y="{top:.1f}"'
            look = 'font-family="sans-serif" font-size="24" font-weight="600" paint-order="stroke"'
            edge = 'stroke="black" stroke-opacity=".75" stroke-width="5"'
            parts.append(f'<text {place} {look} {edge} fill="{theme.CHOSEN}">{html(label[:40])}</text>')
    view = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.1f} {height:.1f}" width="{width:.0f}"'
    return "data:image/svg+xml," + quote(f'<svg {view} height="{height:.0f}">{"".join(parts)}</svg>')


def outlines(size: tuple[int, int], polygons: Sequence[Sequence[tuple[float, float]]]) -> str:
    """Returns the outlines of regions as the address of an SVG with the shape of a picture.

    Args:
        size: the picture's width and height
        polygons: of points in [0, 1]
    """
    scale = 1000 / max(size)
    width, height = size[0] * scale, size[1] * scale
    parts = []
    for polygon in polygons:
        places = " ".join(f"{x * width:.1f},{y * height:.1f}" for x, y in polygon)
        parts.append(f'<polygon points="{places}" fill="none" stroke="black" stroke-opacity=".6" stroke-width="7"/>')
        parts.append(f'<polygon points="{places}" fill="none" stroke="{theme.CHOSEN}" stroke-width="4"/>')
    view = f'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.1f} {height:.1f}" width="{width:.0f}"'
    return "data:image/svg+xml," + quote(f'<svg {view} height="{height:.0f}">{"".join(parts)}</svg>')


def strip(panel: types.Object, handlers: Triage[Any], thumbs: Sequence[Thumb]) -> None:
    """Adds the pictures around the one in front."""
    row = widgets.grid(panel, "strip", f"repeat({max(1, len(thumbs))}, minmax(0, 84px))", gap=1)
    for number, thumb in enumerate(thumbs):
        frame = f"3px solid {theme.CHOSEN}" if thumb.in_front else "3px solid transparent"
        style = {
            "width": "100%",
            "height": 58,
            "objectFit": "contain",
            "background": theme.faint_gray(0.12),
            "borderRadius": 3,
            "border": frame,
            "borderBottom": f"4px solid {thumb.color or 'transparent'}" if not thumb.in_front else frame,
            "cursor": "pointer",
            "display": "block",
            "boxSizing": "border-box",
        }
        row.str(
            f"thumb{number}",
            default=thumb.source,
            view=types.ImageView(
                alt=thumb.title,
                operator=handlers.on_pick,
                params={"id": thumb.item},
                componentsProps={"image": {"style": style, "title": thumb.title}},
            ),
        )


def note(panel: types.Object, step: int, on: str = "picture") -> None:
    """Adds the field for a note; a new one with each item, so that it is empty. ``on``: what an item is.

    It has no event of its own: what it holds travels with the next press.
    """
    box = widgets.column(panel, "notes", maxWidth="640px")
    props = {"field": {"inputProps": {"aria-keyshortcuts": "n", "aria-label": "Note", "maxLength": 500}}}
    view = types.TextFieldView(
        placeholder=f"Note on this {on}  [n]; Enter ends it, then decide", compact=True, componentsProps=props
    )
    box.str(f"note__{step}", view=view)
