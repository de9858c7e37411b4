"""Where in a picture a defect is put."""

from __future__ import annotations

import numpy as np


def busiest(pixels: np.ndarray, width: float, height: float) -> tuple[float, float]:
    """Returns x and y of the middle of the window with the most gradient energy, in pixels.

    Args:
        pixels: (H, W, 3) uint8
        width: of the window, in pixels, less than that of the picture
        height: of the window, in pixels, less than that of the picture
    """
    import cv2

    gray = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    scale = min(1.0, 128 / max(gray.shape))
    small = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.float32)
    energy = cv2.Sobel(small, -1, 1, 0) ** 2 + cv2.Sobel(small, -1, 0, 1) ** 2
    window = (max(1, round(width * scale)), max(1, round(height * scale)))
    # the root keeps one strong edge from outweighing a textured thing
    total = cv2.boxFilter(np.sqrt(energy), -1, window, normalize=False)
    rows, columns = window[1] // 2, window[0] // 2
    inside = total[rows : total.shape[0] - rows, columns : total.shape[1] - columns]
    if not inside.size:
        return pixels.shape[1] / 2, pixels.shape[0] / 2
    y, x = np.unravel_index(inside.argmax(), inside.shape)
    return float(x + columns + 0.5) / scale, float(y + rows + 0.5) / scale
