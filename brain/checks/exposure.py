"""Whether the picture is too dark, too bright, or its tones lie too close together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from loupe.brain.core.records import Output, Scores, Threshold
from loupe.brain.core.specs import Check
from loupe.brain.imaging.luma import percentiles
from loupe.brain.imaging.ragged import AnyBatch, Part

if TYPE_CHECKING:
    from torch import Tensor

_LONG_SIDE = 320
_PERCENTS = (1, 5, 25, 95, 99)
#: pixels along the long side, below which percentiles are those of a few pixels: of 100 clean photos that are scaled
#: down to 8, 16 and 32 along it, 18, 5 and 3 have a low contrast
_MIN_LONG_SIDE = 32
#: levels from which a channel counts as clipped, and a pixel whose every channel is there as white: JPEG moves both
_CLIPPED, _WHITE = 252, 245
#: what a clipped pixel counts beside the mean luma of those that are not white
_CLIPPED_COUNTS = 0.45
#: share of the picture below which what is not white is no object on a white background, but what is left of a picture
_MIN_COLORED = 0.05

_TOO_SMALL = f"too small to judge exposure: less than {_MIN_LONG_SIDE} pixels along the long side"
#: the scores that have a threshold
_JUDGED = ("brightness_p95", "overexposure", "contrast")


def contrast(low: Tensor, high: Tensor) -> Tensor:
    """Returns (high - low) / (high + low): (N,) float32 in [0, 1]; 0 for a black picture.

    The contrast of Michelson, Studies in Optics (1927), between a low and a high percentile. Light that haze adds
    lowers it, a shorter exposure leaves it as it is: a dark picture is not one without contrast.
    """
    return (high - low) / (high + low).clamp_min(1 / 255)


def light(highest: Tensor, lowest: Tensor, luma: Tensor) -> Tensor:
    """Returns the shares of clipped and of white pixels, and the luma of the others over all: (N, 3) float32 in [0, 1].

    Args:
        highest, lowest: (N, H, W) uint8, the highest and the lowest of R, G and B
        luma: (N, H, W) uint8
    """
    import torch

    clipped, white = (highest >= _CLIPPED).flatten(1), (lowest >= _WHITE).flatten(1)
    # bytes times bytes, which take a tenth of the time that a mask does
    lit = (luma.flatten(1) * ~white).sum(1, dtype=torch.int32) / 255
    return torch.stack((_count(clipped), _count(white), lit), 1) / white.shape[1]


def overexposure(seen: Tensor) -> Tensor:
    """Returns the mean luma of what is not white, plus 0.45 times the share of clipped pixels: (N,) float32.

    In [0, 1.45], 1.45 for a white picture.

    Too much light lifts what it does not clip, and clips the rest, often one channel before the others. A white
    background counts as clipped, and as nothing else, unless there is less than 5 % beside it.

    Args:
        seen: (N, 3), see ``light``
    """
    clipped, white, lit = seen.unbind(1)
    colored = 1 - white
    mean = (lit + (_MIN_COLORED - colored).clamp_min(0)) / colored.clamp_min(_MIN_COLORED)
    return mean + _CLIPPED_COUNTS * clipped


def _count(flags: Tensor) -> Tensor:
    """Returns how many of each row of a (N, K) bool are true: (N,) int32. Bytes are summed faster than flags."""
    import torch

    return flags.view(torch.uint8).sum(1, dtype=torch.int32)


@dataclass(frozen=True)
class Exposure(Check):
    """Exposure: dark, bright, low contrast.

    Percentiles of the luma (Rec. 601, of the sRGB values), and the contrast between the 1st and the 99th. A picture is
    dark by its 95th percentile and not by its brightest pixels, so that one lamp does not light up a night; it is
    bright by what is not white in it and by how much is clipped, so that a white background alone does not make it so.
    Pictures of less than 32 pixels along the long side have figures, but are not judged.
    """

    name: ClassVar[str] = "exposure"
    version: ClassVar[int] = 5
    reference: ClassVar[str] = "Michelson, Studies in Optics (1927); percentiles as in cleanvision, at other places"
    license: ClassVar[str] = "Apache-2.0"
    long_side: ClassVar[int | None] = _LONG_SIDE
    cost: ClassVar[float] = 1.6
    stateless: ClassVar[bool] = True
    ragged: ClassVar[bool] = True
    outputs: ClassVar[tuple[Output, ...]] = (
        Output("brightness_p01", "luma", None, (0.0, 1.0), "The level that 1 % of the pixels do not exceed."),
        Output("brightness_p05", "luma", None, (0.0, 1.0), "The level that 5 % of the pixels do not exceed."),
        Output("brightness_p25", "luma", None, (0.0, 1.0), "The level that 25 % of the pixels do not exceed."),
        Output(
            name="brightness_p95",
            unit="luma",
            higher_is_better=True,
            bounds=(0.0, 1.0),
            description="The level that 95 % of the pixels do not exceed.",
            default_threshold=Threshold("<", 0.5, provenance="flags 1 of 100 clean ImageNet photos"),
            failure="dark",
        ),
        Output(
            name="overexposure",
            unit="luma",
            higher_is_better=False,
            bounds=(0.0, 1.5),
            description="The mean luma of what is not white, plus 0.45 times the share of clipped pixels.",
            default_threshold=Threshold(">", 0.91, provenance="flags 2 of 100 clean ImageNet photos"),
            failure="bright",
        ),
        Output("brightness_p99", "luma", None, (0.0, 1.0), "The level that 99 % of the pixels do not exceed."),
        Output(
            name="contrast",
            unit="ratio",
            higher_is_better=True,
            bounds=(0.0, 1.0),
            description="(p99 - p01) / (p99 + p01) of the luma.",
            default_threshold=Threshold("<", 0.4, provenance="flags 1 of 100 clean ImageNet photos"),
            failure="low_contrast",
        ),
    )

    def load(self, device: str) -> Callable[[AnyBatch], Scores]:
        import torch

        def seen(batch: Part) -> Tensor:
            return light(*batch.samples.extremes, batch.samples.luma.levels)

        def score(batch: AnyBatch) -> Scores:
            levels = percentiles(batch.each(lambda part: part.luma.at(_LONG_SIDE).histogram), _PERCENTS)
            by_percent = dict(zip(_PERCENTS, levels, strict=True))
            scores = {f"brightness_p{percent:02}": values for percent, values in by_percent.items()}
            scores["overexposure"] = overexposure(batch.each(seen))
            scores["contrast"] = contrast(by_percent[1], by_percent[99])
            small = [max(size) < _MIN_LONG_SIDE for size in batch.sizes]
            if not any(small):
                return Scores(scores)
            unknown = torch.tensor(small, device=batch.device)
            scores |= {name: scores[name].masked_fill(unknown, torch.nan) for name in _JUDGED}
            return Scores(scores, tuple(_TOO_SMALL if is_small else None for is_small in small))

        return score
