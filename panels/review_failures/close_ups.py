"""Close-ups: what the check saw, cut out and large, each with what the check says of it, beside the whole picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fiftyone.operators import types

from loupe.brain.core.shown import markdown as escape
from loupe.panels import theme, triage_layout, widgets

if TYPE_CHECKING:
    from loupe.brain.store.review.evidence import Evidence, Mark

#: so many are shown, the worst ones
MAX = 3
#: what is larger than that, as a share of the picture's side, is seen in the picture itself
_MAX_SHARE = 0.55
#: a close-up shows that much more than the mark, and at least so many pixels
_WIDER, _MIN_PIXELS = 1.5, 48
#: of a close-up on the screen
_WIDTH = 148


@dataclass(frozen=True)
class CloseUp:
    """A part of a picture.

    Attributes:
        bounds: x, y, width, height in [0, 1] of the picture
        shape: width / height in pixels
        title: what it shows
        why: what the check says of it
    """

    bounds: tuple[float, float, float, float]
    shape: float
    title: str
    why: str


def of_marks(item: Evidence) -> tuple[CloseUp, ...]:
    """Returns close-ups of the worst marks of a picture; none of those that are most of it."""
    if item.size is None:
        return ()
    small = [mark for mark in item.marks if max(mark.bounds[2:]) <= _MAX_SHARE and min(mark.bounds[2:]) > 0]
    return tuple(_cut(mark, item.size) for mark in small[:MAX])


def _cut(mark: Mark, size: tuple[int, int]) -> CloseUp:
    x, y, width, height = mark.bounds
    side = max(_MIN_PIXELS, _WIDER * max(width * size[0], height * size[1]))
    # a square around the mark's middle, as far as the picture reaches
    starts, lengths = [], []
    for start, length, pixels in ((x, width, size[0]), (y, height, size[1])):
        own = min(1.0, side / pixels)
        starts.append(min(max(start + length / 2 - own / 2, 0.0), 1.0 - own))
        lengths.append(own)
    shape = lengths[0] * size[0] / (lengths[1] * size[1])
    score = "" if mark.score is None else f" {mark.score:.2f}"
    return CloseUp((*starts, *lengths), shape, f"{mark.label}{score}", mark.why)  # type: ignore[arg-type]


def beside(panel: types.Object) -> types.Object:
    """Returns what the picture and its close-ups are added to: side by side where there is room."""
    # a narrow panel has the close-ups below
    sx: dict[str, Any] = {
        "display": "flex",
        "flexWrap": "wrap",
        "alignItems": "start",
        "& > *:first-of-type": {"flex": "1 1 280px", "minWidth": 0},
        "& > *:nth-of-type(2)": {"flex": f"0 1 {_WIDTH}px"},
    }
    added: types.Object = panel.h_stack("seen", gap=1, componentsProps={"grid": {"sx": sx}})
    return added


def draw(panel: types.Object, source: str, cards: Sequence[CloseUp]) -> None:
    """Adds the close-ups, one below the other."""
    if not cards:
        return
    column = widgets.column(panel, "close_ups", maxHeight=triage_layout.HEIGHT, overflowY="auto")
    for number, card in enumerate(cards):
        _card(widgets.column(column, f"close_up{number}", rowGap="2px"), source, card)


def _card(column: types.Object, source: str, card: CloseUp) -> None:
    x, y, width, height = card.bounds
    window: dict[str, Any] = {
        "position": "relative",
        "overflow": "hidden",
        "width": "100%",
        "aspectRatio": f"{card.shape:.4f}",
        "borderRadius": "4px",
        "background": theme.faint_gray(0.12),
        # what the App puts around a picture must not be what its place is counted from
        "& *": {"position": "static"},
        "& img": {
            "position": "absolute",
            "maxWidth": "none",
            "width": f"{100 / width:.4f}%",
            "height": f"{100 / height:.4f}%",
            "left": f"{-100 * x / width:.4f}%",
            "top": f"{-100 * y / height:.4f}%",
        },
    }
    framed = column.v_stack("window", gap=0, componentsProps={"grid": {"sx": window}})
    framed.str("picture", default=source, view=types.ImageView(alt=f"Close-up: {card.title}"))
    text = f"**{escape(card.title)}**" + (f": {escape(card.why)}" if card.why else "")
    column.md(text, name="text", componentsProps=theme.SMALL)
