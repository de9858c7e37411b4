"""Strong, isolated edges of a picture, and the profiles across them: what the checks of edges share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

#: pixels on each side of an edge that a profile covers
REACH = 12
#: how many of the outermost pixels of a side say what the side is like away from the edge
FAR = 6
#: step over three pixels, in luma, from which an edge is strong: far above noise and JPEG ringing, about 20 gray levels
_MIN_STEP = 0.08
#: spread of the far pixels of a side, as a share of the step, up to which the side counts as even
_MAX_SPREAD = 0.5
#: candidates looked at along each axis: averages do not get better from more, and the time is bounded
_MAX_EDGES = 4000
#: pixels on each side of a candidate at which a steeper step tells that it is none, the most telling first, and what
#: two sums of the same steps may differ by
_FIRST, _ROUNDING = (2, 3, 5, 8), 1e-5


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

    def at(self, chosen: Tensor) -> Edges:
        """Returns some of them: (K,) bool or their (k,) places."""
        return Edges(self.rows[chosen], self.columns[chosen], self.profiles[chosen], self.back[chosen], self.vertical)

    def across(self, plane: Tensor) -> Tensor:
        """Returns the profiles of another (H, W) plane of the picture at the same places: (K, 2 * REACH)."""
        return _profiles(plane, self.rows, self.columns, self.vertical)

    def colors(self, pixels: Tensor) -> Tensor:
        """Returns the profiles of the (3, H, W) planes of the picture at the same places: (3, K, 2 * REACH)."""
        import torch

        if pixels.device.type != "cpu":
            return torch.stack([self.across(plane) for plane in pixels])
        import numpy as np

        width = pixels.shape[2]
        steps = np.arange(1 - REACH, REACH + 1) * (1 if self.vertical else width)
        places = (self.rows * width + self.columns).numpy()[:, None] + steps
        interleaved = pixels.permute(1, 2, 0)
        if interleaved.is_contiguous():
            # a byte at a time is looked up faster than three
            levels = interleaved.numpy().reshape(-1)
            places *= len(pixels)
            return torch.from_numpy(np.stack([levels.take(places + plane) for plane in range(len(pixels))]))
        return torch.from_numpy(np.stack([plane.numpy().reshape(-1).take(places) for plane in pixels]))


def _profiles(plane: Tensor, rows: Tensor, columns: Tensor, vertical: bool) -> Tensor:
    import torch

    # one flat look-up is twice as fast as one by rows and columns
    width = plane.shape[1]
    steps = torch.arange(1 - REACH, REACH + 1, device=plane.device) * (1 if vertical else width)
    return plane.reshape(-1)[(rows * width + columns)[:, None] + steps]


def far_sides(profiles: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the means of the far left and far right pixels of (K, 2 * REACH) profiles, and the larger spread.

    Three (K,) tensors; the spread is the range of the far pixels of a side.
    """
    import torch

    left, right = profiles[:, :FAR], profiles[:, -FAR:]
    spread = torch.maximum(left.amax(1) - left.amin(1), right.amax(1) - right.amin(1))
    return left.mean(1), right.mean(1), spread


def strong_edges(luma: Tensor) -> tuple[Edges, Edges]:
    """Returns the strong isolated edges, first the upright, then the level ones.

    Kept is where the luma steps by about 0.08 within three pixels, more along the axis of the profile than along the
    other one, where no steeper step lies within 12 pixels, and where both sides are fairly even 7 to 12 pixels away.

    Args:
        luma: (H, W) float32 in [0, 1], or uint8, which count as 255ths; H and W at least 2 * REACH + 2
    """
    if luma.device.type == "cpu":
        return _by_numpy(luma, True), _by_numpy(luma, False)
    return _by_torch(luma, True), _by_torch(luma, False)


