"""Strong, isolated edges of a picture, and the profiles across them: what the checks of edges share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from loupe.brain.imaging.steps import running_max

if TYPE_CHECKING:
    from torch import Tensor

#: a tensor or an array
Plane = TypeVar("Plane", bound=Any)

#: pixels on each side of an edge that a profile covers
REACH = 12
#: how many of the outermost pixels of a side say what the side is like away from the edge
FAR = 6
#: step over three pixels, in luma, from which an edge is strong: far above noise and JPEG ringing, about 20 gray levels
_MIN_STEP = 0.08
#: spread of the far pixels of a side, as a share of the step, up to which the side counts as even
_MAX_SPREAD = 0.5


@dataclass(frozen=True)
class Edges:
    """K edges, all across the same axis.

    Attributes:
        rows, columns: (K,) int64, the last pixel before the edge
        profiles: (K, 2 * REACH) float32 luma across the edge, from left to right or from top to bottom; the edge lies
            in the middle
        back: (K,) float32, the steepest way back in each profile, as a share of the edge's own steepness: a thin line
            has about 1
        vertical: whether the edges are upright, so that the profiles are horizontal
    """

    rows: Tensor
    columns: Tensor
    profiles: Tensor
    back: Tensor
    vertical: bool

    def at(self, chosen: Tensor | slice) -> Edges:
        """Returns some of them: (K,) bool, their (k,) places, or a slice of these."""
        return Edges(self.rows[chosen], self.columns[chosen], self.profiles[chosen], self.back[chosen], self.vertical)

    def few(self, maximum: int) -> Edges:
        """Returns at most so many of them, evenly over the picture."""
        return self.at(evenly(len(self.rows), maximum))

    def across(self, plane: Tensor) -> Tensor:
        """Returns the profiles of another (H, W) plane of the picture at the same places: (K, 2 * REACH)."""
        return _profiles(plane, self.rows, self.columns, self.vertical)

    def levels(self, pixels: Tensor, planes: Sequence[int]) -> list[Tensor]:
        """Returns the profiles of some of the (3, H, W) uint8 planes of the picture: (K, 2 * REACH) uint8 each."""
        import torch

        if pixels.device.type != "cpu":
            return [self.across(pixels[plane]) for plane in planes]
        import numpy as np

        width = pixels.shape[2]
        steps = np.arange(1 - REACH, REACH + 1) * (1 if self.vertical else width)
        places = (self.rows * width + self.columns).numpy()[:, None] + steps
        interleaved = pixels.permute(1, 2, 0)
        if interleaved.is_contiguous():
            # a byte at a time is looked up faster than three
            levels = interleaved.numpy().reshape(-1)
            places *= len(pixels)
            return [torch.from_numpy(levels.take(places + plane)) for plane in planes]
        return [torch.from_numpy(pixels[plane].numpy().reshape(-1).take(places)) for plane in planes]


def evenly(number: int, maximum: int) -> slice:
    """Returns which of so many are taken, so that they are at most ``maximum``: every n-th.

    >>> evenly(10, 4)
    slice(None, None, 3)
    """
    return slice(None, None, max(1, -(-number // maximum)))


def _profiles(plane: Tensor, rows: Tensor, columns: Tensor, vertical: bool) -> Tensor:
    import torch

    # one flat look-up is twice as fast as one by rows and columns
    width = plane.shape[1]
    steps = torch.arange(1 - REACH, REACH + 1, device=plane.device) * (1 if vertical else width)
    return plane.reshape(-1)[(rows * width + columns)[:, None] + steps]


def strong_edges(luma: Tensor) -> tuple[Edges, Edges]:
    """Returns the strong isolated edges, first the upright, then the level ones.

    Kept is where the luma steps by about 0.08 within three pixels, more along the axis of the profile than along the
    other one, where no steeper step lies within 12 pixels, and where both sides are fairly even 7 to 12 pixels away.

    Args:
        luma: (H, W) uint8; H and W at least 2 * REACH + 2
    """
    if luma.device.type == "cpu":
        return _by_numpy(luma, True), _by_numpy(luma, False)
    return _by_torch(luma, True), _by_torch(luma, False)


def _steps(flat: Plane, beside: int) -> Plane:
    """Returns twice the step between two numbers, over those beside them: (N,) to (N - 3 * beside,), no fractions."""
    step = flat[2 * beside : -beside] - flat[beside : -2 * beside]
    step += step
    step += flat[3 * beside :]
    step -= flat[: -3 * beside]
    return step


def _crossing(place: Plane, shape: tuple[int, ...], vertical: bool) -> tuple[Plane, Plane]:
    """Returns the places between which the luma steps along an edge: one back and two on, within the picture."""
    height, width = shape
    rows, columns = place // width, place % width
    if vertical:
        return (rows - 2).clip(0) * width + columns, (rows + 1).clip(None, height - 1) * width + columns
    return rows * width + (columns - 2).clip(0), rows * width + (columns + 1).clip(None, width - 1)


def _by_torch(luma: Tensor, vertical: bool) -> Edges:
    import torch

    width = luma.shape[1]
    # flat, for whole rows are several times faster; what runs over a row's end is dropped below
    flat, beside = luma.short().reshape(-1), 1 if vertical else width
    step = _steps(flat, beside).abs_()
    around = (REACH - 2) * beside
    inner = step[around:-around]
    peak = (inner > int(2 * _MIN_STEP * 255)) & (inner > step[around - beside :][: len(inner)])
    peak &= inner >= running_max(step, 2 * REACH - 3, torch.maximum, beside)
    place = peak.nonzero()[:, 0] + around + beside
    along, length = (place % width, width) if vertical else (place // width, len(luma))
    place = place[(along >= REACH - 1) & (along < length - REACH)]
    before, after = _crossing(place, luma.shape, vertical)
    place = place[step[place - beside] >= (flat[after] - flat[before]).abs() * 2]
    rows, columns = place // width, place % width
    profiles = _profiles(flat.view(luma.shape), rows, columns, vertical)
    slopes = (profiles[:, 2:-1] - profiles[:, 1:-2]) * 2 + (profiles[:, 3:] - profiles[:, :-3])
    slopes *= slopes[:, REACH - 2].sign()[:, None]
    back = -slopes.amin(1) / slopes[:, REACH - 2]
    left, right = profiles[:, :FAR], profiles[:, -FAR:]
    change = right.sum(1, dtype=torch.int16) - left.sum(1, dtype=torch.int16)
    spread = torch.maximum(left.amax(1) - left.amin(1), right.amax(1) - right.amin(1))
    even = (spread * int(FAR / _MAX_SPREAD) <= change.abs()) & (change.abs() > _MIN_STEP * FAR * 255)
    even &= change.sign() == (profiles[:, REACH] - profiles[:, REACH - 1]).sign()
    return Edges(rows, columns, profiles * (1 / 255), back, vertical).at(even)


def _by_numpy(luma: Tensor, vertical: bool) -> Edges:
    """As ``_by_torch``: numpy compares, counts and looks up in a third of torch's time on the CPU."""
    import numpy as np
    import torch

    width = luma.shape[1]
    flat, beside = luma.contiguous().numpy().reshape(-1).astype(np.int16), 1 if vertical else width
    step = _steps(flat, beside)
    np.abs(step, out=step)
    # those whose profiles do not reach over the border
    around = (REACH - 2) * beside
    inner = step[around:-around]
    peak = np.zeros(luma.shape, bool)
    inside = peak.reshape(-1)[around + beside :][: len(inner)]
    np.greater(inner, int(2 * _MIN_STEP * 255), out=inside)
    inside &= inner > step[around - beside :][: len(inner)]
    # no step in its profile is steeper
    inside &= inner >= running_max(step, 2 * REACH - 3, np.maximum, beside)
    across = peak if vertical else peak.T
    across[:, : REACH - 1] = across[:, -REACH:] = False
    place = np.flatnonzero(peak)
    # nor is what crosses it
    before, after = _crossing(place, luma.shape, vertical)
    place = place[step.take(place - beside) >= 2 * np.abs(flat.take(after) - flat.take(before))]
    # one profile a column: what is asked of all of them goes along whole rows; most are told by their ends
    left, right = (
        flat.take(place + (np.arange(first, first + FAR) * beside)[:, None]) for first in (1 - REACH, REACH + 1 - FAR)
    )
    # sums of levels are exact, and the same on every device
    change = right.sum(0, dtype=np.int16) - left.sum(0, dtype=np.int16)
    spread = np.maximum(*(side.max(0) - side.min(0) for side in (left, right)))
    size = np.abs(change)
    even = (spread * np.int16(FAR / _MAX_SPREAD) <= size) & (size > _MIN_STEP * FAR * 255)
    # the step at the edge goes the same way as that from side to side
    even &= np.sign(change) == np.sign(flat.take(place + beside) - flat.take(place))
    place = place[even]
    profiles = flat.take(place + (np.arange(1 - REACH, REACH + 1) * beside)[:, None])
    slopes = (profiles[2:-1] - profiles[1:-2]) * np.int16(2) + (profiles[3:] - profiles[:-3])
    slopes *= np.sign(slopes[REACH - 2])
    back = -slopes.min(0) / slopes[REACH - 2].astype(np.float32)
    by_row = np.multiply(profiles.T, np.float32(1 / 255), dtype=np.float32, order="C")
    rows, columns, by_row, back = (torch.from_numpy(some) for some in (place // width, place % width, by_row, back))
    return Edges(rows, columns, by_row, back, vertical)


def worst_places(
    rows: Tensor, columns: Tensor, scores: Tensor, shape: tuple[int, int], max_boxes: int = 5
) -> Sequence[tuple[float, float, float, float]]:
    """Returns up to ``max_boxes`` boxes, worst first, around the cells of a 12 x 12 grid with the largest sums.

    Args:
        rows, columns: (K,) places
        scores: (K,) what each place adds; the higher, the worse
        shape: height and width of the picture

    Returns:
        relative x, y, width, height around the places of each cell
    """
    import torch

    # on the CPU: each box asks for its bounds, and a device adds scores up in any order
    rows, columns, scores = rows.cpu(), columns.cpu(), scores.cpu()
    height, width = shape
    side = max(1, -(-max(shape) // 12))
    across = -(-width // side)
    cell = rows // side * across + columns // side
    sums = torch.bincount(cell, scores, minlength=1)
    boxes = []
    for index in sums.argsort(descending=True, stable=True)[:max_boxes].tolist():
        if sums[index] <= 0:
            break
        inside = cell == index
        y, x = rows[inside], columns[inside]
        top, left = max(0, int(y.min()) - 2), max(0, int(x.min()) - 2)
        bottom, right = min(height, int(y.max()) + 4), min(width, int(x.max()) + 4)
        boxes.append((left / width, top / height, (right - left) / width, (bottom - top) / height))
    return boxes
