"""Whether a part of the picture is repeated, pixel for pixel, at a fixed period."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
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
#: standard deviation of the luma below which rounding outweighs the picture: two gray levels
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
#: rows apart of those that are looked at first, and the correlation there below which no block can be the same
_EVERY, _FIRST_LOOK = 3, 0.7
#: where to look for that: stripes and straight edges correlate there as well
_RING = ((4, 0), (-4, 0), (0, 4), (0, -4), (3, 3), (-3, 3), (3, -3), (-3, -3))
#: root mean square of the detail below which a block is plain: three gray levels, so that JPEG's patterns are plain
_MIN_DETAIL = 3 / 255
#: a share is of at least so many blocks, and one up to this is told as none
_MIN_BLOCKS, _LEAST = 40, 0.01


def _pool(values: Tensor) -> Tensor:
    """Returns the means of blocks of 24 x 24 pixels, 12 apart: (H, W) to (H // 12 - 1, W // 12 - 1)."""
    return _joined(_cells(values, _STRIDE, _STRIDE))


def _cells(values: Tensor, rows: int, columns: int) -> Tensor:
    """Returns the means of cells of so many rows and columns of an (H, W) plane, whole ones only."""
    from torch.nn.functional import avg_pool2d

    if not by_opencv(values):
        return avg_pool2d(values[None, None], (rows, columns))[0, 0]
    import cv2
    import torch

    height, width = values.shape[0] // rows, values.shape[1] // columns
    whole = values[: height * rows, : width * columns].numpy()
    return torch.from_numpy(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA))


def _joined(cells: Tensor) -> Tensor:
    """Returns the means of four neighbors each: (h, w) to (h - 1, w - 1)."""
    pairs = cells[1:] + cells[:-1]
    return (pairs[:, 1:] + pairs[:, :-1]) / 4


def _product(first: Tensor, second: Tensor) -> Tensor:
    """Returns the product of two (H, W) parts of planes."""
    import torch

    if not by_opencv(first):
        return first * second
    import cv2

    # in a third of torch's time, as the rows of a part do not lie together
    return torch.from_numpy(cv2.multiply(first.numpy(), second.numpy()))


