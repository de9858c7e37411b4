"""Whether the whole picture is out of focus."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from loupe.brain.core.records import Output, Scores, Threshold
from loupe.brain.core.specs import Check
from loupe.brain.imaging.luma import Luma, gradient_energy
from loupe.brain.imaging.ragged import AnyBatch, Part

if TYPE_CHECKING:
    from torch import Tensor

#: at 320 pixels much of what a lens leaves out of focus is too small to be seen; at 640 noise hides more of it
_LONG_SIDES = (640, 320)
_LONG_SIDE = _LONG_SIDES[0]
_BLOCK = 4
#: pixels along the short side, below which there are too few blocks
_MIN_SIDE = 32
_TOO_SMALL = f"too small to judge blur: less than {_MIN_SIDE} pixels along the short side"
#: where neighbouring blocks differ by less (1.5 grey levels, root mean square), rounding and noise outweigh the picture
_MIN_DIFFERENCE = 1.5 / 255


def sharpness(fine: Tensor, coarse: Tensor) -> Tensor:
    """Returns the share of the gradient energy that block averages lose.

    1 - E_blocks / E_pixels, where E_blocks is the gradient energy of the averages of 4 x 4 pixels, as a gradient per
    pixel: (N,) float32 in [0, 1]; 0 when all is smoother than that, near 1 for the finest detail. Both energies grow
    with the square of the contrast, so that their ratio does not depend on it, nor on brightness. Blurring what is
    blurred already changes little: Crete et al., The blur effect, SPIE 6492 (2007).

    Args:
        fine, coarse: (N,) the gradient energies of the pixels, and of the means of blocks
    """
    return (1 - coarse / _BLOCK**2 / fine.clamp_min(1e-12)).clamp(0, 1)


def energies(luma: Luma) -> Tensor:
    """Returns the gradient energies at long sides of 640 and of 320 pixels, and of means of 4 x 4 of those.

    As ``gradient_energy``, of a smaller picture at its own size. Nothing is scaled to these sizes: what lies between
    the sizes of the picture halved again and again is taken along straight lines of the logarithm over that of the
    scale.

    Args:
        luma: of pictures with at least 32 pixels along the short side

    Returns:
        (N, 2, 2) float32: for each long side that of the pixels, and that of the means
    """
    import torch

    first = luma.above(_LONG_SIDE)
    shares = [math.log2(max(1.0, max(first.shape) / long_side)) for long_side in _LONG_SIDES]
    octaves = [first]
    while len(octaves) <= math.ceil(shares[-1] + 2):
        octaves.append(octaves[-1].half_size)
    # as differences of neighbors at the size of the first, so that what lies between two sizes is steady
    logs = [(gradient_energy(octave.levels) / 4**k).clamp_min(1e-12).log() for k, octave in enumerate(octaves)]

    def at(share: float) -> Tensor:
        below = math.floor(share)
        between = share - below
        log = logs[below] if between == 0 else logs[below].lerp(logs[below + 1], between)
        return log.exp() * 4**share

    return torch.stack([torch.stack((at(share), at(share + 2)), 1) for share in shares], 1)


@dataclass(frozen=True)
class Sharpness(Check):
    """Sharpness: whether the whole picture is out of focus.

    How much of what the picture shows is finer than four pixels, at long sides of at most 640 and 320 pixels: the less
    of the two, since a slight blur shows at the larger one, and noise hides less of a blur at the smaller one. It is a
    figure of the whole picture: a sharp subject before a blurred background is sharp. Judged are neither pictures with
    less than 32 pixels on the short side, nor those that show next to nothing.
    """

    name: ClassVar[str] = "sharpness"
    version: ClassVar[int] = 5
    reference: ClassVar[str] = "After Crete et al., The blur effect, SPIE 6492 (2007)"
    license: ClassVar[str] = "Apache-2.0"
    long_side: ClassVar[int | None] = _LONG_SIDE
    cost: ClassVar[float] = 1.3
    stateless: ClassVar[bool] = True
    ragged: ClassVar[bool] = True
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            name="sharpness",
            unit="ratio",
            higher_is_better=True,
            bounds=(0.0, 1.0),
            description="The share of the gradient energy that is finer than 4 x 4 pixels.",
            default_threshold=Threshold("<", 0.6, provenance="flags none of 100 clean ImageNet photos"),
            failure="blur",
        ),
    )

    def load(self, device: str) -> Callable[[AnyBatch], Scores]:
        import torch

        def both(batch: Part) -> Tensor:
            shape = batch.luma.shape
            if min(shape) * min(1, _LONG_SIDE / max(shape)) < _MIN_SIDE:
                return torch.full((len(batch), 2, 2), torch.nan, device=batch.device)
            return energies(batch.luma)

        def score(batch: AnyBatch) -> Scores:
            fine, coarse = batch.each(both).unbind(2)
            at_each = sharpness(fine, coarse).masked_fill(coarse < _MIN_DIFFERENCE**2, torch.nan)
            # where one size shows too little, the other decides
            scores = torch.fmin(*at_each.unbind(1))
            reasons = tuple(
                None if not unknown else _TOO_SMALL if small else "too plain to judge blur"
                for unknown, small in zip(scores.isnan().tolist(), coarse[:, 0].isnan().tolist(), strict=True)
            )
            return Scores({"sharpness": scores}, reasons if any(reasons) else ())

        return score
