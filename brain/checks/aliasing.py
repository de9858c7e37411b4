"""Whether pixels are repeated, so that edges climb in stairs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from loupe.brain.core.records import Box, Output, SampleResult, Scores, Threshold
from loupe.brain.core.specs import Check
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.imaging.opencv import by_opencv

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

#: the file's own pixels are judged, for scaling would mix them; of a larger picture, the middle
_LONG_SIDE = 1024
#: below it, there are too few periods
_MIN_SIDE = 48
#: periods of 2 to 7 pixels, in cycles a pixel: the blocks of JPEG repeat at 8
_FINE = 0.14
#: what is slower than that is the picture's own, not a period
_COARSE = 0.03
_BINS = 2048
#: root mean square difference of neighbors below which rounding outweighs the picture, half a gray level
_MIN_DIFFERENCE = 0.5 / 255
#: the side of the cells that evidence is given for, in pixels
_CELL = 128


@lru_cache(maxsize=64)
def _window(length: int) -> np.ndarray:
    """Returns a Hann window, (L,) float32."""
    import numpy as np

    return np.hanning(length).astype(np.float32)


def repetitions(profiles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns how much of the differences between neighboring lines comes at a fixed fine period, and the period.

    Where each line is repeated k times, its k - 1 differences to its copies are zero, and the spectrum of the
    differences has lines of their full height at 1 / k and its multiples: 1. Repeated by turns once and twice, as with
    an enlargement by 1.5, it is 0.5; in a photo about 0. What has the same at a coarser period is taken off, so that
    the blocks of JPEG, a regular grid or a single line do not count. After Gallagher, Detection of linear and cubic
    interpolation, CRV 2005.

    Args:
        profiles: (N, L) float32, the sums of the absolute differences between each line and the next one

    Returns:
        (N,) the share, in [-1, 1]
        (N,) the period, in pixels
    """
    import numpy as np

    length = profiles.shape[1]
    spectrum = np.abs(np.fft.rfft(profiles * _window(length), _BINS))
    spectrum /= np.maximum(spectrum[:, :1], np.float32(1e-9))
    fine = math.ceil(_FINE * _BINS)
    # what the window lets through of the mean
    coarse = math.ceil(max(_COARSE, 4.5 / length) * _BINS)
    place = spectrum[:, fine:].argmax(1)
    peak = spectrum[np.arange(len(spectrum)), fine + place]
    rest = spectrum[:, coarse:fine].max(1) if coarse < fine else np.zeros_like(peak)
    return np.clip(peak - rest, -1, 1), _BINS / (fine + place)