def fine_detail(levels: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the fine detail with its contrast evened out, and the contrast.

    Args:
        levels: (H, W) uint8, H and W at least 16

    Returns:
        detail: (H, W) float32 without unit, between -1 and 1
        contrast: (H, W) float32, its root mean square before, in the unit of the luma
    """
    import torch
    from torch.nn.functional import avg_pool2d, interpolate, pad

    if not by_opencv(levels):
        planes = levels[None, None].float() / 255
        fine, coarse = (
            avg_pool2d(pad(planes, (size // 2,) * 4, mode="replicate"), size, 1)[0, 0] for size in (_FINE, _COARSE)
        )
        detail = fine - coarse
        contrast = interpolate(_rough(detail)[None, None], levels.shape, mode="bilinear")[0, 0]
        return detail / (detail.abs() + _GRAIN * (contrast + 1 / 255)), contrast
    import cv2
    import numpy as np

    # sums of bytes are exact, and quicker than means of floats
    sums = [
        cv2.boxFilter(levels.numpy(), cv2.CV_16S, (size, size), normalize=False, borderType=cv2.BORDER_REPLICATE)
        for size in (_FINE, _COARSE)
    ]
    raw = cv2.addWeighted(sums[0], 1 / (255 * _FINE**2), sums[1], -1 / (255 * _COARSE**2), 0, dtype=cv2.CV_32F)
    rough = _rough(torch.from_numpy(raw)).numpy()
    smooth = cv2.resize(rough, levels.shape[::-1], interpolation=cv2.INTER_LINEAR)
    strength = cv2.addWeighted(np.abs(raw), 1, smooth, _GRAIN, _GRAIN / 255)
    return torch.from_numpy(cv2.divide(raw, strength, dst=raw)), torch.from_numpy(smooth)


def _rough(detail: Tensor) -> Tensor:
    """Returns the root mean square of blocks of 16 x 16 pixels, by those of 4 x 4."""
    from torch.nn.functional import avg_pool2d

    fours = _cells(_product(detail, detail), 4, 4)[None, None]
    return avg_pool2d(fours, _EVEN // 4, ceil_mode=True, count_include_pad=False)[0, 0].sqrt_()


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
    transformed back), so that a few strong frequencies, such as those of a fabric, do not outweigh all others. At half
    the size the weaker ones are lost.

    Args:
        detail: (H, W), see ``fine_detail``
    """
    import torch

    height = len(detail)
    # lengths that the transform is quick at
    shape = tuple(-(-side // 64) * 64 for side in detail.shape)
    correlation = torch.fft.irfft2(torch.fft.rfft2(detail, s=shape).abs(), s=shape)
    # the other half of the plane is its mirror image; shifts to the left are those beyond the middle
    half, center = min(shape[0] // 2, height - _BLOCK), shape[1] // 2
    correlation = correlation[: half + 1]
    correlation[:_MIN_PERIOD, : _MIN_PERIOD + 1] = 0
    correlation[:_MIN_PERIOD, -_MIN_PERIOD:] = 0
    correlation[0, center:] = 0
    limit = _MIN_PEAK * _deviation(correlation)
    shifts: list[tuple[int, int]] = []
    for _ in range(_PEAKS):
        peak, down, right = _highest(correlation)
        if peak <= limit:
            break
        correlation[max(0, down - 3) : down + 4, max(0, right - 3) : right + 4] = 0
        shifts.append((down, right if right < center else right - shape[1]))
    return shifts


def _deviation(values: Tensor) -> float:
    """Returns the standard deviation of (H, W) values."""
    if not by_opencv(values):
        return float(values.std())
    import cv2

    return float(cv2.meanStdDev(values.numpy())[1][0, 0])


def mean_squares(detail: Tensor) -> Tensor:
    """Returns the mean square of the 24 x 24 pixels from every other one on: (H, W) to (H // 2 - 11, W // 2 - 11)."""
    import torch
    from torch.nn.functional import avg_pool2d

    side, halves = _BLOCK // 2, _cells(_product(detail, detail), 2, 2)
    if not by_opencv(detail):
        return avg_pool2d(halves[None, None], side, 1)[0, 0]
    import cv2

    height, width = halves.shape
    boxes = cv2.boxFilter(halves.numpy(), -1, (side, side), anchor=(0, 0), borderType=cv2.BORDER_REPLICATE)
    return torch.from_numpy(boxes[: height - side + 1, : width - side + 1])


def _at(energies: Tensor, top: int, left: int, blocks: Tensor) -> Tensor:
    """Returns those of the blocks that begin at a place, 12 pixels apart, to a pixel."""
    step = _STRIDE // 2
    top, left = (
        min(side // 2, length - step * (count - 1) - 1)
        for side, length, count in zip((top, left), energies.shape, blocks.shape, strict=True)
    )
    return energies[top::step, left::step][: blocks.shape[0], : blocks.shape[1]]


@dataclass(frozen=True)
class _Part:
    """A part of a picture, and the same part of the picture that is moved: bounds and shift in pixels."""

    top: int
    bottom: int
    left: int
    end: int
    down: int
    right: int

    @classmethod
    def whole(cls, shape: tuple[int, ...], down: int, right: int) -> _Part:
        """Returns all that is there at the shift and four pixels around it, in whole steps of blocks."""
        top, left = max(0, 4 - down), max(0, 4 - right)
        tall, wide = shape[0] - max(0, down + 4) - top, shape[1] - max(0, right + 4) - left
        return cls(top, top + tall // _STRIDE * _STRIDE, left, left + wide // _STRIDE * _STRIDE, down, right)

    def __bool__(self) -> bool:
        return self.bottom - self.top >= _BLOCK and self.end - self.left >= _BLOCK

    def here(self, plane: Tensor) -> Tensor:
        return plane[self.top : self.bottom, self.left : self.end]

    def moved(self, plane: Tensor, y: int = 0, x: int = 0) -> Tensor:
        y, x = y + self.down, x + self.right
        return plane[self.top + y : self.bottom + y, self.left + x : self.end + x]

    def around(self, blocks: Tensor) -> tuple[_Part, Tensor]:
        """Returns the part that holds the blocks that are true, at least one, and those blocks of it."""
        rows, columns = (blocks.any(axis).nonzero()[:, 0].tolist() for axis in (1, 0))
        (first, last), (leftmost, rightmost) = (rows[0], rows[-1] + 1), (columns[0], columns[-1] + 1)
        top, left = self.top + first * _STRIDE, self.left + leftmost * _STRIDE
        bottom, end = self.top + (last + 1) * _STRIDE, self.left + (rightmost + 1) * _STRIDE
        return replace(self, top=top, bottom=bottom, left=left, end=end), blocks[first:last, leftmost:rightmost]


def _alike_at(part: _Part, detail: Tensor) -> Tensor:
    """Returns the correlation of each block of a part with that at the shift: (h, w)."""
    here, copy = part.here(detail), part.moved(detail)
    power = _pool(_product(here, here)) * _pool(_product(copy, copy))
    return _pool(_product(here, copy)) / power.sqrt_().clamp_min_(1e-6)


def repeated_blocks(
    detail: Tensor, contrast: Tensor, down: int, right: int, energies: Tensor | None = None, minimum: int = 1
) -> tuple[Tensor, tuple[int, int]] | None:
    """Returns which blocks are there again at a shift, pixel for pixel; None where fewer than the least are.

    A block of 24 x 24 pixels is, if its detail correlates with that at the shift by more than 0.8, and by at least 0.4
    less with that at each of eight places four pixels around it. What is only alike, as bricks, windows and threads
    are, differs in its fine detail, and what is straight is alike at the places around, too.

    Args:
        detail, contrast: (H, W), see ``fine_detail``
        down, right: the shift in pixels
        energies: ``mean_squares`` of the detail, where they are at hand
        minimum: how many blocks there have to be

    Returns:
        blocks: (h, w) bool, 12 pixels apart
        corner: y, x of the first one in pixels
    """
    import torch

    part = _Part.whole(detail.shape, down, right)
    if not part:
        return None
    energies = mean_squares(detail) if energies is None else energies
    # nearly every shift is told by every third row, and by energies that are off by a pixel
    few = (plane[1::_EVERY] for plane in (part.here(detail), part.moved(detail)))
    alike = _joined(_cells(_product(*few), _STRIDE // _EVERY, _STRIDE))
    own, other = _at(energies, part.top, part.left, alike), _at(energies, part.top + down, part.left + right, alike)
    same = alike > (own * other).sqrt_().mul_(_FIRST_LOOK)
    if int(same.sum()) < minimum:
        return None
    # only where there is something left
    part, same = part.around(same)
    same &= _alike_at(part, detail) > _SAME
    same &= torch.minimum(_pool(part.here(contrast)), _pool(part.moved(contrast))) > _MIN_DETAIL
    if int(same.sum()) < minimum:
        return None
    part, same = part.around(same)
    here, at_shift = part.here(detail), _alike_at(part, detail)
    energy = _pool(_product(here, here))
    for y, x in _RING:
        power = energy * _at(energies, part.top + down + y, part.left + right + x, same)
        same &= at_shift - _pool(_product(here, part.moved(detail, y, x))) / power.sqrt_().clamp_min_(1e-6) > _DROP
        if int(same.sum()) < minimum:
            return None
    return same, (part.top, part.left)


@dataclass(frozen=True)
class Tiling(Check):
    """Tiling: whether a part of the picture is repeated pixel for pixel.

    At a long side of at most 512 pixels: which shifts make the picture most like itself, and how much of its detail is
    there again at one of them. Bricks, windows and fabrics repeat only roughly. What a machine has drawn with exact
    repetition on purpose, such as wallpaper, is tiling to it. Subjects that are alike without being copies are not.
    """

    name: ClassVar[str] = "tiling"
    version: ClassVar[int] = 4
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

        def score_picture(levels: Tensor, spread: float) -> SampleResult:
            height, width = levels.shape
            if min(height, width) < _MIN_SIDE:
                return SampleResult({}, f"too small to judge tiling: {width} x {height} pixels")
            if spread < _MIN_SPREAD:
                return SampleResult({}, "too plain to judge tiling")
            detail, contrast = fine_detail(levels)
            blocks = int((_pool(contrast) > _MIN_DETAIL).sum())
            best, period = 0.0, 0.0
            boxes: tuple[Box, ...] = ()
            energies, of = mean_squares(detail), max(_MIN_BLOCKS, blocks)
            for shift in repeats(detail) if blocks else ():
                # no closer look where there cannot be more than there is, or than is worth telling
                minimum = max(int(max(best, _LEAST) * of / 2) + 1, 1)
                repeated = repeated_blocks(detail, contrast, *shift, energies, minimum)
                if repeated is None:
                    continue
                # each one that is there again stands for two: itself and its copy
                share = min(1.0, 2 * int(repeated[0].sum()) / of)
                if share > best:
                    best, period = share, math.hypot(*shift) / max(levels.shape)
                    boxes = (repeated_box(share, shift, *repeated, levels),)
            return SampleResult(
                {"tiling": best, "tiling_period": period}, boxes=boxes if best > threshold.value else ()
            )

        def score(batch: ImageBatch) -> Scores:
            small = batch.luma.at(_LONG_SIDE)
            results = [score_picture(*facts) for facts in zip(small.levels, small.spread.tolist(), strict=True)]
            return self.scores(results, batch.pixels.device)

        return score
