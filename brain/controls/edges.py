"""The edges of a picture, white on black.

J. Canny, "A Computational Approach to Edge Detection", TPAMI 1986, by OpenCV, with the thresholds that ControlNet's
edge model was published with (100 and 200 levels of the summed Sobel gradient, an aperture of 3).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from loupe.brain.core.errors import InputError

#: an edge begins where the gradient is above the second, and goes on while it is above the first
THRESHOLDS = (100, 200)


def make(device: str, model: str | None) -> Callable[[np.ndarray], np.ndarray]:
    """Returns ``draw``; it needs neither a device nor a model.

    Raises:
        InputError: a model is named
    """
    if model is not None:
        raise InputError(f"expected no model for edges, which are computed, got {model!r}: leave it out")
    return draw


def draw(picture: np.ndarray) -> np.ndarray:
    """Returns the edges of a picture, (H, W, 3) uint8: 255 on an edge, else 0.

    Args:
        picture: (H, W, 3) uint8 RGB; of its channels that with the largest gradient counts

    >>> step = np.zeros((8, 8, 3), np.uint8)
    >>> step[:, 4:] = 255
    >>> np.flatnonzero(draw(step)[4, :, 0]).tolist()
    [3]
    """
    import cv2

    made = cv2.Canny(np.ascontiguousarray(picture), *THRESHOLDS)
    return np.repeat(made[..., None], 3, axis=2)
