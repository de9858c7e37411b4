"""Scaling on a device, to the very pixels that the CPU makes of a picture.

torch and Pillow scale bytes on the CPU alone, along one axis after the other, rounded after each, by weights that are
whole numbers. A device would do it in floats, and one pixel of nine came out differently. Here the same weights are a
matrix, parted into bytes: products of bytes, and sums of them, are exact in 32-bit floats, whatever the order, on any
device.
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
#: its parameter where it is antialiased, in Pillow and in torch
_A = -0.5
#: bits of the fraction of a weight: Pillow's, and at most torch's, whose weights have 16 bits with their sign
_FRACTION, _BITS = 22, 16


def scaled(planes: Tensor, shape: tuple[int, int], *, as_pillow: bool = False) -> Tensor:
    """Returns the planes scaled by antialiased bicubic interpolation, as the CPU does it with bytes.

    Args:
        planes: (..., H, W) uint8
        shape: height and width
        as_pillow: whether as Pillow does it; else as torch does it, which differs by a level here and there. Where one
            axis is enlarged and the other reduced, Pillow may take them in another order: that is not followed

    Returns:
        (..., h, w) uint8
    """
    import torch

    device = str(planes.device)
    if shape[1] != planes.shape[-1]:
        matrix, fraction = _matrix(planes.shape[-1], shape[1], device, as_pillow)
        planes = _rounded((planes.float() @ matrix).unflatten(-1, (-1, shape[1])).unbind(-2), fraction)
    if shape[0] != planes.shape[-2]:
        matrix, fraction = _matrix(planes.shape[-2], shape[0], device, as_pillow)
        planes = _rounded((matrix.T @ planes.float()).unflatten(-2, (-1, shape[0])).unbind(-3), fraction)
    return planes.to(torch.uint8)


def _rounded(parts: tuple[Tensor, ...], fraction: int) -> Tensor:
    """Returns the numbers whose bytes these are, the highest first, without their fraction."""
    import torch

    total = parts[0].to(torch.int32)
    for part in parts[1:]:
        total = total.mul_(256).add_(part.to(torch.int32))
    return total.add_(1 << (fraction - 1)).bitwise_right_shift_(fraction).clamp_(0, 255)


@lru_cache(maxsize=64)
def _matrix(size: int, to: int, device: str, as_pillow: bool) -> tuple[Tensor, int]:
    """Returns a (size, P * to) float32 matrix, the bytes of the weights, the highest first, and their fraction in bits.

    The tables that it is made of are small: photos of a thousand shapes need a thousand of them.
    """
    import numpy as np
    import torch

    weights, first, fraction = _weights(size, to, as_pillow)
    places = np.minimum(first[:, None] + np.arange(weights.shape[1]), size - 1)
    columns = np.broadcast_to(np.arange(to)[:, None], places.shape)
    parts = [weights >> 16, weights >> 8 & 255, weights & 255] if as_pillow else [weights >> 8, weights & 255]
    wide = len(parts) * to
    flat = np.stack([places * wide + part * to + columns for part in range(len(parts))]).ravel()
    values = np.stack(parts).astype(np.float32).ravel()
    # beyond the last pixel weights are zero, so that it may be added to
    matrix = torch.zeros(size * wide, device=device)
    matrix.scatter_add_(0, torch.from_numpy(flat).to(device), torch.from_numpy(values).to(device))
    return matrix.view(size, wide), fraction


def _weights(size: int, to: int, as_pillow: bool) -> tuple[np.ndarray, np.ndarray, int]:
    """Returns (to, K) int64 weights, the (to,) place of the first of each, and how many bits are a fraction."""
    import numpy as np

    scale = size / to
    spread = max(scale, 1.0)
    support = _SUPPORT * spread
    center = scale * (np.arange(to) + 0.5)
    first = np.maximum((center - support + 0.5).astype(np.int64), 0)
    count = np.minimum((center + support + 0.5).astype(np.int64), size) - first
    offset = np.arange(math.ceil(support) * 2 + 1)
    x = np.abs((offset + first[:, None] - center[:, None] + 0.5) / spread)
    near = ((_A + 2) * x - (_A + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * _A
    weights = np.where(x < 1, near, np.where(x < 2, far, 0.0)) * (offset < count[:, None])
    weights = weights / weights.sum(1, keepdims=True)
    fraction = _FRACTION
    if not as_pillow:
        largest = float(weights.max())
        fits = (bits for bits in range(_FRACTION) if int(0.5 + largest * 2 ** (bits + 1)) >= 2 ** (_BITS - 1))
        fraction = next(fits, _FRACTION)
    return np.trunc(weights * 2**fraction + np.copysign(0.5, weights)).astype(np.int64), first, fraction
