"""Vectors of shapes and colors that need no weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from loupe.brain.core import interrupts, specs
from loupe.brain.core.specs import Embedder
from loupe.brain.imaging.batches import ImageBatch

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

_SIDE, _CELL, _BINS = 64, 8, 9
_GRID = 8
#: the first coefficients of an 8 × 8 cosine transform in zigzag order, (row, column)
_ZIGZAG = ((0, 0), (0, 1), (1, 0), (2, 0), (1, 1), (0, 2))
_LUMA, _CHROMA = 6, 3


@dataclass(frozen=True)
class Hog(Embedder):
    """Histograms of oriented gradients and a color layout (offline).

    It sees shapes and colors, not meanings: good enough to tell layouts apart where no weights can be had. The image
    is stretched to 64 × 64. Shapes: HOG with 8 × 8 cells, 2 × 2 cells a block, 9 unsigned directions, L2-Hys: 1764
    numbers. Colors: MPEG-7's color layout descriptor, unquantized: 6 luma and 3 + 3 chroma coefficients of the
    8 × 8 average colors: 12 numbers. Both are brought to unit length and weighted. The last number is a small
    constant, so that a plain gray picture has a direction, too. 1777 numbers.
    """

    name: ClassVar[str] = "hog"
    version: ClassVar[int] = 1
    reference: ClassVar[str] = "Dalal and Triggs 2005, doi:10.1109/CVPR.2005.177; ISO/IEC 15938-3 (color layout)"
    license: ClassVar[str] = "Apache-2.0"
    long_side: ClassVar[int | None] = 256
    offline: ClassVar[bool] = True

    color: float = specs.param(0.3, "The weight of colors against shapes", low=0.0, high=1.0)

    def load(self, device: str) -> Callable[[ImageBatch], Tensor]:
        """Returns the function that maps a batch to (N, 1777) unit vectors. It runs on the CPU whatever the device."""
        import cv2
        import numpy as np
        import torch
        from torch.nn.functional import normalize

        descriptor = cv2.HOGDescriptor((_SIDE, _SIDE), (2 * _CELL, 2 * _CELL), (_CELL, _CELL), (_CELL, _CELL), _BINS)
        shapes, colors = (1 - self.color) ** 0.5, self.color**0.5

        def embed(batch: ImageBatch) -> Tensor:
            pixels = batch.pixels.permute(0, 2, 3, 1).cpu().numpy()
            resized = []
            for image in pixels:
                interrupts.point()
                resized.append(_stretch(np.ascontiguousarray(image), _SIDE))
            hog = torch.from_numpy(np.stack([np.asarray(descriptor.compute(image)).ravel() for image in resized]))
            layout = torch.from_numpy(np.stack([color_layout(image) for image in resized]))
            constant = torch.full((len(hog), 1), 0.05)
            parts = [shapes * normalize(hog, dim=1), colors * normalize(layout, dim=1), constant]
            return normalize(torch.cat(parts, 1), dim=1).float()

        return embed


def _stretch(image: np.ndarray, side: int) -> np.ndarray:
    import cv2

    height, width = image.shape[:2]
    # area averaging only shrinks: what is smaller is stretched first, by repeating
    larger = cv2.resize(image, (max(width, side), max(height, side)), interpolation=cv2.INTER_LINEAR)
    return cv2.resize(larger, (side, side), interpolation=cv2.INTER_AREA)


def color_layout(image: np.ndarray) -> np.ndarray:
    """Returns the color layout of a (H, W, 3) uint8 RGB image: (12,) float32, zero for plain mid-gray.

    6 luma, 3 Cb and 3 Cr coefficients of the 8 × 8 average colors' orthonormal cosine transform, each in -1024 … 1024.

    >>> import numpy as np
    >>> color_layout(np.full((64, 64, 3), 255, np.uint8)).round()[:2].tolist()
    [1016.0, 0.0]
    """
    import cv2
    import numpy as np

    small = cv2.resize(image, (_GRID, _GRID), interpolation=cv2.INTER_AREA).astype(np.float32)
    red, green, blue = small[..., 0], small[..., 1], small[..., 2]
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    planes = (luma - 128, (blue - luma) * 0.564, (red - luma) * 0.713)
    coefficients = [
        cv2.dct(np.ascontiguousarray(plane))[place]
        for plane, count in zip(planes, (_LUMA, _CHROMA, _CHROMA), strict=True)
        for place in _ZIGZAG[:count]
    ]
    return np.array(coefficients, dtype=np.float32)
