"""Scaling down on a device, to the very pixels that the CPU makes of a picture.

torch scales bytes on the CPU alone, along one axis after the other, by weights of 16 bits, rounded after each. A device
would have to do it in floats, and one pixel of nine came out differently. Here the same weights are a matrix, parted
into bytes: products of bytes, and sums of them, are exact in 32-bit floats, whatever the order, on any device.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

#: pixels on each side that bicubic interpolation looks at, times the scale
_SUPPORT = 2.0
#: its parameter where it is antialiased, as Pillow has it
_A = -0.5
#: bits of a weight with its sign, and of its fraction at most
_BITS, _MAX_FRACTION = 16, 22


def scaled(planes: Tensor, shape: tuple[int, int]) -> Tensor:
    """Returns the planes scaled down by antialiased bicubic interpolation, as the 8-bit path of the CPU does it.

    Args:
        planes: (..., H, W) uint8
        shape: height and width, each at most that of the planes

    Returns:
        (..., h, w) uint8
    """
    import torch

    device = str(planes.device)
    if shape[1] != planes.shape[-1]:
        matrix, fraction = _matrix(planes.shape[-1], shape[1], device)
        planes = _rounded((planes.float() @ matrix).unflatten(-1, (2, -1)).unbind(-2), fraction)
    if shape[0] != planes.shape[-2]:
        matrix, fraction = _matrix(planes.shape[-2], shape[0], device)
        planes = _rounded((matrix.T @ planes.float()).unflatten(-2, (2, -1)).unbind(-3), fraction)
    return planes.to(torch.uint8)


def _rounded(parts: tuple[Tensor, ...], fraction: int) -> Tensor:
    import torch

    high, low = parts
    total = high.to(torch.int32).mul_(256).add_(low.to(torch.int32))
    return total.add_(1 << (fraction - 1)).bitwise_right_shift_(fraction).clamp_(0, 255)


@lru_cache(maxsize=64)
def _matrix(size: int, to: int, device: str) -> tuple[Tensor, int]:
    """Returns a (size, 2 * to) float32 matrix, the upper bytes of the weights and then the lower, and their fraction.

    The tables that it is made of are small: photos of a thousand shapes need a thousand of them.
    """
    import numpy as np
    import torch

    weights, first, fraction = _weights(size, to)
    places = np.minimum(first[:, None] + np.arange(weights.shape[1]), size - 1)
    columns = np.broadcast_to(np.arange(to)[:, None], places.shape)
    # beyond the last pixel weights are zero, so that it may be added to
    flat = torch.from_numpy(np.stack([places * 2 * to + columns, places * 2 * to + to + columns]).ravel()).to(device)
    parts = torch.from_numpy(np.stack([weights >> 8, weights & 255]).astype(np.float32).ravel()).to(device)
    matrix = torch.zeros(size * 2 * to, device=device)
    return matrix.scatter_add_(0, flat, parts).view(size, 2 * to), fraction


def _weights(size: int, to: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Returns (to, K) int64 weights, the (to,) place of the first of each, and how many bits are a fraction."""
    import numpy as np

    scale = size / to
    support = _SUPPORT * scale
    center = scale * (np.arange(to) + 0.5)
    first = np.maximum((center - support + 0.5).astype(np.int64), 0)
    count = np.minimum((center + support + 0.5).astype(np.int64), size) - first
    offset = np.arange(math.ceil(support) * 2 + 1)
    x = np.abs((offset + first[:, None] - center[:, None] + 0.5) / scale)
    near = ((_A + 2) * x - (_A + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * _A
    weights = np.where(x < 1, near, np.where(x < 2, far, 0.0)) * (offset < count[:, None])
    weights = weights / weights.sum(1, keepdims=True)
    largest = float(weights.max())
    fits = (bits for bits in range(_MAX_FRACTION) if int(0.5 + largest * 2 ** (bits + 1)) >= 2 ** (_BITS - 1))
    fraction = next(fits, _MAX_FRACTION)
    return np.trunc(weights * 2**fraction + np.copysign(0.5, weights)).astype(np.int64), first, fraction
