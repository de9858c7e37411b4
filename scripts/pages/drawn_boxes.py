"""Draws on a picture what a check says of it: its map, its boxes, its points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from loupe.brain.engine.runner import Verdict
from pages.pictures import panel

#: left, top, right, bottom in pixels
Corners = tuple[float, float, float, float]
Color = tuple[int, int, int]

SIDE = 320
_GAP = 8
_WRONG, _RIGHT, _OPEN, _DARK = (255, 80, 190), (60, 220, 110), (255, 196, 40), (20, 20, 24)


def drawn(pixels: np.ndarray, verdict: Verdict, check: str, section: str) -> Image.Image:
    """Returns the picture, small, with the evidence of one check.

    Args:
        pixels: (H, W, 3) uint8
        verdict: what was said of it
        check: whose evidence
        section: the section of the page, which the color of a lone figure's points goes by
    """
    made = panel(pixels, SIDE)
    if check in verdict.maps:
        made = _with_map(made, verdict.maps[check])
    pen = ImageDraw.Draw(made)
    width, height = made.size
    # what is wrong is drawn last: on top
    boxes = sorted(verdict.boxes.get(check, ()), key=lambda box: box.label not in ("as wanted", "unknown"))
    labels: list[tuple[str, Corners, Color]] = []
    taken: list[Corners] = []
    for box in boxes:
        left, top, wide, high = box.bounds
        if wide * high > 0.98:
            continue  # about the whole picture: the caption says it
        corners = (left * width, top * height, (left + wide) * width, (top + high) * height)
        _box(pen, corners, _color(box.label))
        labels.append((_words(box.label, box.attributes), corners, _color(box.label)))
    for text, corners, color in reversed(labels):
        _label(pen, text, corners, color, made.size, taken)
    shapes = verdict.points.get(check, ())
    of_section = {"Abstains": _OPEN, "Misses": _RIGHT}.get(section, _WRONG)
    for shape in shapes:
        # a check may say two things of a figure, and its verdict is about one of them
        color = of_section if len(shapes) == 1 else _color(str(shape.attributes.get("verdict", shape.label)))
        radius = 2 if len(shape.points) < 40 else 1
        for x, y in shape.points:
            _dot(pen, x * width, y * height, color, radius)
    return made


def side_by_side(pictures: Sequence[np.ndarray]) -> Image.Image:
    """Returns the pictures of a pair beside each other."""
    parts = [panel(pixels, (360 - _GAP) // 2) for pixels in pictures]
    made = Image.new("RGB", (360, max(part.height for part in parts)), "white")
    for at, part in enumerate(parts):
        made.paste(part, (at * (360 + _GAP) // 2, 0))
    return made


def _color(label: str) -> Color:
    if label == "unknown":
        return _OPEN
    return _RIGHT if label in ("as wanted", "sound", "usual") else _WRONG


def _words(label: str, facts: Mapping[str, str | float]) -> str:
    read = facts.get("read")
    return f"{label.replace('_', ' ')}: {read}"[:40] if read else label.replace("_", " ")


def _box(pen: ImageDraw.ImageDraw, corners: Corners, color: Color) -> None:
    left, top, right, bottom = corners
    pen.rectangle((left - 1, top - 1, max(right, left) + 1, max(bottom, top) + 1), outline=_DARK, width=4)
    pen.rectangle((left, top, max(right, left + 2), max(bottom, top + 2)), outline=color, width=2)


def _label(
    pen: ImageDraw.ImageDraw,
    text: str,
    corners: Corners,
    color: Color,
    size: tuple[int, int],
    taken: list[Corners],
) -> None:
    """The label above the box, or inside where there is no room, unless it would cover another label."""
    font = ImageFont.load_default(11)
    _, _, wide, high = pen.textbbox((0, 0), text, font=font)
    x = min(max(corners[0] - 1, 0), max(0, size[0] - wide - 5))
    y = corners[1] - high - 5 if corners[1] >= high + 5 else corners[1] + 3
    place = (x, y, x + wide + 4, y + high + 3)
    if any(place[0] < o[2] and o[0] < place[2] and place[1] < o[3] and o[1] < place[3] for o in taken):
        return
    taken.append(place)
    pen.rectangle(place, fill=_DARK)
    pen.text((x + 2, y + 1), text, font=font, fill=color)


def _dot(pen: ImageDraw.ImageDraw, x: float, y: float, color: Color, radius: int) -> None:
    for r, fill in ((radius + 1, _DARK), (radius, color)):
        pen.ellipse((x - r, y - r, x + r, y + r), fill=fill)


def _with_map(picture: Image.Image, values: np.ndarray) -> Image.Image:
    """The picture under a veil of orange where the map is high."""
    veil = Image.fromarray((values * 150).clip(0, 255).astype(np.uint8)).resize(picture.size, Image.Resampling.BILINEAR)
    return Image.composite(Image.new("RGB", picture.size, (255, 110, 20)), picture, veil)
