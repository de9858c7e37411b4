"""Whether the picture is too dark, too bright, or its tones lie too close together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from loupe.brain.levels import percentile
from loupe.brain.records import ImageBatch, Output, Scores, Threshold
from loupe.brain.specs import Check

if TYPE_CHECKING:
    from torch import Tensor

_LONG_SIDE = 512


def contrast(low: Tensor, high: Tensor) -> Tensor:
    """Returns (high - low) / (high + low): (N,) float32 in [0, 1]; 0 for a black picture.

    The contrast of Michelson, Studies in Optics (1927), between a low and a high percentile. Light that haze adds
    lowers it, a shorter exposure leaves it as it is: a dark picture is not one without contrast.
    """
    return (high - low) / (high + low).clamp_min(1 / 255)


@dataclass(frozen=True)
class Exposure(Check):
    """Exposure: dark, bright, low contrast.

    Percentiles of the luma (Rec. 601, of the sRGB values), and the contrast between the 1st and the 99th. A picture is
    dark by its 95th percentile and not by its brightest pixels, so that one lamp does not light up a night; it is
    bright by its 25th, so that the few tones that survive in a blown-out picture do not hide it. A light object that
    covers less than a quarter of a white background is bright by this rule.
    """

    name: ClassVar[str] = "exposure"
    version: ClassVar[int] = 1
    source: ClassVar[str] = "Michelson, Studies in Optics (1927); percentiles as in cleanvision, at other places"
    licence: ClassVar[str] = "Apache-2.0"
    long_side: ClassVar[int | None] = _LONG_SIDE
    outputs: ClassVar[tuple[Output, ...]] = (
        Output("brightness_p01", "luma", False, (0.0, 1.0), "The level that 1 % of the pixels do not exceed."),
        Output("brightness_p05", "luma", False, (0.0, 1.0), "The level that 5 % of the pixels do not exceed."),
        Output(
            name="brightness_p25",
            unit="luma",
            higher_is_better=False,
            bounds=(0.0, 1.0),
            sentence="The level that 25 % of the pixels do not exceed.",
            fails=Threshold(">", 0.87, basis="flags 2 of 100 clean ImageNet photos"),
            failure="bright",
        ),
        Output(
            name="brightness_p95",
            unit="luma",
            higher_is_better=True,
            bounds=(0.0, 1.0),
            sentence="The level that 95 % of the pixels do not exceed.",
            fails=Threshold("<", 0.5, basis="flags 1 of 100 clean ImageNet photos"),
            failure="dark",
        ),
        Output("brightness_p99", "luma", True, (0.0, 1.0), "The level that 99 % of the pixels do not exceed."),
        Output(
            name="contrast",
            unit="ratio",
            higher_is_better=True,
            bounds=(0.0, 1.0),
            sentence="(p99 - p01) / (p99 + p01) of the luma.",
            fails=Threshold("<", 0.42, basis="flags 1 of 100 clean ImageNet photos"),
            failure="low_contrast",
        ),
    )

    def load(self, device: str) -> Callable[[ImageBatch], Scores]:
        def judge(batch: ImageBatch) -> Scores:
            histogram = batch.at(_LONG_SIDE).histogram
            levels = {percent: percentile(histogram, percent) for percent in (1, 5, 25, 95, 99)}
            scores = {f"brightness_p{percent:02}": level for percent, level in levels.items()}
            return Scores({**scores, "contrast": contrast(levels[1], levels[99])})

        return judge
