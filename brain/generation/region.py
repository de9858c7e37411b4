"""Which part of a picture is drawn anew: a mask, the crop around it, the size it is drawn at, and how it is put back.

Outside of the mask the finished picture is the original, to the last bit: what was drawn fades in from the mask's edge
inward. A crop that would be most of the picture is the whole picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from loupe.brain.core.errors import InputError

#: the region is grown by this share of its longer side, so that what is wrong lies inside with its edges
GROW = 0.15
#: how much wider and higher than the region the crop is: what is drawn has to fit what is around it
CONTEXT = 2.0
#: from this share of the picture on the crop is the whole picture
WHOLE = 0.6
#: from this value on a heat map's place belongs to the region
HEAT = 0.5
#: this share of the region's shorter side is faded in
FEATHER = 0.12


@dataclass(frozen=True)
class Frame:
    """A crop of a picture.

    Attributes:
        left, top, right, bottom: in pixels of the picture; right and bottom lie outside
        width, height: at which it is drawn
    """

    left: int
    top: int
    right: int
    bottom: int
    width: int
    height: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right and bottom, as PIL's ``crop`` takes them."""
        return self.left, self.top, self.right, self.bottom


def of_boxes(
    boxes: Sequence[tuple[float, float, float, float]], size: tuple[int, int], grow: float = GROW
) -> np.ndarray:
    """Returns the (H, W) bool mask of boxes, each grown on all sides; what lies outside of the picture is cut off.

    Args:
        boxes: x, y, width, height relative to the picture, from its top left corner; those that are no numbers, and
            those without an area, are left out
        size: (width, height) of the picture in pixels
        grow: by which share of a box's longer side, in pixels

    >>> of_boxes([(0.25, 0.0, 0.5, 1.0)], (8, 2), grow=0).astype(int).tolist()
    [[0, 0, 1, 1, 1, 1, 0, 0], [0, 0, 1, 1, 1, 1, 0, 0]]
    """
    width, height = size
    mask = np.zeros((height, width), dtype=bool)
    for box in boxes:
        x, y, wide, tall = box
        if not all(math.isfinite(value) for value in box) or wide <= 0 or tall <= 0:
            continue
        more = grow * max(wide * width, tall * height)
        left, right = _clipped(x * width - more, (x + wide) * width + more, width)
        top, bottom = _clipped(y * height - more, (y + tall) * height + more, height)
        mask[top:bottom, left:right] = True
    return mask


def _clipped(start: float, end: float, size: int) -> tuple[int, int]:
    # rounded first: 0.1 + 0.2 is a little more than 0.3, and no pixel more
    return max(0, math.floor(round(start, 6))), max(0, min(size, math.ceil(round(end, 6))))


def around(points: Sequence[tuple[float, float]]) -> tuple[float, float, float, float] | None:
    """Returns the box around points; None where they have no extent.

    >>> around([(0.25, 0.25), (0.75, 0.5)])
    (0.25, 0.25, 0.5, 0.25)
    """
    known = [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]
    if len(known) < 2:
        return None
    xs, ys = zip(*known, strict=True)
    box = (min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
    return box if box[2] > 0 and box[3] > 0 else None


def of_map(heat: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Returns the (H, W) bool mask of a heat map, or mask, over the whole of a picture of that (width, height)."""
    import cv2

    scaled = cv2.resize(np.asarray(heat, np.float32), size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(scaled >= HEAT)


def frame(
    mask: np.ndarray, made_for: tuple[int, int] | None, multiple: int, context: float = CONTEXT, whole: float = WHOLE
) -> Frame:
    """Returns the crop around a mask, and the size it is drawn at: about as many pixels as the model was made for.

    Args:
        mask: (H, W) bool
        made_for: (width, height) that the model was made for; None: not known, so 512 pixels each way
        multiple: of how many pixels width and height have to be a multiple
        context: how many times the region's width and height the crop has at least
        whole: from which share of the picture on the crop is the whole picture

    Raises:
        InputError: the mask is empty
    """
    height, width = mask.shape
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        raise InputError("expected a region with something in it, got an empty one")
    model = made_for or (512, 512)
    left, right = int(columns[0]), int(columns[-1]) + 1
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    wide, tall = (right - left) * context, (bottom - top) * context
    # of the shape that the model draws best; no smaller than a quarter of its side: nothing is to be blown up more
    wide, tall = max(wide, tall * model[0] / model[1], model[0] / 4), max(tall, wide * model[1] / model[0])
    wide, tall = min(wide, width), min(max(tall, model[1] / 4), height)
    if wide * tall >= whole * width * height:
        return _sized((0, 0, width, height), model, multiple)
    x = _placed((left + right) / 2, wide, width)
    y = _placed((top + bottom) / 2, tall, height)
    return _sized((x, y, x + round(wide), y + round(tall)), model, multiple)


def _placed(middle: float, length: float, size: int) -> int:
    return max(0, min(round(middle - length / 2), size - round(length)))


def _sized(box: tuple[int, int, int, int], model: tuple[int, int], multiple: int) -> Frame:
    wide, tall = box[2] - box[0], box[3] - box[1]
    # as many pixels as the model draws, in the crop's own shape; the model's own size where the shapes are alike
    if abs(math.log((wide / tall) / (model[0] / model[1]))) < 0.05:
        width, height = model
    else:
        scale = math.sqrt(model[0] * model[1] / (wide * tall))
        width, height = round(wide * scale), round(tall * scale)
    return Frame(*box, _multiple(width, multiple), _multiple(height, multiple))


def _multiple(value: float, of: int) -> int:
    return max(of, round(value / of) * of)


def pasted(original: np.ndarray, drawn: np.ndarray, where: Frame, mask: np.ndarray) -> np.ndarray:
    """Returns the original with what was drawn put in, faded in from the mask's edge inward.

    Args:
        original: (H, W, 3) uint8
        drawn: (h, w, 3) uint8, of the frame's size
        where: the crop that was drawn
        mask: (H, W) bool: outside of it nothing changes

    Returns:
        (H, W, 3) uint8
    """
    import cv2

    wide, tall = where.right - where.left, where.bottom - where.top
    if drawn.shape[:2] != (tall, wide):
        how = cv2.INTER_AREA if wide < drawn.shape[1] else cv2.INTER_CUBIC
        drawn = cv2.resize(drawn, (wide, tall), interpolation=how)
    weight = fade(mask)[where.top : where.bottom, where.left : where.right, None]
    made = original.copy()
    below = made[where.top : where.bottom, where.left : where.right].astype(np.float32)
    made[where.top : where.bottom, where.left : where.right] = np.rint(below + weight * (drawn - below)).astype(
        np.uint8
    )
    return made


def fade(mask: np.ndarray) -> np.ndarray:
    """Returns how much of what was drawn is seen: (H, W) float32, 0 outside of the mask, 1 from a little inside on.

    At the picture's own edge nothing is faded: there is nothing beyond it to fit to.
    """
    import cv2

    if mask.all():
        return np.ones(mask.shape, np.float32)
    inside = np.pad(mask.astype(np.uint8), 1, mode="edge")
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, 5)[1:-1, 1:-1]
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    short = min(len(rows), len(columns)) if len(rows) else 0
    pixels = max(1.0, FEATHER * short)
    return np.clip(distance / pixels, 0, 1).astype(np.float32) * mask
