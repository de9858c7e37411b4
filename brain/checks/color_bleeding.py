"""Whether color runs over the edges of the things it belongs to."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from loupe.brain.core.records import Box, Output, SampleResult, Scores, Threshold
from loupe.brain.core.specs import Check
from loupe.brain.imaging.batches import ImageBatch
from loupe.brain.imaging.edges import REACH, Edges, evenly, worst_places

if TYPE_CHECKING:
    from torch import Tensor

_LONG_SIDE = 512
#: standard deviations of a blur, in pixels, and displacements, in pixels, that the luma is tried with. The first four
#: blurs and the three middle displacements are what 4:2:0 subsampling does to the colors of most photos
_BLURS = (0.0, 0.7, 1.0, 1.5, 2.0, 3.0, 4.5, 7.0, 10.0)
_SHIFTS = (-8, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 8)
_PLAIN_BLURS, _PLAIN_SHIFTS = slice(0, 4), slice(6, 9)
#: real colors are often softer than the luma, but never displaced to one side: a displacement counts that much more
_SHIFT_WEIGHT = 4.0
#: root mean square of the color along a profile, as a share of white, below which it is rounding and JPEG's rest
_MIN_COLOR = 0.006
#: share of the color's variation that the luma, blurred or displaced, has to explain: else it is no edge of both
_MIN_FIT = 0.5
#: edges below which the mean is chance
_MIN_EDGES = 12
#: pixels along the long side, below which edges lie too close together: of 100 clean photos that are scaled down
#: to 64, 96 and 112 along it, 4, 5 and 3 are flagged
_MIN_LONG_SIDE = 112
#: and along one axis, for a displacement, of which the largest counts
_MIN_ALONG = 25
#: edges along each axis whose colors are looked up, and those of color that are looked at, evenly over the picture:
#: means do not get better from more
_MAX_LOOKED_UP, _MAX_EDGES = 1000, 300


@lru_cache(maxsize=8)
def _operators(device: str) -> Tensor:
    """Returns (B + S, 2 * REACH, 2 * REACH): matrices that blur or displace a profile and take its mean off."""
    import torch

    size = 2 * REACH
    target = torch.arange(size, dtype=torch.float32)[:, None]
    source = torch.arange(-60, size + 60, dtype=torch.float32)[None]
    matrices = []
    for blur, shift in [(blur, 0) for blur in _BLURS] + [(0.7, shift) for shift in _SHIFTS]:
        distance = source - target + shift
        weights = (-0.5 * (distance / blur) ** 2).exp() if blur else (distance == 0).float()
        weights = weights / weights.sum(1, keepdim=True)
        # beyond its ends, a profile goes on as it ended
        matrix = torch.zeros(size, size).index_add_(1, source[0].long().clamp(0, size - 1), weights)
        matrices.append(matrix - matrix.mean(0))
    return torch.stack(matrices).to(device)


def explained(luma: Tensor, color: Tensor) -> tuple[Tensor, Tensor]:
    """Returns how much of the color's variation across each edge the luma explains, blurred or displaced.

    The square of the correlation along the profile, over both color planes: 1 where the color goes exactly as the
    luma does.

    Args:
        luma: (K, 2 * REACH) profiles
        color: (K, 2, 2 * REACH) profiles of the two color planes

    Returns:
        (K, 9) float32 in [0, 1], for luma blurred by a standard deviation of 0 to 10 pixels
        (K, 15) float32 in [0, 1], for luma displaced by -8 to 8 pixels
    """
    operators = _operators(str(luma.device))
    count, size = len(operators), luma.shape[1]
    models = (luma @ operators.reshape(-1, size).T).reshape(len(luma), count, size)
    color = color - color.mean(2, keepdim=True)
    fits = (models @ color.transpose(1, 2)).square().sum(2)
    power = models.square().sum(2) * color.square().sum((1, 2))[:, None]
    shares = (fits / power.clamp_min(1e-12)).clamp(0, 1)
    return shares[:, : len(_BLURS)], shares[:, len(_BLURS) :]


def _colors(pixels: Tensor, edges: Edges) -> tuple[Edges, Tensor]:
    """Returns those of the edges that are edges of color, too, and their (K, 2, 2 * REACH) color profiles."""
    import torch

    edges = edges.few(_MAX_LOOKED_UP)
    red, blue = (plane * (1 / 255) for plane in edges.levels(pixels, (0, 2)))
    color = torch.stack(((blue - edges.profiles) * 0.564, (red - edges.profiles) * 0.713), 1)
    strong = ((color - color.mean(2, keepdim=True)).square().mean((1, 2)) > _MIN_COLOR**2).nonzero()[:, 0]
    strong = strong[evenly(len(strong), _MAX_EDGES)]
    return edges.at(strong), color[strong]


@dataclass(frozen=True)
class ColorBleeding(Check):
    """Color bleeding: whether color runs over the edges of the things it belongs to.

    Across the strong edges that are edges of luma and of color, at a long side of at most 512 pixels: how much better
    the color goes with the luma when that is blurred, or displaced. The pixel or two that JPEG's subsampling blurs the
    colors by do not count. Unknown where there are too few such edges, as in pictures with little color. Not
    found are color that runs out in a small part of the picture, most blurs below 1 % of the long side, and
    displacements of more than 3 %.
    """

    name: ClassVar[str] = "color_bleeding"
    version: ClassVar[int] = 4
    reference: ClassVar[str] = "Matched filters on edge profiles; planes as in ITU-R BT.601"
    license: ClassVar[str] = "Apache-2.0"
    long_side: ClassVar[int | None] = _LONG_SIDE
    boxes_field: ClassVar[str | None] = "flaws"
    default: ClassVar[bool] = False
    cost: ClassVar[float] = 4.0
    stateless: ClassVar[bool] = True
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            name="color_bleeding",
            unit="share of the color's variation, displacements fourfold",
            higher_is_better=False,
            bounds=(0.0, 4.0),
            description="How much of the color at edges goes with the luma only when that is blurred or displaced.",
            default_threshold=Threshold(">", 0.07, provenance="flags 1 of 100 clean ImageNet photos"),
            failure="color_bleeding",
        ),
        Output(
            "color_spread",
            "share of the long side",
            False,
            (0.0, 1.0),
            "The blur of the luma, as a standard deviation, that the color goes with best.",
        ),
        Output(
            "color_shift",
            "share of the long side",
            False,
            (0.0, 1.0),
            "How far the color is displaced against the luma.",
        ),
    )

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:
        import torch

        threshold = self.outputs[0].default_threshold
        assert threshold is not None

        def score_picture(pixels: Tensor, strong: tuple[Edges, Edges]) -> SampleResult:
            shape = (pixels.shape[1], pixels.shape[2])
            blurs, shifts, places = [], [], []
            moved, displaced = 0.0, [0, 0]
            for axis, edges in enumerate(strong):
                own, color = _colors(pixels, edges)
                by_blur, by_shift = explained(own.profiles, color)
                good = torch.maximum(by_blur.amax(1), by_shift.amax(1)) >= _MIN_FIT
                blurs.append(by_blur[good])
                shifts.append(by_shift[good])
                places.append((own.rows[good], own.columns[good]))
                if int(good.sum()) >= _MIN_ALONG:
                    mean = shifts[-1].mean(0)
                    displaced[axis] = _SHIFTS[int(mean.argmax())]
                    moved = max(moved, float(mean.max() - mean[_PLAIN_SHIFTS].max()))
            blur = torch.cat(blurs)
            if len(blur) < _MIN_EDGES:
                return SampleResult({}, "too few edges of color to judge color bleeding")
            mean = blur.mean(0)
            softer = float(mean.max() - mean[_PLAIN_BLURS].max())
            score = max(softer, _SHIFT_WEIGHT * moved)
            side = max(shape)
            values = {
                "color_bleeding": score,
                "color_spread": _BLURS[int(mean.argmax())] / side,
                "color_shift": math.hypot(*displaced) / side,
            }
            if score <= threshold.value:
                return SampleResult(values)
            if softer >= _SHIFT_WEIGHT * moved:
                gains = blur.amax(1) - blur[:, _PLAIN_BLURS].amax(1)
            else:
                shift = torch.cat(shifts)
                gains = shift.amax(1) - shift[:, _PLAIN_SHIFTS].amax(1)
            rows, columns = (torch.cat(parts) for parts in zip(*places, strict=True))
            boxes = worst_places(rows, columns, gains, shape)
            return SampleResult(values, boxes=tuple(Box("color_bleeding", place) for place in boxes))

        def score(batch: ImageBatch) -> Scores:
            luma = batch.luma.at(_LONG_SIDE)
            height, width = luma.shape
            if min(height, width) < 2 * REACH + 2 or max(height, width) < _MIN_LONG_SIDE:
                reason = f"too small to judge color bleeding: {width} x {height} pixels"
                return self.scores([SampleResult({}, reason)] * len(batch), batch.pixels.device)
            pictures = zip(batch.above(_LONG_SIDE).at(_LONG_SIDE).pixels, luma.edges, strict=True)
            return self.scores([score_picture(*picture) for picture in pictures], batch.pixels.device)

        return score