def _by_torch(luma: Tensor, vertical: bool) -> Edges:
    import torch

    height, width = luma.shape
    # whole numbers are compared without a rounding
    white = 255 if luma.dtype == torch.uint8 else 1
    flat = (luma.short() if white == 255 else luma).reshape(-1)
    # flat, for whole rows of differences are several times faster; what runs over a row's end is dropped below
    beside = 1 if vertical else width
    # twice the step, without a fraction
    step = (flat[2 * beside : -beside] - flat[beside : -2 * beside]).mul_(2)
    step = step.add_(flat[3 * beside :]).sub_(flat[: -3 * beside]).abs_()
    inner = step[beside:-beside]
    peak = (inner > step[: -2 * beside]) & (inner >= step[2 * beside :]) & (inner > 2 * _MIN_STEP * white)
    place = peak.nonzero()[:, 0] + 2 * beside
    rows, columns = place // width, place % width
    along, length = (columns, width) if vertical else (rows, height)
    place = place[(along >= REACH - 1) & (along < length - REACH)]
    place = place[:: max(1, -(-len(place) // _MAX_EDGES))]
    rows, columns = place // width, place % width
    profiles = _profiles(flat.view(height, width), rows, columns, vertical)
    # steeper than all else in its profile, than what crosses it, and no side of a thin line
    slopes = (profiles[:, 2:-1] - profiles[:, 1:-2]) * 2 + (profiles[:, 3:] - profiles[:, :-3])
    own = slopes[:, REACH - 2]
    slopes = slopes * own.sign()[:, None]
    own = own.abs()
    profiles = profiles * (1 / white)
    if vertical:
        ends = (rows + 1).clamp_max(height - 1) * width + columns, (rows - 2).clamp_min(0) * width + columns
    else:
        ends = rows * width + (columns + 1).clamp_max(width - 1), rows * width + (columns - 2).clamp_min(0)
    left, right, spread = far_sides(profiles)
    back = -slopes.amin(1) / own
    kept = (own >= slopes.amax(1)) & (back <= 1) & (own >= (flat[ends[0]] - flat[ends[1]]).abs() * 2)
    kept &= (spread <= _MAX_SPREAD * (right - left).abs()) & ((right - left).abs() > _MIN_STEP)
    # the step at the edge goes the same way as that from side to side
    kept &= (right - left) * (profiles[:, REACH] - profiles[:, REACH - 1]) > 0
    return Edges(rows, columns, profiles, back, vertical).at(kept)


def _by_numpy(luma: Tensor, vertical: bool) -> Edges:
    """As ``_by_torch``: numpy compares, counts and looks up in a third of torch's time on the CPU."""
    import numpy as np
    import torch

    picture = luma.contiguous().numpy()
    height, width = picture.shape
    levels = picture.reshape(-1)
    white = 255 if levels.dtype == np.uint8 else 1
    flat: Any = levels.astype(np.int16 if white == 255 else np.float32)
    beside = 1 if vertical else width
    step = flat[2 * beside : -beside] - flat[beside : -2 * beside]
    step += step
    step += flat[3 * beside :]
    step -= flat[: -3 * beside]
    np.abs(step, out=step)
    place = np.flatnonzero(step[beside:-beside] > flat.dtype.type(2 * _MIN_STEP * white)) + 2 * beside
    inner = step.take(place - beside)
    place = place[(inner > step.take(place - 2 * beside)) & (inner >= step.take(place))]
    along, length = (place % width, width) if vertical else (place // width, height)
    place = place[(along >= REACH - 1) & (along < length - REACH)]
    place = place[:: max(1, -(-len(place) // _MAX_EDGES))]
    # most are told by a few pixels, before their profiles are looked up: one beside it is steeper, ...
    highest = step.take(place - beside)
    if white == 1:
        highest += np.float32(2 * _ROUNDING)
    for far in _FIRST:
        few = (step.take(place + (far - 1) * beside) <= highest) & (step.take(place - (far + 1) * beside) <= highest)
        place, highest = place[few], highest[few]
    rows, columns = place // width, place % width
    # ... or what crosses it is
    if vertical:
        after, before = np.minimum(rows + 1, height - 1) * width + columns, np.maximum(rows - 2, 0) * width + columns
    else:
        after, before = rows * width + np.minimum(columns + 1, width - 1), rows * width + np.maximum(columns - 2, 0)
    place = place[step.take(place - beside) >= 2 * np.abs(flat.take(after) - flat.take(before))]
    # one profile a column: what is asked of all of them goes along whole rows
    profiles = flat.take(place + (np.arange(1 - REACH, REACH + 1) * beside)[:, None])
    slopes = (profiles[2:-1] - profiles[1:-2]) * flat.dtype.type(2) + (profiles[3:] - profiles[:-3])
    slopes *= np.sign(slopes[REACH - 2])
    own = slopes[REACH - 2]
    back = -slopes.min(0) / own.astype(np.float32)
    steepest = np.flatnonzero((own >= slopes.max(0)) & (back <= 1))
    place, back = place[steepest], back[steepest]
    profiles = profiles.take(steepest, axis=1) * np.float32(1 / white)
    by_row = torch.from_numpy(np.ascontiguousarray(profiles.T))
    # the sums of torch, whose order is its own, and the ranges along whole rows
    across = (by_row[:, -FAR:].mean(1) - by_row[:, :FAR].mean(1)).numpy()
    spread = np.maximum(*(side.max(0) - side.min(0) for side in (profiles[:FAR], profiles[-FAR:])))
    kept = (spread <= _MAX_SPREAD * np.abs(across)) & (np.abs(across) > _MIN_STEP)
    kept &= across * (profiles[REACH] - profiles[REACH - 1]) > 0
    rows, columns = place[kept] // width, place[kept] % width
    chosen = torch.from_numpy(kept)
    places = torch.from_numpy(rows), torch.from_numpy(columns)
    return Edges(places[0], places[1], by_row[chosen], torch.from_numpy(back)[chosen], vertical)


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
