"""Whether a part of the picture is repeated, pixel for pixel, at a fixed period."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from loupe.brain.core.records import Box, Output, SampleResult, Scores, Threshold
from loupe.brain.core.specs import Check
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.measures.repetition.blocks import BLOCK, MIN_DETAIL, STRIDE, mean_squares, repeated_blocks
from loupe.brain.measures.repetition.fine_detail import fine_detail
from loupe.brain.measures.repetition.shifts import repeats

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

_LONG_SIDE = 512
#: pixels along the short side, below which there are too few blocks
_MIN_SIDE = 64
#: standard deviation of the luma below which rounding outweighs the picture: two gray levels
_MIN_SPREAD = 2 / 255
#: a share is of at least so many blocks, and one up to this is told as none
_MIN_BLOCKS, _LEAST = 40, 0.01


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
            y, x = (int(places[len(places) // 2]) * STRIDE for places in (rows, columns))
            tall, wide = (abs(side) if abs(side) >= BLOCK else max(map(abs, shift)) for side in shift)
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
            blocks = int((contrast[STRIDE:-STRIDE:STRIDE, STRIDE:-STRIDE:STRIDE] > MIN_DETAIL).sum())
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
