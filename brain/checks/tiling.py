"""Whether a part of the picture is repeated, pixel for pixel, at a fixed period."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from loupe.brain.core.records import Box, Output, SampleResult, Scores, Threshold
from loupe.brain.core.specs import Check
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.imaging.opencv import by_opencv

if TYPE_CHECKING:
    from torch import Tensor

_LONG_SIDE = 512
#: pixels along the short side, below which there are too few blocks
_MIN_SIDE = 64
#: standard deviation of the luma below which rounding outweighs the picture: two grey levels
_MIN_SPREAD = 2 / 255
#: pixels of the two averages whose difference is the fine detail: finer is noise, coarser repeats in bricks and windows
_FINE, _COARSE = 3, 9
#: pixels over which the contrast of the detail is evened out
_EVEN = 16
#: detail of this share of the contrast counts half as much as the strongest edge: edges of bricks and windows repeat,
#: the grain between them does not
_GRAIN = 0.2
#: the least period in pixels: the threads of a fabric and the meshes of a fence have shorter ones
_MIN_PERIOD = 24
#: peaks of the autocorrelation that are looked at, and how many standard deviations high they have to be
_PEAKS, _MIN_PEAK = 5, 4.0
#: pixels of a block whose detail is compared with that one period on, and between two blocks
_BLOCK, _STRIDE = 24, 12
#: correlation of two blocks that are the same, and how much less it has to be four pixels beside
_SAME, _DROP = 0.8, 0.4
#: where to look for that: stripes and straight edges correlate there as well
_RING = ((4, 0), (-4, 0), (0, 4), (0, -4), (3, 3), (-3, 3), (3, -3), (-3, -3))
#: root mean square of the detail below which a block is plain: three grey levels, so that JPEG's patterns are plain
_MIN_DETAIL = 3 / 255
#: a share is of at least so many blocks
_MIN_BLOCKS = 40


def _mean(picture: Tensor, size: int) -> Tensor:
    """Returns the averages of size x size pixels around each, of the shape of the (H, W) picture; size is odd."""
    import torch
    from torch.nn.functional import avg_pool2d, pad

    if by_opencv(picture):
        import cv2

        return torch.from_numpy(cv2.blur(picture.numpy(), (size, size), borderType=cv2.BORDER_REPLICATE))
    return avg_pool2d(pad(picture[None, None], (size // 2,) * 4, mode="replicate"), size, 1)[0, 0]


def _pool(values: Tensor) -> Tensor:
    """Returns the means of blocks of 24 x 24 pixels, 12 apart: (H, W) to (H // 12 - 1, W // 12 - 1)."""
    import torch

    height, width = (side // _STRIDE for side in values.shape)
    whole = values[: height * _STRIDE, : width * _STRIDE]
    if values.device.type == "cpu":
        # numpy adds up whole rows in a third of torch's time
        rows = torch.from_numpy(whole.numpy().reshape(height, _STRIDE, -1).sum(1))
    else:
        rows = whole.reshape(height, _STRIDE, -1).sum(1)
    cells = (rows.view(-1, _STRIDE) @ torch.ones(_STRIDE, device=rows.device)).view(height, width)
    pairs = cells[1:] + cells[:-1]
    return (pairs[:, 1:] + pairs[:, :-1]) / _BLOCK**2


def _pooled(powers: Tensor) -> Callable[[slice, slice], Tensor]:
    """Returns what ``_pool`` makes of any part of an (H, W) plane, by the sums of all that is above and left of it."""
    import torch

    if not by_opencv(powers):
        return lambda rows, columns: _pool(powers[rows, columns])
    import cv2

    sums = cv2.integral(powers.numpy())

    def pooled(rows: slice, columns: slice) -> Tensor:
        # each block of 24 x 24 pixels by its four corners, 12 apart
        corners = sums[rows.start : rows.stop + 1 : _STRIDE, columns.start : columns.stop + 1 : _STRIDE]
        across = corners[:, 2:] - corners[:, :-2]
        return torch.from_numpy((across[2:] - across[:-2]).astype("float32")) / _BLOCK**2

    return pooled


def _product(first: Tensor, second: Tensor) -> Tensor:
    """Returns the product of two (H, W) parts of planes."""
    import torch

    if not by_opencv(first):
        return first * second
    import cv2

    # in a third of torch's time, as the rows of a part do not lie together
    return torch.from_numpy(cv2.multiply(first.numpy(), second.numpy()))


def fine_detail(luma: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the fine detail with its contrast evened out, and the contrast.

    Args:
        luma: (H, W) in [0, 1], H and W at least 16

    Returns:
        detail: (H, W) float32 without unit, between -1 and 1
        contrast: (H, W) float32, its root mean square before, in the unit of the luma
    """
    import torch
    from torch.nn.functional import avg_pool2d, interpolate

    detail = _mean(luma, _FINE) - _mean(luma, _COARSE)
    energy = avg_pool2d(detail.square()[None, None], _EVEN, ceil_mode=True, count_include_pad=False)
    if by_opencv(luma):
        import cv2
        import numpy as np

        height, width = luma.shape
        contrasts = cv2.sqrt(cv2.resize(energy[0, 0].numpy(), (width, height), interpolation=cv2.INTER_LINEAR))
        even = cv2.divide(detail.numpy(), contrasts + np.float32(1 / 255))
        strength = np.abs(even)
        strength += np.float32(_GRAIN)
        return torch.from_numpy(cv2.divide(even, strength)), torch.from_numpy(contrasts)
    contrast = interpolate(energy, luma.shape, mode="bilinear")[0, 0].sqrt_()
    detail = detail / (contrast + 1 / 255)
    return detail / (detail.abs() + _GRAIN), contrast


def _magnitude(spectrum: Tensor) -> Tensor:
    """Returns the absolute values of an (H, W) complex spectrum."""
    import torch

    if not by_opencv(spectrum):
        return spectrum.abs()
    import cv2

    return torch.from_numpy(cv2.magnitude(*cv2.split(torch.view_as_real(spectrum).numpy())))


def _highest(values: Tensor) -> tuple[float, int, int]:
    """Returns the highest of (H, W) values, and its row and column."""
    if by_opencv(values):
        import cv2

        _, peak, _, (column, row) = cv2.minMaxLoc(values.numpy())
        return peak, row, column
    highest, place = values.flatten().max(0)
    return float(highest), *divmod(int(place), values.shape[1])


def repeats(detail: Tensor) -> list[tuple[int, int]]:
    """Returns the shifts (down, right) in pixels at which the picture looks most like itself, at most five.

    The peaks of the autocorrelation of the detail, its spectrum half whitened (the power's square root is what is
    transformed back), so that a few strong frequencies, such as those of a fabric, do not outweigh all others.

    Args:
        detail: (H, W), see ``fine_detail``
    """
    import torch

    height = len(detail)
    # lengths that the transform is quick at
    shape = tuple(-(-side // 64) * 64 for side in detail.shape)
    correlation = torch.fft.irfft2(_magnitude(torch.fft.rfft2(detail, s=shape)), s=shape)
    # the other half of the plane is its mirror image
    half, center = min(shape[0] // 2, height - _BLOCK), shape[1] // 2
    correlation = correlation.roll(center, 1)[: half + 1]
    correlation[:_MIN_PERIOD, center - _MIN_PERIOD : center + _MIN_PERIOD + 1] = 0
    correlation[0, :center] = 0
    limit = _MIN_PEAK * float(correlation.std())
    shifts: list[tuple[int, int]] = []
    for _ in range(_PEAKS):
        peak, down, right = _highest(correlation)
        if peak <= limit:
            break
        correlation[max(0, down - 3) : down + 4, max(0, right - 3) : right + 4] = 0
        shifts.append((down, right - center))
    return shifts


def repeated_blocks(
    detail: Tensor,
    contrast: Tensor,
    down: int,
    right: int,
    pooled: Callable[[slice, slice], Tensor] | None = None,
) -> tuple[Tensor, tuple[int, int]] | None:
    """Returns which blocks are there again at a shift, pixel for pixel; None where nothing is left to compare.

    A block of 24 x 24 pixels is, if its detail correlates with that at the shift by more than 0.8, and by at least 0.4
    less with that at each of eight places four pixels around it. What is only alike, as bricks, windows and threads
    are, differs in its fine detail, and what is straight is alike at the places around, too.

    Args:
        detail, contrast: (H, W), see ``fine_detail``
        down, right: the shift in pixels
        pooled: ``_pooled`` of the squares of the detail, where it is at hand

    Returns:
        blocks: (h, w) bool, 12 pixels apart
        corner: y, x of the first one in pixels
    """
    import torch

    height, width = detail.shape
    top, bottom = max(0, 4 - down), height - max(0, down + 4)
    left, end = max(0, 4 - right), width - max(0, right + 4)
    if bottom - top < _BLOCK or end - left < _BLOCK:
        return None

    def moved(y: int = 0, x: int = 0) -> tuple[slice, slice]:
        return slice(top + down + y, bottom + down + y), slice(left + right + x, end + right + x)

    pooled = pooled or _pooled(detail.square())
    place = slice(top, bottom), slice(left, end)
    here, energy = detail[place], pooled(*place)

    def correlation(y: int, x: int) -> Tensor:
        place_at = moved(y, x)
        return _pool(_product(here, detail[place_at])) / (energy * pooled(*place_at)).sqrt_().clamp_min_(1e-6)

    at_shift = correlation(0, 0)
    same = at_shift > _SAME
    if same.any():
        same &= torch.minimum(_pool(contrast[place]), _pool(contrast[moved()])) > _MIN_DETAIL
    for y, x in _RING:
        if not same.any():
            break
        same &= at_shift - correlation(y, x) > _DROP
    return same, (top, left)


@dataclass(frozen=True)
class Tiling(Check):
    """Tiling: whether a part of the picture is repeated pixel for pixel.

    At a long side of at most 512 pixels: which shifts make the picture most like itself, and how much of its detail is
    there again at one of them. Bricks, windows and fabrics repeat only roughly. What a machine has drawn with exact
    repetition on purpose, such as wallpaper, is tiling to it. Subjects that are alike without being copies are not.
    """

    name: ClassVar[str] = "tiling"
    version: ClassVar[int] = 3
    reference: ClassVar[str] = "Copy-move detection by autocorrelation: Fridrich, Soukal, Lukas, DFRWS (2003)"
    license: ClassVar[str] = "Apache-2.0"
    whole_picture: ClassVar[str] = "a texture may repeat on an object: windows of a house, meshes of a net"
    long_side: ClassVar[int | None] = _LONG_SIDE
    boxes_field: ClassVar[str | None] = "flaws"
    default: ClassVar[bool] = False
    presets: ClassVar[tuple[str, ...]] = ("generated",)
    cost: ClassVar[float] = 7.0
    stateless: ClassVar[bool] = True
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            name="tiling",
            unit="ratio",
            higher_is_better=False,
            bounds=(0.0, 1.0),
            description="The share of the picture's detailed parts that are there again at a fixed shift.",
            default_threshold=Threshold(">", 0.08, provenance="flags 1 of 100 clean ImageNet photos"),
            failure="tiling",
        ),
        Output(
            "tiling_period",
            "share of the long side",
            None,
            (0.0, 1.5),
            "The length of that shift, 0 where there is none.",
        ),
    )

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:

        threshold = self.outputs[0].default_threshold
        assert threshold is not None

        def repeated_box(
            share: float, shift: tuple[int, int], same: Tensor, corner: tuple[int, int], of: Tensor
        ) -> Box:
            """One period, around the middle one of the repeated blocks."""
            height, width = of.shape
            places = same.nonzero()
            y, x = (places[len(places) // 2] * _STRIDE).tolist()
            tall, wide = (abs(side) if abs(side) >= _BLOCK else max(map(abs, shift)) for side in shift)
            tall, wide = min(tall, height), min(wide, width)
            top, left = min(corner[0] + y, height - tall), min(corner[1] + x, width - wide)
            facts: dict[str, str | float] = {"right": shift[1] / width, "down": shift[0] / height}
            return Box("tiling", (left / width, top / height, wide / width, tall / height), share, facts)

        def score_picture(luma: Tensor, spread: float) -> SampleResult:
            height, width = luma.shape
            if min(height, width) < _MIN_SIDE:
                return SampleResult({}, f"too small to judge tiling: {width} x {height} pixels")
            if spread < _MIN_SPREAD:
                return SampleResult({}, "too plain to judge tiling")
            detail, contrast = fine_detail(luma)
            blocks = int((_pool(contrast) > _MIN_DETAIL).sum())
            best, period = 0.0, 0.0
            boxes: tuple[Box, ...] = ()
            pooled = _pooled(detail.square())
            for shift in repeats(detail) if blocks else ():
                repeated = repeated_blocks(detail, contrast, *shift, pooled)
                if repeated is None:
                    continue
                # each one that is there again stands for two: itself and its copy
                share = min(1.0, 2 * int(repeated[0].sum()) / max(_MIN_BLOCKS, blocks))
                if share > best:
                    best, period = share, math.hypot(*shift) / max(luma.shape)
                    boxes = (repeated_box(share, shift, *repeated, luma),)
            return SampleResult(
                {"tiling": best, "tiling_period": period}, boxes=boxes if best > threshold.value else ()
            )

        def score(batch: ImageBatch) -> Scores:
            small = batch.luma.at(_LONG_SIDE)
            results = [score_picture(*facts) for facts in zip(small.luma, small.spread.tolist(), strict=True)]
            return self.scores(results, batch.pixels.device)

        return score
