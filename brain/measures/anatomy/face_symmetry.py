"""How nearly the picture of a face is its own mirror image once the turn of the head is taken out: a proxy.

Real faces and real light are never quite symmetric. It says nothing of beauty, and a real face lit evenly from the
front comes near.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import LinearNDInterpolator

from loupe.brain.measures.anatomy import face_shape
from loupe.brain.perception.landmarks.face import Face

#: the side of the frontal picture, in pixels, of 1.5 eye distances
SIDE = 144
_SPAN = 1.5


def frontal(picture: np.ndarray, face: Face) -> tuple[np.ndarray, np.ndarray]:
    """Returns the face as if it looked straight at the camera and its points lay symmetrically.

    Every triangle between the points is moved to where the mean of the face and its mirror image has it.

    Args:
        picture: (H, W, 3) uint8 RGB
        face: of the picture

    Returns:
        (144, 144) float32 luma in [0, 255], the axis of the face upright in its middle; (144, 144) bool: where the
        face is, symmetric
    """
    import cv2

    points = face_shape.frontal(face_shape.solid(face))
    even = (points + face_shape.fitted(face_shape.mirrored(points), points)) / 2
    even = (even + face_shape.mirrored(even)) / 2
    places = even[:, :2] - [0.0, (even[:, 1].min() + even[:, 1].max()) / 2]
    cells = (np.arange(SIDE) + 0.5) / SIDE * _SPAN - _SPAN / 2
    grid = np.stack(np.meshgrid(cells, cells), -1)
    source = LinearNDInterpolator(places, face.points[face_shape.CHOSEN].astype(np.float64))(grid)
    inside = np.isfinite(source).all(-1)
    inside &= inside[:, ::-1]
    step = face_shape.unit(face_shape.solid(face)) * _SPAN / SIDE
    luma = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    if step > 1:  # sampling what is finer would alias
        luma = cv2.GaussianBlur(luma, (0, 0), 0.5 * step)
    maps = np.nan_to_num(source, nan=-1).astype(np.float32) - np.float32(0.5)
    return cv2.remap(luma, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), inside


def likeness(front: np.ndarray, inside: np.ndarray, sigma: float = 4.0) -> float:
    """Returns the correlation of one half of a frontal face with the other half in a mirror, in [-1, 1].

    Of the detail finer than ``sigma`` pixels: the features alone are alike in any face, the texture of the skin, single
    hairs and small shadows are not.

    Args:
        front: (S, S) luma, the axis in its middle
        inside: (S, S) bool, symmetric
        sigma: of the Gaussian whose blur is taken off, in pixels

    >>> rng = np.random.default_rng(0)
    >>> half = rng.normal(size=(64, 32)).astype(np.float32)
    >>> round(likeness(np.hstack([half, half[:, ::-1]]), np.ones((64, 64), bool)), 3)
    1.0
    """
    import cv2

    weight = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), sigma)
    coarse = cv2.GaussianBlur(front * inside, (0, 0), sigma) / np.maximum(weight, 1e-3)
    half = front.shape[1] // 2
    fine = np.where(inside, front - coarse, 0)
    left, right, mask = fine[:, :half], fine[:, ::-1][:, :half], inside[:, :half]
    a, b = left[mask] - left[mask].mean(), right[mask] - right[mask].mean()
    return float((a * b).mean() / max(float(a.std() * b.std()), 1e-6))
