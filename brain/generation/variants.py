"""Pictures that show the same and differ in what does not matter: they tell how far a check's scores waver."""

from __future__ import annotations

import numpy as np

#: how many there are
N = 5


def variants(pixels: np.ndarray) -> list[np.ndarray]:
    """Returns the picture encoded anew, moved by a pixel each way, a little brighter, and scaled there and back.

    A score that is another one for them says nothing of the picture.

    Args:
        pixels: (H, W, 3) uint8

    Returns:
        ``N`` pictures of the same shape
    """
    import cv2

    height, width = pixels.shape[:2]
    _, encoded = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])
    again = np.ascontiguousarray(np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))[..., ::-1])
    right = np.pad(pixels, ((0, 0), (1, 0), (0, 0)), mode="edge")[:, :width]
    down = np.pad(pixels, ((1, 0), (0, 0), (0, 0)), mode="edge")[:height]
    brighter = np.clip(np.rint(pixels.astype(np.float32) * 1.03), 0, 255).astype(np.uint8)
    larger = cv2.resize(pixels, (round(width * 1.25), round(height * 1.25)), interpolation=cv2.INTER_CUBIC)
    scaled = cv2.resize(larger, (width, height), interpolation=cv2.INTER_AREA)
    return [again, right, down, brighter, scaled]