def steps(levels: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the differences between neighbors in a row and in a column: (H, W - 1) and (H - 1, W) uint8.

    Args:
        levels: (H, W) uint8
    """
    import torch

    beside, below = (levels[:, 1:], levels[:, :-1]), (levels[1:], levels[:-1])
    if by_opencv(levels):
        import cv2

        across, down = (torch.from_numpy(cv2.absdiff(*(side.numpy() for side in pair))) for pair in (beside, below))
    else:
        across, down = (torch.maximum(*pair) - torch.minimum(*pair) for pair in (beside, below))
    return across, down


def sums(differences: Tensor, axis: int) -> np.ndarray:
    """Returns the sums of (H, W) uint8 levels along an axis, on the CPU: float32 in 255ths, of whole levels."""
    import numpy as np

    if by_opencv(differences):
        import cv2

        total = cv2.reduce(differences.numpy(), axis, cv2.REDUCE_SUM, dtype=cv2.CV_32S).ravel()
    else:
        total = differences.sum(axis).cpu().numpy()
    return total.astype(np.float32) / np.float32(255)


def repeated_cells(differences: Tensor, axis: int, starts: tuple[range, range]) -> tuple[np.ndarray, np.ndarray]:
    """Returns how much repeats in each cell along the other axis, and the mean difference there: (Y, X) each.

    Args:
        differences: (H, W) uint8, one plane of ``steps``
        axis: along which they are added up
        starts: the first rows and the first columns of the cells
    """
    import numpy as np

    bands = [differences.narrow(axis, start, min(_CELL, differences.shape[axis] - start)) for start in starts[axis]]
    lines = np.stack([sums(band, axis) / band.shape[axis] for band in bands])
    # all but the last ones are of one length
    parts = [lines[:, place : place + _CELL] for place in starts[1 - axis]]
    whole = repetitions(np.concatenate(parts[:-1]))[0].reshape(-1, len(bands)) if len(parts) > 1 else None
    last = repetitions(parts[-1])[0][None]
    shares = last if whole is None else np.concatenate((whole, last))
    means = np.stack([part.mean(1) for part in parts])
    # places by bands, to rows by columns
    return (shares.T, means.T) if axis == 0 else (shares, means)


@dataclass(frozen=True)
class Aliasing(Check):
    """Aliasing: whether pixels are repeated, so that edges climb in stairs.

    Finds what was enlarged by taking the nearest pixel, two- to sevenfold, or by a broken factor, at the file's own
    resolution: neighboring rows, and neighboring columns, are then alike at a fixed period. Of a picture of more than
    1024 pixels, the middle is judged. Not found are a small part of the picture that has stairs, a mask that was
    pasted in with hard edges, moiré, and what was made smaller without a filter: it has no period.
    """

    name: ClassVar[str] = "aliasing"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "After Gallagher, Detection of linear and cubic interpolation, CRV (2005)"
    license: ClassVar[str] = "Apache-2.0"
    boxes_field: ClassVar[str | None] = "flaws"
    default: ClassVar[bool] = False
    cost: ClassVar[float] = 1.5
    stateless: ClassVar[bool] = True
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            name="aliasing",
            unit="share of the differences",
            higher_is_better=False,
            bounds=(-1.0, 1.0),
            description="How much of the differences between neighboring pixels comes at a fixed period, both ways.",
            default_threshold=Threshold(
                ">",
                0.2,
                provenance="no clean ImageNet photo of 100 is above 0.05; enlarged twofold bilinearly, 4 are above 0.2",
            ),
            failure="aliasing",
        ),
        Output(
            "aliasing_period",
            "pixels",
            None,
            (0.0, 8.0),
            "How far apart the stairs are, 0 where there are none.",
        ),
    )

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:
        import numpy as np

        threshold = self.outputs[0].default_threshold
        assert threshold is not None

        def score_picture(levels: Tensor) -> SampleResult:
            height, width = levels.shape
            if min(height, width) < _MIN_SIDE:
                return SampleResult({}, f"too small to judge aliasing: {width} x {height} pixels")
            top, left = max(0, height - _LONG_SIDE) // 2, max(0, width - _LONG_SIDE) // 2
            part = levels[top : top + _LONG_SIDE, left : left + _LONG_SIDE]
            across, down = steps(part)
            # two lines of numbers: on the CPU, they are waited for once and not at each step
            by_column, by_row = sums(across, 0), sums(down, 1)
            if max(float(by_column.mean()) / len(part), float(by_row.mean()) / part.shape[1]) < _MIN_DIFFERENCE:
                return SampleResult({}, "too plain to judge aliasing")
            (x_share, period), (y_share, _) = (
                map(float, (*shares, *periods))
                for shares, periods in (repetitions(line[None]) for line in (by_column, by_row))
            )
            score = min(x_share, y_share)
            if score <= threshold.value:
                return SampleResult({"aliasing": score, "aliasing_period": 0.0})
            rows, columns = (range(0, side - _MIN_SIDE, _CELL) for side in part.shape)
            if not rows or not columns:
                return SampleResult({"aliasing": score, "aliasing_period": period})
            (x_shares, x_means), (y_shares, y_means) = (
                repeated_cells(differences, axis, (rows, columns)) for axis, differences in ((0, across), (1, down))
            )
            weights = np.minimum(x_shares, y_shares) * (x_means + y_means)
            cells = [
                (float(weights[at, beside]), y, x) for at, y in enumerate(rows) for beside, x in enumerate(columns)
            ]
            boxes = []
            for weight, y, x in sorted(cells, key=lambda each: -each[0])[:5]:
                if weight > 0:
                    size = min(_CELL, part.shape[1] - x), min(_CELL, part.shape[0] - y)
                    place = ((left + x) / width, (top + y) / height, size[0] / width, size[1] / height)
                    boxes.append(Box("aliasing", place))
            return SampleResult({"aliasing": score, "aliasing_period": period}, boxes=tuple(boxes))

        return lambda batch: self.scores([score_picture(levels) for levels in batch.luma.levels], batch.pixels.device)
