"""The fine detail of a picture, its contrast evened out: what differs in things that are only alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loupe.brain.imaging.opencv import by_opencv
from loupe.brain.measures.repetition.planes import Plane, cells, is_array, product

if TYPE_CHECKING:
    from torch import Tensor

#: pixels of the two averages whose difference is the fine detail: finer is noise, coarser repeats in bricks and windows
_FINE, _COARSE = 3, 9
#: pixels over which the contrast of the detail is evened out
_EVEN = 16
#: detail of this share of the contrast counts half as much as the strongest edge: edges of bricks and windows repeat,
#: the grain between them does not
_GRAIN = 0.2


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

    fours = cells(product(detail, detail), 4, 4)
    tensor = torch.from_numpy(fours) if is_array(fours) else fours
    rough = avg_pool2d(tensor[None, None], _EVEN // 4, ceil_mode=True, count_include_pad=False)[0, 0].sqrt_()
    return rough.numpy() if is_array(fours) else rough
