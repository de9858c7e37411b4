"""Pictures scaled down by area: each pixel is the mean of what it covers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loupe.brain.imaging.luma import together

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor


def area_means(pixels: Tensor, shape: tuple[int, int]) -> Tensor:
    """Returns the means of rectangles that cover a picture, as ``torch.nn.functional.adaptive_avg_pool2d`` divides it.

    The same numbers on the CPU and elsewhere, as sums of levels are exact: of up to 65,793 pixels a rectangle. On the
    CPU in less time than torch takes, which makes floats of all pixels first.

    Args:
        pixels: (N, 3, H, W) uint8
        shape: height and width, at most those of the pictures

    Returns:
        (N, 3, *shape) float32 in [0, 255]

    >>> import torch
    >>> area_means(torch.arange(12, dtype=torch.uint8).view(1, 3, 2, 2), (1, 1)).flatten().tolist()
    [1.5, 5.5, 9.5]
    """
    if pixels.device.type != "cpu":
        from torch.nn.functional import adaptive_avg_pool2d

        return adaptive_avg_pool2d(pixels.float(), shape)
    # the reader's planes lie interleaved already
    images = pixels.permute(0, 2, 3, 1).contiguous().numpy()
    return together([_means(image, shape) for image in images]).permute(0, 3, 1, 2)


def _means(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Returns the means of an (H, W, 3) uint8 picture: by sums of rows, without a copy of it in floats."""
    import numpy as np

    (top, bottom), (left, right) = (_bounds(*sides) for sides in zip(image.shape, shape, strict=False))
    flat = image.reshape(len(image), -1)
    rows = np.stack([flat[a:b].sum(0, dtype=np.uint32) for a, b in zip(top, bottom, strict=True)])
    up_to = np.zeros((len(rows), image.shape[1] + 1, 3), np.int64)
    np.cumsum(rows.reshape(len(rows), -1, 3), 1, out=up_to[:, 1:])
    sums = (up_to[:, right] - up_to[:, left]).astype(np.float32)
    # one after the other, as torch divides
    tall, wide = ((end - start).astype(np.float32) for start, end in ((top, bottom), (left, right)))
    return sums / tall[:, None, None] / wide[:, None]


def _bounds(size: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns where each of so many parts of a side begins and ends: whole pixels, so that neighbors may share one."""
    import numpy as np

    places = np.arange(count + 1) * size
    return places[:-1] // count, -(-places[1:] // count)
