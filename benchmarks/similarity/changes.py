"""What is done to a picture that stays the same picture."""

from __future__ import annotations

import io
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image

Change = Callable[[np.ndarray], np.ndarray]


def jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def scaled(picture: np.ndarray, factor: float) -> np.ndarray:
    return cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)


def cropped(picture: np.ndarray, left: float, top: float, right: float, bottom: float) -> np.ndarray:
    height, width = picture.shape[:2]
    return picture[round(top * height) : round((1 - bottom) * height), round(left * width) : round((1 - right) * width)]


def stamped(picture: np.ndarray, left: float, share: float) -> np.ndarray:
    """A white plate with a word on it, near the lower edge; left and its width as shares of the picture's."""
    height, width = picture.shape[:2]
    made = picture.copy()
    x, y, wide, high = (
        int(left * width),
        int((0.97 - 0.75 * share) * height),
        int(share * width),
        int(0.75 * share * height),
    )
    made[y : y + high, x : x + wide] = 250
    scale = wide / 130
    place = (x + int(0.08 * wide), y + int(0.65 * high))
    cv2.putText(
        made, "LOGO", place, cv2.FONT_HERSHEY_DUPLEX, scale, (200, 30, 30), max(1, round(2 * scale)), cv2.LINE_AA
    )
    return made


def brightened(picture: np.ndarray, gain: float, offset: float) -> np.ndarray:
    return np.clip(picture * gain + offset, 0, 255).astype(np.uint8)


CHANGES: dict[str, tuple[Change, ...]] = {
    "re-encoded (JPEG 30 to 90)": tuple(lambda x, q=q: jpeg(x, q) for q in (30, 60, 90)),
    "resized (to 1/3, 1/2, 1.5)": tuple(lambda x, f=f: scaled(x, f) for f in (1 / 3, 0.5, 1.5)),
    "10 % cropped": (
        lambda x: cropped(x, 0.05, 0.05, 0.05, 0.05),
        lambda x: cropped(x, 0.1, 0, 0, 0),
        lambda x: cropped(x, 0, 0, 0.1, 0.1),
    ),
    "brightness (x 0.6 to x 1.3 + 10)": (
        lambda x: brightened(x, 0.6, 0),
        lambda x: brightened(x, 1.0, 25),
        lambda x: brightened(x, 1.3, 10),
    ),
    "flipped or turned": (lambda x: x[:, ::-1], lambda x: x[::-1], lambda x: np.rot90(x)),
    "a logo of 6 % of the picture": (lambda x: stamped(x, 0.02, 0.28), lambda x: stamped(x, 0.7, 0.28)),
    "a logo of 8 to 20 % of the picture": (
        lambda x: stamped(x, 0.02, 0.33),
        lambda x: stamped(x, 0.58, 0.4),
        lambda x: stamped(x, 0.02, 0.46),
        lambda x: stamped(x, 0.46, 0.52),
    ),
    "a logo of 2 % of the picture": (lambda x: stamped(x, 0.02, 0.16), lambda x: stamped(x, 0.82, 0.16)),
    "grey": (lambda x: np.repeat(cv2.cvtColor(x, cv2.COLOR_RGB2GRAY)[..., None], 3, 2),),
}
