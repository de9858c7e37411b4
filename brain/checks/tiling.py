"""Whether a part of the picture is repeated, pixel for pixel, at a fixed period."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from loupe.brain.core.records import Box, Output, SampleResult, Scores, Threshold
from loupe.brain.core.specs import Check
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.imaging.opencv import by_opencv

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

#: (H, W) floats: an array on the CPU, a tensor on a device
Plane = Any

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
#: the least root of the product of two mean squares: plain blocks are like nothing
_LEAST_POWER = 1e-6
#: where to look for that: stripes and straight edges correlate there as well
_RING = ((4, 0), (-4, 0), (0, 4), (0, -4), (3, 3), (-3, 3), (3, -3), (-3, -3))
#: root mean square of the detail below which a block is plain: three gray levels, so that JPEG's patterns are plain
_MIN_DETAIL = 3 / 255
#: a share is of at least so many blocks, and one up to this is told as none
_MIN_BLOCKS, _LEAST = 40, 0.01


def _cells(values: Plane, rows: int, columns: int) -> Plane:
    """Returns the means of cells of so many rows and columns of an (H, W) plane, whole ones only."""
    if not _is_array(values):
        from torch.nn.functional import avg_pool2d

        return avg_pool2d(values[None, None], (rows, columns))[0, 0]
    import cv2

    height, width = values.shape[0] // rows, values.shape[1] // columns
    whole = values[: height * rows, : width * columns]
    return cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)


def _is_array(values: Plane) -> bool:
    """Returns whether it is on the CPU, where OpenCV does the work: in a third of torch's time."""
    import numpy as np

    return isinstance(values, np.ndarray)


def _array(values: Plane) -> np.ndarray:
    """Returns it on the CPU."""
    return values if _is_array(values) else values.cpu().numpy()


def _pool(values: Plane, rows: int = _STRIDE, columns: int = _STRIDE) -> np.ndarray:
    """Returns the means of blocks of 24 x 24 pixels, 12 apart: (H, W) to (H // 12 - 1, W // 12 - 1).

    Args:
        rows, columns: so many of ``values`` are 12 pixels
    """
    cells = _array(_cells(values, rows, columns))
    pairs = cells[1:] + cells[:-1]
    return (pairs[:, 1:] + pairs[:, :-1]) / 4


def _product(first: Plane, second: Plane) -> Plane:
    """Returns the product of two (H, W) parts of planes."""
    if not _is_array(first):
        return first * second
    import cv2

    return cv2.multiply(first, second)


def fine_detail(levels: Tensor) -> tuple[Plane, Plane]:
    """Returns the fine detail with its contrast evened out, and the contrast.

    Args:
        levels: (H, W) uint8, H and W at least 16

    Returns:
        detail: (H, W) float32 without unit, between -1 and 1
        contrast: (H, W) float32, its root mean square before, in the unit of the luma
    """
    if not by_opencv(levels):
        from torch.nn.functional import avg_pool2d, interpolate, pad

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
    smooth = cv2.resize(_rough(raw), levels.shape[::-1], interpolation=cv2.INTER_LINEAR)
    strength = np.abs(raw)
    cv2.addWeighted(strength, 1, smooth, _GRAIN, _GRAIN / 255, dst=strength)
    return cv2.divide(raw, strength, dst=raw), smooth


