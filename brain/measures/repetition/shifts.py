"""The shifts at which a picture looks most like itself."""

from __future__ import annotations

from loupe.brain.measures.repetition.blocks import BLOCK
from loupe.brain.measures.repetition.planes import Plane, is_array

#: the least period in pixels: the threads of a fabric and the meshes of a fence have shorter ones
_MIN_PERIOD = 24
#: peaks of the autocorrelation that are looked at, and how many standard deviations high they have to be
_PEAKS, _MIN_PEAK = 5, 4.0


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
    half, center = min(shape[0] // 2, height - BLOCK), shape[1] // 2
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

    on_cpu = is_array(detail)
    spectrum = torch.fft.rfft2(torch.from_numpy(detail) if on_cpu else detail, s=shape)
    # numpy takes a tenth of torch's time for it
    strength = torch.from_numpy(np.abs(spectrum.numpy())) if on_cpu else spectrum.abs()
    # of real numbers, half of the transform is the mirror image of the other half: it is not asked for
    columns = torch.fft.rfft(strength, dim=0).conj()
    correlation = torch.fft.irfft(columns, n=shape[1], dim=1, norm="forward")
    return correlation.numpy() if on_cpu else correlation


def _highest(values: Plane) -> tuple[float, int, int]:
    """Returns the highest of (H, W) values, and its row and column."""
    if is_array(values):
        import cv2

        _, peak, _, (column, row) = cv2.minMaxLoc(values)
        return peak, row, column
    highest, place = values.flatten().max(0)
    return float(highest), *divmod(int(place), values.shape[1])


def _deviation(values: Plane) -> float:
    """Returns the standard deviation of (H, W) values."""
    if not is_array(values):
        return float(values.std())
    import cv2

    return float(cv2.meanStdDev(values)[1][0, 0])
