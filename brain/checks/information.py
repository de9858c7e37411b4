"""Whether there is anything in the picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from loupe.brain.core.records import Output, Scores, Threshold
from loupe.brain.core.specs import Check
from loupe.brain.imaging.ragged import AnyBatch

if TYPE_CHECKING:
    from torch import Tensor

_LONG_SIDE = 320
#: along each side of a picture that is large enough to be judged
_MIN_TILES = 2


def entropy(histogram: Tensor) -> Tensor:
    """Returns the Shannon entropy of a (N, 256) histogram in bits: (N,) float32 in [0, 8]."""
    import torch

    share = histogram / histogram.sum(1, keepdim=True)
    return torch.special.entr(share).sum(1) / 0.6931471805599453


def local_contrast(blocks: Tensor, tiles: int = 8) -> Tensor:
    """Returns the RMS contrast of the busiest tile: (N,) float32 in [0, 0.5].

    The standard deviation (Peli, JOSA A 7 (1990)) of the means of blocks of pixels, which noise hardly moves, in the
    one of tiles x tiles parts of the picture where it is greatest, so that a small object counts on however large a
    background. A tile has two blocks along each side at least: a small picture has fewer tiles, and NaN where it has
    too few blocks for two tiles.

    Args:
        blocks: (N, h, w) means of blocks, in [0, 1]
        tiles: along each side
    """
    import torch
    from torch.nn.functional import adaptive_avg_pool2d

    if min(blocks.shape[1:]) < 2 * _MIN_TILES:
        return torch.full((len(blocks),), torch.nan, device=blocks.device)
    grid = (min(tiles, blocks.shape[1] // 2), min(tiles, blocks.shape[2] // 2))
    # Apple's devices have no doubles
    means = (blocks.cpu() if blocks.device.type == "mps" else blocks)[:, None].double()
    variance = adaptive_avg_pool2d(means.square(), grid) - adaptive_avg_pool2d(means, grid).square()
    return variance.amax((1, 2, 3)).clamp_min(0).sqrt().float().to(blocks.device)


@dataclass(frozen=True)
class Information(Check):
    """Information: whether there is anything in the picture.

    The entropy of the luma says how evenly tones are used, and is small for a sharp object on a plain background too.
    So it is only reported; what fails is a picture of which no part, however small, holds anything but noise.
    """

    name: ClassVar[str] = "information"
    version: ClassVar[int] = 5
    reference: ClassVar[str] = "Shannon, Bell System Technical Journal 27 (1948); Peli, JOSA A 7 (1990)"
    license: ClassVar[str] = "Apache-2.0"
    long_side: ClassVar[int | None] = _LONG_SIDE
    cost: ClassVar[float] = 1.4
    stateless: ClassVar[bool] = True
    ragged: ClassVar[bool] = True
    outputs: ClassVar[tuple[Output, ...]] = (
        Output("entropy", "bits", True, (0.0, 8.0), "The Shannon entropy of the luma's 256 levels."),
        Output(
            name="local_contrast",
            unit="luma",
            higher_is_better=True,
            bounds=(0.0, 0.5),
            description="The standard deviation of 4 x 4 block means in the busiest of 8 x 8 tiles.",
            default_threshold=Threshold(
                "<", 0.02, provenance="five grey levels; flags none of 100 clean ImageNet photos"
            ),
            failure="low_information",
        ),
    )

    def load(self, device: str) -> Callable[[AnyBatch], Scores]:
        def score(batch: AnyBatch) -> Scores:
            levels = batch.each(lambda part: part.luma.at(_LONG_SIDE).histogram)
            busiest = batch.each(lambda part: local_contrast(part.luma.at(_LONG_SIDE).blocks))
            reasons = tuple("too small to judge information" if small else None for small in busiest.isnan().tolist())
            scores = {"entropy": entropy(levels), "local_contrast": busiest}
            return Scores(scores, reasons if any(reasons) else ())

        return score