def _rough(detail: Plane) -> Plane:
    """Returns the root mean square of blocks of 16 x 16 pixels, by those of 4 x 4."""
    import torch
    from torch.nn.functional import avg_pool2d

    fours = _cells(_product(detail, detail), 4, 4)
    tensor = torch.from_numpy(fours) if _is_array(fours) else fours
    rough = avg_pool2d(tensor[None, None], _EVEN // 4, ceil_mode=True, count_include_pad=False)[0, 0].sqrt_()
    return rough.numpy() if _is_array(fours) else rough


def repeats(detail: Plane) -> list[tuple[int, int]]:
    """Returns the shifts (down, right) in pixels at which the picture looks most like itself, at most five.

    The peaks of the autocorrelation of the detail, its spectrum half whitened (the power's square root is what is
    transformed back), so that a few strong frequencies, such as those of a fabric, do not outweigh all others. At half
    the size the weaker ones are lost.

    Args:
        detail: (H, W), see ``fine_detail``
    """
    height = len(detail)
    # lengths that the transform is quick at
    shape = tuple(-(-side // 64) * 64 for side in detail.shape)
    # the other half of the plane is its mirror image; shifts to the left are those beyond the middle
    half, center = min(shape[0] // 2, height - _BLOCK), shape[1] // 2
    correlation = _autocorrelation(detail, shape)[: half + 1]
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


def _autocorrelation(detail: Plane, shape: tuple[int, ...]) -> Plane:
    """Returns the upper half of it, half whitened and of no unit: (shape[0] // 2 + 1, shape[1])."""
    import numpy as np
    import torch

    on_cpu = _is_array(detail)
    spectrum = torch.fft.rfft2(torch.from_numpy(detail) if on_cpu else detail, s=shape)
    # numpy takes a tenth of torch's time for it
    strength = torch.from_numpy(np.abs(spectrum.numpy())) if on_cpu else spectrum.abs()
    # of real numbers, half of the transform is the mirror image of the other half: it is not asked for
    columns = torch.fft.rfft(strength, dim=0).conj()
    correlation = torch.fft.irfft(columns, n=shape[1], dim=1, norm="forward")
    return correlation.numpy() if on_cpu else correlation


def _highest(values: Plane) -> tuple[float, int, int]:
    """Returns the highest of (H, W) values, and its row and column."""
    if _is_array(values):
        import cv2

        _, peak, _, (column, row) = cv2.minMaxLoc(values)
        return peak, row, column
    highest, place = values.flatten().max(0)
    return float(highest), *divmod(int(place), values.shape[1])


def _deviation(values: Plane) -> float:
    """Returns the standard deviation of (H, W) values."""
    if not _is_array(values):
        return float(values.std())
    import cv2

    return float(cv2.meanStdDev(values)[1][0, 0])


def mean_squares(detail: Plane) -> Plane:
    """Returns the mean square of the 24 x 24 pixels from every other one on: (H, W) to (H // 2 - 11, W // 2 - 11)."""
    side, halves = _BLOCK // 2, _cells(_product(detail, detail), 2, 2)
    if not _is_array(halves):
        from torch.nn.functional import avg_pool2d

        return avg_pool2d(halves[None, None], side, 1)[0, 0]
    import cv2

    height, width = halves.shape
    boxes = cv2.boxFilter(halves, -1, (side, side), anchor=(0, 0), borderType=cv2.BORDER_REPLICATE)
    return boxes[: height - side + 1, : width - side + 1]


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

    def moved_by(self, y: int, x: int) -> _Part:
        """Returns the same part, with another shift."""
        return replace(self, down=self.down + y, right=self.right + x)

    def here(self, plane: Plane) -> Plane:
        return plane[self.top : self.bottom, self.left : self.end]

    def moved(self, plane: Plane) -> Plane:
        y, x = self.down, self.right
        return plane[self.top + y : self.bottom + y, self.left + x : self.end + x]

    def energies(self, squares: Plane) -> tuple[np.ndarray, np.ndarray]:
        """Returns the ``mean_squares`` of its blocks, and of those at the shift, to a pixel: (h, w) each."""
        step, size = _STRIDE // 2, (self.bottom - self.top, self.end - self.left)
        rows, columns = (side // _STRIDE - 1 for side in size)
        corners = (self.top, self.left), (self.top + self.down, self.left + self.right)
        here, moved = (squares[y // 2 :: step, x // 2 :: step][:rows, :columns] for y, x in corners)
        return _array(here), _array(moved)

    def middles(self, plane: Plane) -> tuple[np.ndarray, np.ndarray]:
        """Returns what is in the middle of its blocks, and of those at the shift: (h, w) each."""
        here, moved = (part(plane)[_STRIDE::_STRIDE, _STRIDE::_STRIDE] for part in (self.here, self.moved))
        return _array(here), _array(moved)

    def around(self, blocks: np.ndarray) -> tuple[_Part, np.ndarray]:
        """Returns the part that holds the blocks that are true, at least one, and those blocks of it."""
        import numpy as np

        rows, columns = (np.flatnonzero(blocks.any(axis)).tolist() for axis in (1, 0))
        (first, last), (leftmost, rightmost) = (rows[0], rows[-1] + 1), (columns[0], columns[-1] + 1)
        top, left = self.top + first * _STRIDE, self.left + leftmost * _STRIDE
        bottom, end = self.top + (last + 1) * _STRIDE, self.left + (rightmost + 1) * _STRIDE
        return replace(self, top=top, bottom=bottom, left=left, end=end), blocks[first:last, leftmost:rightmost]


def _alike_at(part: _Part, detail: Plane, squares: Plane, every: int = 1) -> np.ndarray:
    """Returns the correlation of each block of a part with that at the shift, by every n-th row: (h, w)."""
    import numpy as np

    # of three rows the middle one
    here, copy = (plane[every // 2 :: every] for plane in (part.here(detail), part.moved(detail)))
    own, other = part.energies(squares)
    together = _pool(_product(here, copy), _STRIDE // every)
    return together / np.maximum(np.sqrt(own * other), _LEAST_POWER)


def repeated_blocks(
    detail: Plane, contrast: Plane, down: int, right: int, squares: Plane | None = None, minimum: int = 1
) -> tuple[np.ndarray, tuple[int, int]] | None:
    """Returns which blocks are there again at a shift, pixel for pixel; None where fewer than the least are.

    A block of 24 x 24 pixels is, if its detail correlates with that at the shift by more than 0.8, and by at least 0.4
    less with that at each of eight places four pixels around it. What is only alike, as bricks, windows and threads
    are, differs in its fine detail, and what is straight is alike at the places around, too.

    Args:
        detail, contrast: (H, W), see ``fine_detail``
        down, right: the shift in pixels
        squares: ``mean_squares`` of the detail, where they are at hand
        minimum: how many blocks there have to be

    Returns:
        blocks: (h, w) bool, 12 pixels apart
        corner: y, x of the first one in pixels
    """
    import numpy as np

    part = _Part.whole(detail.shape, down, right)
    if not part:
        return None
    squares = mean_squares(detail) if squares is None else squares
    # nearly every shift is told by every third row
    same = _alike_at(part, detail, squares, _EVERY) > _FIRST_LOOK
    if same.sum() < minimum:
        return None
    # only where there is something left
    part, same = part.around(same)
    same = same & (np.minimum(*part.middles(contrast)) > _MIN_DETAIL)
    if same.sum() < minimum:
        return None
    alike = _alike_at(part, detail, squares)
    same &= alike > _SAME
    if same.sum() < minimum:
        return None
    for y, x in _RING:
        same &= alike - _alike_at(part.moved_by(y, x), detail, squares) > _DROP
        if same.sum() < minimum:
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
    version: ClassVar[int] = 5
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
            default_threshold=Threshold(">", 0.08, provenance="flags 2 of 100 clean ImageNet photos"),
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
            share: float, shift: tuple[int, int], same: np.ndarray, corner: tuple[int, int], of: Tensor
        ) -> Box:
            """One period, around the middle one of the repeated blocks."""
            height, width = of.shape
            rows, columns = same.nonzero()
            y, x = (int(places[len(places) // 2]) * _STRIDE for places in (rows, columns))
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
            blocks = int((contrast[_STRIDE:-_STRIDE:_STRIDE, _STRIDE:-_STRIDE:_STRIDE] > _MIN_DETAIL).sum())
            best, period = 0.0, 0.0
            boxes: tuple[Box, ...] = ()
            squares, of = mean_squares(detail), max(_MIN_BLOCKS, blocks)
            for shift in repeats(detail) if blocks else ():
                # no closer look where there cannot be more than there is, or than is worth telling
                minimum = max(int(max(best, _LEAST) * of / 2) + 1, 1)
                repeated = repeated_blocks(detail, contrast, *shift, squares, minimum)
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
